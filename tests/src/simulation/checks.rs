//! What must be true, during a run and after it.

mod listed;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::chunk::{Chunk, ChunkState};
use domain::container::{BlobName, ContainerAddress};
use domain::job::{Job, Outcome, Phase};
use domain::manifest::Manifest;
use domain::tally::Tally;
use ports::store::{ChunkLists, Jobs, WaitingJobs};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::data::{Data, Held};
use crate::counted::counted;
use crate::stories::secrets::{NAME, secret_in};
use crate::world::{CONTAINER, World};

/// How far the clocks of processes are off at most.
pub(crate) const MOST_SKEW: Duration = Duration::seconds(2);

/// The text, which must hold no secret.
pub(crate) fn clean(what: &str, text: &str) -> Result<()> {
    let Some(at) = secret_in(text) else {
        return Ok(());
    };
    let before: String = text[..at].chars().rev().take(60).collect();
    let before: String = before.chars().rev().collect();
    let after: String = text[at..].chars().take(60).collect();
    bail!("{what} holds a secret: …{before}{after}…")
}

/// Bytes as the text that they may be. What is sealed is random, and of some ten million sealed
/// values one holds [`NAME`] by chance; a whole secret none ever will.
fn readable_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).replace(NAME, ""))
}

/// An image with its bytes as the text that they may be: in base64 anything may look like a secret
/// by chance.
fn readable(image: &Value) -> String {
    match image {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                ("B", Value::String(text)) => readable_bytes(BASE64_STANDARD.decode(text).unwrap()),
                _ => format!("{name}: {}", readable(value)),
            };
            fields.iter().map(field).collect::<Vec<_>>().join("\n")
        }
        Value::Array(values) => values.iter().map(readable).collect::<Vec<_>>().join("\n"),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) => image.to_string(),
    }
}

/// What was settled for good while the run went on.
#[derive(Default)]
pub(crate) struct Journal {
    /// What every recorded chunk has written, by its number.
    recorded: BTreeMap<String, Recorded>,
    /// The manifest of the job that succeeded.
    sealed: Option<Vec<u8>>,
}

impl Journal {
    /// Notes a new image of the table.
    pub(crate) fn note(&mut self, world: &World, image: &Value) -> Result<()> {
        clean("an item", &readable(image))?;
        match image["kind"]["S"].as_str() {
            Some("chunk") => self.note_chunk(image),
            Some("job") if image["phase"]["S"] == "succeeded" => {
                let manifest = manifest_name(world);
                let manifest = manifest.and_then(|name| world.containers.read(&address(), &name));
                self.sealed = Some(
                    manifest
                        .context("the job succeeded without a manifest")?
                        .data,
                );
                Ok(())
            }
            Some("job") => {
                ensure!(
                    self.sealed.is_none(),
                    "the job has succeeded and is {}",
                    image["phase"]["S"]
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn note_chunk(&mut self, image: &Value) -> Result<()> {
        let number = image["chunk"]["N"]
            .as_str()
            .context("a chunk without a number")?
            .to_owned();
        let is_recorded = image["state"]["S"] == "recorded";
        let output = &image["output"]["M"];
        let files: Vec<RecordedFile> = output["files"]["L"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|file| recorded_file(&file["M"]))
            .collect::<Result<_>>()?;
        let is_partial = output.get("missing").is_some();
        // Only what it could not export may be handed over, once, and its files stay.
        if let Some(before) = self.recorded.get(&number) {
            let is_handed_over = before.is_partial && is_recorded && !is_partial;
            ensure!(
                is_handed_over && before.files == files,
                "chunk {number} was recorded and is written again"
            );
        }
        if is_recorded {
            let recorded = Recorded { files, is_partial };
            self.recorded.insert(number, recorded);
        }
        Ok(())
    }

    /// Every recorded file is what it was, and so is the manifest of success.
    pub(crate) fn check_unchanged(&self, world: &World) -> Result<()> {
        let files = self.recorded.values().flat_map(|it| &it.files);
        for (name, hash) in files {
            let file = world
                .containers
                .read(&address(), name)
                .with_context(|| format!("{name} is recorded and gone"))?;
            ensure!(
                sha256(&file.data) == *hash,
                "{name} is recorded and has changed"
            );
        }
        let Some(sealed) = &self.sealed else {
            return Ok(());
        };
        let manifest =
            manifest_name(world).and_then(|name| world.containers.read(&address(), &name));
        ensure!(
            manifest.is_some_and(|manifest| manifest.data == *sealed),
            "the manifest of success has changed"
        );
        Ok(())
    }
}

/// A file's name and SHA-256.
type RecordedFile = (BlobName, String);

/// What a recorded chunk has written.
struct Recorded {
    files: Vec<RecordedFile>,
    /// Whether it could not export some of its objects.
    is_partial: bool,
}

fn recorded_file(file: &Value) -> Result<RecordedFile> {
    let text = |name: &str| {
        let text = file[name]["S"].as_str();
        text.with_context(|| format!("a file without its {name}"))
    };
    Ok((
        BlobName::from_stored(text("name")?),
        text("sha256")?.to_owned(),
    ))
}

fn address() -> ContainerAddress {
    ContainerAddress::new(CONTAINER)
}

fn sha256(data: &[u8]) -> String {
    hex::encode(digest(&SHA256, data))
}

/// The only manifest's name, if there is one.
fn manifest_name(world: &World) -> Option<BlobName> {
    let names = world.containers.list(&address());
    names
        .iter()
        .find(|name| name.ends_with("manifest.json"))
        .map(BlobName::from_stored)
}

/// Everything that must be true of a job that has ended or waits for somebody, and that nothing is
/// under way for.
pub(crate) async fn check_at_rest(world: &World, data: &Data, job: &Job) -> Result<()> {
    let outcome = match &job.phase {
        Phase::AwaitingCredential { .. } => None,
        Phase::Ended { outcome, .. } => Some(outcome),
        Phase::Queued
        | Phase::Planning
        | Phase::Running
        | Phase::Resuming
        | Phase::Cancelling { .. }
        | Phase::Finishing { .. } => anyhow::bail!("the job is stuck, {}", job.phase.name()),
    };
    let chunks = all_chunks(world, job).await?;
    check_tally(world, job, &chunks).await?;
    let manifest = world.manifest(job);
    if let Some(manifest) = &manifest {
        listed::check(world, data, manifest)?;
        clean("the manifest", &format!("{manifest:?}"))?;
    }
    match outcome {
        Some(Outcome::Succeeded) => {
            let manifest = manifest.context("success without a manifest")?;
            ensure!(
                manifest.head.complete && manifest.missing.is_empty(),
                "success with an incomplete manifest"
            );
            check_warnings(data, job, &manifest)?;
            ensure!(
                manifest.leftovers.is_empty(),
                "success with leftovers {:?}",
                manifest.leftovers
            );
            check_nothing_else(world, job, &manifest)
        }
        Some(outcome) => {
            let has_manifest = matches!(
                job.phase,
                Phase::Ended {
                    has_manifest: true,
                    ..
                }
            );
            ensure!(
                !has_manifest || manifest.is_some(),
                "the job says that it has a manifest"
            );
            ensure!(
                outcome.details().is_some_and(|details| !details.is_empty()),
                "an end without details"
            );
            match outcome {
                // Storage may refuse even the manifest; then the details say so, and a retry writes
                // it.
                Outcome::Cancelled { .. } if !has_manifest => Ok(()),
                Outcome::Cancelled { .. } | Outcome::Incomplete { .. } => {
                    ensure!(all_closed(&chunks), "the job has ended with an open chunk");
                    let manifest = manifest.context("an end without a manifest")?;
                    check_nothing_else(world, job, &manifest)
                }
                Outcome::Succeeded | Outcome::Failed { .. } => Ok(()),
            }
        }
        None => {
            let listed = world.store.waiting(None).await?;
            ensure!(
                listed.contains(&job.key),
                "the job waits and is not on the list of those that do"
            );
            Ok(())
        }
    }
}

/// A job that had waited too long when the schedule came waits no longer. Clocks differ by a few
/// seconds.
pub(crate) fn check_wait(
    waits_since: Option<OffsetDateTime>,
    scheduled: Option<OffsetDateTime>,
) -> Result<()> {
    let waited = waits_since.zip(scheduled).map(|(since, at)| at - since);
    ensure!(
        waited.is_none_or(|waited| waited < Duration::days(7) + Duration::seconds(10)),
        "the schedule left a job alone that had waited {waited:?}"
    );
    Ok(())
}

/// A job whose DELETE was accepted, and that nobody changed otherwise, ends by it, unless all was
/// exported by then.
pub(crate) fn check_cancelled(job: &Job) -> Result<()> {
    ensure!(
        matches!(job.phase.name(), "cancelled" | "succeeded"),
        "a cancelled job is {:?}",
        job.phase
    );
    Ok(())
}

fn all_closed(chunks: &[Chunk]) -> bool {
    let closed = |chunk: &Chunk| {
        matches!(
            chunk.state,
            ChunkState::Recorded { .. } | ChunkState::Failed { .. } | ChunkState::Cancelled
        )
    };
    chunks.iter().all(closed)
}

async fn all_chunks(world: &World, job: &Job) -> Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    for shard in 0..job.shards {
        let mut after = None;
        loop {
            let page = world.store.chunks(&job.key, shard, after).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.number);
            chunks.extend(page);
        }
    }
    Ok(chunks)
}

/// The tallies are the sum of the chunks.
async fn check_tally(world: &World, job: &Job, chunks: &[Chunk]) -> Result<()> {
    let counted: Tally = chunks.iter().map(counted).sum();
    let tally = world.store.tally(job).await?;
    ensure!(
        tally == counted,
        "the tallies say {tally:?}, the chunks {counted:?}"
    );
    Ok(())
}

/// What is not read is said once, with its number.
fn check_warnings(data: &Data, job: &Job, manifest: &Manifest) -> Result<()> {
    ensure!(
        manifest.head.warnings == job.warnings,
        "the manifest warns of {:?}",
        manifest.head.warnings
    );
    let said: Vec<_> = job
        .warnings
        .iter()
        .filter(|warning| warning.code == "ObjectsLeftOut")
        .collect();
    let counted = format!(": {} object", data.left_out);
    let is_right = match said.as_slice() {
        [] => data.left_out == 0,
        [one] => data.left_out > 0 && one.message.contains(&counted),
        _ => false,
    };
    ensure!(
        is_right,
        "{} objects are left out, and the job warns of {said:?}",
        data.left_out
    );
    Ok(())
}

/// The container holds the manifest, its files, and what it says may be left.
fn check_nothing_else(world: &World, job: &Job, manifest: &Manifest) -> Result<()> {
    let name = BlobName::manifest(job.request.export_type(), job.key.id);
    let listed = manifest.files.iter().map(|file| file.name.as_str());
    let rejected = manifest.rejected.iter().map(|file| file.name.as_str());
    let leftovers = manifest.leftovers.iter().map(String::as_str);
    let schema = manifest.head.schema.iter().map(|file| file.name.as_str());
    let said: BTreeSet<&str> = listed
        .chain(rejected)
        .chain(leftovers)
        .chain(schema)
        .chain([name.as_str()])
        .collect();
    let there = world.containers.list(&address());
    let unsaid = there.iter().find(|name| !said.contains(name.as_str()));
    ensure!(unsaid.is_none(), "{unsaid:?} is not in the manifest");
    Ok(())
}

/// Once nothing goes wrong any more, all is exported but what is malformed, no file of records, or was
/// replaced before it was read.
pub(crate) fn check_in_the_end(data: &Data, fails: bool, job: &Job) -> Result<()> {
    let rejecting = |(path, held): (&String, &Held)| {
        (!held.rejects.is_empty()).then(|| data.late.contains_key(path))
    };
    // What came late may have come before the plan, or behind it.
    let are_late: Vec<bool> = data.held.iter().filter_map(rejecting).collect();
    let must_lack = (fails && are_late.contains(&false)) || !data.no_records.is_empty();
    let may_lack = must_lack || (fails && !are_late.is_empty()) || !data.replaced.is_empty();
    let is_right = match job.phase.name() {
        "succeeded" => !must_lack,
        "incomplete" => may_lack && job.missing_days.is_empty(),
        _ => false,
    };
    ensure!(
        is_right,
        "without further faults, with {} that must be missing, the job is {:?}",
        if must_lack { "something" } else { "nothing" },
        job.phase
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SIGNATURE;

    fn image(bytes: &[u8]) -> Value {
        serde_json::json!({"credential": {"B": BASE64_STANDARD.encode(bytes)}})
    }

    #[test]
    fn a_secret_is_found_in_text_and_bytes_and_chance_is_none() {
        let text = serde_json::json!({"reason": {"S": "?sig=AAAA"}});
        assert!(clean("text", &readable(&text)).is_err());
        assert!(clean("plain bytes", &readable(&image(b"sp=w&sig=AAAA"))).is_err());
        let among_others = [b"\xff", SIGNATURE.as_bytes(), b"\xfe"].concat();
        assert!(clean("bytes", &readable(&image(&among_others))).is_err());
        assert!(clean("sealed bytes", &readable(&image(b"\xffsig=\xfe"))).is_ok());
    }
}
