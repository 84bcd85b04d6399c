//! A reader of a folder that is as plain as can be: everything whole in memory, a byte at a time.

use object_store::path::Path;
use serde::de::IgnoredAny;

use crate::lake_streams::{Format, decode, gzip, zstd};

/// The most bytes that an object may expand to here.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How the names of objects end that are left out unless it is set otherwise, in small letters.
const IGNORED: [&str; 12] = [
    "_$folder$",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".filepart",
    ".inprogress",
    ".crc",
    ".md5",
    ".sha256",
    ".bak",
    "~",
];

/// An object of the folder.
pub(super) struct Object {
    /// Below the folder.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl Object {
    /// Reads an object of an input: a line that names it, and what it holds. `None` when no store
    /// would have it.
    pub(super) fn of(part: &[u8]) -> Option<Self> {
        let line_end = part.iter().position(|byte| *byte == b'\n')?;
        let (name, rest) = part.split_at_checked(line_end)?;
        let (name, content) = (std::str::from_utf8(name).ok()?, rest.get(1..)?);
        let (name, bytes) = match name.rsplit_once('|') {
            Some((name, "g")) => (name, gzip(content)),
            Some((name, "z")) => (name, zstd(content)),
            _ => (name, content.to_vec()),
        };
        let path = Path::parse(name)
            .ok()
            .filter(|path| path.as_ref() == name)?;
        let path = path.as_ref().to_owned();
        (!path.is_empty()).then_some(Self { path, bytes })
    }

    /// Whether nobody takes it for a file of records: by its name, or because it is empty.
    pub(super) fn is_left_out(&self) -> bool {
        let name = self.path.to_ascii_lowercase();
        self.bytes.is_empty()
            || IGNORED.iter().any(|end| name.ends_with(end))
            || name.split('/').any(|part| part.starts_with(['_', '.']))
    }

    /// Its text; `None` when it is damaged or expands to more than it may.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        let text = decode(Format::of_content(&self.bytes), &self.bytes, MOST_BYTES)?;
        (text.len() as u64 <= MOST_BYTES).then_some(text)
    }
}

/// White space, and byte order marks, which joined files have anywhere.
fn without_blanks(mut text: &[u8]) -> &[u8] {
    loop {
        text = text.trim_ascii_start();
        let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) else {
            return text;
        };
        text = rest;
    }
}

/// Whether a text does not begin as something else.
pub(super) fn begins_as_a_record(text: &[u8]) -> bool {
    let text = without_blanks(text);
    text.is_empty() || (text.starts_with(b"{") && !text.starts_with(b"{\0"))
}

/// The records of a text, and what stands in the place of one: an object ends where its last brace
/// is, everything else at its line's end.
pub(super) fn records(text: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (without_blanks(text), Vec::new());
    while !rest.is_empty() {
        let line_end = rest.iter().position(|byte| *byte == b'\n');
        let end = object_end(rest).or(line_end).unwrap_or(rest.len());
        let (record, behind) = rest.split_at(end);
        found.push(record.trim_ascii_end());
        rest = without_blanks(behind);
    }
    found
}

fn object_end(text: &[u8]) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let is_object = text.starts_with(b"{") && matches!(values.next(), Some(Ok(_)));
    is_object.then(|| values.byte_offset())
}

/// Whether a record is so plain that it is exported by all means: as the corpus has it.
pub(super) fn is_surely_good(record: &[u8]) -> bool {
    let text = std::str::from_utf8(record).ok();
    let rest = text.and_then(|text| text.strip_prefix(r#"{"deviceId":""#));
    let parts = rest.and_then(|rest| rest.split_at_checked(32));
    parts.is_some_and(|(device, rest)| {
        device.bytes().all(|byte| byte.is_ascii_digit())
            && ["a", "b"].iter().any(|name| {
                rest == format!(r#"","name":"{name}","timestamp":"2026-11-20T10:00:00Z"}}"#)
            })
    })
}
