//! `CsvBlob`: RFC 4180 (<https://www.rfc-editor.org/rfc/rfc4180#section-2>), a header row, CRLF.

use crate::columns::Projection;
use crate::csv::quote::{plain, write_text};
use crate::encode::{Encode, EncodeError, EncodeOptions};
use crate::record::{Record, Shape, Spelled, value};

/// What tells spreadsheets that a text is UTF-8
/// (<https://www.rfc-editor.org/rfc/rfc3629#section-6>).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a text begins with that a spreadsheet takes for a formula, or may after it has cut off what
/// is blank (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA_BEGINS: &[u8] = b"=+-@\t\r";

/// Writes the header before the first row, and the rows.
#[derive(Debug)]
pub(crate) struct CsvWriter {
    columns: Projection,
    byte_order_mark: bool,
    escape_formulas: bool,
    begun: bool,
    /// Room to build a cell before it is quoted.
    cell: Vec<u8>,
}

impl Encode for CsvWriter {
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.begun {
            self.begin(out);
        }
        // Readers skip a line that is empty: where a row is one absent value, it is written as `""`.
        let of_one = self.columns.fields().len() == 1;
        for (column, cell) in self.columns.cells(record).enumerate() {
            if column > 0 {
                out.push(b',');
            }
            match cell {
                Some(value) => {
                    let writing = Writing {
                        escape_formulas: self.escape_formulas,
                        cell: &mut self.cell,
                    };
                    writing.write(value, out);
                }
                None if of_one => out.extend_from_slice(b"\"\""),
                None => {}
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
    pub(crate) fn new(shape: Shape, options: &EncodeOptions) -> Self {
        let files = &options.files;
        Self {
            columns: Projection::new(shape, files.columns.as_ref()),
            byte_order_mark: files.byte_order_mark,
            escape_formulas: files.escape_formulas,
            begun: false,
            cell: Vec::new(),
        }
    }

    /// Writes what is before the first row.
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.begun = true;
        if self.byte_order_mark {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        for (column, field) in self.columns.fields().enumerate() {
            if column > 0 {
                out.push(b',');
            }
            out.extend_from_slice(field.name.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// How a value is written, and room to build its cell.
struct Writing<'a> {
    escape_formulas: bool,
    cell: &'a mut Vec<u8>,
}

impl Writing<'_> {
    fn write(self, value: Spelled<'_>, out: &mut Vec<u8>) {
        // It needs no quotes, and is no formula.
        if let Some(text) = value.bare() {
            return out.extend_from_slice(text.as_bytes());
        }
        let raw = value.raw;
        if let Some(text) = plain(raw).filter(|_| !self.escape_formulas) {
            return out.extend_from_slice(text.as_bytes());
        }
        let Some(text) = value::text(raw) else {
            if value.is_compact {
                return write_text(raw.as_bytes(), out);
            }
            // A number, which is no text: `-1` is what it says. An object or array is no formula.
            self.cell.clear();
            value::write_compact(raw, self.cell);
            return write_text(self.cell, out);
        };
        let text = text.as_bytes();
        let first = text.first();
        if self.escape_formulas && first.is_some_and(|first| FORMULA_BEGINS.contains(first)) {
            self.cell.clear();
            self.cell.push(b'\'');
            self.cell.extend_from_slice(text);
            return write_text(self.cell, out);
        }
        write_text(text, out);
    }
}
