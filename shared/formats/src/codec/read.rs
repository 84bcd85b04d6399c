//! Expands a file that was read back, in bounded memory.

use std::io::{self, BufRead, Read};

use domain::selection::Compression;
use flate2::bufread::GzDecoder;

use crate::read::Unreadable;

/// The largest window of a Zstandard frame that is read, by its logarithm: 8 MiB, what readers have
/// to take (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2>). The service's own are smaller.
const MAX_WINDOW_LOG: u32 = 23;

/// Reads what a file expands to.
pub struct Expander<R: BufRead> {
    codec: Codec<R>,
}

enum Codec<R: BufRead> {
    None(R),
    Gzip(Box<GzDecoder<R>>),
    Zstd(zstd::Decoder<'static, R>),
}

impl<R: BufRead> Expander<R> {
    /// Of a file with this compression.
    ///
    /// # Errors
    /// When the codec does not start: there is no memory for it.
    pub fn new(compression: Compression, input: R) -> io::Result<Self> {
        let codec = match compression {
            Compression::None => Codec::None(input),
            Compression::Gzip => Codec::Gzip(Box::new(GzDecoder::new(input))),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(input)?;
                decoder.window_log_max(MAX_WINDOW_LOG)?;
                Codec::Zstd(decoder.single_frame())
            }
        };
        Ok(Self { codec })
    }

    /// Ends a file that was read to its end.
    ///
    /// # Errors
    /// [`Unreadable`] when anything follows the member or frame that a file is.
    pub fn end(self) -> Result<(), Unreadable> {
        let (mut rest, what) = match self.codec {
            Codec::None(_) => return Ok(()),
            Codec::Gzip(decoder) => (decoder.into_inner(), "gzip member"),
            Codec::Zstd(decoder) => (decoder.finish(), "Zstandard frame"),
        };
        if rest.fill_buf()?.is_empty() {
            Ok(())
        } else {
            Err(format!("more follows behind its {what}").into())
        }
    }
}

impl<R: BufRead> Read for Expander<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.codec {
            Codec::None(input) => input.read(buffer),
            Codec::Gzip(decoder) => decoder
                .read(buffer)
                .map_err(|error| damaged("gzip", &error)),
            Codec::Zstd(decoder) => decoder
                .read(buffer)
                .map_err(|error| damaged("Zstandard", &error)),
        }
    }
}

fn damaged(codec: &str, error: &io::Error) -> io::Error {
    let problem = format!("it is no {codec}, damaged or cut short ({error})");
    io::Error::new(error.kind(), problem)
}
