//! A whole export of a folder, by the functions' own handlers.

use std::sync::Arc;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use container::writer::WriterSettings;
use domain::container::{BlobName, ContainerAddress};
use domain::job::{Credential, Job, JobId, JobKey};
use domain::manifest::Manifest;
use domain::rules::Rules;
use domain::secret::Secret;
use domain::selection::{Compression, ExportFormat, ExportRequest};
use edge::event::{ChunkMessage, JobEvent};
use fakes::container::{MemoryContainers, Permission};
use fakes::requests::events;
use fakes::sources::NoRows;
use fakes::store::MemoryStore;
use formats::encode::ENCODERS_VERSION;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use ports::clock::Clock;
use ports::source::Sources;
use ports::store::Jobs;
use sources::lake::{ExpansionLimit, Lake};
use time::macros::date;
use time::{Date, Duration};

use super::naive::{MOST_BYTES, Object};
use crate::events::{bus_event, queue_of};
use crate::world::{NOW, Standstill, block_on, scope, sealer};

/// The day whose folder it is, which is over.
const DAY: Date = date!(2026 - 11 - 20);

/// How many bytes of objects make a chunk: so few that there are several.
const CHUNK_BYTES: u64 = 1_000;

/// An object expands to so many bytes at most, whatever its size.
const LIMIT: ExpansionLimit = ExpansionLimit {
    ratio: 1,
    always_bytes: MOST_BYTES,
};

/// What an export came to.
pub(super) struct Export {
    pub(super) manifest: Manifest,
    /// The files of rows.
    pub(super) files: Vec<Vec<u8>>,
    /// The files of rejects.
    pub(super) rejects: Vec<Vec<u8>>,
}

fn folder() -> String {
    format!("events/app={}/date={DAY}/", scope().folder())
}

/// The path below the folder.
pub(super) fn below(path: &str) -> &str {
    path.strip_prefix(&folder())
        .expect("an object of the folder")
}

/// Exports the events of the folder.
pub(super) fn export<'a>(
    objects: impl Iterator<Item = &'a Object>,
    format: ExportFormat,
    compression: Compression,
) -> Export {
    let request = ExportRequest {
        format,
        compression,
        ..events(DAY, DAY)
    };
    block_on(async {
        let lake = InMemory::new();
        for object in objects {
            let path = Path::parse(folder() + &object.path).expect("a path in a folder is one");
            let put = lake.put(&path, object.bytes.clone().into());
            put.await.expect("memory takes it");
        }
        let lake = Lake::new(Arc::new(lake), Path::default(), CHUNK_BYTES);
        let world = World::new(lake.with_expansion_limit(LIMIT), request).await;
        world.run().await;
        world.result().await
    })
}

struct World {
    store: Arc<MemoryStore>,
    containers: MemoryContainers,
    sources: Sources,
    key: JobKey,
}

impl World {
    async fn new(lake: Lake, request: ExportRequest) -> Self {
        let key = JobKey {
            scope: scope(),
            id: JobId::new(Standstill.fresh_id()),
        };
        let (address, signature) = (address(), Secret::new("sig=x"));
        let sealed = sealer().seal(key.id, &signature).await;
        let credential = Credential {
            sealed: sealed.expect("a key seals"),
            expires: None,
        };
        let kept = Duration::days(90);
        let job = Job::queued(key.clone(), request, address.clone(), credential, NOW, kept);
        let (store, containers) = (MemoryStore::default(), MemoryContainers::default());
        store
            .put_job(job)
            .await
            .expect("an empty table takes a job");
        containers.create(&address);
        containers.grant(&address, &signature, Permission::Write);
        Self {
            store: Arc::new(store),
            containers,
            sources: Sources {
                lake: Arc::new(lake),
                registry: Arc::new(NoRows::default()),
            },
            key,
        }
    }

    /// Plans, exports every chunk, whose message comes twice, and finishes.
    async fn run(&self) {
        let plan = plan_export::Ports {
            plans: Arc::clone(&self.store) as _,
            lists: Arc::clone(&self.store) as _,
            sources: self.sources.clone(),
            clock: Arc::new(Standstill),
            settings: plan_export::Settings {
                time_limit: Duration::minutes(15),
                max_shards: 1,
                rules: Rules::unless_planned(ENCODERS_VERSION),
            },
        };
        let planned = plan_export::handle(self.event("queued"), &plan).await;
        planned.expect("a plan is written");
        let export = run_export_chunk::Ports {
            chunks: Arc::clone(&self.store) as _,
            sources: self.sources.clone(),
            containers: Arc::new(self.containers.clone()),
            sealer: sealer(),
            clock: Arc::new(Standstill),
            settings: run_export_chunk::Settings {
                writer: WRITER,
                row_group_bytes: 1 << 10,
                time_limit: Duration::minutes(15),
            },
        };
        for chunk in 0..self.job().await.chunks {
            let message = ChunkMessage {
                scope: self.key.scope.as_str().to_owned(),
                job: self.key.id.to_string(),
                shard: "0".to_owned(),
                chunk: chunk.to_string(),
            };
            let body = serde_json::to_string(&message).expect("a message is JSON");
            let event = serde_json::from_str(&queue_of(&body)).expect("an event of the queue");
            let answer = run_export_chunk::handle(event, &export).await;
            assert!(
                answer.batch_item_failures.is_empty(),
                "chunk {chunk} is retried"
            );
        }
        let finish = finish_export::Ports {
            chunks: Arc::clone(&self.store) as _,
            lists: Arc::clone(&self.store) as _,
            containers: Arc::new(self.containers.clone()),
            sealer: sealer(),
            clock: Arc::new(Standstill),
            settings: finish_export::Settings { writer: WRITER },
        };
        let finished = finish_export::handle(self.event("running"), &finish).await;
        finished.expect("the job is finished");
    }

    fn event(&self, phase: &str) -> EventBridgeEvent<JobEvent> {
        let detail = JobEvent {
            kind: "job".to_owned(),
            scope: self.key.scope.as_str().to_owned(),
            job: self.key.id.to_string(),
            phase: phase.to_owned(),
        };
        let detail = serde_json::to_string(&detail).expect("an event is JSON");
        serde_json::from_str(&bus_event(&detail)).expect("an event of the bus")
    }

    async fn job(&self) -> Job {
        let job = self.store.job(&self.key, NOW).await;
        job.expect("the table answers").expect("the job is kept")
    }

    async fn result(&self) -> Export {
        let job = self.job().await;
        let name = BlobName::manifest(job.request.export_type(), job.key.id);
        let manifest = self.containers.read(&address(), &name);
        let manifest = manifest.unwrap_or_else(|| panic!("no manifest: {:?}", job.phase));
        let manifest: Manifest =
            serde_json::from_slice(&manifest.data).expect("a manifest is read back");
        let read = |name: &str| {
            let blob = self
                .containers
                .read(&address(), &BlobName::from_stored(name));
            blob.expect("what is listed is there").data
        };
        Export {
            files: manifest.files.iter().map(|file| read(&file.name)).collect(),
            rejects: manifest
                .rejected
                .iter()
                .map(|file| read(&file.name))
                .collect(),
            manifest,
        }
    }
}

/// Blocks so small that files have several.
const WRITER: WriterSettings = WriterSettings {
    block_bytes: 500,
    uploads_in_flight: 1,
    retries: 0,
    retry_delay: std::time::Duration::ZERO,
};

fn address() -> ContainerAddress {
    ContainerAddress::new("https://account.blob.core.windows.net/exports")
}
