//! The events between the functions: their shapes, and the filters that choose them from the
//! table's stream.
//!
//! The exports table's stream is the outbox. Two pipes read it: `jobs` puts what it lets through on
//! the event bus, `chunks` into the queue. Both look only at what the new image *is*, so a repeated
//! event is harmless. The template and the local stack use the same patterns; a test compares them
//! with the ones here.

use domain::app::AppScope;
use domain::cause::Cause;
use domain::chunk::{ChunkKey, ChunkStateName};
use domain::job::{JobId, JobKey, PhaseName};
use domain::tally::DRAINED;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

/// The `source` of the events on the bus.
pub const EVENT_SOURCE: &str = "engagement.export";

/// The `detail-type` of the events on the bus.
pub const EVENT_DETAIL_TYPE: &str = "Export Job Changed";

/// The `kind` of an item, and of an event, that says who did what with a job.
pub const AUDIT: &str = "audit";

/// The phases in which plan-export acts.
const PLANNERS: [PhaseName; 2] = [PhaseName::Queued, PhaseName::Resuming];

/// The phases in which finish-export acts, beside the event that a shard is [`DRAINED`].
const FINISHERS: [PhaseName; 2] = [PhaseName::Running, PhaseName::Cancelling];

/// The phases that the function which is at work in them leaves by itself: no event is sent.
const SILENT: [PhaseName; 2] = [PhaseName::Planning, PhaseName::Finishing];

/// What the pipe `jobs` lets through: jobs in a phase that somebody acts on or wants to know of,
/// tallies without an open chunk, and who did what with a job. Their items carry the phase [`DRAINED`],
/// and what was done, so that all become one kind of event.
pub fn jobs_filters() -> [Value; 3] {
    let phases = PhaseName::ALL
        .iter()
        .filter(|phase| !SILENT.contains(phase));
    let job = json!({"kind": {"S": ["job"]}, "phase": {"S": names(phases)}});
    [
        new_image(&job),
        new_image(&json!({"kind": {"S": ["tally"]}, "open": {"N": ["0"]}})),
        new_image(&json!({"kind": {"S": [AUDIT]}})),
    ]
}

/// What the pipe `chunks` lets through: chunks that wait for a run.
pub fn chunks_filters() -> [Value; 1] {
    let pending = ChunkStateName::Pending.to_string();
    [new_image(
        &json!({"kind": {"S": ["chunk"]}, "state": {"S": [pending]}}),
    )]
}

/// The bus rule that wakes plan-export.
pub fn plan_rule() -> Value {
    rule(&names(&PLANNERS))
}

/// The bus rule that keeps who did what with a job.
pub fn audit_rule() -> Value {
    json!({"source": [EVENT_SOURCE], "detail": {"kind": [AUDIT]}})
}

/// The bus rule that wakes finish-export.
pub fn finish_rule() -> Value {
    let mut phases = names(&FINISHERS);
    phases.push(DRAINED);
    rule(&phases)
}

fn names<'a>(phases: impl IntoIterator<Item = &'a PhaseName>) -> Vec<&'static str> {
    phases.into_iter().map(Into::into).collect()
}

fn rule(phases: &[&str]) -> Value {
    json!({"source": [EVENT_SOURCE], "detail": {"phase": phases}})
}

fn new_image(attributes: &Value) -> Value {
    json!({"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": attributes}})
}

/// A message that is not what this version of the service sends.
#[derive(Debug, Error)]
#[error("the message cannot be read")]
pub struct UnreadableMessage(#[source] Cause);

impl UnreadableMessage {
    fn new(cause: impl Into<Cause>) -> Self {
        Self(cause.into())
    }
}

/// The body of a message in the chunk queue. All fields are texts, as the stream's image has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkMessage {
    /// The app's canonical path.
    pub scope: String,
    /// The job's id, a UUID.
    pub job: String,
    /// The shard's number in decimal, from 0.
    pub shard: String,
    /// The chunk's number within the job in decimal, from 0.
    pub chunk: String,
}

impl ChunkMessage {
    /// Reads a message's body.
    ///
    /// # Errors
    /// [`UnreadableMessage`] when it is not a chunk message.
    pub fn parse(body: &str) -> Result<ChunkKey, UnreadableMessage> {
        let message: Self = serde_json::from_str(body).map_err(UnreadableMessage::new)?;
        let number = |field: &str, text: &str| format!("`{field}` is not a number: {text}");
        Ok(ChunkKey {
            job: job_key(&message.scope, &message.job)?,
            shard: message
                .shard
                .parse()
                .map_err(|_| UnreadableMessage::new(number("shard", &message.shard)))?,
            number: message
                .chunk
                .parse()
                .map_err(|_| UnreadableMessage::new(number("chunk", &message.chunk)))?,
        })
    }
}

/// The `detail` of an event on the bus, for this service and for others that listen. It carries
/// `"version": "1"`; fields may be added under that version, a change of their meaning gets the
/// next one. Reading does not ask for it, so that an event written by hand does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version", rename = "1")]
pub struct JobEvent {
    /// `job`, `tally` or `audit`: whose item changed.
    pub kind: String,
    /// The app's canonical path.
    pub scope: String,
    /// The job's id, a UUID.
    pub job: String,
    /// The job's phase, or [`DRAINED`]; of an audit what was done, as a query string.
    pub phase: String,
}

impl JobEvent {
    /// The job that the event is about.
    ///
    /// # Errors
    /// [`UnreadableMessage`] when the job's id is none.
    pub fn key(&self) -> Result<JobKey, UnreadableMessage> {
        job_key(&self.scope, &self.job)
    }

    /// Whether it wakes plan-export, and not finish-export.
    pub fn is_for_planner(&self) -> bool {
        names(&PLANNERS).contains(&self.phase.as_str())
    }
}

fn job_key(scope: &str, job: &str) -> Result<JobKey, UnreadableMessage> {
    let id = JobId::parse(job)
        .ok_or_else(|| UnreadableMessage::new(format!("`job` is not an id: {job}")))?;
    Ok(JobKey {
        scope: AppScope::from_canonical(scope),
        id,
    })
}

#[cfg(test)]
mod tests {
    use domain::cause::in_one_line;

    use super::*;

    #[test]
    fn a_chunk_message_names_its_chunk() {
        let body = r#"{"scope":"/apps/a","job":"0198f7a4-0000-7000-8000-000000000000","shard":"3","chunk":"35"}"#;
        let key = ChunkMessage::parse(body).unwrap();
        assert_eq!(
            (key.shard, key.number, key.job.scope.as_str()),
            (3, 35, "/apps/a")
        );
    }

    #[test]
    fn an_event_is_written_with_its_version_and_read_without() {
        let text = |text: &str| text.to_owned();
        let event = JobEvent {
            kind: text("job"),
            scope: text("/a"),
            job: text("x"),
            phase: text("queued"),
        };
        let mut written = serde_json::to_value(&event).unwrap();
        assert_eq!(written["version"], "1");
        written.as_object_mut().unwrap().remove("version");
        assert_eq!(serde_json::from_value::<JobEvent>(written).unwrap(), event);
    }

    #[test]
    fn a_message_of_another_shape_is_refused_in_words() {
        let error =
            ChunkMessage::parse(r#"{"scope":"/a","job":"x","shard":"0","chunk":"0"}"#).unwrap_err();
        assert_eq!(
            in_one_line(&error),
            "the message cannot be read: `job` is not an id: x"
        );
        assert!(ChunkMessage::parse("{}").is_err());
    }
}
