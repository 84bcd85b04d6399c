//! What a chunk run costs, in CPU and in memory: `cargo bench -p run-export-chunk`.
//!
//! Prints the tables of `docs/PERFORMANCE.md`. Each row is a process of its own, so that the
//! highest mark of its memory is that of one case. `tools/compare` runs some of the cases by name.
#![expect(clippy::print_stdout, reason = "a table for a person")]
#![expect(
    clippy::indexing_slicing,
    reason = "a benchmark may panic, as a test may"
)]

mod data;
mod meter;
mod ports;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::ports::source::Piece;
use anyhow::{Context, ensure};
use domain::selection::{Compression, ExportFormat, ExportType};
use formats::encode::{EncodeOptions, Encoder};
use formats::record::{Record, Shape};
use formats::records::{Found, Records};
use futures::TryStreamExt;

use self::data::{Lines, Packing};
use self::meter::{Meter, cpu_seconds_per_gb};
use self::ports::{Uploads, World};

const MIB: usize = 1 << 20;

/// The sizes of the chunks that are run, as NDJSON before compression: the default target, and four
/// times more.
const CHUNKS: [usize; 2] = [64 * MIB, 256 * MIB];

/// Lines that are encoded, again and again.
const ENCODED: usize = 16 * MIB;
const PASSES: usize = 32;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => everything(),
        ["write", suffix, bytes, file] => data::write_file(
            Path::new(file),
            parsed(suffix, Packing::from_suffix)?,
            bytes.parse()?,
            Lines::of_events(),
        ),
        ["write-as-exported", suffix, bytes, file] => data::write_file(
            Path::new(file),
            parsed(suffix, Packing::from_suffix)?,
            bytes.parse()?,
            Lines::of_events().spelled_as_exported(),
        ),
        ["encode", kind, format] => encode(
            parsed(kind, ExportType::from_name)?,
            parsed(format, ExportFormat::from_name)?,
        ),
        ["read", file] => block_on(read(Path::new(file))),
        ["run", file, format] => block_on(run(
            Path::new(file),
            parsed(format, ExportFormat::from_name)?,
            Compression::None,
            Uploads::TakeTime,
        )),
        ["drop", file, format, compression] => block_on(run(
            Path::new(file),
            parsed(format, ExportFormat::from_name)?,
            parsed(compression, Compression::from_name)?,
            Uploads::AreDropped,
        )),
        other => anyhow::bail!("unknown case {other:?}"),
    }
}

fn parsed<T>(name: &str, parse: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
    parse(name).with_context(|| format!("unknown name {name}"))
}

/// As a function has it: one thread, but for what the runtime runs beside.
fn block_on(case: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(case)
}

fn everything() -> anyhow::Result<()> {
    println!("| step | CPU s/GB of NDJSON | peak RSS |\n|---|---|---|");
    for kind in [ExportType::Event, ExportType::Activity] {
        for &format in ExportFormat::ALL {
            case(
                &format!("parse and encode {kind} as {}", format.name()),
                &["encode", kind.name(), format.name()],
            )?;
        }
    }
    for packing in Packing::ALL {
        let files = CHUNKS.map(|bytes| (bytes, file(packing, bytes)));
        for (bytes, file) in files {
            let (file, size) = (
                file?,
                format!("{} MiB of {}", bytes / MIB, packing.ending()),
            );
            let path = file.to_str().context("a path that is text")?;
            if bytes == CHUNKS[0] {
                case(&format!("read {size}"), &["read", path])?;
            }
            for &format in ExportFormat::ALL {
                case(
                    &format!("run a chunk of {size} as {}", format.name()),
                    &["run", path, format.name()],
                )?;
            }
            std::fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// Runs a case in a process of its own and prints its row.
fn case(name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .output()?;
    ensure!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!(
        "| {name} | {} |",
        String::from_utf8_lossy(&output.stdout).trim()
    );
    Ok(())
}

fn file(packing: Packing, bytes: usize) -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("events-{bytes}.ndjson{}", packing.suffix()));
    data::write_file(&path, packing, bytes, Lines::of_events())?;
    Ok(path)
}

/// Parses, checks and encodes lines, all in memory.
fn encode(kind: ExportType, format: ExportFormat) -> anyhow::Result<()> {
    let lines = bytes::Bytes::from(Lines::of(kind).take(ENCODED));
    let shape = Shape::of(kind, false);
    let mut out = Vec::with_capacity(2 * ENCODED);
    let meter = Meter::start()?;
    for _ in 0..PASSES {
        let mut encoder = Encoder::new(shape, format, &EncodeOptions::default());
        let mut records = Records::default();
        let mut walk = records.walk(&lines, true);
        while let Some(Found::Record { text, .. }) = walk.next() {
            let mut record = Record::default();
            shape.parse_into(text, &mut record)?;
            encoder.push(&record, &mut out)?;
        }
        encoder.finish(&mut out)?;
        black_box(&out);
        out.clear();
    }
    println!(
        "{:.2} | – ",
        cpu_seconds_per_gb(meter.cpu()?, PASSES * lines.len())
    );
    Ok(())
}

/// Fetches, decompresses and cuts a file of the lake.
async fn read(file: &Path) -> anyhow::Result<()> {
    let world = World::over(
        file,
        ExportFormat::JsonBlob,
        Compression::None,
        Uploads::TakeTime,
    )
    .await?;
    let meter = Meter::start()?;
    let sources = world.ports().sources;
    let mut pieces = sources.read(&world.chunk.source, &world.job.request.selection);
    let mut bytes = 0;
    while let Some(piece) = pieces.try_next().await? {
        if let Piece::Text { text, .. } = piece {
            bytes += text.len();
        }
    }
    println!(
        "{:.2} | {} MiB",
        cpu_seconds_per_gb(meter.cpu()?, bytes),
        meter::peak_mib()?
    );
    Ok(())
}

/// A whole chunk run, by its handler, into a container that keeps nothing: what it costs, or, when
/// somebody else measures, what it made.
async fn run(
    file: &Path,
    format: ExportFormat,
    compression: Compression,
    uploads: Uploads,
) -> anyhow::Result<()> {
    let world = World::over(file, format, compression, uploads).await?;
    let meter = Meter::start()?;
    let response = run_export_chunk::handle(world.message()?, &world.ports()).await;
    ensure!(response.batch_item_failures.is_empty(), "the run failed");
    let made = world.recorded().await?;
    ensure!(made.rejected == 0, "{} records are rejected", made.rejected);
    match uploads {
        Uploads::AreDropped => println!("{} {}", made.rows, made.bytes),
        Uploads::TakeTime => println!(
            "{:.2} | {} MiB",
            cpu_seconds_per_gb(meter.cpu()?, data::bytes_of(file)?),
            meter::peak_mib()?
        ),
    }
    Ok(())
}
