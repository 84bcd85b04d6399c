//! A medium export whose functions are killed again and again, at random moments: every row is
//! there once in the end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::digest;
use domain::chunk::{Chunk, ChunkState};
use domain::job::{Job, Outcome, Phase};
use domain::manifest::Manifest;
use futures::future::join_all;
use ports::store::ChunkLists;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};
use wiring::config::{BLOCK_BYTES, CHUNK_TARGET_BYTES, FUNCTION_TIMEOUT_SECONDS, LOG_LEVEL};

use super::emulator::Emulated;
use super::machine::{Machine, bus_event, message, post};
use crate::samples::sample;

/// Fixes the rows and the moments of the kills, counted from each invocation; not what the machine
/// does meanwhile.
const SEED: Option<&str> = option_env!("SEED");

const DAYS: u32 = 9;
const OBJECTS_A_DAY: u32 = 8;
const ROWS_AN_OBJECT: u32 = 1_500;

/// Functions that run chunks at once.
const LANES: usize = 3;

/// How often one chunk's runs, or the planner, or the finisher, are killed at most: as often as the
/// real queue would let a chunk come back.
const MOST_KILLS: u32 = 4;

/// After how long a message is seen again: before the lease of a killed run is over, so that this
/// is met too.
const VISIBILITY: Duration = Duration::from_secs(1);

/// The longest that the whole export may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// Each object its own chunk, files of several blocks, leases of ten seconds.
const SETTINGS: [(&str, &str); 5] = [
    (CHUNK_TARGET_BYTES.name, "1"),
    (BLOCK_BYTES.name, "65536"),
    (FUNCTION_TIMEOUT_SECONDS.name, "5"),
    ("AWS_LAMBDA_FUNCTION_TIMEOUT", "5"),
    (LOG_LEVEL.name, "info"),
];

/// The latest moment of a kill after an invocation, for each function: what it takes on a slow
/// machine. Each delivery's first fuse is the shortest, and each further one twice as long, so that
/// a quick machine's functions are killed too.
const FUSES: [(&str, Duration); 3] = [
    ("plan-export", Duration::from_millis(60)),
    ("run-export-chunk", Duration::from_millis(300)),
    ("finish-export", Duration::from_millis(60)),
];

/// A number that looks random and depends on the seed and on `what` only (`SplitMix64`).
fn random(seed: u64, what: u64) -> u64 {
    let mut bits = seed.wrapping_add(what.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Something to be done by a function until it says that it is done.
struct Delivery {
    function: &'static str,
    event: Value,
    due: Instant,
    id: u64,
    receives: u32,
    kills: u32,
}

impl Delivery {
    fn new(function: &'static str, event: Value, id: u64) -> Self {
        Self {
            function,
            event,
            due: Instant::now(),
            id,
            receives: 0,
            kills: 0,
        }
    }
}

/// A place where a function runs; it is started again after it was killed.
#[derive(Default)]
struct Lane(Option<Emulated>);

/// The export, and what was done to it.
struct Ordeal {
    machine: Machine,
    seed: u64,
    queue: Mutex<VecDeque<Delivery>>,
    invocations: Mutex<BTreeMap<&'static str, u32>>,
    kills: Mutex<BTreeMap<&'static str, u32>>,
}

impl Ordeal {
    async fn start(seed: u64) -> Self {
        let machine = Machine::start(tempfile::tempdir().unwrap(), &SETTINGS).await;
        Self {
            machine,
            seed,
            queue: Mutex::default(),
            invocations: Mutex::default(),
            kills: Mutex::default(),
        }
    }

    /// Fills the lake and returns its rows, sorted.
    fn fill_lake(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for object in 0..DAYS * OBJECTS_A_DAY {
            let day = format!("2026-01-{:02}", object / OBJECTS_A_DAY + 1);
            let numbers = object * ROWS_AN_OBJECT..(object + 1) * ROWS_AN_OBJECT;
            let lines: Vec<String> = numbers
                .map(|number| self.row(&day, number).to_string())
                .collect();
            let name = format!("part-{}.ndjson", object % OBJECTS_A_DAY);
            self.machine
                .put_events(&day, &name, &format!("{}\n", lines.join("\n")));
            rows.extend(lines);
        }
        rows.sort_unstable();
        rows
    }

    fn row(&self, day: &str, number: u32) -> Value {
        let noise = random(self.seed, u64::from(number));
        json!({
            "deviceId": format!("{:032x}", noise % 5_000),
            "name": format!("event {number} “ünï”"),
            "timestamp": format!("{day}T{:02}:{:02}:{:02}Z", noise % 24, noise / 24 % 60, noise / 1_440 % 60),
            "extras": {"noise": noise, "text": format!("{noise:x} \"quoted\",\n")},
        })
    }

    /// When to kill the function that handles this delivery, if it is to be killed.
    fn fuse(&self, delivery: &Delivery) -> Option<Duration> {
        let longest = FUSES
            .iter()
            .find(|(function, _)| *function == delivery.function)
            .unwrap()
            .1;
        let kills_left = MOST_KILLS
            .checked_sub(delivery.kills)
            .filter(|left| *left > 0)?;
        let share = random(self.seed, delivery.id << 32 | u64::from(delivery.receives)) % 1_000;
        Some(longest * u32::try_from(share).unwrap() / 1_000 / 2_u32.pow(kills_left))
    }

    /// A function that has answered once, about a job that nobody knows: what is killed is its
    /// work, not its start.
    async fn started(&self, function: &str) -> Emulated {
        let started = self.machine.function(function).await;
        started.try_invoke(&sample(function)).await;
        started
    }

    /// Delivers once, and kills the function when its fuse burns down before it has answered.
    /// Answers what it said.
    async fn deliver(&self, delivery: &mut Delivery, lane: &mut Lane) -> Option<Value> {
        let running = match lane.0.take() {
            Some(running) => running,
            None => self.started(delivery.function).await,
        };
        let fuse = self.fuse(delivery);
        delivery.receives += 1;
        *self
            .invocations
            .lock()
            .unwrap()
            .entry(delivery.function)
            .or_default() += 1;
        let Ok(answer) = timeout(
            fuse.unwrap_or(PATIENCE),
            running.try_invoke(&delivery.event),
        )
        .await
        else {
            drop(running);
            delivery.kills += 1;
            *self
                .kills
                .lock()
                .unwrap()
                .entry(delivery.function)
                .or_default() += 1;
            return None;
        };
        lane.0 = Some(running);
        answer
    }

    /// Delivers an event of the bus until the job is where it leads to.
    async fn drive(
        &self,
        function: &'static str,
        job: &str,
        is_there: impl Fn(&Phase) -> bool,
    ) -> Job {
        let (mut lane, mut delivery) = (
            Lane::default(),
            Delivery::new(function, bus_event(function, job), u64::MAX >> 32),
        );
        loop {
            self.deliver(&mut delivery, &mut lane).await;
            let job = self.machine.job(job).await;
            if is_there(&job.phase) {
                return job;
            }
        }
    }

    /// Delivers every chunk's message until it is acknowledged.
    async fn run_chunks(&self, job: &Job) {
        let chunk = |number| {
            Delivery::new(
                "run-export-chunk",
                message("run-export-chunk", job, number),
                number.into(),
            )
        };
        self.queue
            .lock()
            .unwrap()
            .extend((0..job.chunks).map(chunk));
        join_all((0..LANES).map(|_| self.work())).await;
    }

    async fn work(&self) {
        let mut lane = Lane::default();
        loop {
            let next = self.queue.lock().unwrap().pop_front();
            let Some(mut delivery) = next else { return };
            sleep_until(delivery.due).await;
            if self.deliver(&mut delivery, &mut lane).await
                != Some(json!({"batchItemFailures": []}))
            {
                delivery.due = Instant::now() + VISIBILITY;
                self.queue.lock().unwrap().push_back(delivery);
            }
        }
    }

    async fn chunks(&self, job: &Job) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for shard in 0..job.shards {
            let mut page = self
                .machine
                .store
                .chunks(&job.key, shard, None)
                .await
                .unwrap();
            while let Some(last) = page.last().map(|chunk| chunk.key.number) {
                chunks.append(&mut page);
                page = self
                    .machine
                    .store
                    .chunks(&job.key, shard, Some(last))
                    .await
                    .unwrap();
            }
        }
        chunks
    }

    /// The rows of all files, sorted, once the files are what the manifest says and there is no
    /// other.
    async fn exported(&self, job: &Job) -> Vec<String> {
        let container = self.machine.files();
        let mut present: Vec<String> = container
            .list()
            .await
            .unwrap()
            .into_iter()
            .map(|blob| blob.name)
            .collect();
        let at = present
            .iter()
            .position(|name| name.ends_with("manifest.json"))
            .expect("a manifest");
        let manifest: Manifest =
            serde_json::from_slice(&container.read(&present.swap_remove(at)).await.unwrap())
                .unwrap();
        assert!(manifest.head.complete && manifest.missing.is_empty());
        assert_eq!(
            (manifest.head.job_id, manifest.files.len() + 1),
            (job.key.id.to_string(), present.len()),
            "the files of rows and the schema"
        );
        let mut rows = Vec::new();
        for file in &manifest.files {
            let content = container.read(&file.name).await.unwrap();
            assert_eq!(
                hex::encode(digest::digest(&digest::SHA256, &content)),
                file.sha256,
                "{}",
                file.name
            );
            let before = rows.len();
            rows.extend(events(&content));
            assert_eq!(
                u64::try_from(rows.len() - before).unwrap(),
                file.counts.rows,
                "{}",
                file.name
            );
        }
        rows.sort_unstable();
        rows
    }

    fn tell(&self, rows: usize, chunks: &[Chunk], since: Instant) {
        let attempts = attempts(chunks);
        println!(
            "seed {}: {rows} rows in {} files, exact, after {:.0?}",
            self.seed,
            chunks.len(),
            since.elapsed()
        );
        println!("  invocations {:?}", self.invocations.lock().unwrap());
        println!("  killed      {:?}", self.kills.lock().unwrap());
        println!("  attempts    {attempts} for {} chunks", chunks.len());
    }
}

fn attempts(chunks: &[Chunk]) -> u32 {
    chunks.iter().map(|chunk| chunk.attempt).sum()
}

/// The events of a file, each with its device again.
fn events(content: &[u8]) -> Vec<String> {
    let mut rows = Vec::new();
    let Value::Array(groups) = serde_json::from_slice(content).unwrap() else {
        panic!("no array")
    };
    for mut group in groups {
        let device = group["deviceId"].take();
        for event in group["events"].as_array_mut().unwrap() {
            event["deviceId"] = device.clone();
            rows.push(event.to_string());
        }
    }
    rows
}

async fn survive(ordeal: &Ordeal) {
    let since = Instant::now();
    let rows = ordeal.fill_lake();
    let create = ordeal.machine.function("create-job").await;
    let id = post(
        &create,
        &ordeal.machine.container("cw"),
        ("2026-01-01", "2026-01-31"),
    )
    .await;
    let job = ordeal
        .drive("plan-export", &id, |phase| matches!(phase, Phase::Running))
        .await;
    assert_eq!(job.chunks, DAYS * OBJECTS_A_DAY);
    ordeal.run_chunks(&job).await;
    let chunks = ordeal.chunks(&job).await;
    assert!(
        chunks
            .iter()
            .all(|chunk| matches!(chunk.state, ChunkState::Recorded { .. })),
        "{chunks:?}"
    );
    assert!(
        attempts(&chunks) > job.chunks,
        "a kill in the midst of a run costs an attempt"
    );
    let job = ordeal
        .drive("finish-export", &id, |phase| {
            matches!(phase, Phase::Ended { .. })
        })
        .await;
    assert!(
        matches!(
            job.phase,
            Phase::Ended {
                outcome: Outcome::Succeeded,
                ..
            }
        ),
        "{:?}",
        job.phase
    );
    assert!(
        ordeal.exported(&job).await == rows,
        "the rows are not those of the lake"
    );
    assert!(
        !ordeal.machine.logs().contains("sig="),
        "a signature in a log"
    );
    ordeal.tell(rows.len(), &chunks, since);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_whose_functions_are_killed_at_random_moments_is_exact() {
    let seed = SEED.map_or(1, |seed| seed.parse().expect("SEED is a number"));
    let ordeal = Ordeal::start(seed).await;
    timeout(PATIENCE, Box::pin(survive(&ordeal)))
        .await
        .expect("the export ends in time");
    let kills = ordeal.kills.lock().unwrap();
    assert!(
        FUSES
            .iter()
            .all(|(function, _)| kills.contains_key(function)),
        "each was killed: {kills:?}"
    );
}
