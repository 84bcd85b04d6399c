mod manifests;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA256, digest};
use crc_fast::{CrcAlgorithm, checksum};
use domain::selection::{Compression, ExportType};
use formats::codec::Compressor;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::mismatch::shown;
use super::place::{Folder, find_manifest, open_file};
use super::row::Form;
use super::verdict::Outcome;
use super::*;

const JOB: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const EVENTS: [&str; 2] = [
    r#"[{"deviceId":"d1","events":[{"name":"a","timestamp":"t1","extras":{"n":1e-7}},{"name":"b","timestamp":"t2"}]}]"#,
    r#"[{"deviceId":"d2","events":[{"name":"é","timestamp":"t3"}]}]"#,
];
const LINES: [&str; 3] = [
    r#"{"deviceId":"d1","name":"a","timestamp":"t1","extras":{"n":1e-7}}"#,
    r#"{"deviceId":"d1","name":"b","timestamp":"t2"}"#,
    r#"{"deviceId":"d2","name":"\u00e9","timestamp":"t3"}"#,
];

/// The files of an export in a folder of downloads.
pub(super) struct Downloaded {
    folder: TempDir,
    pub(super) manifest: Value,
}

fn name(number: usize) -> String {
    format!("Event/{JOB}/date=2026-01-05/part-{number:05}.json")
}

fn entry(number: usize, content: &(impl AsRef<[u8]> + ?Sized), rows: u64) -> Value {
    let content = content.as_ref();
    json!({
        "name": name(number), "chunk": number, "rows": rows, "bytes": content.len(),
        "sha256": hex::encode(digest(&SHA256, content)),
        "crc64": format!("{:016x}", checksum(CrcAlgorithm::Crc64Nvme, content)),
        "badRecordsSkipped": 0, "sources": [{"object": format!("o{number}"), "etag": "e", "bytes": 1}],
    })
}

impl Downloaded {
    /// Two files of three rows, as the container has them.
    fn new() -> Self {
        let files = [entry(0, EVENTS[0], 2), entry(1, EVENTS[1], 1)];
        let manifest = json!({
            "manifestVersion": 1, "jobId": JOB, "exportType": "Event", "format": "JsonBlob", "scope": "/s",
            "dateCreated": "2026-01-12T00:00:00Z", "readUpTo": "2026-01-12T00:00:01Z",
            "selection": {"kind": "days", "startDate": "2026-01-05", "endDate": "2026-01-05"}, "complete": true,
            "totals": {
                "chunks": 2, "failedChunks": 0, "rows": 3, "bytes": EVENTS[0].len() + EVENTS[1].len(),
                "badRecordsSkipped": 0,
            },
            "files": files, "missing": [],
        });
        let downloaded = Self {
            folder: tempfile::tempdir().unwrap(),
            manifest,
        };
        for (number, content) in EVENTS.into_iter().enumerate() {
            downloaded.write(&name(number), content);
        }
        downloaded
    }

    /// One file of so many rows of a type.
    pub(super) fn of_one_file(of: ExportType, content: &[u8], rows: u64) -> Self {
        let mut downloaded = Self::new();
        let folder = format!("Event/{JOB}");
        std::fs::remove_dir_all(downloaded.path(&folder)).unwrap();
        let mut entry = entry(0, content, rows);
        let name = name(0).replace("Event", of.name());
        entry["name"] = name.clone().into();
        downloaded.write(&name, content);
        downloaded.manifest["exportType"] = of.name().into();
        downloaded.manifest["files"] = json!([entry]);
        downloaded.manifest["totals"]["chunks"] = 1.into();
        downloaded.manifest["totals"]["rows"] = rows.into();
        downloaded.manifest["totals"]["bytes"] = content.len().into();
        downloaded
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &(impl AsRef<[u8]> + ?Sized)) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Puts another content in place of a file, for which the manifest is right but for its rows.
    fn replace(&mut self, number: usize, content: &(impl AsRef<[u8]> + ?Sized), rows: u64) {
        let content = content.as_ref();
        self.write(&name(number), content);
        let bytes = self.manifest["files"][number]["bytes"].as_u64().unwrap();
        let total =
            self.manifest["totals"]["bytes"].as_u64().unwrap() - bytes + content.len() as u64;
        self.manifest["files"][number] = entry(number, content, rows);
        self.manifest["totals"]["bytes"] = total.into();
    }

    fn write_manifest(&self) {
        let of = self.manifest["exportType"].as_str().unwrap();
        self.write(
            &format!("{of}/{JOB}/manifest.json"),
            &self.manifest.to_string(),
        );
    }

    /// What is said of it, and how it ends.
    pub(super) async fn verify(&self) -> (Vec<String>, Verdict) {
        self.write_manifest();
        verify_at(self.folder.path()).await.unwrap()
    }

    /// The only thing that is wrong.
    async fn only_fault(&self) -> String {
        let (lines, verdict) = self.verify().await;
        assert_eq!(verdict.outcome(), Outcome::Wrong, "{lines:?}");
        let [line] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        line.replace(&format!("Event/{JOB}/date=2026-01-05/"), "")
    }
}

async fn verify_at(path: &Path) -> Result<(Vec<String>, Verdict), PlaceError> {
    let path = find_manifest(path)?;
    let manifest = Manifest::read(open_file(&path).await?).await?;
    let place = Folder::of(&path, &manifest)?;
    let (lines, _) = verify_in(&manifest, &place, false).await?;
    let kept = verify_in(&manifest, &place, true).await?;
    assert_eq!(kept.0, lines, "it makes no difference that rows are kept");
    Ok(kept)
}

async fn verify_in(
    manifest: &Manifest,
    place: &Folder,
    keep_rows: bool,
) -> Result<(Vec<String>, Verdict), PlaceError> {
    let mut lines = Vec::new();
    let mut tell = |finding: &Finding| {
        lines.push(match finding {
            Finding::Wrong(mismatch) => mismatch.to_string(),
            Finding::Unknown { name, reason } => format!("? {}: {}", shown(name), shown(reason)),
        });
    };
    let reached = AtomicU64::new(0);
    let done = |bytes| {
        reached.fetch_add(bytes, Ordering::Relaxed);
    };
    let verdict = Export {
        manifest,
        place,
        keep_rows,
    }
    .verify(&mut tell, &done)
    .await?;
    let files = Reading::ALL.files(manifest);
    let bytes = files.fold(0_u64, |sum, file| sum.wrapping_add(file.bytes));
    assert_eq!(
        reached.into_inner(),
        bytes,
        "the bar does not reach its end"
    );
    Ok((lines, verdict))
}

#[tokio::test]
async fn a_bar_moves_within_a_file_and_once_only_where_that_is_read_again() {
    let moves = Mutex::new(Vec::new());
    let done = |bytes| moves.lock().unwrap().push(bytes);
    let reached = Reached::none_of(10, &done);
    let pieces = |sizes: &[usize]| -> Pieces {
        let pieces: Vec<_> = sizes
            .iter()
            .map(|size| Ok(Bytes::from(vec![0; *size])))
            .collect();
        stream::iter(pieces).boxed()
    };
    for sizes in [&[3, 4][..], &[5, 3]] {
        reached
            .by(pieces(sizes))
            .try_for_each(async |_| Ok(()))
            .await
            .unwrap();
    }
    reached.up_to(10);
    let seen: Vec<u64> = moves.lock().unwrap().clone();
    let steps: Vec<u64> = seen.into_iter().filter(|bytes| *bytes > 0).collect();
    assert_eq!(steps, [3, 4, 1, 2]);
}

#[tokio::test]
async fn an_exact_export_is_right_however_it_was_downloaded() {
    let downloaded = Downloaded::new();
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));
    assert_eq!(
        verdict.line(),
        "✓ 2 files, 3 rows, 171 B: exactly as the manifest says"
    );
    assert_eq!(verdict.strays_unknown, None);

    let at = async |path: PathBuf| verify_at(&path).await.unwrap().1.outcome();
    assert_eq!(
        at(downloaded.path(&format!("Event/{JOB}"))).await,
        Outcome::Right
    );
    assert_eq!(
        at(downloaded.path(&format!("Event/{JOB}/manifest.json"))).await,
        Outcome::Right
    );
    downloaded.write("flat/manifest.json", &downloaded.manifest.to_string());
    for (number, content) in EVENTS.into_iter().enumerate() {
        downloaded.write(&format!("flat/part-{number:05}.json"), content);
    }
    assert_eq!(at(downloaded.path("flat")).await, Outcome::Right);
    downloaded.write("manifest.json", &downloaded.manifest.to_string());
    assert_eq!(at(downloaded.path("manifest.json")).await, Outcome::Right);
}

#[tokio::test]
async fn every_kind_of_damage_to_a_file_is_named() {
    let downloaded = Downloaded::new();
    std::fs::remove_file(downloaded.path(&name(1))).unwrap();
    assert_eq!(
        downloaded.only_fault().await,
        "part-00001.json: it is in the manifest and does not exist"
    );

    downloaded.write(&name(1), &EVENTS[1][1..]);
    assert_eq!(
        downloaded.only_fault().await,
        "part-00001.json: the manifest says 61 bytes, found 60"
    );

    downloaded.write(&name(1), &EVENTS[1].replace("t3", "t4"));
    let fault = downloaded.only_fault().await;
    assert!(
        fault.starts_with("part-00001.json: the manifest says SHA-256 "),
        "{fault}"
    );
    assert_eq!(
        downloaded.verify().await.1.line(),
        "✗ 1 of 2 files is not as the manifest says"
    );
}

#[tokio::test]
async fn a_file_whose_checksums_were_made_for_it_is_still_counted_and_parsed() {
    let mut downloaded = Downloaded::new();
    downloaded.replace(
        0,
        &EVENTS[0].replace(r#",{"name":"b","timestamp":"t2"}"#, ""),
        2,
    );
    assert_eq!(
        downloaded.only_fault().await,
        "part-00000.json: the manifest says 2 rows, found 1"
    );

    downloaded.replace(0, EVENTS[0].trim_end_matches(']'), 2);
    let fault = downloaded.only_fault().await;
    assert!(
        fault.starts_with("part-00000.json: its rows cannot be read: EOF while parsing"),
        "{fault}"
    );

    let mut downloaded = Downloaded::new();
    downloaded.manifest["files"][1]["crc64"] = "0".repeat(16).into();
    let fault = downloaded.only_fault().await;
    assert!(
        fault.starts_with("part-00001.json: the manifest says CRC-64 0000000000000000, found "),
        "{fault}"
    );
}

/// The file that a text is compressed to.
pub(super) fn compressed(compression: Compression, text: &str) -> Vec<u8> {
    let mut compressor = Compressor::of(compression).unwrap().unwrap();
    compressor.buffer().extend_from_slice(text.as_bytes());
    let mut file = Vec::new();
    compressor.finish(&mut file).unwrap();
    file
}

#[tokio::test]
async fn compressed_files_are_verified_and_one_that_is_cut_or_continued_is_named() {
    for (compression, what, whole) in [
        (Compression::Gzip, "gzip", "last gzip member"),
        (Compression::Zstd, "Zstandard", "Zstandard frame"),
    ] {
        let mut downloaded = Downloaded::new();
        downloaded.manifest["compression"] = compression.name().into();
        let [first, second] = EVENTS.map(|text| compressed(compression, text));
        downloaded.replace(0, &first, 2);
        downloaded.replace(1, &second, 1);
        let (lines, verdict) = downloaded.verify().await;
        assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));
        assert_eq!(rows::source().difference(&verdict.found), None);

        downloaded.replace(1, &second[..second.len() - 1], 1);
        let cut = downloaded.only_fault().await;
        let expected = format!(
            "part-00001.json: its rows cannot be read: it is no {what}, damaged or cut short ("
        );
        assert!(cut.starts_with(&expected), "{cut}");

        downloaded.replace(1, &[&*second, b"\n"].concat(), 1);
        assert_eq!(
            downloaded.only_fault().await,
            format!("part-00001.json: its rows cannot be read: more follows behind its {whole}")
        );

        downloaded.replace(1, EVENTS[1], 1);
        let plain = downloaded.only_fault().await;
        assert!(plain.starts_with(&expected), "{plain}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_as_was_asked_is_named() {
    let mut downloaded = Downloaded::new();
    downloaded.manifest["format"] = "CsvBlob".into();
    downloaded.manifest["columns"] = json!(["name", "deviceId"]);
    downloaded.manifest["byteOrderMark"] = true.into();
    downloaded.manifest["escapeFormulas"] = true.into();
    downloaded.replace(0, "\u{feff}name,deviceId\r\n'=a,d1\r\nb,d1\r\n", 2);
    downloaded.replace(1, "\u{feff}name,deviceId\r\né,d2\r\n", 1);
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));
    for (content, problem) in [
        (
            "name,deviceId\r\né,d2\r\n",
            "it begins without a byte order mark",
        ),
        (
            "\u{feff}deviceId,name\r\nd2,é\r\n",
            "its header is not of the columns that the manifest says",
        ),
        (
            "\u{feff}name,deviceId\r\n=é,d2\r\n",
            "row 1: `name` is a formula, though formulas are escaped",
        ),
    ] {
        downloaded.replace(1, content, 1);
        assert_eq!(
            downloaded.only_fault().await,
            format!("part-00001.json: its rows cannot be read: {problem}")
        );
    }
}

#[tokio::test]
async fn the_parts_of_a_chunk_are_different_and_no_larger_than_is_said() {
    let mut downloaded = Downloaded::new();
    downloaded.manifest["totals"]["chunks"] = 1.into();
    downloaded.manifest["maxFileBytes"] = EVENTS[0].len().into();
    for part in 0..2 {
        downloaded.manifest["files"][part]["chunk"] = 0.into();
        downloaded.manifest["files"][part]["part"] = part.into();
    }
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));

    downloaded.manifest["maxFileBytes"] = (EVENTS[0].len() - 1).into();
    let fault = downloaded.only_fault().await;
    assert_eq!(
        fault,
        "totals: the manifest says 0 oversized files, found 1"
    );
    downloaded.manifest["totals"]["filesOversized"] = 1.into();
    assert_eq!(downloaded.verify().await.1.outcome(), Outcome::Right);

    downloaded.manifest["files"][1]["part"] = 0.into();
    let fault = downloaded.only_fault().await;
    assert_eq!(fault, "the manifest lists chunk 0 twice");
}

#[tokio::test]
async fn every_wrong_file_is_named_not_only_the_first() {
    let downloaded = Downloaded::new();
    downloaded.write(&name(0), "");
    downloaded.write(&name(1), "");
    downloaded.write(&name(2), "");
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(
        lines[2],
        format!("{}: it exists and is not in the manifest", name(2))
    );
    assert_eq!(
        verdict.line(),
        "✗ 2 of 2 files are not as the manifest says; 1 file not in the manifest"
    );
}
