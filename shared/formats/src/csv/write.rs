//! `CsvBlob`: RFC 4180 (<https://www.rfc-editor.org/rfc/rfc4180#section-2>), a header row, CRLF.

use crate::columns::Projection;
use crate::csv::row::{Room, plain};
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
    begun: bool,
    /// Room for a row.
    row: Vec<u8>,
    cells: Cells,
}

impl Encode for CsvWriter {
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.begun {
            self.begin(out);
        }
        let most_bytes = usize::try_from(record.most_row_bytes()).unwrap_or(usize::MAX);
        if self.row.len() < most_bytes {
            self.row.resize(most_bytes, 0);
        }
        let left = self.write(record).ok_or_else(|| EncodeError {
            reason: "a row is longer than a row can be".to_owned(),
        })?;
        let len = self.row.len() - left;
        out.extend_from_slice(self.row.get(..len).unwrap_or_default());
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
            begun: false,
            row: Vec::new(),
            cells: Cells {
                escape_formulas: files.escape_formulas,
                cell: Vec::new(),
                padded: Vec::new(),
            },
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

    /// Writes a row into the room for it: how much of that is left.
    fn write(&mut self, record: &Record<'_>) -> Option<usize> {
        // Readers skip a line that is empty: where a row is one absent value, it is written as `""`.
        let of_one = self.columns.fields().len() == 1;
        let mut room = Room::new(&mut self.row);
        for (column, cell) in self.columns.cells(record).enumerate() {
            if column > 0 {
                room.put_byte(b',')?;
            }
            match cell {
                Some(value) => self.cells.write(value, &mut room)?,
                None if of_one => room.put(b"\"\"")?,
                None => {}
            }
        }
        room.put(b"\r\n")?;
        Some(room.len())
    }
}

/// How a value is written, and memory that is used again.
#[derive(Debug)]
struct Cells {
    escape_formulas: bool,
    /// Room to build a cell before it is quoted.
    cell: Vec<u8>,
    /// Room for a cell while it is quoted.
    padded: Vec<u8>,
}

impl Cells {
    fn write(&mut self, value: Spelled<'_>, room: &mut Room<'_>) -> Option<()> {
        // It needs no quotes, and is no formula.
        if let Some(text) = value.bare() {
            return room.put(text.as_bytes());
        }
        let raw = value.raw;
        if let Some(text) = plain(raw).filter(|_| !self.escape_formulas) {
            return room.put(text);
        }
        if value.is_compact && raw.starts_with('{') {
            return room.put_text(raw.as_bytes(), &mut self.padded);
        }
        self.build(raw);
        room.put_text(&self.cell, &mut self.padded)
    }

    /// Builds the cell of any value, before it is quoted.
    #[cold]
    fn build(&mut self, raw: &str) {
        self.cell.clear();
        let Some(text) = value::text(raw) else {
            // A number, which is no text: `-1` is what it says. An object or array is no formula.
            return value::write_compact(raw, &mut self.cell);
        };
        let text = text.as_bytes();
        let first = text.first();
        if self.escape_formulas && first.is_some_and(|first| FORMULA_BEGINS.contains(first)) {
            self.cell.push(b'\'');
        }
        self.cell.extend_from_slice(text);
    }
}
