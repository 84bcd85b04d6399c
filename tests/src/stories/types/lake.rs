//! A lake of two days with an empty one between them, in every kind of file.

use async_compression::tokio::write::{GzipEncoder, ZstdEncoder};
use domain::selection::ExportType;
use tokio::io::AsyncWriteExt;

use super::records::{Day, line};
use crate::world::World;

/// A file of the lake, and the lines that it holds.
pub(crate) struct Object {
    day: &'static str,
    name: &'static str,
    data: Vec<u8>,
    pub(crate) lines: Vec<String>,
}

/// How many records the device has that has the most.
const HUGE: usize = 3_000;

const FIRST: Day = Day {
    before: "2026-01-04",
    this: "2026-01-05",
    after: "2026-01-06",
};
const SECOND: Day = Day {
    before: "2026-01-06",
    this: "2026-01-07",
    after: "2026-01-08",
};

/// The objects of a type, within the days that the stories ask for.
pub(crate) async fn objects(kind: ExportType) -> Vec<Object> {
    let lines = |day: &Day, from: usize| -> Vec<String> {
        (from..from + 44)
            .map(|number| line(kind, number, &format!("{:032x}", number / 4), day))
            .collect()
    };
    let (plain, members, frames) = (lines(&FIRST, 0), lines(&FIRST, 44), lines(&SECOND, 88));
    let huge: Vec<String> = (1_000..1_000 + HUGE)
        .map(|number| line(kind, number, &"F".repeat(32), &SECOND))
        .collect();
    let object = |day: &Day, name, data, lines| Object {
        day: day.this,
        name,
        data,
        lines,
    };
    vec![
        object(
            &FIRST,
            "plain.ndjson",
            format!("\n{}\r\n\n", plain.join("\r\n \n")).into(),
            plain,
        ),
        object(
            &FIRST,
            "sub/members.ndjson.gz",
            gzip_members(&members).await,
            members,
        ),
        object(
            &SECOND,
            "frames.ndjson.zst",
            zstd_frames(&frames).await,
            frames,
        ),
        object(&SECOND, "huge.ndjson", huge.join("\n").into(), huge),
    ]
}

/// The lines in two parts, cut in the midst of one of them.
fn halves(lines: &[String]) -> [Vec<u8>; 2] {
    let mut first = lines.join("\n").into_bytes();
    let second = first.split_off(first.len() / 2);
    [first, second]
}

async fn gzip_members(lines: &[String]) -> Vec<u8> {
    let mut data = Vec::new();
    for half in halves(lines) {
        let mut encoder = GzipEncoder::new(&mut data);
        encoder.write_all(&half).await.unwrap();
        encoder.shutdown().await.unwrap();
    }
    data
}

async fn zstd_frames(lines: &[String]) -> Vec<u8> {
    let mut data = Vec::new();
    for half in halves(lines) {
        let mut encoder = ZstdEncoder::new(&mut data);
        encoder.write_all(&half).await.unwrap();
        encoder.shutdown().await.unwrap();
    }
    data
}

/// Puts the objects into a world's lake, and beside them what is not to be exported.
pub(crate) async fn fill(world: &World, operation: &str, objects: &[Object]) {
    for object in objects {
        world
            .put_object(operation, object.day, object.name, object.data.clone())
            .await;
    }
    for day in ["2026-01-03", "2026-01-09"] {
        world
            .put_object(
                operation,
                day,
                "beyond.ndjson",
                "beyond the days of the export",
            )
            .await;
    }
    for name in [
        "_temporary/part.ndjson",
        ".part.ndjson",
        "_SUCCESS",
        "notes.txt.tmp",
    ] {
        world
            .put_object(operation, "2026-01-06", name, "not for readers")
            .await;
    }
    world
        .put_object(operation, "2026-01-06", "empty.ndjson", "")
        .await;
}
