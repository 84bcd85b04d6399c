//! How a job comes to its end when nothing goes wrong any more: the liveness that a search of
//! states alone cannot see.

use std::collections::{BTreeMap, BTreeSet};

use domain::container::BlobName;
use domain::job::Phase;
use domain::manifest::Manifest;
use serde_json::Value;

use super::noted::hash;
use super::process::Message;
use super::state::State;
use super::{Export, lines_of};

/// More rounds of deliveries than any undisturbed job needs.
const ROUNDS: usize = 30;

impl Export {
    /// Whether the job would come to its end, or wait for its owner, if everything died now and
    /// nothing went wrong any more; and from there to success, once the owner gives a new
    /// signature.
    pub(crate) fn would_end(&self, state: &State) -> bool {
        let mut state = state.clone();
        while !state.processes.is_empty() {
            state.die(0);
        }
        state.late.clear();
        (state.faults, state.acts) = (0, 0);
        self.ends_within(ROUNDS, &mut state)
    }

    /// The same, from where nobody works. Whatever it comes through ends, too.
    fn ends_within(&self, rounds: usize, state: &mut State) -> bool {
        let id = hash(state);
        if self.ends.lock().unwrap().contains(&id) {
            return true;
        }
        self.deliver_all(state);
        let ends = if state.queue.is_empty() {
            state.job_rests() && (state.has_succeeded() || self.succeeds_with_help(state))
        } else {
            state.wait();
            rounds > 0 && self.ends_within(rounds - 1, state)
        };
        if ends {
            self.ends.lock().unwrap().insert(id);
        }
        ends
    }

    fn succeeds_with_help(&self, state: &mut State) -> bool {
        state.signatures.1 += 1;
        state.queue.insert(Message::Patch(Some(state.signatures.1)));
        self.comes_to_rest(state) && state.has_succeeded() && self.is_exact(state)
    }

    /// Delivers all there is, again and again, with time passing in between.
    fn comes_to_rest(&self, state: &mut State) -> bool {
        for _ in 0..ROUNDS {
            self.deliver_all(state);
            if state.queue.is_empty() {
                return state.job_rests();
            }
            state.wait();
        }
        false
    }

    /// Delivers what there is, once, each until it is done with.
    fn deliver_all(&self, state: &mut State) {
        let mut round: BTreeSet<Message> = std::mem::take(&mut state.queue);
        while let Some(message) = round.pop_first() {
            state.begin_process(&message, &self.processes);
            while !state.processes.is_empty() {
                state.call((0, 0), &self.processes);
            }
        }
    }

    /// What the files of an undisturbed run hold, which must be exactly the lines of the lake.
    pub(crate) fn files_of_an_undisturbed_run(&self) -> BTreeMap<BlobName, String> {
        let mut state = self.begin();
        let ends = self.comes_to_rest(&mut state) && state.has_succeeded();
        assert!(ends, "undisturbed, the job does not succeed: {state:?}");
        let files = state
            .files()
            .map(|(name, content)| (name.clone(), String::from_utf8(content).unwrap()));
        let files: BTreeMap<_, _> = files.collect();
        let rows = files
            .iter()
            .filter(|(name, _)| !name.as_str().contains("/_rejected/"));
        let mut names: Vec<String> = rows.flat_map(|(_, file)| names_in(file)).collect();
        names.sort_unstable();
        let lines = (0..self.bounds.chunks).flat_map(lines_of);
        let read = |line: String| name_of(&serde_json::from_str(&line.replace('@', "1")).unwrap());
        let expected = lines.map(read).collect::<Vec<_>>();
        assert_eq!(names, expected, "undisturbed, the rows are not the lake's");
        files
    }
}

fn names_in(file: &str) -> Vec<String> {
    let groups: Vec<Value> = serde_json::from_str(file).unwrap();
    groups
        .iter()
        .flat_map(|group| group["events"].as_array().unwrap().iter().map(name_of))
        .collect()
}

fn name_of(row: &Value) -> String {
    row["name"].as_str().unwrap().to_owned()
}

/// What the finisher writes beside the files.
const BESIDE: [&str; 2] = ["/_schema.json", "/manifest.json"];

impl State {
    /// The committed blobs but the manifest and the schema, with what they hold.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&BlobName, Vec<u8>)> {
        let data = self
            .blobs
            .iter()
            .filter(|(name, _)| !BESIDE.iter().any(|it| name.as_str().ends_with(it)));
        data.filter_map(|(name, blocks)| Some((name, blocks.content()?.data)))
    }

    pub(crate) fn manifest(&self) -> Option<Manifest> {
        let name = BlobName::manifest(self.job.request.export_type(), self.job.key.id);
        let content = self.blobs.get(&name)?.content()?;
        Some(serde_json::from_slice(&content.data).unwrap())
    }

    /// Whether the job has ended, or waits for its owner.
    pub(crate) fn job_rests(&self) -> bool {
        matches!(
            self.job.phase,
            Phase::Ended { .. } | Phase::AwaitingCredential { .. }
        )
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.job.phase.name() == "succeeded"
    }
}
