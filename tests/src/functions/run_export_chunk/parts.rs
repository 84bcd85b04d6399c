//! Chunks whose rows are cut into files of a limited size. The limit is lower here than a client may
//! ask for, so that little data has many parts.

use domain::job::Job;
use domain::selection::{Compression, ExportFormat};
use serde_json::{Value, json};

use crate::limited::limit_files;
use crate::stories::days;
use crate::stories::rows::{
    event, expanded, exported_events, rows_of_csv, rows_of_json_lines, rows_of_parquet, sorted,
};
use crate::world::World;

const DAY: &str = "2026-01-05";

/// One object of these events, exported into files of at most so many bytes.
async fn exported(
    lines: &[String],
    format: ExportFormat,
    compression: Compression,
    most_bytes: u64,
) -> (World, Job) {
    let world = World::new().await;
    world
        .put_object("events", DAY, "a.ndjson", lines.join("\n"))
        .await;
    let mut body = days(format.name(), DAY, DAY);
    body["exportOptions"] = json!({"compression": compression.name()});
    let key = world.post("events", &body).await;
    limit_files(&world, &key, most_bytes).await;
    let job = world.drive(&key).await;
    assert_eq!(world.task(&key).await["state"], "Succeeded");
    (world, job)
}

/// The rows of the files, which are parts of one chunk.
fn rows_of(
    world: &World,
    job: &Job,
    format: ExportFormat,
    compression: Compression,
) -> Vec<String> {
    let files = world.files(job).into_iter();
    let texts = files.map(|file| expanded(Some(compression.name()), &file));
    let rows = texts.flat_map(|text| match format {
        ExportFormat::JsonBlob => exported_events(&[text]),
        ExportFormat::CsvBlob => rows_of_csv(&text),
        ExportFormat::JsonLinesBlob => rows_of_json_lines(&text),
        ExportFormat::ParquetBlob => rows_of_parquet(&text),
    });
    sorted(rows.map(|row| serde_json::from_str(&row).unwrap()))
}

fn rows(lines: &[String]) -> Vec<String> {
    sorted(lines.iter().map(|line| serde_json::from_str(line).unwrap()))
}

/// Events that no codec makes much smaller.
fn noise(count: u64) -> Vec<String> {
    let mut state = 7_u64;
    let mut text = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{state:016x}")
    };
    let line = |number| {
        let line = event(DAY, u32::try_from(number).unwrap());
        let mut line: Value = serde_json::from_str(&line).unwrap();
        line["extras"] = json!({"noise": (0..60).map(&mut text).collect::<String>()});
        line.to_string()
    };
    (0..count).map(line).collect()
}

#[tokio::test]
async fn rows_are_cut_into_parts_of_at_most_the_size_that_was_asked_for() {
    let lines: Vec<String> = (0..60).map(|number| event(DAY, number)).collect();
    for format in [
        ExportFormat::JsonBlob,
        ExportFormat::CsvBlob,
        ExportFormat::JsonLinesBlob,
    ] {
        let most = 2_000;
        let (world, job) = exported(&lines, format, Compression::None, most).await;
        let manifest = world.manifest(&job).unwrap();
        let parts = manifest.files.len();
        assert!((5..30).contains(&parts), "{format:?}: {parts}");
        for (place, file) in manifest.files.iter().enumerate() {
            let name = format!("part-00000-{place:04}.{}", format.extension());
            assert!(file.name.ends_with(&name), "{}", file.name);
            assert_eq!((file.chunk, file.part), (0, u32::try_from(place).ok()));
            assert!(file.counts.bytes <= most, "{file:?}");
            let is_full = file.counts.bytes > most / 2;
            assert!(is_full || place + 1 == parts, "{file:?}");
        }
        let found = rows_of(&world, &job, format, Compression::None);
        assert_eq!(found, rows(&lines), "{format:?}");
        let head = manifest.head;
        let counts = head.totals.counts;
        assert!(counts.add_up() && head.warnings.is_empty(), "{head:?}");
        assert_eq!(
            (counts.rows, counts.oversized, head.max_file_bytes),
            (60, 0, Some(most))
        );
        let spans = manifest.files.windows(2);
        let mut spans = spans.map(|pair| (&pair[0].max_timestamp, &pair[1].min_timestamp));
        assert!(spans.all(|(last, first)| last < first));
    }
}

#[tokio::test]
async fn compressed_parts_are_measured_as_they_are_stored() {
    let lines = noise(2_000);
    for (format, compression, most) in [
        (ExportFormat::JsonLinesBlob, Compression::Gzip, 700_000),
        (ExportFormat::JsonLinesBlob, Compression::Zstd, 700_000),
        (ExportFormat::ParquetBlob, Compression::None, 1_000_000),
    ] {
        let (world, job) = exported(&lines, format, compression, most).await;
        let manifest = world.manifest(&job).unwrap();
        let sizes: Vec<_> = manifest.files.iter().map(|it| it.counts.bytes).collect();
        assert!(sizes.len() > 1, "{sizes:?}");
        assert!(sizes.iter().all(|bytes| *bytes <= most), "{sizes:?}");
        let found = rows_of(&world, &job, format, compression);
        assert_eq!(found, rows(&lines), "{format:?} {compression:?}");
    }
}

#[tokio::test]
async fn the_last_part_that_a_chunk_may_have_takes_the_rest_and_the_warnings_say_so() {
    let mut lines: Vec<String> = (0..300).map(|number| event(DAY, number)).collect();
    lines.push("no record".to_owned());
    let format = ExportFormat::CsvBlob;
    let (world, job) = exported(&lines, format, Compression::None, 1).await;
    let found = rows_of(&world, &job, format, Compression::None);
    assert_eq!(found, rows(&lines[..300]));
    let manifest = world.manifest(&job).unwrap();
    let of_rows: Vec<_> = manifest.files.iter().map(|it| it.counts.rows).collect();
    assert_eq!(of_rows, [vec![1; 254], vec![46]].concat());
    assert_eq!(manifest.rejected.len(), 1);
    let head = manifest.head;
    assert_eq!(head.totals.counts.oversized, 255);
    let warnings = head.warnings.iter();
    let mut warnings = warnings.filter(|warning| warning.code == "FilesOversized");
    let message = &warnings.next().unwrap().message;
    let expected = "255 files have more than the 1 bytes that were asked for";
    assert!(message.contains(expected), "{message}");
}
