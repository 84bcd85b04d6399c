//! Fetches the next objects while one is taken, so that many small ones cost no waiting.

use std::fs::File;
use std::io::{self, Read};
use std::time::SystemTime;

use bytes::Bytes;
use domain::cause::Cause;
use domain::chunk::ObjectRef;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, BoxStream, FuturesOrdered, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetResult, GetResultPayload, ObjectStore};
use ports::source::SourceError;

use crate::lake::{Lake, folder, source_error};

/// An object's bytes as stored.
pub(super) type Body = BoxStream<'static, object_store::Result<Bytes>>;

/// How much of a file is read at once: each time, another thread does it.
const FILE_BYTES: u64 = 1 << 20;

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
                let body = match fetch(&lake, &object).await.map(|answer| answer.payload) {
                    // The system reads files ahead.
                    Ok(GetResultPayload::File(file, _)) => Ok(read_file(file, object.size_bytes)),
                    Ok(GetResultPayload::Stream(stream)) if is_whole => {
                        collect(&object, stream).await
                    }
                    Ok(GetResultPayload::Stream(stream)) => Ok(stream),
                    Err(error) => Err(error),
                };
                (bytes, body)
            };
            self.fetches.push_back(fetch.boxed());
        }
    }
}

/// Reads an object to its end, into memory.
async fn collect(object: &ObjectRef, body: Body) -> Result<Body, SourceError> {
    let parts: Vec<Bytes> = body
        .try_collect()
        .await
        .map_err(|error| source_error(&object.path, error))?;
    Ok(stream::iter(parts.into_iter().map(Ok)).boxed())
}

/// The bytes of a file, which had so many when it was opened. Many are read at once: the store itself
/// would read 8 KiB at a time
/// (<https://docs.rs/object_store/latest/object_store/struct.GetResult.html#method.into_stream>).
fn read_file(file: File, size_bytes: u64) -> Body {
    let opened = written(&file);
    stream::try_unfold((file, size_bytes), move |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || {
            let part = read_part(&mut file, left)?;
            if part.len() as u64 == left && written(&file) != opened {
                // What was written into it is mixed with what was there. It is another version now.
                return Err(io::Error::other("it was written to while it was read"));
            }
            Ok((part, file))
        });
        let (part, file) = read
            .await
            .map_err(|error| failed(error.into()))?
            .map_err(|error: io::Error| failed(error.into()))?;
        let left = left.saturating_sub(part.len() as u64);
        Ok(Some((part, (file, left))))
    })
    .boxed()
}

/// When a file was last written to, as far as the system says.
fn written(file: &File) -> Option<SystemTime> {
    file.metadata().and_then(|it| it.modified()).ok()
}

/// The next bytes of a file that has so many left.
fn read_part(file: &mut File, left: u64) -> io::Result<Bytes> {
    let most = left.min(FILE_BYTES);
    let mut part = Vec::with_capacity(usize::try_from(most).unwrap_or_default());
    if file.take(most).read_to_end(&mut part)? == 0 {
        // Somebody cut it off. Who opens it again finds that it is another version.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(part.into())
}

fn failed(source: Cause) -> object_store::Error {
    object_store::Error::Generic {
        store: folder::STORE,
        source,
    }
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
