//! Files of the lake like those of a busy app, the same in every run.

mod events;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use flate2::write::GzEncoder;

pub(crate) use events::{DAY, Lines};

/// Bytes that are made and written at once.
const PORTION: usize = 8 << 20;

/// What the commands `gzip` and `zstd` do unasked.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Gzip, Self::Zstd];

    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    pub(crate) fn ending(self) -> String {
        format!("`.ndjson{}`", self.suffix())
    }

    pub(crate) fn from_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.suffix() == suffix)
    }
}

/// Writes a file of lines, `bytes` of them before compression, as one gzip member or one Zstandard
/// frame.
pub(crate) fn write_file(
    path: &Path,
    packing: Packing,
    bytes: usize,
    lines: Lines,
) -> anyhow::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    match packing {
        Packing::Plain => write_lines(file, bytes, lines)?.flush()?,
        Packing::Gzip => {
            let level = flate2::Compression::new(GZIP_LEVEL);
            let encoder = write_lines(GzEncoder::new(file, level), bytes, lines)?;
            encoder.finish()?.flush()?;
        }
        Packing::Zstd => {
            let encoder = write_lines(zstd::Encoder::new(file, ZSTD_LEVEL)?, bytes, lines)?;
            encoder.finish()?.flush()?;
        }
    }
    Ok(())
}

fn write_lines<W: Write>(mut file: W, bytes: usize, mut lines: Lines) -> io::Result<W> {
    let mut written = 0;
    while written < bytes {
        let portion = lines.take(PORTION.min(bytes - written));
        written += portion.len();
        file.write_all(&portion)?;
    }
    Ok(file)
}

/// The bytes of lines in a file of [`write_file`], to a line: they stand in its name.
pub(crate) fn bytes_of(path: &Path) -> anyhow::Result<usize> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let bytes = name
        .split(['-', '.'])
        .nth(1)
        .context("no size in the name")?;
    Ok(bytes.parse()?)
}
