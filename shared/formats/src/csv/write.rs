//! `CsvBlob`: RFC 4180 (<https://www.rfc-editor.org/rfc/rfc4180#section-2>), a header row, CRLF.

use memchr::{memchr, memchr3};

use crate::encode::{Encode, EncodeError};
use crate::record::{Record, Shape, value};

/// Writes the header before the first row, and the rows.
#[derive(Debug)]
pub(crate) struct CsvWriter {
    shape: Shape,
    begun: bool,
    /// Room to build a nested value before it is quoted.
    nested: Vec<u8>,
}

impl Encode for CsvWriter {
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.begun {
            write_header(&self.shape, out);
            self.begun = true;
        }
        let columns = self.shape.fields.len();
        for (column, raw) in record.values().take(columns).enumerate() {
            if column > 0 {
                out.push(b',');
            }
            if let Some(raw) = raw {
                self.write_value(raw, out);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}

impl CsvWriter {
    /// A writer of a new file.
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            begun: false,
            nested: Vec::new(),
        }
    }

    fn write_value(&mut self, raw: &str, out: &mut Vec<u8>) {
        if let Some(text) = value::text(raw) {
            write_text(text.as_bytes(), out);
        } else {
            self.nested.clear();
            value::write_compact(raw, &mut self.nested);
            write_text(&self.nested, out);
        }
    }
}

fn write_header(shape: &Shape, out: &mut Vec<u8>) {
    for (column, field) in shape.fields.iter().enumerate() {
        if column > 0 {
            out.push(b',');
        }
        out.extend_from_slice(field.name.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a text, quoted where it must be; an empty text as `""`, so that it differs from an absent
/// one.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let special = memchr3(b'"', b',', b'\n', text).or_else(|| memchr(b'\r', text));
    if special.is_none() && !text.is_empty() {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    let mut rest = text;
    while let Some(quote) = memchr(b'"', rest) {
        let (up_to_quote, after) = rest.split_at(quote + 1);
        out.extend_from_slice(up_to_quote);
        out.push(b'"');
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
