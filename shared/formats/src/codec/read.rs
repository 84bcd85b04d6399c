//! Expands a file that was read back, in bounded memory.

use std::io::{self, BufRead, Read};

use domain::selection::Compression;
use flate2::bufread::GzDecoder;

use crate::read::Unreadable;

/// The largest window of a Zstandard frame that is read, by its logarithm: 8 MiB, what readers have
/// to take (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2>). The service's own are smaller.
const MAX_WINDOW_LOG: u32 = 23;

/// With what a gzip member begins (<https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1>).
const MEMBER_BEGINS: u8 = 0x1F;

/// Reads what a file expands to.
pub struct Expander<R: BufRead> {
    codec: Codec<R>,
}

enum Codec<R: BufRead> {
    None(R),
    /// `None` while one member gives way to the next.
    Gzip(Option<Box<GzDecoder<R>>>),
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
            Compression::Gzip => Codec::Gzip(Some(Box::new(GzDecoder::new(input)))),
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
    /// [`Unreadable`] when anything follows the members or the frame that a file is.
    pub fn end(self) -> Result<(), Unreadable> {
        let (mut rest, what) = match self.codec {
            Codec::None(_) | Codec::Gzip(None) => return Ok(()),
            Codec::Gzip(Some(decoder)) => (decoder.into_inner(), "last gzip member"),
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
            Codec::Gzip(decoder) => {
                read_members(decoder, buffer).map_err(|error| damaged("gzip", &error))
            }
            Codec::Zstd(decoder) => decoder
                .read(buffer)
                .map_err(|error| damaged("Zstandard", &error)),
        }
    }
}

/// Reads on in a member, or in the next one behind its end.
fn read_members<R: BufRead>(
    open: &mut Option<Box<GzDecoder<R>>>,
    buffer: &mut [u8],
) -> io::Result<usize> {
    while let Some(decoder) = open {
        let read = decoder.read(buffer)?;
        let is_at_end = read == 0 && !buffer.is_empty();
        if !is_at_end || decoder.get_mut().fill_buf()?.first() != Some(&MEMBER_BEGINS) {
            return Ok(read);
        }
        *open = open
            .take()
            .map(|ended| Box::new(GzDecoder::new(ended.into_inner())));
    }
    Ok(0)
}

fn damaged(codec: &str, error: &io::Error) -> io::Error {
    let problem = format!("it is no {codec}, damaged or cut short ({error})");
    io::Error::new(error.kind(), problem)
}
