//! Reads the pinned objects of a chunk: fetch, decompress, cut into lines.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use domain::chunk::ObjectRef;
use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::{GetOptions, GetResult, ObjectStore};
use ports::source::{Piece, SourceError};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use crate::lake::expansion::Bounded;
use crate::lake::layout::Compression;
use crate::lake::{Lake, source_error};
use crate::lines::{Cut, LineCutter};

/// The base-2 logarithm of the largest window that a Zstandard frame may ask for: 8 MiB, which
/// every decoder is to support (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2>).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// The lines of the objects, one object after the other.
pub(super) fn read_objects(
    lake: Lake,
    objects: Vec<ObjectRef>,
) -> BoxStream<'static, Result<Piece, SourceError>> {
    let reader = ChunkReader {
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
    /// The place of the object that is read now.
    origin: usize,
    open: Option<OpenObject>,
}

struct OpenObject {
    lines: Pin<Box<dyn AsyncRead + Send>>,
    cutter: LineCutter,
}

impl ChunkReader {
    async fn next(&mut self) -> Result<Option<Piece>, SourceError> {
        while let Some(object) = self.objects.get(self.origin) {
            let open = match &mut self.open {
                Some(open) => open,
                closed => closed.insert(open_object(&self.lake, object).await?),
            };
            let cut = open.cutter.next(&mut open.lines).await;
            if let Some(cut) = cut.map_err(|error| read_error(&object.path, &error))? {
                return Ok(Some(piece(self.origin, cut)));
            }
            self.open = None;
            self.origin += 1;
        }
        Ok(None)
    }
}

fn piece(origin: usize, cut: Cut) -> Piece {
    match cut {
        Cut::Lines { first_line, text } => Piece::Lines {
            origin,
            first_line,
            text,
        },
        Cut::TooLong { line } => Piece::TooLong { origin, line },
    }
}

async fn open_object(lake: &Lake, object: &ObjectRef) -> Result<OpenObject, SourceError> {
    let Some(compression) = Compression::of(object.path.rsplit('/').next().unwrap_or_default())
    else {
        let reason = "its name is not that of a file of records".to_owned();
        return Err(SourceError::Corrupt {
            object: object.path.clone(),
            reason,
        });
    };
    let body = fetch(lake, object)
        .await?
        .into_stream()
        .map_err(io::Error::other);
    let body = StreamReader::new(body);
    let lines: Pin<Box<dyn AsyncRead + Send>> = match compression {
        Compression::Plain => Box::pin(body),
        Compression::Gzip => {
            let mut decoder = GzipDecoder::new(body);
            decoder.multiple_members(true);
            Box::pin(Bounded::new(decoder, lake.expansion, object.size_bytes))
        }
        Compression::Zstd => {
            let window = DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX);
            let mut decoder = ZstdDecoder::with_params(body, &[window]);
            decoder.multiple_members(true);
            Box::pin(Bounded::new(decoder, lake.expansion, object.size_bytes))
        }
    };
    Ok(OpenObject {
        lines,
        cutter: LineCutter::default(),
    })
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
            source_error(&object.path, &error)
        }
    })?;
    let same =
        answer.meta.e_tag.as_ref() == Some(&object.etag) && answer.meta.size == object.size_bytes;
    if same { Ok(answer) } else { Err(changed()) }
}

/// A failure of the store within the body, or else one of the decoder: damaged, cut short, or
/// expanding too far.
fn read_error(object: &str, error: &io::Error) -> SourceError {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<object_store::Error>())
    {
        Some(inner) => source_error(object, inner),
        None => SourceError::Corrupt {
            object: object.to_owned(),
            reason: error.to_string(),
        },
    }
}
