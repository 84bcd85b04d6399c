//! Objects that expand without end, and honest ones that only repeat themselves.

use flate2::write::GzEncoder;
use futures::TryStreamExt;

use super::*;

const MIB: usize = 1 << 20;

/// A limit that a test reaches soon.
const SMALL: ExpansionLimit = ExpansionLimit {
    ratio: 500,
    always_bytes: 4 << 20,
};

/// What came of reading an object to its end, or to the first failure.
#[derive(Debug, Default)]
struct Reading {
    bytes: u64,
    largest_piece: usize,
    failure: Option<SourceError>,
}

async fn read(limit: ExpansionLimit, name: &str, body: Vec<u8>) -> Reading {
    let store = in_memory();
    let chunk = only_chunk(&store, name, body).await;
    let mut pieces = lake(&store, 1)
        .with_expansion_limit(limit)
        .read(objects(&chunk), &selected());
    let mut reading = Reading::default();
    loop {
        match pieces.try_next().await {
            Ok(None) => return reading,
            Err(failure) => {
                return Reading {
                    failure: Some(failure),
                    ..reading
                };
            }
            Ok(Some(Piece::End { .. } | Piece::Stored { .. })) => {}
            Ok(Some(Piece::Unreadable { error, .. })) => reading.failure = Some(error),
            Ok(Some(Piece::Text { text, .. })) => {
                reading.bytes += text.len() as u64;
                reading.largest_piece = reading.largest_piece.max(text.len());
            }
        }
    }
}

fn gzip_best(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn zstd_best(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZstdEncoder::with_quality(Vec::new(), Quality::Precise(19));
    encoder.write_all(text).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

/// Events of one device that differ in their timestamps alone, up to a size.
fn heartbeats(extras: &str, bytes: usize) -> Vec<u8> {
    let event = |number: usize| {
        let (minute, second, milli) = (number / 60_000 % 60, number / 1_000 % 60, number % 1_000);
        format!(
            r#"{{"deviceId":"0123456789abcdef0123456789abcdef","name":"heartbeat","timestamp":"2026-11-02T10:{minute:02}:{second:02}.{milli:03}Z"{extras}}}"#
        ) + "\n"
    };
    let mut text = Vec::new();
    let mut number = 0;
    while text.len() < bytes {
        text.extend_from_slice(event(number).as_bytes());
        number += 1;
    }
    text
}

fn assert_stopped_at(limit: u64, what: &str, reading: &Reading) {
    let words = reading
        .failure
        .as_ref()
        .map(|error| in_one_line(error))
        .unwrap_or_default();
    assert!(
        matches!(reading.failure, Some(SourceError::Corrupt { .. })),
        "{what}: {reading:?}"
    );
    assert!(
        words.contains(&format!("expands to more than {limit} bytes")),
        "{what}: {words}"
    );
    assert!(reading.bytes <= limit, "{what}: {reading:?}");
    assert!(reading.largest_piece <= MIB, "{what}: {reading:?}");
}

#[tokio::test]
async fn a_bomb_is_left_alone_at_its_limit_and_what_follows_is_never_read() {
    let newlines = vec![b'\n'; MIB];
    let endless = vec![b'x'; MIB];
    for (shape, text) in [("newlines", newlines), ("an endless line", endless)] {
        let whole = text.repeat(6);
        let (gz, zst) = (gzip_best(&text), zstd_best(&text).await);
        for (name, body) in [
            ("whole.ndjson.gz", gzip_best(&whole)),
            ("members.ndjson.gz", gz.repeat(6)),
            ("whole.ndjson.zst", zstd_best(&whole).await),
            ("frames.ndjson.zst", zst.repeat(6)),
        ] {
            // What is read to its end would fail for this instead.
            let body = [body.as_slice(), b"garbage"].concat();
            let what = format!("{shape}, {name}, {} bytes", body.len());
            assert_stopped_at(SMALL.always_bytes, &what, &read(SMALL, name, body).await);
        }
    }
}

#[tokio::test]
async fn an_object_may_be_as_large_as_its_limit() {
    let member = gzip_best(&vec![b'\n'; MIB]);
    for (members, passes) in [(4, true), (5, false)] {
        let reading = read(SMALL, "a.ndjson.gz", member.repeat(members)).await;
        assert_eq!(reading.failure.is_none(), passes, "{reading:?}");
    }
}

#[tokio::test]
async fn the_lakes_own_limit_stops_a_bomb_of_either_compression() {
    let text = vec![b'\n'; 16 * MIB];
    for (name, member) in [
        ("a.ndjson.gz", gzip_best(&text)),
        ("a.ndjson.zst", zstd_best(&text).await),
    ] {
        let limit = ExpansionLimit::default();
        let body = [member.repeat(17), b"garbage".to_vec()].concat();
        assert!(body.len() < 300_000, "{}", body.len());
        assert_stopped_at(256 << 20, name, &read(limit, name, body).await);
    }
}

#[tokio::test]
async fn honest_records_pass_however_many_when_their_timestamps_differ_or_gzip_holds_them() {
    let text = heartbeats("", 6 * MIB);
    let same = heartbeats("", 1).repeat(60_000);
    for (name, text, body, expected) in [
        ("a.ndjson.gz", &text, gzip_best(&text), 25..60),
        ("a.ndjson.zst", &text, zstd_best(&text).await, 80..250),
        ("same.ndjson.gz", &same, gzip_best(&same), 200..400),
    ] {
        let times = text.len() / body.len();
        assert!(expected.contains(&times), "{name}: {times}");
        let limit = ExpansionLimit {
            always_bytes: 0,
            ..ExpansionLimit::default()
        };
        let reading = read(limit, name, body).await;
        assert!(
            reading.failure.is_none() && reading.bytes == text.len() as u64,
            "{name}: {reading:?}"
        );
    }
}

#[tokio::test]
async fn records_that_hardly_differ_pass_up_to_what_is_always_allowed() {
    let extras: Vec<_> = (0..150)
        .map(|number| format!(r#""property {number}":"the same in every record""#))
        .collect();
    let text = heartbeats(&format!(r#","extras":{{{}}}"#, extras.join(",")), 8 * MIB);
    let body = zstd_best(&text).await;
    assert!(text.len() / body.len() > 600, "{}", text.len() / body.len());
    let reading = read(ExpansionLimit::default(), "a.ndjson.zst", body).await;
    assert!(
        reading.failure.is_none() && reading.bytes == text.len() as u64,
        "{reading:?}"
    );
}
