//! Cuts texts into pieces, at line ends where there are some, in bounded memory.

use std::io;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memrchr};

/// The most bytes of a piece.
pub const PIECE_BYTES: usize = 512 << 10;

/// How many bytes that lie in memory are worth to be handed on as they lie there.
const WORTHWHILE_BYTES: usize = 64 << 10;

/// Cuts one text after the other. Holds one piece, in the same memory again and again when those that it handed out
/// are dropped by then.
#[derive(Debug)]
pub(crate) struct Cutter {
    buffer: BytesMut,
    /// How much of the buffer is text.
    filled: usize,
    /// The buffer before, which the last piece is a part of.
    used: Bytes,
}

impl Default for Cutter {
    fn default() -> Self {
        Self::new(PIECE_BYTES)
    }
}

impl Cutter {
    fn new(piece_bytes: usize) -> Self {
        Self {
            buffer: BytesMut::zeroed(piece_bytes),
            filled: 0,
            used: Bytes::new(),
        }
    }

    /// What there is of the next piece.
    pub(crate) fn filled(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Drops the first bytes of the next piece.
    pub(crate) fn drop_first(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    /// Forgets the text that was not finished.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Lets more of the text be read, at most so many bytes; how many were. There is room for at least
    /// one, unless the piece is [full](Self::is_full).
    ///
    /// # Errors
    /// Whatever reading fails with.
    pub(crate) fn fill(
        &mut self,
        most: usize,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let end = self.filled.saturating_add(most).min(self.buffer.len());
        let bytes = read(self.buffer.get_mut(self.filled..end).unwrap_or_default())?;
        self.filled += bytes;
        Ok(bytes)
    }

    /// Takes the next piece off what follows of the text, as it lies in memory, when that is worth it:
    /// whole lines, or what ends the line that is read in part. Without such a piece, to
    /// [fill](Self::fill) goes on.
    pub(crate) fn take(&mut self, text: &mut Bytes) -> Option<Bytes> {
        if text.len() < WORTHWHILE_BYTES {
            return None;
        }
        if self.filled == 0 {
            let most = text.get(..self.buffer.len().min(text.len()))?;
            let last = memrchr(b'\n', most)?;
            return Some(text.split_to(last + 1));
        }
        let end = memchr(b'\n', text)? + 1;
        let room = self.buffer.get_mut(self.filled..self.filled + end)?;
        room.copy_from_slice(&text.split_to(end));
        self.filled += end;
        Some(self.cut_at(self.filled))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// The piece: whole lines, unless one is longer than it. What is behind them begins the next.
    pub(crate) fn cut(&mut self) -> Bytes {
        let end = memrchr(b'\n', self.filled()).map_or(self.filled, |last| last + 1);
        self.cut_at(end)
    }

    /// The last piece of a text, and what is read next is another text; empty when nothing is left.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.cut_at(self.filled)
    }

    fn cut_at(&mut self, end: usize) -> Bytes {
        let next = std::mem::take(&mut self.used).try_into_mut();
        let mut next = next.unwrap_or_else(|_| BytesMut::zeroed(self.buffer.len()));
        let rest = self.buffer.get(end..self.filled).unwrap_or_default();
        self.filled = rest.len();
        if let Some(begin) = next.get_mut(..rest.len()) {
            begin.copy_from_slice(rest);
        }
        self.used = std::mem::replace(&mut self.buffer, next).freeze();
        self.used.slice(..end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PIECE: usize = 8;

    /// The pieces of a text that is read a few bytes at a time; `kept` of them are not dropped before
    /// the end.
    fn pieces(text: &[u8], drip: usize, kept: usize) -> Vec<Vec<u8>> {
        let (mut cutter, mut rest, mut pieces) = (Cutter::new(PIECE), text, Vec::new());
        let mut keeps = Vec::new();
        while !rest.is_empty() {
            let read = cutter.fill(drip, |buffer| {
                let now = buffer.len().min(rest.len());
                buffer[..now].copy_from_slice(&rest[..now]);
                Ok(now)
            });
            rest = &rest[read.unwrap()..];
            if cutter.is_full() {
                let piece = cutter.cut();
                pieces.push(piece.to_vec());
                if keeps.len() < kept {
                    keeps.push((pieces.len() - 1, piece));
                }
            }
        }
        pieces.push(cutter.finish().to_vec());
        assert!(keeps.iter().all(|(place, piece)| pieces[*place] == *piece));
        pieces
    }

    proptest! {
        #[test]
        fn what_lies_in_memory_is_taken_as_pieces_of_the_same_text(
            lens in proptest::collection::vec(0..20_000_usize, 0..30),
            begin in 0..30_000_usize,
        ) {
            let line = |len: &usize| "x".repeat(*len) + "\n";
            let text: Vec<u8> = lens.iter().map(line).collect::<String>().into_bytes();
            let mut cutter = Cutter::new(100_000);
            let (read, behind) = text.split_at(begin.min(text.len()));
            cutter.fill(read.len(), |buffer| {
                buffer.copy_from_slice(read);
                Ok(read.len())
            }).unwrap();
            let (mut rest, mut pieces) = (Bytes::copy_from_slice(behind), Vec::new());
            while let Some(piece) = cutter.take(&mut rest) {
                prop_assert!(piece.ends_with(b"\n") && piece.len() <= 100_000);
                pieces.push(piece);
            }
            prop_assert!(rest.len() < WORTHWHILE_BYTES);
            let taken = [pieces.concat(), cutter.filled().to_vec(), rest.to_vec()].concat();
            prop_assert_eq!(taken, text);
        }

        #[test]
        fn the_pieces_are_the_text_and_end_at_line_ends_where_they_can(
            lens in proptest::collection::vec(0..20_usize, 0..30),
            drip in 1..20_usize,
            kept in 0..4_usize,
        ) {
            let text = lens.iter().map(|len| "x".repeat(*len)).collect::<Vec<_>>().join("\n").into_bytes();
            let pieces = pieces(&text, drip, kept);
            prop_assert_eq!(pieces.concat(), text);
            for (number, piece) in pieces.iter().enumerate() {
                let is_last = number + 1 == pieces.len();
                prop_assert!((is_last || !piece.is_empty()) && piece.len() <= PIECE);
                let has_end = piece.contains(&b'\n') && !is_last;
                prop_assert!(!has_end || piece.ends_with(b"\n"));
            }
        }
    }

    #[test]
    fn the_memory_of_a_piece_that_was_dropped_is_used_again() {
        let mut cutter = Cutter::new(PIECE);
        let mut places = Vec::new();
        for _ in 0..4 {
            cutter
                .fill(PIECE, |buffer| {
                    buffer.fill(b'x');
                    Ok(buffer.len())
                })
                .unwrap();
            places.push(cutter.cut().as_ptr());
        }
        assert_eq!((places[2], places[3]), (places[0], places[1]));
    }
}
