//! What an object holds, by its first bytes, whatever it is called.

use domain::selection::Compression;

/// How many bytes are looked at: enough for the mark of a tar archive.
pub(super) const HEAD_BYTES: usize = 512;

/// Where a tar archive has its mark, and the mark
/// (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06>).
const TAR: (usize, &[u8]) = (257, b"ustar");

/// The byte order mark of UTF-8, which may stand before the first record
/// (<https://www.rfc-editor.org/rfc/rfc3629#section-6>).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How many bytes of an object say how it is compressed.
pub(super) const MARK_BYTES: usize = 4;

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Not at all: it begins with no mark of the others.
    Plain,
    /// One or more gzip members (<https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1>).
    Gzip,
    /// One or more Zstandard frames, skippable ones among them
    /// (<https://www.rfc-editor.org/rfc/rfc8878#section-3.1>).
    Zstd,
}

impl Codec {
    /// The codec of an object that begins so.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// The compression of which such objects may be a client's file; none of what is not compressed.
    pub(super) fn compression(self) -> Option<Compression> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some(Compression::Gzip),
            Self::Zstd => Some(Compression::Zstd),
        }
    }
}

/// What is no text of records, by how it begins.
const OTHERS: [(&[u8], &str); 15] = [
    (b"PAR1", "Parquet"),
    (b"Obj\x01", "Avro"),
    (b"ORC", "ORC"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"\xff\x06\0\0sNaPpY", "Snappy"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\0\0\0\0", "no text at all"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"{\0", "UTF-16"),
    (b"\0{", "UTF-16"),
];

/// Why a text that begins so holds no records, if that can be seen; `is_unpacked` says that it was
/// compressed.
pub(super) fn problem(head: &[u8], is_unpacked: bool) -> Option<String> {
    if is_unpacked && Codec::of(head) != Codec::Plain {
        return Some(
            "it is compressed twice: compress its records once, by gzip or Zstandard".to_owned(),
        );
    }
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    if text.trim_ascii_start().starts_with(b"[") {
        return Some(
            "it is one JSON array: expected are JSON objects one after the other, best one a line, \
             without brackets and commas around them"
                .to_owned(),
        );
    }
    let is_tar = head
        .get(TAR.0..)
        .is_some_and(|rest| rest.starts_with(TAR.1));
    let other = OTHERS.iter().find(|(magic, _)| head.starts_with(magic));
    let name = is_tar
        .then_some("a tar archive")
        .or(other.map(|(_, name)| *name))?;
    Some(format!(
        "it is {name}: expected are JSON objects in UTF-8, best one a line, plain or compressed by gzip or Zstandard"
    ))
}

/// How many bytes of a text that begins so are a byte order mark.
pub(super) fn mark_len(text: &[u8]) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_is_in_the_first_bytes() {
        for (head, codec) in [
            (b"\x1f\x8b\x08".as_slice(), Codec::Gzip),
            (b"\x28\xb5\x2f\xfd\0", Codec::Zstd),
            (b"\x5a\x2a\x4d\x18\0", Codec::Zstd),
            (b"{\"a\":1}", Codec::Plain),
            (b"\x1f", Codec::Plain),
            (b"", Codec::Plain),
        ] {
            assert_eq!(Codec::of(head), codec, "{head:?}");
        }
    }

    #[test]
    fn what_is_no_text_of_records_is_named() {
        let named = |head: &[u8], is_unpacked, name: &str| {
            let problem = problem(head, is_unpacked).unwrap_or_default();
            assert!(problem.starts_with(&format!("it is {name}: ")), "{problem}");
        };
        for is_unpacked in [false, true] {
            for (magic, name) in OTHERS {
                named(&[magic, b"..."].concat(), is_unpacked, name);
            }
            for array in ["[{}]", " \r\n\t[", "\u{feff}[1"] {
                named(array.as_bytes(), is_unpacked, "one JSON array");
            }
            for records in ["", "{\"a\":[1]}", "\u{feff}{}", "PAR", "OR", "malformed"] {
                assert_eq!(problem(records.as_bytes(), is_unpacked), None, "{records}");
            }
        }
        let tar = [b"f0.json".as_slice(), &[0; 250], b"ustar\x0000"].concat();
        named(&tar, true, "a tar archive");
        named(b"\x1f\x8b", true, "compressed twice");
        named(b"\x28\xb5\x2f\xfd", true, "compressed twice");
        assert_eq!(problem(b"\x1f\x8b", false), None);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        assert_eq!(mark_len(b"\xef\xbb\xbf{"), 3);
        assert_eq!(mark_len(b"{\xef\xbb\xbf"), 0);
    }
}
