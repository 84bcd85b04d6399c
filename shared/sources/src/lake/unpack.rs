//! What an object's bytes, as they are stored, say without their compression: as much as there is of
//! them by now.

use std::io::{self, BufRead, ErrorKind, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;

use crate::lake::content::Codec;
use crate::lake::expansion::Allowance;

/// The base-2 logarithm of the largest window that a Zstandard frame may ask for: 8 MiB, which
/// every decoder is to support (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2>).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Unpacks one object, whose stored bytes are fed to it. To read fails with
/// [`ErrorKind::WouldBlock`] when more of them are needed.
pub(super) enum Unpacker {
    /// There is nothing to unpack.
    Plain(Stored),
    /// One or more members.
    Gzip(Box<MultiGzDecoder<Stored>>, Allowance),
    /// One or more frames.
    Zstd(zstd::Decoder<'static, Stored>, Allowance),
}

impl Unpacker {
    /// Of an object that begins so.
    ///
    /// # Errors
    /// There is no memory for the decoder.
    pub(super) fn new(codec: Codec, begin: Bytes, allowance: Allowance) -> io::Result<Self> {
        let stored = Stored {
            next: begin,
            is_whole: false,
        };
        Ok(match codec {
            Codec::Plain => Self::Plain(stored),
            Codec::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(stored)), allowance),
            Codec::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(stored)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Self::Zstd(decoder, allowance)
            }
        })
    }

    /// What is to be read next of an object that is not packed, as far as it is here.
    pub(super) fn plain(&mut self) -> Option<&mut Bytes> {
        match self {
            Self::Plain(stored) => Some(&mut stored.next),
            Self::Gzip(..) | Self::Zstd(..) => None,
        }
    }

    /// Takes the next stored bytes, or that there are no more.
    pub(super) fn feed(&mut self, more: Option<Bytes>) {
        let stored = match self {
            Self::Plain(stored) => stored,
            Self::Gzip(decoder, _) => decoder.get_mut(),
            Self::Zstd(decoder, _) => decoder.get_mut(),
        };
        stored.is_whole = more.is_none();
        stored.next = more.unwrap_or_default();
    }
}

impl Read for Unpacker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, allowance) = match self {
            Self::Plain(stored) => return stored.read(buffer),
            Self::Gzip(decoder, allowance) => (decoder.read(buffer)?, allowance),
            Self::Zstd(decoder, allowance) => (decoder.read(buffer)?, allowance),
        };
        allowance.spend(read)?;
        Ok(read)
    }
}

/// What is fed of an object's stored bytes and not read yet.
#[derive(Debug)]
pub(super) struct Stored {
    next: Bytes,
    is_whole: bool,
}

impl BufRead for Stored {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.next.is_empty() && !self.is_whole {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(&self.next)
    }

    fn consume(&mut self, bytes: usize) {
        self.next.advance(bytes);
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let bytes = ready.read(buffer)?;
        self.consume(bytes);
        Ok(bytes)
    }
}
