//! A storage that stalls, and one with ten thousand files.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use crc_fast::{CrcAlgorithm, checksum};
use local::dynamodb::scratch_dir;
use serde_json::{Value, json};
use tokio::process::Command;

use super::http::{Reply, Request, Service};

const JOB: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// How much storage is asked for at once.
const RANGE_BYTES: usize = 4 << 20;

/// Most that the command may hold of ten thousand files, in KiB, as the debug build that tests run.
const MOST_KIB: u64 = 150 * 1024;

fn name(number: usize) -> String {
    format!("Event/{JOB}/date=2026-01-05/part-{number:05}.jsonl")
}

fn manifest(files: &[Value]) -> Value {
    let sum = |field: &str| -> u64 { files.iter().map(|file| file[field].as_u64().unwrap()).sum() };
    json!({
        "manifestVersion": 1, "jobId": JOB, "exportType": "Event", "format": "JsonLinesBlob", "scope": "/s",
        "dateCreated": "2026-01-12T00:00:00Z", "readUpTo": "2026-01-12T00:00:01Z", "complete": true,
        "selection": {"kind": "days", "startDate": "2026-01-05", "endDate": "2026-01-05"},
        "totals": {
            "chunks": files.len(), "failedChunks": 0, "rows": sum("rows"), "bytes": sum("bytes"),
            "badRecordsSkipped": 0,
        },
        "files": files, "missing": [],
    })
}

fn entry(number: usize, content: &[u8]) -> Value {
    json!({
        "name": name(number), "chunk": number, "rows": content.split(|it| *it == b'\n').count() - 1,
        "bytes": content.len(), "sha256": hex::encode(digest(&SHA256, content)),
        "crc64": format!("{:016x}", checksum(CrcAlgorithm::Crc64Nvme, content)),
        "badRecordsSkipped": 0, "sources": [],
    })
}

/// The answer about what may be the manifest: it lies in the folder of its type alone.
fn of_manifest(request: &Request, manifest: &[u8]) -> Option<Reply> {
    if !request.line.contains("manifest.json") {
        return None;
    }
    if request.line.contains("/Event%2F") {
        return Some(blob(request, manifest));
    }
    let code = ("x-ms-error-code", "BlobNotFound".to_owned());
    Some(Reply::Whole(404, vec![code], Vec::new()))
}

/// The answer about a blob, or about the range of it that is asked for.
fn blob(request: &Request, content: &[u8]) -> Reply {
    let etag = ("etag", "\"0x1\"".to_owned());
    let range = request.header("x-ms-range").or(request.header("range"));
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
        return Reply::Whole(200, vec![etag], content.to_vec());
    };
    let (start, end) = range.split_once('-').unwrap();
    let start: usize = start.parse().unwrap();
    let end = end
        .parse()
        .map_or(content.len(), |end: usize| (end + 1).min(content.len()));
    let said = format!("bytes {start}-{}/{}", end - 1, content.len());
    Reply::Whole(
        206,
        vec![etag, ("content-range", said)],
        content[start..end].to_vec(),
    )
}

fn download(storage: &Service, into: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_engagement-export"));
    for variable in client::environment::VARIABLES {
        command.env_remove(variable.name);
    }
    let url = format!(
        "http://127.0.0.1:{}/devstoreaccount1/exports?sv=1&sig=x",
        storage.port
    );
    command
        .args(["download", JOB, "--into", into.to_str().unwrap()])
        .env("ENGAGEMENT_EXPORT_READ_URL", url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What is not whole below a folder, and how many bytes of it there are.
fn partials(folder: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.extend(partials(&entry.path()));
        } else if name.starts_with("part-") && name.ends_with(".partial") {
            found.push((name, entry.metadata().unwrap().len()));
        }
    }
    found
}

#[tokio::test]
async fn a_download_that_is_killed_goes_on_where_it_was_under_the_same_version() {
    let row = "{\"deviceId\":\"d\",\"name\":\"n\",\"timestamp\":\"2026-01-05T00:00:00Z\"}\n";
    let content = row.repeat(3 * RANGE_BYTES / row.len()).into_bytes();
    let manifest = manifest(&[entry(0, &content)]).to_string().into_bytes();
    let stalls = Arc::new(AtomicBool::new(true));
    let (stalling, whole) = (Arc::clone(&stalls), content.clone());
    let storage = Service::new(move |request| {
        if let Some(reply) = of_manifest(request, &manifest) {
            return reply;
        }
        let first = format!("bytes=0-{}", RANGE_BYTES - 1);
        let range = request.header("x-ms-range").or(request.header("range"));
        if stalling.load(Ordering::Relaxed) && range != Some(first.as_str()) {
            return Reply::Silence;
        }
        blob(request, &whole)
    })
    .await;
    let folder = scratch_dir().unwrap();
    let mut killed = download(&storage, folder.path()).spawn().unwrap();
    let begun = tokio::time::timeout(Duration::from_mins(2), async {
        loop {
            let [(name, bytes)] = partials(folder.path()).try_into().unwrap_or_default();
            if bytes == RANGE_BYTES as u64 {
                return name;
            }
            tokio::task::yield_now().await;
        }
    });
    let begun = begun.await.unwrap();
    assert!(begun.contains(&hex::encode("\"0x1\"")), "{begun}");
    killed.kill().await.unwrap();
    assert!(!folder.path().join(name(0)).exists());

    stalls.store(false, Ordering::Relaxed);
    let before = storage.asked().len();
    let ended = download(&storage, folder.path()).output().await.unwrap();
    let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert_eq!(std::fs::read(folder.path().join(name(0))).unwrap(), content);
    assert!(partials(folder.path()).is_empty());
    let asked = storage.asked().split_off(before);
    let of_blob: Vec<&Request> = asked
        .iter()
        .filter(|it| it.line.contains("part-"))
        .collect();
    assert!(!of_blob.is_empty());
    for request in of_blob {
        let range = request
            .header("x-ms-range")
            .or(request.header("range"))
            .unwrap();
        let start = range
            .trim_start_matches("bytes=")
            .split('-')
            .next()
            .unwrap();
        assert!(start.parse::<usize>().unwrap() >= RANGE_BYTES, "{range}");
        assert_eq!(request.header("if-match"), Some("\"0x1\""), "{range}");
    }
}

#[tokio::test]
async fn ten_thousand_files_are_downloaded_in_little_memory() {
    const FILES: usize = 10_000;
    let content =
        |number: usize| format!("{{\"deviceId\":\"d\",\"name\":\"n{number}\"}}\n").into_bytes();
    let entries: Vec<Value> = (0..FILES)
        .map(|number| entry(number, &content(number)))
        .collect();
    let manifest = manifest(&entries).to_string().into_bytes();
    let (pid, most, served) = (
        Arc::new(OnceLock::<u32>::new()),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU32::new(0)),
    );
    let (of, seen, count) = (Arc::clone(&pid), Arc::clone(&most), Arc::clone(&served));
    let storage = Service::new(move |request| {
        if let Some(reply) = of_manifest(request, &manifest) {
            return reply;
        }
        if count.fetch_add(1, Ordering::Relaxed) % 1_000 == 999 {
            let status = of
                .get()
                .map(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")));
            seen.fetch_max(peak_kib(&status.unwrap().unwrap()), Ordering::Relaxed);
        }
        let number = request.line.split("part-").nth(1).unwrap();
        blob(request, &content(number[..5].parse().unwrap()))
    })
    .await;
    let folder = scratch_dir().unwrap();
    let child = download(&storage, folder.path()).spawn().unwrap();
    pid.set(child.id().unwrap()).unwrap();
    let ended = child.wait_with_output().await.unwrap();
    let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("✓ 10,000 files, 10,000 rows, "), "{said}");
    let most = most.load(Ordering::Relaxed);
    assert!(most > 0 && most < MOST_KIB, "{most} KiB");
}

/// The most memory that a process has held, as Linux says it
/// (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn peak_kib(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
