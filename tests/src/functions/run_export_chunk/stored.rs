//! Chunks whose objects are stored as their file would be: their bytes go out as they are, or, when
//! anything about them differs, all is encoded.

use std::ops::Range;

use domain::job::Job;
use serde_json::{Value, json};

use crate::limited::limit_files;
use crate::stories::days;
use crate::stories::rows::{expanded, exported_lines, gzip, zstd};
use crate::world::World;

const DAY: &str = "2026-01-05";

/// Exports objects as lines of JSON with these options.
async fn exported(objects: &[Vec<u8>], options: &Value) -> (World, Job) {
    exported_within(objects, options, None).await
}

/// The same into files of at most so many bytes.
async fn exported_within(
    objects: &[Vec<u8>],
    options: &Value,
    most_bytes: Option<u64>,
) -> (World, Job) {
    let world = World::new().await;
    for (number, object) in objects.iter().enumerate() {
        let name = format!("part-{number}.ndjson.gz");
        world.put_object("events", DAY, &name, object.clone()).await;
    }
    let mut body = days("JsonLinesBlob", DAY, DAY);
    body["exportOptions"] = options.clone();
    let key = world.post("events", &body).await;
    if let Some(most_bytes) = most_bytes {
        limit_files(&world, &key, most_bytes).await;
    }
    let job = world.drive(&key).await;
    assert_eq!(world.task(&key).await["state"], "Succeeded");
    (world, job)
}

fn lines(numbers: Range<u32>) -> String {
    exported_lines(DAY, numbers)
}

fn packed() -> Value {
    json!({"compression": "gzip"})
}

#[tokio::test]
async fn objects_that_are_what_would_be_written_are_the_file_as_they_are_stored() {
    let members = [gzip(&lines(0..3)), gzip(&lines(3..20))].concat();
    let objects = [members, gzip(&lines(20..40))];
    let (world, job) = exported(&objects, &packed()).await;
    let (encoded, plain_job) = exported(&objects, &json!({"compression": "none"})).await;
    let [file] = world.files(&job).try_into().unwrap();
    assert_eq!(file, objects.concat());
    assert_eq!(expanded(Some("gzip"), &file), lines(0..40).as_bytes());
    assert_eq!(encoded.files(&plain_job), [lines(0..40).into_bytes()]);
    let [told] = world.manifest(&job).unwrap().files.try_into().unwrap();
    let [as_ever] = encoded
        .manifest(&plain_job)
        .unwrap()
        .files
        .try_into()
        .unwrap();
    assert_eq!(told.counts.bytes, file.len() as u64);
    assert_eq!((told.counts.read, told.counts.rows), (40, 40));
    assert_eq!(told.min_timestamp, as_ever.min_timestamp);
    assert_eq!(told.max_timestamp, as_ever.max_timestamp);
}

/// What an object may hold beside lines as they are exported, each a reason to encode all of them.
fn reasons() -> Vec<(&'static str, String)> {
    let one = lines(7..8);
    let row = one.trim_end();
    let altered = |from: &str, to: &str| {
        let altered = one.replace(from, to);
        assert_ne!(altered, one, "{from}");
        altered
    };
    let halved = altered("event 7", "event \\ud83d");
    let (head, extras) = row.split_once(",\"extras\":").unwrap();
    let extras = extras.strip_suffix('}').unwrap();
    let reordered = format!("{{\"extras\":{extras},{}}}\n", &head[1..]);
    vec![
        ("a half surrogate is repaired", halved),
        ("a moment is reformatted", altered(".5Z", ".5+00:00")),
        ("there is white space in a row", altered("\":\"", "\": \"")),
        (
            "there is white space in a value",
            altered("{\"f\"", "{ \"f\""),
        ),
        ("there is white space behind a row", format!("{row} \n")),
        ("there is white space before a row", format!(" {row}\n")),
        ("a line ends otherwise", format!("{row}\r\n")),
        ("a line is empty", format!("{one}\n")),
        ("rows share a line", format!("{row}{one}")),
        (
            "a row shares a line, and a line is empty",
            format!("{row}{row}\n\n"),
        ),
        (
            "a row stands on two lines",
            altered(",\"name\"", ",\n\"name\""),
        ),
        (
            "a field is null",
            altered(",\"extras\"", ",\"infoId\":null,\"extras\""),
        ),
        ("fields are in another order", reordered),
        (
            "a field is of no column",
            altered(",\"name\"", ",\"more\":1,\"name\""),
        ),
        ("a record is rejected", "{}\n".to_owned()),
        ("a line is no record", "no record\n".to_owned()),
        ("a record is of another day", altered(DAY, "2026-01-04")),
        ("the last line has no end", row.to_owned()),
        (
            "a byte order mark stands before a row",
            format!("\u{feff}{one}"),
        ),
    ]
}

#[tokio::test]
async fn whatever_differs_all_is_encoded_and_nothing_is_lost() {
    for (reason, other) in reasons() {
        let objects = [
            gzip(&lines(0..30)),
            gzip(&(lines(30..40) + &other)),
            gzip(&lines(40..50)),
        ];
        let (world, job) = exported(&objects, &packed()).await;
        let (plain, plain_job) = exported(&objects, &json!({"compression": "none"})).await;
        let [file] = world.files(&job).try_into().unwrap();
        let [encoded] = plain.files(&plain_job).try_into().unwrap();
        assert_eq!(expanded(Some("gzip"), &file), encoded, "{reason}");
        assert_ne!(file, objects.concat(), "{reason}");
        let (head, as_ever) = (
            world.manifest(&job).unwrap(),
            plain.manifest(&plain_job).unwrap(),
        );
        let counts = |counts: domain::counts::Counts| (counts.read, counts.rows, counts.rejected);
        assert_eq!(
            counts(head.head.totals.counts),
            counts(as_ever.head.totals.counts),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn an_object_with_a_byte_order_mark_is_encoded() {
    let objects = [gzip(&format!("\u{feff}{}", lines(0..30)))];
    let (world, job) = exported(&objects, &packed()).await;
    let [file] = world.files(&job).try_into().unwrap();
    assert_eq!(expanded(Some("gzip"), &file), lines(0..30).as_bytes());
}

#[tokio::test]
async fn an_object_that_is_compressed_otherwise_is_encoded() {
    let by = |asked: &str, text: &str| match asked {
        "gzip" => gzip(text),
        _ => zstd(text),
    };
    for (asked, other) in [("gzip", "zstd"), ("zstd", "gzip")] {
        for other in [lines(0..9).into_bytes(), by(other, &lines(0..9))] {
            let objects = [by(asked, &lines(9..20)), other];
            for objects in [&objects[..], &objects[1..]] {
                let (world, job) = exported(objects, &json!({"compression": asked})).await;
                let [file] = world.files(&job).try_into().unwrap();
                let first = if objects.len() == 2 { 9..20 } else { 0..0 };
                let rows = lines(first) + &lines(0..9);
                assert_eq!(expanded(Some(asked), &file), rows.as_bytes());
                assert_ne!(file, objects.concat());
            }
        }
    }
}

#[tokio::test]
async fn one_object_of_one_zstandard_frame_is_the_file_as_it_is_stored() {
    let (one, two) = (zstd(&lines(0..30)), zstd(&lines(30..40)));
    let frames = [one.clone(), two.clone()].concat();
    let mixed = zstd(&(lines(0..30) + "{}\n"));
    for (objects, rows, is_stored) in [
        (vec![one.clone()], 30, true),
        (vec![one, two], 40, false),
        (vec![frames], 40, false),
        (vec![mixed], 30, false),
    ] {
        let (world, job) = exported(&objects, &json!({})).await;
        let mut files = world.files(&job);
        let file = files.remove(0);
        assert_eq!(file == objects.concat(), is_stored, "{rows} rows");
        assert_eq!(expanded(Some("zstd"), &file), lines(0..rows).as_bytes());
        let first = zstd::zstd_safe::find_frame_compressed_size(&file);
        assert_eq!(first, Ok(file.len()), "the file is one frame");
    }
}

#[tokio::test]
async fn what_a_client_asks_of_the_rows_is_done() {
    let objects = [gzip(&lines(0..30))];
    for options in [
        json!({"compression": "zstd"}),
        json!({"compression": "gzip", "columns": ["name", "deviceId"]}),
        json!({"compression": "gzip", "filter": {"deviceIds": ["00000000000000000000000000000001"]}}),
    ] {
        let (world, job) = exported(&objects, &options).await;
        let [file] = world.files(&job).try_into().unwrap();
        assert_ne!(file, objects[0], "{options}");
        let text = expanded(options["compression"].as_str(), &file);
        let is_all = text == lines(0..30).as_bytes();
        assert_eq!(is_all, options["compression"] == "zstd", "{options}");
    }
}

#[tokio::test]
async fn objects_that_are_larger_than_a_file_may_be_are_encoded() {
    let objects = [gzip(&lines(0..20)), gzip(&lines(20..40))];
    let bytes = objects.concat().len() as u64;
    for (most_bytes, is_stored) in [(bytes, true), (bytes - 1, false)] {
        let (world, job) = exported_within(&objects, &packed(), Some(most_bytes)).await;
        let files = world.files(&job);
        assert_eq!(
            files.concat() == objects.concat(),
            is_stored,
            "{most_bytes}"
        );
        assert!(
            files.iter().all(|file| file.len() as u64 <= most_bytes),
            "{most_bytes}"
        );
        let text = files.iter().flat_map(|file| expanded(Some("gzip"), file));
        assert_eq!(
            text.collect::<Vec<_>>(),
            lines(0..40).as_bytes(),
            "{most_bytes}"
        );
    }
}

#[tokio::test]
async fn an_object_that_is_damaged_at_its_end_is_missing_and_the_others_are_exported() {
    let mut damaged = gzip(&lines(20..60));
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    let objects = [gzip(&lines(0..20)), damaged, gzip(&lines(60..70))];
    let world = World::new().await;
    for (number, object) in objects.iter().enumerate() {
        world
            .put_object(
                "events",
                DAY,
                &format!("part-{number}.ndjson.gz"),
                object.clone(),
            )
            .await;
    }
    let mut body = days("JsonLinesBlob", DAY, DAY);
    body["exportOptions"] = packed();
    let key = world.post("events", &body).await;
    let job = world.drive(&key).await;
    let [file] = world.files(&job).try_into().unwrap();
    assert_eq!(file, [objects[0].clone(), objects[2].clone()].concat());
    assert_eq!(world.manifest(&job).unwrap().missing.len(), 1);
}
