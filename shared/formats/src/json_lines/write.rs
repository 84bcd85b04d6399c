//! `JsonLinesBlob`: a record's fields in the order of the columns, never grouped, and LF.

use memchr::memchr2;

use crate::columns::Projection;
use crate::encode::{Encode, EncodeError, EncodeOptions};
use crate::json::write::write_object;
use crate::record::{Record, Shape};

/// Writes the rows. It holds nothing of them.
#[derive(Debug)]
pub(crate) struct JsonLinesWriter {
    columns: Projection,
}

impl JsonLinesWriter {
    /// A writer of a new file.
    pub(crate) fn new(shape: Shape, options: &EncodeOptions) -> Self {
        let columns = Projection::new(shape, options.files.columns.as_ref());
        Self { columns }
    }
}

impl Encode for JsonLinesWriter {
    fn push(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(line) = self.columns.line(record) {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
            return Ok(());
        }
        // The caller may empty the buffer between two rows, never within one.
        let begin = out.len();
        write_object(self.columns.members(record), out);
        if !record.is_compact() {
            join_lines(begin, out);
        }
        out.push(b'\n');
        Ok(())
    }

    fn row_as_read<'a>(&self, record: &'a Record<'_>) -> Option<&'a str> {
        self.columns.line(record)
    }

    fn finish(self: Box<Self>, _: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// Takes the line ends out of the row that begins there: a record of the lake may stand on several
/// lines. JSON has them between its tokens only, where they mean nothing
/// (<https://www.rfc-editor.org/rfc/rfc8259#section-2>).
fn join_lines(begin: usize, out: &mut Vec<u8>) {
    let row = out.get(begin..).unwrap_or_default();
    if memchr2(b'\n', b'\r', row).is_some() {
        let row = out.split_off(begin);
        out.extend(
            row.into_iter()
                .filter(|byte| !matches!(byte, b'\n' | b'\r')),
        );
    }
}
