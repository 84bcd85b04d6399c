//! Cells of a CSV file, quoted where they must be.

use memchr::{memchr, memchr3};
use wide::u8x32;

/// How many bytes are looked at together, and how many are copied at once where they are few.
const BLOCK: usize = 32;

/// The text of a raw JSON string, when it stands in a file as it is spelled: it is not empty, has no
/// escapes, and need not be quoted.
pub(super) fn plain(raw: &str) -> Option<&str> {
    let text = raw.strip_prefix('"')?.strip_suffix('"')?;
    // No way out before the end: so the compiler looks at many bytes at once.
    let is_plain = text.bytes().fold(true, |all, byte| {
        all & !matches!(byte, b'"' | b'\\' | b',' | b'\n' | b'\r')
    });
    (is_plain && !text.is_empty()).then_some(text)
}

/// Writes a text, quoted where it must be; an empty text as `""`, so that it differs from an absent
/// one.
pub(super) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let special = memchr3(b'"', b',', b'\n', text).or_else(|| memchr(b'\r', text));
    if special.is_none() && !text.is_empty() {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    write_doubled(text, out);
    out.push(b'"');
}

/// Writes a text with each of its quotes twice.
fn write_doubled(text: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    // Every byte may be a quote, and a block is written where only its beginning counts.
    out.resize(begin + 2 * text.len() + BLOCK, 0);
    let mut room = Room {
        bytes: out.get_mut(begin..).unwrap_or_default(),
        filled: 0,
    };
    // A block behind the last one can be read, too; at the end, of zeros.
    let most = text.len().saturating_sub(BLOCK);
    let len = most - most % BLOCK;
    room.put_doubled(text, len);
    let rest = text.get(len..).unwrap_or_default();
    let mut padded = [0; 3 * BLOCK];
    if let Some(begin) = padded.get_mut(..rest.len()) {
        begin.copy_from_slice(rest);
    }
    room.put_doubled(&padded, rest.len());
    let filled = room.filled;
    out.truncate(begin + filled);
}

/// Room for what is written, of which the beginning is filled.
struct Room<'a> {
    bytes: &'a mut [u8],
    filled: usize,
}

impl Room<'_> {
    /// Puts the first bytes of a text, behind which there is a block more, its quotes twice.
    fn put_doubled(&mut self, text: &[u8], len: usize) {
        for (block, at) in text.chunks_exact(BLOCK).zip((0..len).step_by(BLOCK)) {
            let (end, mut from) = (len.min(at + BLOCK), at);
            let mut quotes = block.first_chunk().map_or(0, quotes);
            while quotes != 0 {
                let behind = at + quotes.trailing_zeros() as usize + 1;
                self.put(text, from, behind);
                self.put_quote();
                from = behind;
                quotes &= quotes - 1;
            }
            self.put(text, from, end);
        }
    }

    /// Puts a part of a text, of at most a block. Most parts are short, and to copy a whole block is
    /// quicker than to copy so many bytes as there happen to be: the next part is written over it.
    fn put(&mut self, text: &[u8], from: usize, to: usize) {
        let block = text.get(from..).and_then(<[u8]>::first_chunk::<BLOCK>);
        let room = self.bytes.get_mut(self.filled..);
        if let Some((block, room)) = block.zip(room.and_then(<[u8]>::first_chunk_mut)) {
            *room = *block;
        }
        self.filled += to - from;
    }

    fn put_quote(&mut self) {
        if let Some(place) = self.bytes.get_mut(self.filled) {
            *place = b'"';
        }
        self.filled += 1;
    }
}

/// Which bytes of a block are quotes, a bit each.
fn quotes(block: &[u8; BLOCK]) -> u32 {
    let quotes = u8x32::from(*block).simd_eq(u8x32::splat(b'"'));
    quotes.to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_quoted_as_the_plain_way_does_it(
            before in "[a]{0,3}",
            text in r#"("|,|[a-c ]{0,40}|\n|\r|é){0,12}"#,
        ) {
            let mut out = before.clone().into_bytes();
            write_text(text.as_bytes(), &mut out);
            let must_be = text.is_empty() || text.contains(['"', ',', '\r', '\n']);
            let quoted = format!("\"{}\"", text.replace('"', "\"\""));
            let expected = before + if must_be { &quoted } else { &text };
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn what_stands_as_it_is_spelled_is_told() {
        assert_eq!(plain(r#""a b""#), Some("a b"));
        for other in [
            r#""""#,
            r#""a,b""#,
            r#""a\nb""#,
            r#""a\"b""#,
            "1",
            "{}",
            "null",
            "\"a\nb\"",
        ] {
            assert_eq!(plain(other), None, "{other}");
        }
    }
}
