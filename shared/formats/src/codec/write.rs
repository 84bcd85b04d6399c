//! Compresses the bytes of a file, in bounded memory.

use std::io::{self, Write};

use domain::selection::Compression;
use flate2::write::GzEncoder;

use crate::encode::EncodeError;

/// How many bytes are compressed at once. What a codec makes of a text may depend on where it is
/// cut. So it is cut by its length alone: however its source arrives, every attempt at a file comes
/// to the same bytes.
const PIECE_BYTES: usize = 64 << 10;

/// zlib's own default.
const GZIP_LEVEL: u32 = 6;

/// Seven times as fast as that level of gzip, and files of rows are no larger.
const ZSTD_LEVEL: i32 = 1;

/// Compresses the bytes of one file.
pub struct Compressor {
    codec: Codec,
    /// What is not compressed yet: less than a piece, once it is drained.
    plain: Vec<u8>,
}

/// A codec and what it has come to since the last look.
enum Codec {
    Gzip(Box<GzEncoder<Vec<u8>>>),
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
            // Its header has neither a time nor a name, unless they are given.
            Compression::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                Codec::Gzip(Box::new(GzEncoder::new(Vec::new(), level)))
            }
            Compression::Zstd => Codec::Zstd(zstd_encoder().map_err(failed)?),
        };
        let plain = Vec::new();
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
        let whole = self.plain.len() - self.plain.len() % PIECE_BYTES;
        if whole == 0 {
            return Ok(());
        }
        for piece in self.plain.chunks_exact(PIECE_BYTES) {
            self.codec.compress(piece).map_err(failed)?;
        }
        self.plain.drain(..whole);
        out.append(self.codec.compressed());
        Ok(())
    }

    /// Appends the rest of the file to `out`.
    ///
    /// # Errors
    /// [`EncodeError`]; the file is then of no use.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.drain(out)?;
        self.codec.compress(&self.plain).map_err(failed)?;
        out.append(&mut self.codec.finish().map_err(failed)?);
        Ok(())
    }
}

impl Codec {
    fn compress(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(piece),
            Self::Zstd(encoder) => encoder.write_all(piece),
        }
    }

    fn compressed(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// With a checksum at the end of the frame, as the command `zstd` makes it and gzip always has one:
/// who expands a file notices that it is damaged.
fn zstd_encoder() -> io::Result<zstd::Encoder<'static, Vec<u8>>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err passes it so")]
fn failed(error: io::Error) -> EncodeError {
    EncodeError {
        reason: format!("it cannot be compressed: {error}"),
    }
}
