//! An export that is rehearsed: by the service's own planner and its own chunk runs, over a table in
//! memory and a container that keeps little. What they would do in earnest is what they do here, and
//! nothing is written anywhere.

mod container;

use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use client::failure::Failure;
use domain::app::AppScope;
use domain::cause::in_one_line;
use domain::chunk::{Chunk, ChunkSource, ChunkState, Output};
use domain::container::{BlobName, ContainerAddress};
use domain::filter::Filter;
use domain::job::{Credential, Job, JobId, JobKey, Plan, SealedCredential};
use domain::selection::{Compression, ExportFormat, ExportRequest, Selection};
use edge::event::{ChunkMessage, EVENT_DETAIL_TYPE, EVENT_SOURCE, JobEvent};
use fakes::store::MemoryStore;
use plan_export::PlanError;
use ports::source::Sources;
use ports::store::{Act, Audit, ChunkLists, Chunks, Intake};
use serde_json::json;
use time::Duration;
use wiring::Wiring;

use self::container::{Kept, Unsealed};
use crate::failures;

/// The name of the table, which is nowhere else.
const IN_MEMORY: &str = "in memory";

/// How long what is in memory is remembered: longer than any rehearsal.
const RETENTION: Duration = Duration::days(3_650);

/// An export that is planned, and of which chunks can be run.
pub(crate) struct Rehearsal {
    store: Arc<MemoryStore>,
    runner: run_export_chunk::Ports,
    containers: Arc<Kept>,
    /// The job after its plan.
    pub(crate) job: Job,
    /// Its chunks, in their order.
    pub(crate) chunks: Vec<Chunk>,
}

/// What the run of a chunk came to.
pub(crate) enum Ran {
    /// Its files would be there.
    Recorded(Box<Output>),
    /// It would end without files, for this reason.
    Failed(String),
    /// Its source does not answer: the service would try again.
    Unanswered,
}

impl Rehearsal {
    /// Plans what is selected, of the deployment that the settings name.
    ///
    /// # Errors
    /// A setting that does not fit, or a source that does not answer.
    pub(crate) async fn plan(
        wiring: &Wiring,
        scope: &AppScope,
        selection: Selection,
        filter: Filter,
    ) -> Result<Self, Failure> {
        let store = Arc::new(MemoryStore::by(wiring.clock()));
        let containers = Arc::new(Kept::default());
        let sources = sources::wire_to_plan(wiring);
        let sources = sources.map_err(|error| failures::of_setting(&error))?;
        let planner = planner(wiring, &store, sources)?;
        let runner = runner(wiring, &store, &containers)?;
        let job = queued(wiring, scope, selection, filter);
        let job = plan_to_the_end(&planner, created(&store, job).await?).await?;
        let chunks = chunks_of(&store, &job).await?;
        Ok(Self {
            store,
            runner,
            containers,
            job,
            chunks,
        })
    }

    /// Runs a chunk; what an earlier one has made is forgotten.
    ///
    /// # Errors
    /// None in practice: the table is in memory.
    pub(crate) async fn run(&self, chunk: &Chunk) -> Result<Ran, Failure> {
        self.containers.clear();
        let message = ChunkMessage {
            scope: chunk.key.job.scope.as_str().to_owned(),
            job: chunk.key.job.id.to_string(),
            shard: chunk.key.shard.to_string(),
            chunk: chunk.key.number.to_string(),
        };
        let mut sqs = SqsMessage::default();
        sqs.message_id = Some(String::new());
        sqs.body = serde_json::to_string(&message).ok();
        let mut event = SqsEvent::default();
        event.records = vec![sqs];
        Box::pin(run_export_chunk::handle(event, &self.runner)).await;
        let stored = self.store.chunk(&chunk.key).await;
        let stored = stored.map_err(|error| failures::of_table(&error, IN_MEMORY))?;
        Ok(match stored.map(|chunk| chunk.state) {
            Some(ChunkState::Recorded { output }) => Ran::Recorded(Box::new(output)),
            Some(ChunkState::Failed { reason }) => Ran::Failed(reason),
            Some(
                ChunkState::Pending { .. }
                | ChunkState::Running { .. }
                | ChunkState::Prepared { .. }
                | ChunkState::Parked { .. }
                | ChunkState::Cancelled,
            )
            | None => Ran::Unanswered,
        })
    }

    /// What of a file that a run has made is kept: of a small one, all of it.
    pub(crate) fn content(&self, name: &BlobName) -> Vec<u8> {
        self.containers.content(name)
    }

    /// Why its plan cannot be completed, if so.
    pub(crate) fn plan_failure(&self) -> Option<&str> {
        match &self.job.plan {
            Plan::Failed { reason, .. } => Some(reason),
            Plan::Open { .. } | Plan::Complete { .. } => None,
        }
    }
}

/// The objects of a chunk and their bytes as stored; of the registry's chunks none.
pub(crate) fn objects_of(chunk: &Chunk) -> (u64, u64) {
    match &chunk.source {
        ChunkSource::Objects { objects, .. } => {
            let bytes = objects.iter().map(|object| object.size_bytes).sum();
            (objects.len() as u64, bytes)
        }
        ChunkSource::Partitions(_) => (0, 0),
    }
}

fn planner(
    wiring: &Wiring,
    store: &Arc<MemoryStore>,
    sources: Sources,
) -> Result<plan_export::Ports, Failure> {
    let settings = plan_export::Settings::of(wiring);
    Ok(plan_export::Ports {
        plans: Arc::clone(store) as _,
        lists: Arc::clone(store) as _,
        sources,
        clock: wiring.clock(),
        settings: settings.map_err(|error| failures::of_setting(&error))?,
    })
}

fn runner(
    wiring: &Wiring,
    store: &Arc<MemoryStore>,
    containers: &Arc<Kept>,
) -> Result<run_export_chunk::Ports, Failure> {
    let setting = |error| failures::of_setting(&error);
    Ok(run_export_chunk::Ports {
        chunks: Arc::clone(store) as _,
        sources: sources::wire_to_read(wiring).map_err(setting)?,
        containers: Arc::clone(containers) as _,
        sealer: Arc::new(Unsealed),
        clock: wiring.clock(),
        settings: run_export_chunk::Settings::of(wiring).map_err(setting)?,
    })
}

/// The job that a client would have made, its rows as lines of text.
fn queued(wiring: &Wiring, scope: &AppScope, selection: Selection, filter: Filter) -> Job {
    let clock = wiring.clock();
    let key = JobKey {
        scope: scope.clone(),
        id: JobId::new(clock.fresh_id()),
    };
    let request = ExportRequest {
        compression: Compression::None,
        export_user_id: true,
        filter,
        ..ExportRequest::usual(selection, ExportFormat::JsonLinesBlob)
    };
    let credential = Credential {
        sealed: SealedCredential(Vec::new()),
        expires: None,
    };
    let nowhere = ContainerAddress::new("https://nowhere.invalid/rehearsal");
    Job::queued(key, request, nowhere, credential, clock.now(), RETENTION)
}

/// The event of a job that waits for its planner.
fn event(key: &JobKey) -> Result<EventBridgeEvent<JobEvent>, Failure> {
    let event = json!({
        "detail-type": EVENT_DETAIL_TYPE, "source": EVENT_SOURCE,
        "detail": {
            "version": "1", "kind": "job", "scope": key.scope.as_str(), "job": key.id.to_string(), "phase": "queued",
        },
    });
    serde_json::from_value(event).map_err(|error| Failure::unknown(in_one_line(&error)))
}

/// Stores a job that nobody has asked for.
async fn created(store: &MemoryStore, job: Job) -> Result<JobKey, Failure> {
    let (key, now) = (job.key.clone(), job.created);
    let nobody = Audit {
        by: String::new(),
        act: Act::Create,
        at: now,
        expires: now,
    };
    let created = store.create(job, None, nobody).await;
    created.map_err(|error| failures::of_table(&error, IN_MEMORY))?;
    Ok(key)
}

/// Delivers the job's event, and again when the planner's time was up. A source that does not answer ends
/// it at once, after all that its client has tried: delivered to the last, the event would make of it what
/// is missing, and who asks here can ask again.
async fn plan_to_the_end(planner: &plan_export::Ports, key: JobKey) -> Result<Job, Failure> {
    loop {
        match Box::pin(plan_export::handle(event(&key)?, planner)).await {
            Ok(()) => {}
            Err(PlanError::Source(error)) => return Err(failures::of_source(&error)),
            Err(PlanError::Store(error)) => return Err(failures::of_table(&error, IN_MEMORY)),
            Err(error @ (PlanError::Event(_) | PlanError::Illegal(_))) => {
                return Err(Failure::unknown(in_one_line(&error)));
            }
        }
        let job = planner.plans.job(&key, planner.clock.now()).await;
        let job = job.map_err(|error| failures::of_table(&error, IN_MEMORY))?;
        if let Some(job) = job.filter(|job| !matches!(job.plan, Plan::Open { .. })) {
            return Ok(job);
        }
    }
}

async fn chunks_of(store: &MemoryStore, job: &Job) -> Result<Vec<Chunk>, Failure> {
    let mut chunks = Vec::new();
    for shard in 0..job.shards {
        let mut after = None;
        loop {
            let page = store.chunks(&job.key, shard, after).await;
            let page = page.map_err(|error| failures::of_table(&error, IN_MEMORY))?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.number);
            chunks.extend(page);
        }
    }
    chunks.sort_by_key(|chunk| chunk.key.number);
    Ok(chunks)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use aws_config::SdkConfig;
    use client::ending::Ending;
    use domain::chunk::ObjectRef;
    use domain::job::PlanCursor;
    use domain::selection::{DateRange, History, HistoryType};
    use fakes::sources::NoRows;
    use futures::StreamExt;
    use futures::stream::BoxStream;
    use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};
    use time::macros::date;
    use wiring::config::Environment;

    use super::*;

    /// A lake that does not answer, of which everything is missing when that is asked for.
    struct Silent;

    #[async_trait]
    impl Source for Silent {
        type Selected = History;
        type Part = ObjectRef;

        async fn plan(
            &self,
            _: &AppScope,
            _: &History,
            _: Option<&PlanCursor>,
            _: usize,
            unanswered: Unanswered,
        ) -> Result<PlanPage, SourceError> {
            match unanswered {
                Unanswered::IsRetried => Err(SourceError::Unavailable {
                    object: "lake".to_owned(),
                    cause: "no connection".into(),
                }),
                Unanswered::IsMissing => panic!("it would be said to be missing"),
            }
        }

        fn read(
            &self,
            _: &[ObjectRef],
            _: &History,
        ) -> BoxStream<'static, Result<Piece, SourceError>> {
            futures::stream::empty().boxed()
        }
    }

    #[tokio::test]
    async fn of_a_lake_that_does_not_answer_nothing_is_said_to_be_missing() {
        let days = DateRange {
            start: date!(2026 - 01 - 05),
            end: date!(2026 - 01 - 05),
        };
        let history = History {
            of: HistoryType::Event,
            days,
        };
        let scope = AppScope::from_canonical("/apps/a");
        let unset = Environment::from_pairs(<[(&str, &str); 0]>::default());
        let wiring = Wiring::new(unset, SdkConfig::builder().build());
        let store = Arc::new(MemoryStore::by(wiring.clock()));
        let sources = Sources {
            lake: Arc::new(Silent),
            registry: Arc::new(NoRows::default()),
        };
        let planner = planner(&wiring, &store, sources).unwrap();
        let job = queued(&wiring, &scope, history.into(), Filter::default());
        let key = created(&store, job).await.unwrap();
        let failure = plan_to_the_end(&planner, key).await.unwrap_err();
        assert_eq!(
            (failure.ending, failure.message.as_str()),
            (Ending::Unknown, "lake does not answer: no connection")
        );
    }
}
