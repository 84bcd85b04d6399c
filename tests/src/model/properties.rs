//! What must be true in every state, and what must be possible in some.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use domain::chunk::{ChunkState, OutputFile};
use domain::container::{BlobName, PreparedFile};
use domain::job::{Outcome, Phase, Wait};
use domain::manifest::Manifest;
use domain::tally::Tally;
use stateright::Property;

use super::Export;
use super::state::State;
use crate::counted::counted;

/// Every property, with its name as `docs/PROOF.md` has it.
pub(crate) fn all() -> Vec<Property<Export>> {
    let mut all = vec![
        Property::always(
            "a success is complete and exact",
            |export: &Export, state: &State| !state.has_succeeded() || export.is_exact(state),
        ),
        Property::always(
            "a recorded file holds exactly its chunk's rows",
            |export: &Export, state: &State| export.recorded_files_are_exact(state),
        ),
        Property::always(
            "what is settled is never written again",
            |_: &Export, state: &State| state.harm.is_none(),
        ),
        Property::always(
            "the tallies are the sum of the chunks",
            |_: &Export, state: &State| tallies_are_right(state),
        ),
        Property::always(
            "a manifest lists what is recorded, and nothing else",
            |_: &Export, state: &State| manifest_is_right(state),
        ),
        Property::always(
            "no file is left that the manifest does not list",
            |_: &Export, state: &State| nothing_is_left(state),
        ),
        Property::always(
            "at rest the job has ended, or waits for its owner",
            |_: &Export, state: &State| !state.is_at_rest() || state.job_rests(),
        ),
        Property::always(
            "at rest no job waits for a signature that it has",
            |_: &Export, state: &State| !state.is_at_rest() || !waits_in_vain(state),
        ),
        Property::always(
            "a job that waits is on the list of those that do",
            |_: &Export, state: &State| {
                state.waits || !matches!(state.job.phase, Phase::AwaitingCredential { .. })
            },
        ),
        Property::always(
            "if everything dies now, the job still ends, and can succeed",
            |export: &Export, state: &State| export.would_end(state),
        ),
    ];
    all.extend(possible());
    all
}

/// What shows that the check went where it was meant to go.
fn possible() -> Vec<Property<Export>> {
    vec![
        Property::sometimes("the job succeeds", |_: &Export, state: &State| {
            state.has_succeeded()
        }),
        Property::sometimes(
            "the job waits for its owner",
            |_: &Export, state: &State| state.job.phase.name() == "awaiting-credential",
        ),
        Property::sometimes("the job is cancelled", |_: &Export, state: &State| {
            state.job.phase.name() == "cancelled"
        }),
        Property::sometimes("the job is incomplete", |_: &Export, state: &State| {
            state.job.phase.name() == "incomplete"
        }),
        Property::sometimes(
            "a job that was given a new signature succeeds",
            |_: &Export, state: &State| state.has_succeeded() && state.job.credentials_given > 1,
        ),
        Property::sometimes(
            "a prepared file outlives its run",
            |_: &Export, state: &State| {
                state.chunks.iter().any(|chunk| {
                matches!(&chunk.state, ChunkState::Parked { prepared } | ChunkState::Pending { prepared } if prepared.is_some())
            })
            },
        ),
        Property::sometimes(
            "a chunk is recorded in its second attempt",
            |_: &Export, state: &State| {
                state.chunks.iter().any(|chunk| {
                    chunk.attempt > 1 && matches!(chunk.state, ChunkState::Recorded { .. })
                })
            },
        ),
        Property::sometimes(
            "two processes work on one chunk",
            |_: &Export, state: &State| {
                state
                    .processes
                    .windows(2)
                    .any(|two| two[0].message == two[1].message)
            },
        ),
    ]
}

impl Export {
    /// Whether the container holds the manifest of a complete export and exactly its files, each
    /// with its rows.
    pub(crate) fn is_exact(&self, state: &State) -> bool {
        let Some(manifest) = state.manifest() else {
            return false;
        };
        let listed: BTreeSet<&str> = listed(&manifest).into_iter().map(|it| it.0).collect();
        let expected: BTreeSet<&str> = self.expected.keys().map(BlobName::as_str).collect();
        let stored: BTreeSet<&str> = state.files().map(|(name, _)| name.as_str()).collect();
        manifest.head.complete
            && manifest.missing.is_empty()
            && listed == expected
            && stored == expected
    }

    /// Whether every recorded file is committed as it was recorded, and is the whole of what one
    /// attempt read.
    fn recorded_files_are_exact(&self, state: &State) -> bool {
        state.chunks.iter().all(|chunk| {
            let ChunkState::Recorded { output } = &chunk.state else {
                return true;
            };
            let is_exact = |file: &OutputFile| {
                let PreparedFile {
                    name,
                    sha256,
                    attempt,
                    ..
                } = &file.prepared;
                let content = state.blobs.get(name).and_then(|blocks| blocks.content());
                content.is_some_and(|content| {
                    hex::encode(digest(&SHA256, &content.data)) == *sha256
                        && self.is_whole(name, &content.data, *attempt)
                })
            };
            !output.files.is_empty() && output.files.iter().all(is_exact)
        })
    }

    /// Whether these are all the rows of a file, as one attempt read them.
    fn is_whole(&self, name: &BlobName, content: &[u8], attempt: u32) -> bool {
        let Some(expected) = self.expected.get(name) else {
            return false;
        };
        let of_attempt = ["1\",\"timestamp", "record 1\""]
            .into_iter()
            .fold(expected.clone(), |text, of_first| {
                text.replace(of_first, &of_first.replace('1', &attempt.to_string()))
            });
        content == of_attempt.as_bytes()
    }
}

/// Whether the job waits for a new signature though storage accepts the one that it has.
fn waits_in_vain(state: &State) -> bool {
    let Phase::AwaitingCredential {
        why: Wait::Refused { .. },
        ..
    } = &state.job.phase
    else {
        return false;
    };
    let Some(credential) = &state.job.credential else {
        return false;
    };
    state.accepts(&String::from_utf8_lossy(&credential.sealed.0))
}

fn tallies_are_right(state: &State) -> bool {
    let mut tallies = vec![Tally::default(); state.tallies.len()];
    for chunk in &state.chunks {
        let tally = &mut tallies[usize::from(chunk.key.shard)];
        *tally = *tally + counted(chunk);
    }
    tallies == state.tallies
}

/// Of a job that has ended with a manifest: whatever is committed is in it, or is what it says may be
/// left.
fn nothing_is_left(state: &State) -> bool {
    let Phase::Ended {
        has_manifest: true, ..
    } = &state.job.phase
    else {
        return true;
    };
    let Some(manifest) = state.manifest() else {
        return true;
    };
    let listed = listed(&manifest);
    let is_said = |name: &str| {
        listed.iter().any(|file| file.0 == name) || manifest.leftovers.iter().any(|it| it == name)
    };
    state.files().all(|(name, _)| is_said(name.as_str()))
}

/// Every file of a manifest, of rows and of rejects: its name and SHA-256.
fn listed(manifest: &Manifest) -> BTreeSet<(&str, &str)> {
    let rows = manifest
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.sha256.as_str()));
    let rejected = manifest
        .rejected
        .iter()
        .map(|file| (file.name.as_str(), file.sha256.as_str()));
    rows.chain(rejected).collect()
}

/// Of a job that has ended with a manifest: every recorded chunk's file is in it, as it was
/// recorded, and no other.
fn manifest_is_right(state: &State) -> bool {
    let Phase::Ended {
        outcome,
        has_manifest: true,
        ..
    } = &state.job.phase
    else {
        return true;
    };
    let Some(manifest) = state.manifest() else {
        return false;
    };
    let outputs = state.chunks.iter().filter_map(|chunk| chunk.output());
    let recorded = outputs.flat_map(|output| &output.files);
    let recorded =
        recorded.map(|file| (file.prepared.name.as_str(), file.prepared.sha256.as_str()));
    recorded.collect::<BTreeSet<_>>() == listed(&manifest)
        && manifest.head.complete == (*outcome == Outcome::Succeeded)
}
