//! A store over another one, which does not do as it should.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

/// A store that ignores `If-Match` and, if told so, breaks off every body or lists the wrong way round. It counts the
/// objects that it lists.
#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) cut_bodies: bool,
    pub(super) lists_backwards: bool,
    pub(super) listed: Arc<AtomicUsize>,
}

impl Faulty {
    pub(super) fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, cut_bodies: false, lists_backwards: false, listed: Arc::default() }
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, path: &Path, body: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
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
        let mut answer = self.store.get_opts(path, GetOptions { if_match: None, ..options }).await?;
        if self.cut_bodies {
            let range = Range { start: 0, end: answer.meta.size / 2 };
            let half = self.store.get_range(path, range).await?;
            let broken = object_store::Error::Generic { store: "faulty", source: "connection reset".into() };
            answer.payload = GetResultPayload::Stream(stream::iter([Ok::<Bytes, _>(half), Err(broken)]).boxed());
        }
        Ok(answer)
    }

    fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        self.store.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let (listing, listed) = (self.store.list(prefix), Arc::clone(&self.listed));
        let listing = if self.lists_backwards { backwards(listing).boxed() } else { listing };
        let count = move |_: &_| {
            listed.fetch_add(1, Ordering::Relaxed);
        };
        listing.inspect(count).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.store.copy_opts(from, to, options).await
    }
}

fn backwards(
    listing: BoxStream<'static, StoreResult<ObjectMeta>>,
) -> impl Stream<Item = StoreResult<ObjectMeta>> + Send + use<> {
    listing.collect::<Vec<_>>().map(|listed| stream::iter(listed.into_iter().rev())).flatten_stream()
}
