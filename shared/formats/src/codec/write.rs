//! Compresses the bytes of a file, in bounded memory.

use std::io::{self, Write};

use domain::selection::Compression;
use libdeflater::{CompressionLvl, Compressor as Deflate};

use crate::encode::EncodeError;

/// How many bytes a gzip member holds, before they are compressed; the last one of a file holds fewer.
/// Below this, what a member cannot refer to in the one before costs bytes.
pub(super) const MEMBER_BYTES: usize = 4 << 20;

/// Room for a member and the row that passes its end: most are short.
const MEMBER_ROOM: usize = MEMBER_BYTES + (256 << 10);

/// How many bytes are given to Zstandard at once.
const FRAME_PIECE_BYTES: usize = 64 << 10;

/// Files are a little smaller than at zlib's own level, 6, in less than half of the time.
const GZIP_LEVEL: i32 = 5;

/// Four times as fast as that level of gzip, and files of rows are no larger.
const ZSTD_LEVEL: i32 = 1;

/// Compresses the bytes of one file.
///
/// What a codec makes of a text may depend on where it is cut. So it is cut by its length alone:
/// however its source arrives, every attempt at a file comes to the same bytes.
pub struct Compressor {
    codec: Codec,
    /// What is not compressed yet: less than a piece, once it is drained.
    plain: Vec<u8>,
}

enum Codec {
    Gzip(Gzip),
    /// With what it has come to since the last look.
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Compressor {
    /// For a new file; `None` when it is not compressed.
    ///
    /// # Errors
    /// [`EncodeError`] when the codec does not start: there is no memory for it.
    pub fn of(compression: Compression) -> Result<Option<Self>, EncodeError> {
        let codec = match compression {
            Compression::None => return Ok(None),
            Compression::Gzip => Codec::Gzip(Gzip::new()?),
            Compression::Zstd => Codec::Zstd(zstd_encoder().map_err(failed)?),
        };
        let plain = match &codec {
            Codec::Gzip(_) => Vec::with_capacity(MEMBER_ROOM),
            Codec::Zstd(_) => Vec::new(),
        };
        Ok(Some(Self { codec, plain }))
    }

    /// Where the file's next bytes are appended to. What is there already must stay.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.plain
    }

    /// Compresses the whole pieces of the buffer, and appends what there is of the result to `out`.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    pub fn drain(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let piece_bytes = self.codec.piece_bytes();
        let whole = self.plain.len() - self.plain.len() % piece_bytes;
        if whole == 0 {
            return Ok(());
        }
        for piece in self.plain.chunks_exact(piece_bytes) {
            self.codec.compress(piece, out)?;
        }
        self.plain.drain(..whole);
        Ok(())
    }

    /// Appends the rest of the file to `out`.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.drain(out)?;
        self.codec.finish(&self.plain, out)
    }
}

impl Codec {
    fn piece_bytes(&self) -> usize {
        match self {
            Self::Gzip(_) => MEMBER_BYTES,
            Self::Zstd(_) => FRAME_PIECE_BYTES,
        }
    }

    fn compress(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Gzip(gzip) => gzip.write_member(piece, out),
            Self::Zstd(encoder) => {
                encoder.write_all(piece).map_err(failed)?;
                out.append(encoder.get_mut());
                Ok(())
            }
        }
    }

    /// Compresses what is less than a piece, and closes the file.
    fn finish(mut self, rest: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match &mut self {
            // An empty file is a member as well.
            Self::Gzip(gzip) if rest.is_empty() && gzip.has_members => return Ok(()),
            Self::Gzip(_) | Self::Zstd(_) => self.compress(rest, out)?,
        }
        if let Self::Zstd(encoder) = self {
            out.append(&mut encoder.finish().map_err(failed)?);
        }
        Ok(())
    }
}

/// Writes members, each at one go.
struct Gzip {
    deflate: Deflate,
    has_members: bool,
}

impl Gzip {
    fn new() -> Result<Self, EncodeError> {
        let level = CompressionLvl::new(GZIP_LEVEL).map_err(|_| EncodeError {
            reason: format!("there is no level {GZIP_LEVEL} of gzip"),
        })?;
        Ok(Self {
            deflate: Deflate::new(level),
            has_members: false,
        })
    }

    /// A member, whose header has neither a time nor a name.
    fn write_member(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.has_members = true;
        let begin = out.len();
        out.resize(begin + self.deflate.gzip_compress_bound(text.len()), 0);
        let room = out.get_mut(begin..).unwrap_or_default();
        let bytes = self.deflate.gzip_compress(text, room).map_err(failed)?;
        out.truncate(begin + bytes);
        Ok(())
    }
}

/// With a checksum at the end of the frame, as the command `zstd` makes it and gzip always has one:
/// who expands a file notices that it is damaged.
fn zstd_encoder() -> io::Result<zstd::Encoder<'static, Vec<u8>>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

fn failed(error: impl std::error::Error) -> EncodeError {
    EncodeError {
        reason: format!("it cannot be compressed: {error}"),
    }
}
