//! Reads the pinned objects of a chunk: fetches the next ones while one is taken, unpacks them, and
//! cuts them into pieces.

mod ahead;

use std::io::{self, Cursor};
use std::pin::Pin;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use domain::chunk::ObjectRef;
use futures::stream::{self, BoxStream, StreamExt};
use ports::source::{Piece, SourceError};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt};

use crate::lake::content::{self, Codec};
use crate::lake::expansion::Bounded;
use crate::lake::{Lake, source_error};
use crate::pieces::Cutter;

use ahead::Ahead;

/// The base-2 logarithm of the largest window that a Zstandard frame may ask for: 8 MiB, which
/// every decoder is to support (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2>).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// The text of the objects, one object after the other.
pub(super) fn read_objects(
    lake: Lake,
    objects: Vec<ObjectRef>,
) -> BoxStream<'static, Result<Piece, SourceError>> {
    let reader = ChunkReader {
        ahead: Ahead::of(lake.clone(), objects.clone()),
        lake,
        objects,
        origin: 0,
        open: None,
    };
    stream::try_unfold(reader, |mut reader| async {
        let piece = reader.next().await?;
        Ok(piece.map(|piece| (piece, reader)))
    })
    .boxed()
}

struct ChunkReader {
    lake: Lake,
    objects: Vec<ObjectRef>,
    ahead: Ahead,
    /// The place of the object that is read now.
    origin: usize,
    open: Option<OpenObject>,
}

struct OpenObject {
    text: Pin<Box<dyn AsyncRead + Send>>,
    cutter: Cutter,
}

impl ChunkReader {
    /// The next piece. Only what a repeat may help with ends the stream.
    async fn next(&mut self) -> Result<Option<Piece>, SourceError> {
        let origin = self.origin;
        let Some(object) = self.objects.get(origin).cloned() else {
            return Ok(None);
        };
        let piece = match self.read(&object).await {
            Ok(Some(text)) => return Ok(Some(Piece::Text { origin, text })),
            Ok(None) => Piece::End { origin },
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => Piece::Unreadable { origin, error },
        };
        self.open = None;
        self.origin += 1;
        Ok(Some(piece))
    }

    /// More text of the object; `None` at its end.
    async fn read(&mut self, object: &ObjectRef) -> Result<Option<bytes::Bytes>, SourceError> {
        let open = match &mut self.open {
            Some(open) => open,
            closed => {
                let body = self.ahead.next().await?;
                closed.insert(open_object(&self.lake, object, body).await?)
            }
        };
        let text = open.cutter.next(&mut open.text).await;
        text.map_err(|error| read_error(&object.path, error))
    }
}

/// Looks what the object is, and unpacks it.
async fn open_object(
    lake: &Lake,
    object: &ObjectRef,
    mut body: ahead::Body,
) -> Result<OpenObject, SourceError> {
    let failed = |error| read_error(&object.path, error);
    let head = content::head(&mut body).await.map_err(failed)?;
    let codec = Codec::of(&head);
    let mut text = unpacked(lake, object, codec, Cursor::new(head).chain(body));
    let head = content::head(&mut text).await.map_err(failed)?;
    if let Some(reason) = content::problem(&head, codec != Codec::Plain) {
        return Err(SourceError::Corrupt {
            object: object.path.clone(),
            cause: reason.into(),
        });
    }
    Ok(OpenObject {
        text: Box::pin(Cursor::new(content::without_mark(head)).chain(text)),
        cutter: Cutter::default(),
    })
}

fn unpacked(
    lake: &Lake,
    object: &ObjectRef,
    codec: Codec,
    body: impl AsyncBufRead + Send + Unpin + 'static,
) -> Pin<Box<dyn AsyncRead + Send>> {
    match codec {
        Codec::Plain => Box::pin(body),
        Codec::Gzip => {
            let mut decoder = GzipDecoder::new(body);
            decoder.multiple_members(true);
            Box::pin(Bounded::new(decoder, lake.expansion, object.size_bytes))
        }
        Codec::Zstd => {
            let window = DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX);
            let mut decoder = ZstdDecoder::with_params(body, &[window]);
            decoder.multiple_members(true);
            Box::pin(Bounded::new(decoder, lake.expansion, object.size_bytes))
        }
    }
}

/// A failure of the store within the body, or else one of the decoder: damaged, cut short, or
/// expanding too far.
fn read_error(object: &str, error: io::Error) -> SourceError {
    match error.downcast::<object_store::Error>() {
        Ok(inner) => source_error(object, inner),
        Err(error) => SourceError::Corrupt {
            object: object.to_owned(),
            cause: error.into(),
        },
    }
}
