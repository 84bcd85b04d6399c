//! A row of a CSV file, its cells quoted where they must be.

use memchr::{memchr, memchr3};
use wide::u8x32;

/// How many bytes are looked at together, and how many are copied at once where they are few.
const BLOCK: usize = 32;

/// What is behind a text, so that a block can be read at each of its bytes and behind them.
const PADDING: usize = 2 * BLOCK;

/// The text of a raw JSON string, when it stands in a file as it is spelled: it is not empty, has no
/// escapes, and need not be quoted.
pub(super) fn plain(raw: &str) -> Option<&[u8]> {
    let text = raw.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let is_plain = match block_of(text) {
        Some(block) => is_plain(block),
        // No way out before the end: so the compiler looks at many bytes at once.
        None => text.iter().fold(true, |all, byte| {
            all & !matches!(byte, b'"' | b'\\' | b',' | b'\n' | b'\r')
        }),
    };
    (is_plain && !text.is_empty()).then_some(text)
}

/// Whether none of these has a meaning in JSON's strings or in CSV.
fn is_plain(block: [u8; BLOCK]) -> bool {
    let block = u8x32::from(block);
    let specials = b"\"\\,\n\r".map(|special| block.simd_eq(u8x32::splat(special)));
    let [quote, escape, comma, feed, back] = specials;
    !(quote | escape | comma | feed | back).any()
}

/// A block of the bytes of a short text, each of them at least once, and zeros.
fn block_of(text: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    match text.len() {
        4..8 => put_ends::<4>(text, &mut block),
        8..16 => put_ends::<8>(text, &mut block),
        16..=BLOCK => put_ends::<16>(text, &mut block),
        _ => return None,
    }
    Some(block)
}

/// Puts the first so many bytes of a text, and the last behind them.
fn put_ends<const N: usize>(text: &[u8], block: &mut [u8; BLOCK]) {
    let (rooms, _) = block.as_chunks_mut::<N>();
    let ends = [text.first_chunk(), text.last_chunk()];
    for (room, end) in rooms.iter_mut().zip(ends.into_iter().flatten()) {
        *room = *end;
    }
}

/// Room for a row, and what of it is not filled yet. To put what there is no room for gives `None`.
#[derive(Debug)]
pub(super) struct Room<'a>(&'a mut [u8]);

impl<'a> Room<'a> {
    /// Room for at least a block more than what is put there.
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes more there is room for.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts a text as it is: a cell that need not be quoted, or what stands between cells.
    pub(super) fn put(&mut self, text: &[u8]) -> Option<()> {
        let room = self.0.split_off_mut(..text.len())?;
        match text.len() {
            8..16 => copy_ends::<8>(text, room),
            16..=32 => copy_ends::<16>(text, room),
            33..=64 => copy_ends::<32>(text, room),
            _ => room.copy_from_slice(text),
        }
        Some(())
    }

    pub(super) fn put_byte(&mut self, byte: u8) -> Option<()> {
        *self.0.split_off_first_mut()? = byte;
        Some(())
    }

    /// Puts a text, quoted where it must be; an empty one as `""`, so that it differs from an absent
    /// one. `padded` is memory that is used again.
    pub(super) fn put_text(&mut self, text: &[u8], padded: &mut Vec<u8>) -> Option<()> {
        // Most objects begin with a name in quotes.
        let is_quoted = text.get(1) == Some(&b'"')
            || text.is_empty()
            || memchr3(b'"', b',', b'\n', text).is_some()
            || memchr(b'\r', text).is_some();
        if !is_quoted {
            return self.put(text);
        }
        padded.clear();
        padded.extend_from_slice(text);
        padded.extend_from_slice(&[0; PADDING]);
        self.put_quoted(padded)
    }

    /// Puts a text in quotes, each of its own twice. Behind it is [`PADDING`].
    fn put_quoted(&mut self, padded: &[u8]) -> Option<()> {
        self.put_byte(b'"')?;
        let (mut rest, len) = (padded, padded.len() - PADDING);
        // How much of the blocks so far is not put.
        let mut left = 0;
        for block in padded
            .as_chunks::<BLOCK>()
            .0
            .iter()
            .take(len.div_ceil(BLOCK))
        {
            if left >= BLOCK {
                self.put_few(&mut rest, BLOCK)?;
                left -= BLOCK;
            }
            // By their places in the rest.
            let mut quotes = u64::from(quotes(block)) << left;
            left += BLOCK;
            while quotes != 0 {
                let len = quotes.trailing_zeros() as usize + 1;
                if len > BLOCK {
                    self.put_few(&mut rest, BLOCK)?;
                    left -= BLOCK;
                    quotes >>= BLOCK;
                    continue;
                }
                self.put_few(&mut rest, len)?;
                self.put_byte(b'"')?;
                left -= len;
                quotes >>= len;
            }
        }
        let mut last = rest.len().checked_sub(PADDING)?;
        if last > BLOCK {
            self.put_few(&mut rest, BLOCK)?;
            last -= BLOCK;
        }
        self.put_few(&mut rest, last)?;
        self.put_byte(b'"')
    }

    /// Puts the first bytes of a text, at most a block. They mostly are few, and to copy a whole block is
    /// quicker than to copy so many bytes as there happen to be: what is put next is written over it.
    fn put_few(&mut self, text: &mut &[u8], len: usize) -> Option<()> {
        *self.0.first_chunk_mut::<BLOCK>()? = *text.first_chunk()?;
        text.split_off(..len)?;
        self.0.split_off_mut(..len)?;
        Some(())
    }
}

/// Which bytes of a block are quotes, a bit each.
fn quotes(block: &[u8; BLOCK]) -> u32 {
    let quotes = u8x32::from(*block).simd_eq(u8x32::splat(b'"'));
    quotes.to_bitmask()
}

/// Copies a text into room for so much: its first `N` bytes and its last, which is all of it.
fn copy_ends<const N: usize>(text: &[u8], room: &mut [u8]) {
    if let (Some(text), Some(room)) = (text.first_chunk::<N>(), room.first_chunk_mut()) {
        *room = *text;
    }
    if let (Some(text), Some(room)) = (text.last_chunk::<N>(), room.last_chunk_mut()) {
        *room = *text;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_quoted_as_the_plain_way_does_it(
            texts in proptest::collection::vec(r#"("|,|[a-c ]{0,40}|\n|\r|é){0,12}"#, 1..4),
        ) {
            let (mut bytes, mut padded) = (vec![b'x'; 10_000], Vec::new());
            let mut room = Room::new(&mut bytes);
            let mut expected = String::new();
            for text in &texts {
                room.put_text(text.as_bytes(), &mut padded).unwrap();
                room.put(b",").unwrap();
                let must_be = text.is_empty() || text.contains(['"', ',', '\r', '\n']);
                let quoted = format!("\"{}\"", text.replace('"', "\"\""));
                expected += if must_be { &quoted } else { text };
                expected += ",";
            }
            let left = room.len();
            bytes.truncate(bytes.len() - left);
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        }

        #[test]
        fn what_stands_as_it_is_spelled_is_told(
            before in "[a-zé]{0,80}",
            special in prop_oneof!["", "[\"\\\\,\n\r]"],
            behind in "[a-zé]{0,80}",
        ) {
            let text = format!("{before}{special}{behind}");
            let is_plain = special.is_empty() && !text.is_empty();
            let found = format!("\"{text}\"");
            prop_assert_eq!(plain(&found), is_plain.then_some(text.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_string_does_not_stand_as_it_is_spelled() {
        for other in ["1", "{}", "null", "", "\""] {
            assert_eq!(plain(other), None, "{other}");
        }
    }
}
