//! Fetches the next objects while one is taken, so that many small ones cost no waiting.

use std::io;

use bytes::Bytes;
use domain::chunk::ObjectRef;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{BoxStream, FuturesOrdered, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetResult, ObjectStore};
use ports::source::SourceError;
use tokio_util::io::StreamReader;

use crate::lake::{Lake, source_error};

/// An object's bytes as stored.
pub(super) type Body = StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>;

/// An object that is being fetched, and how many bytes of memory it takes.
type Fetch = BoxFuture<'static, (u64, Result<Body, SourceError>)>;

/// The bodies of the objects of a chunk, in order.
pub(super) struct Ahead {
    lake: Lake,
    /// Those that are not being fetched yet.
    objects: std::vec::IntoIter<ObjectRef>,
    fetches: FuturesOrdered<Fetch>,
    /// What those that are being fetched, and the one that was taken last, hold at most.
    held_bytes: u64,
    /// What the one that was taken last holds.
    taken_bytes: u64,
}

impl Ahead {
    pub(super) fn of(lake: Lake, objects: Vec<ObjectRef>) -> Self {
        Self {
            lake,
            objects: objects.into_iter(),
            fetches: FuturesOrdered::new(),
            held_bytes: 0,
            taken_bytes: 0,
        }
    }

    /// The body of the next object.
    ///
    /// # Errors
    /// [`SourceError`], also when there is no other.
    pub(super) async fn next(&mut self) -> Result<Body, SourceError> {
        self.held_bytes -= std::mem::take(&mut self.taken_bytes);
        self.fetch_ahead();
        let Some((bytes, body)) = self.fetches.next().await else {
            return Err(SourceError::Corrupt {
                object: "the chunk".to_owned(),
                cause: "it has no other object".into(),
            });
        };
        self.taken_bytes = bytes;
        body
    }

    /// Begins to fetch as many of the next objects as may be held. One that is larger than that is
    /// opened when its turn comes, and read as a stream.
    fn fetch_ahead(&mut self) {
        let most = self.lake.prefetch_bytes;
        while let Some(object) = self.objects.as_slice().first() {
            let bytes = object.size_bytes.min(most);
            if !self.fetches.is_empty() && self.held_bytes + bytes > most {
                return;
            }
            let Some(object) = self.objects.next() else {
                return;
            };
            self.held_bytes += bytes;
            let lake = self.lake.clone();
            let is_whole = object.size_bytes <= most;
            let fetch = async move {
                let body = fetch(&lake, &object).await.map(GetResult::into_stream);
                let body = match body {
                    Ok(stream) if is_whole => collect(&object, stream).await,
                    body => body,
                };
                (bytes, body.map(reader))
            };
            self.fetches.push_back(fetch.boxed());
        }
    }
}

type Stream = BoxStream<'static, object_store::Result<Bytes>>;

/// Reads an object to its end, into memory.
async fn collect(object: &ObjectRef, stream: Stream) -> Result<Stream, SourceError> {
    let parts: Vec<Bytes> = stream
        .try_collect()
        .await
        .map_err(|error| source_error(&object.path, error))?;
    Ok(futures::stream::iter(parts.into_iter().map(Ok)).boxed())
}

fn reader(stream: Stream) -> Body {
    StreamReader::new(stream.map_err(io::Error::other).boxed())
}

/// Fetches the version that was planned. The answer's `ETag` is compared too, for stores that
/// ignore `If-Match`.
async fn fetch(lake: &Lake, object: &ObjectRef) -> Result<GetResult, SourceError> {
    let changed = || SourceError::Changed {
        object: object.path.clone(),
    };
    let options = GetOptions {
        if_match: Some(object.etag.clone()),
        ..GetOptions::default()
    };
    let answer = lake
        .store
        .get_opts(&lake.full_path(&object.path)?, options)
        .await;
    let answer = answer.map_err(|error| {
        let gone = matches!(
            error,
            object_store::Error::NotFound { .. } | object_store::Error::Precondition { .. }
        );
        if gone {
            changed()
        } else {
            source_error(&object.path, error)
        }
    })?;
    let same =
        answer.meta.e_tag.as_ref() == Some(&object.etag) && answer.meta.size == object.size_bytes;
    if same { Ok(answer) } else { Err(changed()) }
}
