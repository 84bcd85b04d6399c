//! Where stories begin, what comes between, and what must be true at their end.

use domain::chunk::{ChunkState, Output};
use domain::container::ContainerAddress;
use domain::job::{Job, JobKey};
use domain::secret::Secret;
use ports::store::{ChunkLists, Jobs};
use serde_json::{Value, json};

use crate::faults::Call;
use crate::stories::days;
use crate::stories::rows::exported_events;
use crate::world::deliveries::Deliveries;
use crate::world::{CONTAINER, SIGNATURE, World, url_with};

pub(crate) const NEW_SIGNATURE: &str =
    "sv=2024-11-04&sr=c&sp=w&se=2026-07-31T00%3A00%3A00Z&sig=bmV3LXNpZ25hdHVyZQ%3D%3D";

pub(crate) fn new_credential() -> Value {
    json!({"containerUrl": url_with(NEW_SIGNATURE)})
}

pub(crate) fn revoke(world: &World, signature: &str) {
    world
        .containers
        .revoke(&ContainerAddress::new(CONTAINER), &Secret::new(signature));
}

pub(crate) fn grant(world: &World, signature: &str) {
    let write = fakes::container::Permission::Write;
    world.containers.grant(
        &ContainerAddress::new(CONTAINER),
        &Secret::new(signature),
        write,
    );
}

/// What is recorded, by the chunks' numbers.
pub(crate) async fn recorded(world: &World, key: &JobKey) -> Vec<(u32, Output)> {
    let mut recorded = Vec::new();
    for shard in 0..world.job(key).await.shards {
        for chunk in world.store.chunks(key, shard, None).await.unwrap() {
            if let ChunkState::Recorded { output } = chunk.state {
                recorded.push((chunk.key.number, output));
            }
        }
    }
    recorded
}

pub(crate) async fn states(world: &World, key: &JobKey) -> Vec<&'static str> {
    world
        .store
        .chunks(key, 0, None)
        .await
        .unwrap()
        .iter()
        .map(|chunk| chunk.state.name())
        .collect()
}

pub(crate) async fn posted(world: &World) -> JobKey {
    world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await
}

pub(crate) async fn planned(world: &World) -> JobKey {
    let key = posted(world).await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    key
}

/// A planned job with one chunk recorded and one prepared, and the message that is still under way.
pub(crate) async fn half_done(world: &World) -> (JobKey, Deliveries) {
    let key = planned(world).await;
    run_export_chunk::handle(World::message_of(&key, 0, 0), &world.run).await;
    world.faults.refuse(Some(Call::Commit));
    run_export_chunk::handle(World::message_of(&key, 0, 1), &world.run).await;
    world.faults.refuse(None);
    assert_eq!(
        states(world, &key).await[..3],
        ["recorded", "prepared", "pending"]
    );
    let deliveries = Deliveries::of_chunk(&key, 0, 1);
    (key, deliveries)
}

/// Ends as a success with exactly these rows, and with these files as they were.
pub(crate) async fn assert_exact(
    world: &World,
    job: &Job,
    rows: &[String],
    kept: &[(u32, Output)],
) {
    assert_eq!(job.phase.name(), "succeeded", "{:?}", job.phase);
    assert!(world.manifest(job).unwrap().head.complete);
    assert_eq!(exported_events(&world.files(job)), rows);
    let now = recorded(world, &job.key).await;
    assert!(
        kept.iter().all(|file| now.contains(file)),
        "a recorded file was changed"
    );
}

/// The manifest is true of what is there: only whole files, no other file, no open chunk.
pub(crate) async fn assert_honest(world: &World, job: &Job, rows: &[String]) {
    let manifest = world.manifest(job).unwrap();
    let exported = exported_events(&world.files(job));
    assert!(exported.iter().all(|row| rows.contains(row)) && exported.len() <= rows.len());
    assert_eq!(
        manifest.head.complete,
        job.phase.name() == "succeeded",
        "{:?}",
        job.phase
    );
    assert_eq!(manifest.head.complete, exported == rows);
    let tally = world.store.tally(job).await.unwrap();
    assert_eq!(
        (tally.open, tally.recorded + tally.failed),
        (0, tally.planned)
    );
    let files = recorded(world, &job.key)
        .await
        .iter()
        .map(|(_, output)| output.files.len())
        .sum::<usize>();
    assert_eq!(manifest.files.len(), files);
}

/// A job that waits since the world's present moment.
pub(crate) async fn waiting(world: &World) -> JobKey {
    let (key, deliveries) = half_done(world).await;
    revoke(world, SIGNATURE);
    world.settle_on(deliveries).await;
    assert_eq!(world.job(&key).await.phase.name(), "awaiting-credential");
    key
}
