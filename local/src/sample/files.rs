//! The files of the lake: rows spread over parts, each compressed in another way.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::rows::RowWriter;

/// Rows of one part, at most.
const PART_ROWS: u64 = 250_000;

/// Rows of one gzip member: a file of several members is what appending writers leave.
const MEMBER_ROWS: u64 = 4_000;

/// Rows are handed to the compressor when they have filled so many bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// How a part is compressed.
#[derive(Debug, Clone, Copy)]
enum Packing {
    Gzip,
    Zstd,
    Plain,
}

impl Packing {
    const ALL: [Self; 3] = [Self::Gzip, Self::Zstd, Self::Plain];

    fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "ndjson.gz",
            Self::Zstd => "ndjson.zst",
            Self::Plain => "ndjson",
        }
    }
}

/// Writes so many rows into the folder, as three or more parts of every packing.
pub(crate) fn write_rows(folder: &Path, rows: &mut RowWriter, count: u64) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let part_rows = count.div_ceil(3).min(PART_ROWS);
    let mut left = count;
    for (number, packing) in Packing::ALL.into_iter().cycle().enumerate() {
        if left == 0 {
            return Ok(());
        }
        let rows_here = left.min(part_rows);
        let path = folder.join(format!("part-{number:05}.{}", packing.extension()));
        write_part(File::create(path)?, packing, rows, rows_here)?;
        left -= rows_here;
    }
    Ok(())
}

fn write_part(file: File, packing: Packing, rows: &mut RowWriter, count: u64) -> io::Result<()> {
    match packing {
        Packing::Plain => copy(file, rows, count).map(drop),
        Packing::Zstd => copy(zstd::Encoder::new(file, 1)?, rows, count)?
            .finish()
            .map(drop),
        Packing::Gzip => {
            let mut file = file;
            let mut left = count;
            while left > 0 {
                let rows_here = left.min(MEMBER_ROWS);
                file =
                    copy(GzEncoder::new(file, Compression::fast()), rows, rows_here)?.finish()?;
                left -= rows_here;
            }
            Ok(())
        }
    }
}

fn copy<W: Write>(mut sink: W, rows: &mut RowWriter, count: u64) -> io::Result<W> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + 8 * 1024);
    for _ in 0..count {
        rows.write(&mut buffer);
        if buffer.len() >= BUFFER_BYTES {
            sink.write_all(&buffer)?;
            buffer.clear();
        }
    }
    sink.write_all(&buffer)?;
    Ok(sink)
}
