//! A store over another one, which does not do as it should.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result as StoreResult,
};

/// A store that ignores `If-Match` and, if asked to, breaks off every body, hands it out in small pieces, lists the wrong way
/// round, fails to list with a delimiter, or ignores the case of escapes, as some file systems do.
/// It counts the objects that it lists.
#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) cut_bodies: bool,
    pub(super) lists_backwards: bool,
    /// What a listing with a delimiter comes to.
    pub(super) looks: Option<fn() -> object_store::Error>,
    /// Takes `%c3` for `%C3`, whatever is stored.
    pub(super) ignores_case: bool,
    pub(super) listed: Arc<AtomicUsize>,
    /// After how many objects a listing breaks off for good.
    pub(super) lists_at_most: usize,
    /// Of how many bytes the pieces of a body are.
    pub(super) piece_bytes: usize,
    /// How long it takes to answer a request for an object.
    pub(super) answers_after: Duration,
}

impl Faulty {
    pub(super) fn over(store: Arc<dyn ObjectStore>) -> Self {
        let listed = Arc::default();
        Self {
            store,
            cut_bodies: false,
            lists_backwards: false,
            looks: None,
            ignores_case: false,
            listed,
            lists_at_most: usize::MAX,
            piece_bytes: usize::MAX,
            answers_after: Duration::ZERO,
        }
    }

    /// The path as it is stored.
    fn stored(&self, path: &Path) -> Path {
        let text = path.as_ref();
        if self.ignores_case {
            Path::parse(text.replace("%c3%a9", "%C3%A9")).unwrap()
        } else {
            path.clone()
        }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        path: &Path,
        body: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.store.put_opts(path, body, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        if !self.answers_after.is_zero() {
            tokio::time::sleep(self.answers_after).await;
        }
        let path = &self.stored(path);
        let mut answer = self
            .store
            .get_opts(
                path,
                GetOptions {
                    if_match: None,
                    ..options
                },
            )
            .await?;
        if self.cut_bodies {
            let range = Range {
                start: 0,
                end: answer.meta.size / 2,
            };
            let half = self.store.get_range(path, range).await?;
            let broken = object_store::Error::Generic {
                store: "faulty",
                source: "connection reset".into(),
            };
            answer.payload =
                GetResultPayload::Stream(stream::iter([Ok::<Bytes, _>(half), Err(broken)]).boxed());
        }
        if self.piece_bytes < usize::MAX {
            let whole = self.store.get_range(path, 0..answer.meta.size).await?;
            let pieces: Vec<_> = whole
                .chunks(self.piece_bytes)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            answer.payload = GetResultPayload::Stream(stream::iter(pieces).boxed());
        }
        Ok(answer)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        self.store.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let (asked, stored) = (prefix.cloned(), prefix.map(|prefix| self.stored(prefix)));
        let (listing, listed) = (self.store.list(stored.as_ref()), Arc::clone(&self.listed));
        let as_asked = move |meta: ObjectMeta| match (&asked, &stored) {
            (Some(asked), Some(stored)) => {
                let text = meta
                    .location
                    .as_ref()
                    .replacen(stored.as_ref(), asked.as_ref(), 1);
                ObjectMeta {
                    location: Path::parse(text).unwrap(),
                    ..meta
                }
            }
            (None, _) | (_, None) => meta,
        };
        let listing = listing.map_ok(as_asked).boxed();
        let listing = if self.lists_backwards {
            backwards(listing).boxed()
        } else {
            listing
        };
        let count = move |_: &_| {
            listed.fetch_add(1, Ordering::Relaxed);
        };
        let broken = Err(object_store::Error::NotSupported {
            source: "a name that no object has".into(),
        });
        let breaks_off = match self.lists_at_most {
            usize::MAX => stream::empty().boxed(),
            _ => stream::iter([broken]).boxed(),
        };
        let whole = listing.take(self.lists_at_most);
        whole.chain(breaks_off).inspect(count).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        match self.looks {
            Some(error) => Err(error()),
            None => {
                self.store
                    .list_with_delimiter(prefix.map(|prefix| self.stored(prefix)).as_ref())
                    .await
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.store.copy_opts(from, to, options).await
    }
}

fn backwards(
    listing: BoxStream<'static, StoreResult<ObjectMeta>>,
) -> impl Stream<Item = StoreResult<ObjectMeta>> + Send + use<> {
    listing
        .collect::<Vec<_>>()
        .map(|listed| stream::iter(listed.into_iter().rev()))
        .flatten_stream()
}
