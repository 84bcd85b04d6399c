//! An exhaustive model of one export: every order in which the calls of its processes can follow
//! each other, with every choice of what goes wrong, within bounds. It runs the **real handlers**
//! against a table and a container that are plain values, so nothing of the protocol is written
//! down twice: a process is its past, and the handler run again over that comes to its next call
//! (`model/process.rs`).
//!
//! `make model` runs the large bounds, `make test` small ones; `docs/PROOF.md` says what is covered
//! and what is not.

mod bounds;
mod calls;
mod checks;
mod ending;
mod hasty;
mod noted;
mod ports;
mod process;
mod properties;
mod state;
mod steps;
mod writes;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use ::ports::source::Sources;
use container::writer::WriterSettings;
use domain::container::{BlobName, ContainerAddress};
use domain::job::{Credential, Job, JobId, JobKey, SealedCredential};
use fakes::sources::NoRows;
use futures::executor::block_on;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use sources::lake::Lake;
use stateright::{Model, Property};
use time::Duration;
use time::macros::date;
use uuid::uuid;

use crate::adapters::Adapters;
use crate::altered::Altered;
use crate::world::{CONTAINER, SIGNATURE, World};
use bounds::Bounds;
use hasty::HastyTable;
use ports::{OpenSealer, ReplayClock, Storage, Table, as_read_by_the_attempt};
use process::Processes;
use state::{BEGINNING, State};
use steps::Step;

const JOB_ID: JobId = JobId::new(uuid!("019c1700-0000-7000-8000-000000000001"));

/// The owner's signature of this number; the first is 0.
fn signature(number: u8) -> String {
    SIGNATURE.replace("%3D%3D", &number.to_string())
}

/// A protocol that is wrong, to show that the model finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// A run commits its file before it has prepared it.
    CommitsBeforePrepare,
    /// The table writes chunks whatever their revision is.
    ForgetsRevisions,
}

/// The real handlers, over the ports of the model.
struct Handlers {
    plan: plan_export::Ports,
    run: run_export_chunk::Ports,
    finish: finish_export::Ports,
    fail: fail_chunk::Ports,
    resume: resume_job::Ports,
    cancel: cancel_job::Ports,
    expire: expire_jobs::Ports,
}

impl Handlers {
    fn new(bounds: &Bounds, broken: Option<Broken>) -> Self {
        let sources = sources(bounds);
        let adapters = Adapters {
            table: Arc::new(Table),
            containers: Arc::new(Storage),
            sealer: Arc::new(OpenSealer),
            clock: Arc::new(ReplayClock),
        };
        let (mut plan, mut run, mut finish) = (
            adapters.plan(&sources),
            adapters.run(&sources),
            adapters.finish(),
        );
        plan.settings.max_shards = bounds.shards;
        let writer = WriterSettings {
            uploads_in_flight: bounds.uploads,
            retries: 0,
            ..finish.settings.writer
        };
        run.settings.writer = WriterSettings {
            block_bytes: bounds.block_bytes,
            ..writer
        };
        finish.settings.writer = WriterSettings {
            block_bytes: 100_000,
            ..writer
        };
        if broken == Some(Broken::CommitsBeforePrepare) {
            run.chunks = Arc::new(HastyTable);
        }
        let mut expire = adapters.expire();
        expire.settings.wait = Duration::minutes(10);
        Self {
            plan,
            run,
            finish,
            fail: adapters.fail(),
            resume: adapters.resume(),
            cancel: adapters.cancel(),
            expire,
        }
    }
}

/// The lines of the object that makes up a chunk, `@` being the number of the attempt that reads
/// them. No two in a lake are the same.
fn lines_of(chunk: u32) -> Vec<String> {
    let line = |row: u32| {
        format!(
            r#"{{"deviceId":"{chunk:032x}","name":"e{chunk}{row}@","timestamp":"2026-01-05T10:00:0{row}Z"}}"#
        )
    };
    (0..2).map(line).collect()
}

fn sources(bounds: &Bounds) -> Sources {
    let store = InMemory::new();
    for chunk in 0..bounds.chunks {
        let path = format!(
            "lake/events/app={}/date=2026-01-05/part-{chunk}.ndjson",
            World::scope().folder()
        );
        let mut text = lines_of(chunk).join("\n");
        if bounds.rejects {
            text += "\nno record @";
        }
        block_on(store.put(&Path::from(path), text.into_bytes().into())).unwrap();
    }
    let lake = Lake::new(Arc::new(store), Path::from("lake"), 1);
    let lake = Arc::new(Altered {
        inner: Arc::new(lake) as _,
        page: bounds.page,
        piece: as_read_by_the_attempt,
    });
    let registry = Arc::new(NoRows::default());
    Sources { lake, registry }
}

fn job() -> Job {
    let day = date!(2026 - 01 - 05);
    let request = fakes::requests::events(day, day);
    let credential = Credential {
        sealed: SealedCredential(signature(0).into_bytes()),
        expires: None,
    };
    let key = JobKey {
        scope: World::scope(),
        id: JOB_ID,
    };
    let address = ContainerAddress::new(CONTAINER);
    Job::queued(
        key,
        request,
        address,
        credential,
        BEGINNING,
        Duration::days(90),
    )
}

/// One export within bounds.
struct Export {
    bounds: Bounds,
    broken: Option<Broken>,
    processes: Processes,
    /// What each file must hold, by its name, when its first attempt wrote it.
    expected: BTreeMap<BlobName, String>,
    /// States from which the job comes to its end if everything dies, by their hashes.
    ends: Mutex<HashSet<u64>>,
}

impl Export {
    fn new(bounds: Bounds, broken: Option<Broken>) -> Self {
        let processes = Processes::new(Handlers::new(&bounds, broken));
        let mut export = Self {
            bounds,
            broken,
            processes,
            expected: BTreeMap::new(),
            ends: Mutex::default(),
        };
        export.expected = export.files_of_an_undisturbed_run();
        export
    }

    fn begin(&self) -> State {
        let mut state = State::begin(
            job(),
            self.bounds.shards,
            self.bounds.faults,
            self.bounds.acts,
        );
        state.forgets_revisions = self.broken == Some(Broken::ForgetsRevisions);
        state
    }
}

impl Model for Export {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        steps::of(state, &self.bounds, actions);
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        step.take(&mut next, &self.processes);
        Some(next)
    }

    fn within_boundary(&self, state: &State) -> bool {
        let attempts = state
            .chunks
            .iter()
            .map(|chunk| chunk.attempt)
            .chain([state.job.finish_attempts]);
        attempts
            .max()
            .is_none_or(|attempts| attempts <= self.bounds.attempts)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
