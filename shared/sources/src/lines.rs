//! Cuts a stream of bytes into pieces of whole lines, in bounded memory.

use std::{io, iter};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::{memchr, memchr_iter, memrchr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes of a line, without its end.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// The size that a piece of lines is meant to have, in bytes.
pub const PIECE_BYTES: usize = 512 << 10;

/// The lines of a text, without their ends; there is none after the last end.
pub fn split(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    iter::from_fn(move || {
        let (line, rest) = match memchr(b'\n', text) {
            Some(end) => (text.get(..end)?, text.get(end + 1..)?),
            None if text.is_empty() => return None,
            None => (text, text.get(text.len()..)?),
        };
        text = rest;
        Some(line)
    })
}

/// A cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Whole lines, each ended by `\n` but perhaps the last of the input.
    Lines {
        /// The number of the first one, from 1.
        first_line: u64,
        /// The lines.
        text: Bytes,
    },
    /// A line longer than a line may be; its text was dropped.
    TooLong {
        /// Its number, from 1.
        line: u64,
    },
}

/// Cuts one input. Holds less than one piece and one line of the greatest length.
#[derive(Debug)]
pub struct LineCutter {
    piece_bytes: usize,
    max_line_bytes: usize,
    buffer: BytesMut,
    /// The number of the line that the buffer begins with, or that is being skipped.
    line: u64,
    skipping: bool,
    ended: bool,
}

impl Default for LineCutter {
    fn default() -> Self {
        Self::new(PIECE_BYTES, MAX_LINE_BYTES)
    }
}

impl LineCutter {
    /// A cutter at the beginning of an input. `max_line_bytes` must be at least one and a half
    /// pieces: then only the line that the buffer begins with can be too long.
    fn new(piece_bytes: usize, max_line_bytes: usize) -> Self {
        Self {
            piece_bytes,
            max_line_bytes,
            buffer: BytesMut::new(),
            line: 1,
            skipping: false,
            ended: false,
        }
    }

    /// The next cut of the input; `None` at its end.
    ///
    /// # Errors
    /// Whatever reading the input fails with.
    pub async fn next(&mut self, input: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Cut>> {
        loop {
            if let Some(cut) = self.cut() {
                return Ok(Some(cut));
            }
            if self.ended {
                return Ok(None);
            }
            let most = (self.piece_bytes / 2).max(1);
            self.buffer.reserve(most);
            self.ended = input.read_buf(&mut (&mut self.buffer).limit(most)).await? == 0;
        }
    }

    /// Cuts what there is; `None` when more must be read first.
    fn cut(&mut self) -> Option<Cut> {
        if self.buffer.len() < self.piece_bytes && !self.ended {
            return None;
        }
        let first_end = memchr(b'\n', &self.buffer);
        if self.skipping {
            return self.skip(first_end);
        }
        match first_end {
            Some(end) if end > self.max_line_bytes => self.skip(first_end),
            Some(_) => {
                let last_end = memrchr(b'\n', &self.buffer)?;
                Some(self.take(last_end + 1))
            }
            None if self.buffer.len() > self.max_line_bytes => self.skip(None),
            None if self.ended && !self.buffer.is_empty() => Some(self.take(self.buffer.len())),
            None => None,
        }
    }

    fn take(&mut self, len: usize) -> Cut {
        let first_line = self.line;
        let text = self.buffer.split_to(len).freeze();
        self.line += memchr_iter(b'\n', &text).count() as u64;
        Cut::Lines { first_line, text }
    }

    /// Drops the line up to its end, or as much of it as there is.
    fn skip(&mut self, end: Option<usize>) -> Option<Cut> {
        match end {
            Some(end) => self.buffer.advance(end + 1),
            None => self.buffer.clear(),
        }
        self.skipping = end.is_none() && !self.ended;
        if self.skipping {
            return None;
        }
        self.line += 1;
        Some(Cut::TooLong {
            line: self.line - 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PIECE: usize = 8;
    const MAX_LINE: usize = 12;

    /// Hands out its bytes a few at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl AsyncRead for Drip<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            let (now, later) = self
                .0
                .split_at(self.1.min(self.0.len()).min(buffer.remaining()));
            buffer.put_slice(now);
            self.0 = later;
            std::task::Poll::Ready(Ok(()))
        }
    }

    fn cuts(text: &[u8], drip: usize) -> Vec<Cut> {
        let (mut cutter, mut input, mut cuts) = (
            LineCutter::new(PIECE, MAX_LINE),
            Drip(text, drip),
            Vec::new(),
        );
        while let Some(cut) = futures::executor::block_on(cutter.next(&mut input)).unwrap() {
            assert!(cutter.buffer.len() <= PIECE + MAX_LINE);
            cuts.push(cut);
        }
        cuts
    }

    /// Every line with its number, `None` for one that was dropped.
    fn numbered(cuts: Vec<Cut>) -> Vec<(u64, Option<Vec<u8>>)> {
        let lines = |cut| match cut {
            Cut::TooLong { line } => vec![(line, None)],
            Cut::Lines { first_line, text } => {
                let lines = text
                    .split_inclusive(|byte| *byte == b'\n')
                    .map(|line| Some(line.to_vec()));
                (first_line..).zip(lines).collect()
            }
        };
        cuts.into_iter().flat_map(lines).collect()
    }

    #[test]
    fn a_text_is_split_at_its_ends() {
        for (text, lines) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("a\n", vec!["a"]),
            ("\n\na", vec!["", "", "a"]),
        ] {
            let found: Vec<&[u8]> = split(text.as_bytes()).collect();
            assert_eq!(
                found,
                lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_empty_input_has_no_lines() {
        assert_eq!(cuts(b"", 3), []);
    }

    #[test]
    fn a_line_of_the_greatest_length_is_kept_and_a_longer_one_is_named() {
        let longest = [b'x'; MAX_LINE];
        let too_long = [b'y'; MAX_LINE + 1];
        let text = [&longest[..], b"\n", &too_long, b"\nz\n", &too_long].concat();
        for drip in 1..text.len() {
            let lines = numbered(cuts(&text, drip));
            let numbers: Vec<_> = lines
                .iter()
                .map(|(line, text)| (*line, text.is_some()))
                .collect();
            assert_eq!(
                numbers,
                [(1, true), (2, false), (3, true), (4, false)],
                "{drip}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_line_is_lost_split_or_misnumbered(lens in proptest::collection::vec(0..40_usize, 0..30), drip in 1..20_usize, ended in any::<bool>()) {
            let mut text = lens.iter().map(|len| "x".repeat(*len)).collect::<Vec<_>>().join("\n").into_bytes();
            if ended && !text.is_empty() {
                text.push(b'\n');
            }
            let expected: Vec<_> = (1..)
                .zip(text.split_inclusive(|byte| *byte == b'\n'))
                .map(|(number, line)| {
                    let len = line.strip_suffix(b"\n").unwrap_or(line).len();
                    (number, (len <= MAX_LINE).then(|| line.to_vec()))
                })
                .collect();
            prop_assert_eq!(numbered(cuts(&text, drip)), expected);
        }
    }
}
