//! Jobs that version 1 began, in every phase and with chunks in every state, as its own functions left
//! the table and the container: this version takes each to the end. The snapshots never change.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use domain::app::AppScope;
use domain::chunk::ChunkStateName;
use domain::container::{BlobName, BlockId, ContainerAccess, ContainerAddress};
use domain::job::{JobId, JobKey, PhaseName};
use domain::secret::Secret;
use ports::container::{Container, Containers};
use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;

use super::rows::{exported_events, large_lake, small_lake};
use super::scenes::{NEW_SIGNATURE, grant, new_credential, revoke};
use crate::world::deliveries::Deliveries;
use crate::world::{CONTAINER, SIGNATURE, World};

/// What version 1 left.
#[derive(Deserialize)]
struct Snapshot {
    lake: String,
    /// Items of the exports table, in DynamoDB's JSON.
    items: Vec<Value>,
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
struct Blob {
    name: String,
    #[serde(default)]
    committed: Vec<Block>,
    #[serde(default)]
    staged: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    attempt: u32,
    index: u32,
    data: String,
}

impl Snapshot {
    fn all() -> Vec<(String, Self)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stories/version_1");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        files
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                (name, serde_json::from_str(&text).unwrap())
            })
            .collect()
    }

    /// An attribute of all items of a kind.
    fn texts<'a>(&'a self, kind: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
        let of_kind = self
            .items
            .iter()
            .filter(move |item| item["kind"]["S"] == kind);
        of_kind.filter_map(move |item| item[attribute]["S"].as_str())
    }

    fn key(&self) -> JobKey {
        let only = |attribute| self.texts("job", attribute).next().unwrap();
        JobKey {
            scope: AppScope::from_canonical(only("scope")),
            id: JobId::parse(only("job")).unwrap(),
        }
    }

    /// What was under way when the snapshot was taken and no image tells of: the events of a function
    /// that was at work, the messages of chunks that a run held.
    fn under_way(&self, key: &JobKey) -> Deliveries {
        let mut deliveries = Deliveries::default();
        for phase in self.texts("job", "phase") {
            match phase {
                "planning" => deliveries.add_event(key, "queued"),
                "finishing" => deliveries.add_event(key, "running"),
                _ => {}
            }
        }
        let number = |item: &Value, name: &str| -> u32 {
            item[name]["N"].as_str().unwrap().parse().unwrap()
        };
        for item in self
            .items
            .iter()
            .filter(|item| item["kind"]["S"] == "chunk")
        {
            if ["running", "prepared"].contains(&item["state"]["S"].as_str().unwrap()) {
                let shard = u16::try_from(number(item, "shard")).unwrap();
                deliveries.add_chunk(key, shard, number(item, "chunk"));
            }
        }
        deliveries
    }

    /// A world in which version 1 came this far, and the rows of its lake. The leases of its runs are
    /// over.
    async fn world(&self) -> (World, Vec<String>) {
        let world = World::new().await;
        let rows = match self.lake.as_str() {
            "small" => small_lake(&world).await,
            "large" => large_lake(&world).await,
            other => panic!("no lake {other}"),
        };
        for item in &self.items {
            world.table.put(item);
        }
        let access = ContainerAccess {
            address: ContainerAddress::new(CONTAINER),
            signature: Secret::new(SIGNATURE),
        };
        let container = world.containers.open(&access).unwrap();
        for blob in &self.blobs {
            blob.put(container.as_ref()).await;
        }
        grant(&world, NEW_SIGNATURE);
        world.clock.advance(Duration::minutes(41));
        (world, rows)
    }
}

impl Blob {
    async fn put(&self, container: &dyn Container) {
        let name = BlobName::from_stored(&self.name);
        let stage = async |blocks: &[Block]| {
            for block in blocks {
                let data = Bytes::from(block.data.clone());
                let staged = container.stage_block(&name, block.id(), data);
                staged.await.unwrap();
            }
        };
        if !self.committed.is_empty() {
            stage(&self.committed).await;
            let ids: Vec<_> = self.committed.iter().map(Block::id).collect();
            let committed = container.commit_blocks(&name, &ids, "application/json");
            committed.await.unwrap();
        }
        stage(&self.staged).await;
    }
}

impl Block {
    fn id(&self) -> BlockId {
        BlockId {
            attempt: self.attempt,
            index: self.index,
        }
    }
}

#[tokio::test]
async fn a_job_that_version_1_began_is_finished_exactly() {
    for (name, snapshot) in Snapshot::all() {
        let (world, rows) = snapshot.world().await;
        let key = snapshot.key();
        let mut ends = Vec::new();
        if world.job(&key).await.phase.name() == "awaiting-credential" {
            revoke(&world, SIGNATURE);
            assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
        }
        let mut under_way = snapshot.under_way(&key);
        let job = loop {
            let job = world.drive_on(&key, std::mem::take(&mut under_way)).await;
            ends.push(job.phase.name());
            if job.phase.name() == "succeeded" {
                break job;
            }
            assert!(ends.len() < 2, "{name}: {ends:?}");
            let retried = world.patch(&key, &json!({})).await;
            assert_eq!(retried.status_code, 202, "{name}");
        };
        let expected: &[&str] = match name.as_str() {
            "cancelling" | "finishing_cancelled" | "finishing_with_a_manifest" | "cancelled" => {
                &["cancelled", "succeeded"]
            }
            "running" | "incomplete" => &["incomplete", "succeeded"],
            "failed" => &["failed", "succeeded"],
            _ => &["succeeded"],
        };
        assert_eq!(ends, expected, "{name}");
        assert_eq!(exported_events(&world.files(&job)), rows, "{name}");
        assert!(world.manifest(&job).unwrap().head.complete, "{name}");
    }
}

#[test]
fn every_phase_and_every_state_of_version_1_is_among_the_snapshots() {
    let all = Snapshot::all();
    let seen = |kind, attribute| -> BTreeSet<_> {
        all.iter()
            .flat_map(|(_, snapshot)| snapshot.texts(kind, attribute))
            .collect()
    };
    assert_eq!(
        seen("job", "phase"),
        PhaseName::ALL.iter().map(Into::into).collect()
    );
    assert_eq!(
        seen("chunk", "state"),
        ChunkStateName::ALL.iter().map(Into::into).collect()
    );
    for (name, snapshot) in &all {
        let mut layouts = snapshot.items.iter().map(|item| &item["v"]["N"]);
        assert!(layouts.all(|layout| layout == "1"), "{name}");
    }
}
