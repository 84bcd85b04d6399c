//! Reads the pinned objects of a chunk: fetches the next ones while one is taken, unpacks them, and
//! cuts them into pieces.

mod ahead;

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};

use bytes::{Bytes, BytesMut};
use domain::chunk::ObjectRef;
use domain::selection::Compression;
use futures::stream::{self, BoxStream, StreamExt};
use ports::source::{Piece, SourceError};

use crate::lake::content::{self, Codec};
use crate::lake::expansion::Allowance;
use crate::lake::unpack::Unpacker;
use crate::lake::{Lake, source_error};
use crate::pieces::{Cutter, PIECE_BYTES};

use ahead::{Ahead, Body};

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
        cutter: Cutter::default(),
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
    cutter: Cutter,
}

/// An object that is being read.
struct OpenObject {
    body: Body,
    codec: Codec,
    unpacker: Unpacker,
    /// Whether its text is known to be one of records, as far as its beginning says.
    is_looked_at: bool,
    /// What was fetched of it and is to be handed on as it is stored, once it was looked at and all of
    /// it was unpacked.
    stored: VecDeque<Bytes>,
    /// By what it is compressed, while it is handed on: as long as all that it expands to is text of
    /// records, and one file to every reader.
    handed_on: Option<Compression>,
}

/// What is read of an object.
enum Content {
    Text(Bytes),
    Stored(Compression, Bytes),
}

impl ChunkReader {
    /// The next piece. Only what a repeat may help with ends the stream.
    async fn next(&mut self) -> Result<Option<Piece>, SourceError> {
        let origin = self.origin;
        let Some(object) = self.objects.get(origin).cloned() else {
            return Ok(None);
        };
        let piece = match self.read(&object).await {
            Ok(Some(Content::Text(text))) => return Ok(Some(Piece::Text { origin, text })),
            Ok(Some(Content::Stored(compression, bytes))) => {
                return Ok(Some(Piece::Stored {
                    origin,
                    compression,
                    bytes,
                }));
            }
            Ok(None) => Piece::End { origin },
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => Piece::Unreadable { origin, error },
        };
        self.open = None;
        self.origin += 1;
        Ok(Some(piece))
    }

    /// More of the object; `None` at its end.
    async fn read(&mut self, object: &ObjectRef) -> Result<Option<Content>, SourceError> {
        let open = match &mut self.open {
            Some(open) => open,
            closed => {
                self.cutter.clear();
                let body = self.ahead.next().await?;
                closed.insert(OpenObject::begin(&self.lake, object, body).await?)
            }
        };
        open.next(object, &mut self.cutter).await
    }
}

impl OpenObject {
    /// Looks how the object is compressed.
    async fn begin(lake: &Lake, object: &ObjectRef, mut body: Body) -> Result<Self, SourceError> {
        let mut begin = BytesMut::new();
        while begin.len() < content::MARK_BYTES {
            let Some(more) = next_of(&mut body, object).await? else {
                break;
            };
            begin.extend_from_slice(&more);
        }
        let begin = begin.freeze();
        let codec = Codec::of(&begin);
        let allowance = Allowance::new(lake.expansion, object.size_bytes);
        let unpacker = Unpacker::new(codec, begin.clone(), allowance)
            .map_err(|error| unreadable(object, error))?;
        let mut open = Self {
            body,
            codec,
            unpacker,
            is_looked_at: false,
            stored: VecDeque::new(),
            handed_on: codec.compression(),
        };
        open.keep(begin);
        Ok(open)
    }

    async fn next(
        &mut self,
        object: &ObjectRef,
        cutter: &mut Cutter,
    ) -> Result<Option<Content>, SourceError> {
        loop {
            match self.read_on(cutter) {
                Ok(Some(text)) => return Ok(Some(Content::Text(text))),
                Ok(None) => return Ok(self.hand_on()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if let Some(stored) = self.hand_on() {
                        return Ok(Some(stored));
                    }
                    let more = next_of(&mut self.body, object).await?;
                    self.keep(more.clone().unwrap_or_default());
                    self.unpacker.feed(more);
                }
                Err(error) => return Err(unreadable(object, error)),
            }
        }
    }

    /// Keeps stored bytes to hand them on, if they are.
    fn keep(&mut self, bytes: Bytes) {
        if self.handed_on.is_some() && !bytes.is_empty() {
            self.stored.push_back(bytes);
        }
    }

    /// The next bytes to hand on as they are stored, of those that were unpacked.
    fn hand_on(&mut self) -> Option<Content> {
        if !self.unpacker.is_one_file() {
            self.keep_to_itself();
        }
        let compression = self.handed_on.filter(|_| self.is_looked_at)?;
        let bytes = self.stored.pop_front()?;
        Some(Content::Stored(compression, bytes))
    }

    /// Hands on no more of it as it is stored.
    fn keep_to_itself(&mut self) {
        self.handed_on = None;
        self.stored.clear();
    }

    /// The next piece, as far as its bytes are here; `None` at the end.
    fn read_on(&mut self, cutter: &mut Cutter) -> io::Result<Option<Bytes>> {
        if let Some(text) = self.unpacker.plain().filter(|_| self.is_looked_at)
            && let Some(piece) = cutter.take(text)
        {
            return Ok(Some(piece));
        }
        while !cutter.is_full() {
            // What the object holds is said before anything that may be wrong behind that.
            let most = if self.is_looked_at {
                PIECE_BYTES
            } else {
                content::HEAD_BYTES.saturating_sub(cutter.filled().len())
            };
            let unpacker = &mut self.unpacker;
            let read = cutter.fill(most, |buffer| unpacker.read(buffer))?;
            if read == 0 || cutter.filled().len() == content::HEAD_BYTES {
                self.look(cutter)?;
            }
            if read == 0 {
                let rest = cutter.finish();
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
        Ok(Some(cutter.cut()))
    }

    /// Looks once what the object holds, by the beginning of its text.
    fn look(&mut self, cutter: &mut Cutter) -> io::Result<()> {
        if std::mem::replace(&mut self.is_looked_at, true) {
            return Ok(());
        }
        let head = cutter.filled();
        if let Some(reason) = content::problem(head, self.codec != Codec::Plain) {
            return Err(io::Error::other(reason));
        }
        let mark = content::mark_len(head);
        if mark > 0 {
            self.keep_to_itself();
        }
        cutter.drop_first(mark);
        Ok(())
    }
}

/// The next stored bytes of an object, if there are more.
async fn next_of(body: &mut Body, object: &ObjectRef) -> Result<Option<Bytes>, SourceError> {
    let more = body.next().await.transpose();
    more.map_err(|error| source_error(&object.path, error))
}

/// An object that is damaged, cut short, expands too far, or holds something else.
fn unreadable(object: &ObjectRef, error: io::Error) -> SourceError {
    SourceError::Corrupt {
        object: object.path.clone(),
        cause: error.into(),
    }
}
