//! One export in each format with each compression: what the files are called, are said to be, and
//! hold.

use domain::container::{BlobName, ContainerAddress};
use domain::selection::{Compression, ExportFormat};
use serde_json::json;

use super::days;
use super::rows::{
    expanded, exported_events, rows_of_csv, rows_of_json_lines, rows_of_parquet, small_lake, sorted,
};
use crate::world::{CONTAINER, World};

/// The rows of an uncompressed file of events.
fn rows_of(format: ExportFormat, text: Vec<u8>) -> Vec<String> {
    match format {
        ExportFormat::JsonBlob => exported_events(&[text]),
        ExportFormat::CsvBlob => rows_of_csv(&text),
        ExportFormat::JsonLinesBlob => rows_of_json_lines(&text),
        ExportFormat::ParquetBlob => rows_of_parquet(&text),
    }
}

/// How a compression shows: behind a file's name, and as its content type.
fn shown(compression: Compression) -> (&'static str, Option<&'static str>) {
    match compression {
        Compression::None => ("", None),
        Compression::Gzip => (".gz", Some("application/gzip")),
        Compression::Zstd => (".zst", Some("application/zstd")),
    }
}

/// Every file of the export, with its content type and its bytes.
async fn exported(
    world: &World,
    format: ExportFormat,
    compression: Compression,
) -> Vec<(String, String, Vec<u8>)> {
    let mut body = days(format.name(), "2026-01-05", "2026-01-07");
    body["exportOptions"] = json!({"compression": compression.name()});
    let key = world.post("events", &body).await;
    let job = world.drive(&key).await;
    let manifest = world.manifest(&job).unwrap();
    let name = (compression != Compression::None).then(|| compression.name());
    let head = manifest.head;
    assert_eq!(
        (head.format.as_str(), head.compression.as_deref()),
        (format.name(), name)
    );
    // Sizes and checksums are those of the files as they are stored.
    let bytes: u64 = world.files(&job).iter().map(|file| file.len() as u64).sum();
    let of_rejects: u64 = manifest.rejected.iter().map(|file| file.bytes).sum();
    assert_eq!(head.totals.counts.bytes, bytes + of_rejects);
    let address = ContainerAddress::new(CONTAINER);
    let prefix = format!("Event/{}/", job.key.id);
    let names = world.containers.list(&address).into_iter();
    let names = names.filter_map(|name| Some(name.strip_prefix(&prefix)?.to_owned()));
    let read = |name: String| {
        let blob = BlobName::from_stored(format!("{prefix}{name}"));
        let blob = world.containers.read(&address, &blob).unwrap();
        (name, blob.content_type, blob.data)
    };
    names.map(read).collect()
}

#[tokio::test]
async fn every_format_is_written_with_every_compression_and_holds_the_same_rows() {
    for &format in ExportFormat::ALL {
        for &compression in format.compressions() {
            let world = World::new().await;
            let rows = small_lake(&world).await;
            let files = exported(&world, format, compression).await;
            let (ending, content_type) = shown(compression);
            let mut found = Vec::new();
            for (name, said, data) in files.iter().filter(|(name, ..)| name.contains("/part-")) {
                let expected = format!(".{}{ending}", format.extension());
                assert!(name.ends_with(&expected), "{name}");
                assert_eq!(
                    said,
                    content_type.unwrap_or(format.content_type()),
                    "{name}"
                );
                found.extend(rows_of(format, expanded(Some(compression.name()), data)));
            }
            let found = found.iter().map(|row| serde_json::from_str(row).unwrap());
            assert_eq!(sorted(found), rows, "{format:?} {compression:?}");
        }
    }
}

#[tokio::test]
async fn what_was_rejected_and_the_manifest_are_not_compressed() {
    let world = World::new().await;
    small_lake(&world).await;
    let bad = "no record\n";
    world
        .put_object("events", "2026-01-05", "bad.ndjson", bad)
        .await;
    let files = exported(&world, ExportFormat::JsonLinesBlob, Compression::Gzip).await;
    let of = |part: &str| {
        let file = files.iter().find(|(name, ..)| name.starts_with(part));
        let (name, content_type, data) = file.unwrap();
        (name.as_str(), content_type.as_str(), data[0])
    };
    let rejects = ("_rejected/part-00000.ndjson", "application/x-ndjson", b'{');
    assert_eq!(of("_rejected/"), rejects);
    assert_eq!(of("manifest"), ("manifest.json", "application/json", b'{'));
}

#[tokio::test]
async fn the_same_rows_come_to_the_same_bytes_again() {
    for &compression in Compression::ALL {
        let world = World::new().await;
        small_lake(&world).await;
        let mut exports = Vec::new();
        for _ in 0..2 {
            // The world's client sends one request id for ever: it must be forgotten first.
            world.clock.advance(time::Duration::hours(25));
            let files = exported(&world, ExportFormat::JsonLinesBlob, compression).await;
            let data = files
                .into_iter()
                .filter(|(name, ..)| name.contains("/part-"));
            exports.push(data.collect::<Vec<_>>());
        }
        assert_eq!(exports[0], exports[1]);
    }
}
