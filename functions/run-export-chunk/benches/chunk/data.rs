//! Records like those of a busy app, the same in every run.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use async_compression::tokio::bufread::{GzipEncoder, ZstdEncoder};
use domain::selection::ExportType;
use time::Date;
use time::macros::date;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The day of every record.
pub(crate) const DAY: Date = date!(2026 - 01 - 31);

/// Bytes that are made and written at once.
const PORTION: usize = 8 << 20;

/// Consecutive records of one device, and of one session.
const RUN: u64 = 8;

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
}

/// Small, quick and the same everywhere (<https://www.jstatsoft.org/article/view/v008i14>).
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn id(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

/// Whole lines, at least so many bytes.
pub(crate) fn lines(kind: ExportType, bytes: usize) -> Vec<u8> {
    Lines::new(kind).take(bytes)
}

struct Lines {
    kind: ExportType,
    random: XorShift,
    device: String,
    session: String,
    count: u64,
}

impl Lines {
    fn new(kind: ExportType) -> Self {
        Self {
            kind,
            random: XorShift(0x2545_F491_4F6C_DD1D),
            device: String::new(),
            session: String::new(),
            count: 0,
        }
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes + 4_096);
        while out.len() < bytes {
            out.extend_from_slice(self.line().as_bytes());
        }
        out
    }

    fn line(&mut self) -> String {
        if self.count.is_multiple_of(RUN) {
            (self.device, self.session) = (self.random.id(), self.random.id());
        }
        self.count += 1;
        let (second, pick) = (self.count / 40 % 86_400, self.random.next());
        let time = format!(
            "{DAY}T{:02}:{:02}:{:02}.{:03}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60,
            pick % 1_000
        );
        let common = format!(
            r#""name":"level_{}_finished","timestamp":"{time}","extras":{}"#,
            pick % 50,
            extras(pick)
        );
        let (device, session) = (&self.device, &self.session);
        if self.kind == ExportType::Activity {
            return format!(r#"{{"sessionId":"{session}","deviceId":"{device}",{common}}}"#) + "\n";
        }
        let ids = format!(
            r#""infoId":"{}","sessionId":"{session}","locationId":"{}""#,
            self.random.id(),
            self.random.id()
        );
        format!(r#"{{"deviceId":"{device}",{ids},{common}}}"#) + "\n"
    }
}

fn extras(pick: u64) -> String {
    format!(
        r#"{{"score":{},"level":{},"won":{},"mode":"{}","player":"Zoë \"{}\"","opponent":"guest-{:08x}","ratio":{}.{:03},"#,
        pick % 100_000,
        pick % 50,
        pick.is_multiple_of(2),
        if pick.is_multiple_of(3) {
            "ranked tournament"
        } else {
            "friendly match"
        },
        pick % 5_000,
        pick >> 32,
        pick % 9,
        pick % 997,
    ) + &format!(
        r#""build":"4.17.{}","network":"wifi","referrer":"https://example.com/invite?campaign={}","comment":null}}"#,
        pick % 30,
        pick % 700
    )
}

/// Writes a file of events: `bytes` of lines before compression, in members of a portion each, as
/// appending writers do.
pub(crate) fn write_file(path: &Path, packing: Packing, bytes: usize) -> anyhow::Result<()> {
    let (mut lines, mut file) = (
        Lines::new(ExportType::Event),
        BufWriter::new(File::create(path)?),
    );
    let mut written = 0;
    while written < bytes {
        let portion = lines.take(PORTION);
        written += portion.len();
        match packing {
            Packing::Plain => file.write_all(&portion)?,
            Packing::Gzip => file.write_all(&compressed(GzipEncoder::new(portion.as_slice()))?)?,
            Packing::Zstd => file.write_all(&compressed(ZstdEncoder::new(portion.as_slice()))?)?,
        }
    }
    Ok(file.flush()?)
}

fn compressed(mut encoder: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    futures::executor::block_on(encoder.read_to_end(&mut out))?;
    Ok(out)
}

/// The bytes of lines in a file of [`write_file`], to a portion: they stand in its name.
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
