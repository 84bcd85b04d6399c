//! Cuts a stream of bytes into pieces, at line ends where there are some, in bounded memory.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memrchr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The size that a piece is meant to have, in bytes; none is more than twice as long.
pub const PIECE_BYTES: usize = 512 << 10;

/// Cuts one input. Holds less than two pieces.
#[derive(Debug)]
pub struct Cutter {
    piece_bytes: usize,
    buffer: BytesMut,
}

impl Default for Cutter {
    fn default() -> Self {
        Self::new(PIECE_BYTES)
    }
}

impl Cutter {
    fn new(piece_bytes: usize) -> Self {
        let buffer = BytesMut::new();
        Self {
            piece_bytes,
            buffer,
        }
    }

    /// The next piece of the input: whole lines, unless one is longer than a piece; `None` at its
    /// end.
    ///
    /// # Errors
    /// Whatever reading the input fails with.
    pub async fn next(
        &mut self,
        input: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Bytes>> {
        while self.buffer.len() < self.piece_bytes {
            let most = (self.piece_bytes / 2).max(1);
            self.buffer.reserve(most);
            if input.read_buf(&mut (&mut self.buffer).limit(most)).await? == 0 {
                let rest = self.buffer.split().freeze();
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
        let end = memrchr(b'\n', &self.buffer).map_or(self.buffer.len(), |last| last + 1);
        Ok(Some(self.buffer.split_to(end).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PIECE: usize = 8;

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

    fn pieces(text: &[u8], drip: usize) -> Vec<Bytes> {
        let (mut cutter, mut input, mut pieces) =
            (Cutter::new(PIECE), Drip(text, drip), Vec::new());
        while let Some(piece) = futures::executor::block_on(cutter.next(&mut input)).unwrap() {
            pieces.push(piece);
        }
        pieces
    }

    #[test]
    fn an_empty_input_has_no_piece() {
        assert!(pieces(b"", 3).is_empty());
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_input_and_end_at_line_ends_where_they_can(
            lens in proptest::collection::vec(0..20_usize, 0..30),
            drip in 1..20_usize,
        ) {
            let text = lens.iter().map(|len| "x".repeat(*len)).collect::<Vec<_>>().join("\n").into_bytes();
            let pieces = pieces(&text, drip);
            prop_assert_eq!(pieces.concat(), text);
            for (number, piece) in pieces.iter().enumerate() {
                prop_assert!(!piece.is_empty() && piece.len() < 2 * PIECE);
                let has_end = piece.contains(&b'\n') && number + 1 < pieces.len();
                prop_assert!(!has_end || piece.ends_with(b"\n"));
            }
        }
    }
}
