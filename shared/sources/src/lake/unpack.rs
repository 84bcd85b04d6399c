//! What an object's bytes, as they are stored, say without their compression: as much as there is of
//! them by now.

use std::io::{self, BufRead, ErrorKind, Read};

use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer, WriteBuf};
use zstd::stream::zio::Reader;

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
    Zstd(Reader<Stored, Frames>, Allowance),
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
            Codec::Zstd => Self::Zstd(Reader::new(stored, Frames::new()?), allowance),
        })
    }

    /// What is to be read next of an object that is not packed, as far as it is here.
    pub(super) fn plain(&mut self) -> Option<&mut Bytes> {
        match self {
            Self::Plain(stored) => Some(&mut stored.next),
            Self::Gzip(..) | Self::Zstd(..) => None,
        }
    }

    /// Whether what was read by now is one file also to a reader that takes the first of several frames
    /// for the whole. Several members of gzip are one file to all.
    pub(super) fn is_one_file(&mut self) -> bool {
        match self {
            Self::Plain(_) | Self::Gzip(..) => true,
            Self::Zstd(decoder, _) => decoder.operation_mut().is_one,
        }
    }

    /// Takes the next stored bytes, or that there are no more.
    pub(super) fn feed(&mut self, more: Option<Bytes>) {
        let stored = match self {
            Self::Plain(stored) => stored,
            Self::Gzip(decoder, _) => decoder.get_mut(),
            Self::Zstd(decoder, _) => decoder.reader_mut(),
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

/// A decoder of Zstandard that knows whether there is more than one frame.
pub(super) struct Frames {
    decoder: Decoder<'static>,
    is_one: bool,
}

impl Frames {
    fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        Ok(Self {
            decoder,
            is_one: true,
        })
    }
}

impl Operation for Frames {
    fn run<C: WriteBuf + ?Sized>(
        &mut self,
        input: &mut InBuffer<'_>,
        output: &mut OutBuffer<'_, C>,
    ) -> io::Result<usize> {
        self.decoder.run(input, output)
    }

    /// Called at each frame but the first, once there are bytes of it.
    fn reinit(&mut self) -> io::Result<()> {
        self.is_one = false;
        self.decoder.reinit()
    }

    fn finish<C: WriteBuf + ?Sized>(
        &mut self,
        output: &mut OutBuffer<'_, C>,
        finished_frame: bool,
    ) -> io::Result<usize> {
        self.decoder.finish(output, finished_frame)
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
