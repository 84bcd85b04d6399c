//! One suite of behaviours that every [`Container`] shows: the fake in memory and the Azure adapter
//! over Azurite. What only the adapter can show, faults below it, is in [`faults`].

mod emulator;
mod faults;
mod world;

use bytes::Bytes;
use container::preflight::preflight;
use container::writer::{BlobWriter, WriterSettings, commit};
use domain::container::{BlobName, BlockId};
use ports::container::{Container, ContainerError};

use self::world::{Grant, World};

/// Runs every behaviour over both worlds.
macro_rules! behaviours {
    ($($behaviour:ident),+ $(,)?) => {
        mod memory {
            use super::World;
            $(#[tokio::test] async fn $behaviour() { super::$behaviour(&World::memory()).await; })+
        }
        mod azurite {
            use super::World;
            $(#[tokio::test] async fn $behaviour() { super::$behaviour(&World::azurite().await).await; })+
        }
    };
}

behaviours! {
    a_committed_blob_has_the_bytes_in_the_order_of_its_list,
    a_blob_without_rows_may_be_committed_empty,
    nothing_is_visible_before_the_commit,
    a_repeated_commit_is_harmless,
    a_commit_discards_the_blocks_of_other_attempts,
    a_list_with_a_block_that_never_was_is_gone,
    a_block_staged_again_replaces_the_first,
    a_second_attempt_replaces_the_file,
    a_missing_container_is_missing,
    a_signature_that_may_not_write_is_denied,
    an_expired_signature_is_denied,
    writing_needs_no_other_permission,
    a_preflight_finds_out_and_leaves_nothing,
    a_written_file_is_the_one_that_was_prepared,
}

fn blob() -> BlobName {
    BlobName::from_stored("events/0192/date=2026-11-20/part-00001.json")
}

fn id(attempt: u32, index: u32) -> BlockId {
    BlockId { attempt, index }
}

async fn stage(container: &dyn Container, id: BlockId, text: &'static str) {
    container
        .stage_block(&blob(), id, Bytes::from_static(text.as_bytes()))
        .await
        .unwrap();
}

async fn a_committed_blob_has_the_bytes_in_the_order_of_its_list(world: &World) {
    let container = world.open(Grant::Write);
    stage(&*container, id(1, 1), "second").await;
    stage(&*container, id(1, 0), "first ").await;
    container
        .commit_blocks(&blob(), &[id(1, 0), id(1, 1)], "application/json")
        .await
        .unwrap();
    assert_eq!(world.read(&blob()).await, "first second");
    assert_eq!(
        world.list().await,
        [(blob().to_string(), "application/json".to_owned())]
    );
}

async fn a_blob_without_rows_may_be_committed_empty(world: &World) {
    world
        .open(Grant::Write)
        .commit_blocks(&blob(), &[], "text/csv")
        .await
        .unwrap();
    assert_eq!(world.read(&blob()).await, "");
}

async fn nothing_is_visible_before_the_commit(world: &World) {
    stage(&*world.open(Grant::Write), id(1, 0), "hidden").await;
    assert_eq!(world.list().await, []);
}

async fn a_repeated_commit_is_harmless(world: &World) {
    let container = world.open(Grant::Write);
    stage(&*container, id(1, 0), "once").await;
    for _ in 0..3 {
        container
            .commit_blocks(&blob(), &[id(1, 0)], "text/csv")
            .await
            .unwrap();
    }
    assert_eq!(world.read(&blob()).await, "once");
}

async fn a_commit_discards_the_blocks_of_other_attempts(world: &World) {
    let container = world.open(Grant::Write);
    stage(&*container, id(1, 0), "zombie").await;
    stage(&*container, id(2, 0), "holder").await;
    container
        .commit_blocks(&blob(), &[id(2, 0)], "text/csv")
        .await
        .unwrap();
    let late = container
        .commit_blocks(&blob(), &[id(1, 0)], "text/csv")
        .await;
    assert_eq!(late, Err(ContainerError::BlocksGone));
    assert_eq!(world.read(&blob()).await, "holder");
}

async fn a_list_with_a_block_that_never_was_is_gone(world: &World) {
    let container = world.open(Grant::Write);
    stage(&*container, id(1, 0), "there").await;
    let committed = container
        .commit_blocks(&blob(), &[id(1, 0), id(1, 1)], "text/csv")
        .await;
    assert_eq!(committed, Err(ContainerError::BlocksGone));
    assert_eq!(world.list().await, []);
}

async fn a_block_staged_again_replaces_the_first(world: &World) {
    let container = world.open(Grant::Write);
    stage(&*container, id(1, 0), "damaged").await;
    stage(&*container, id(1, 0), "sound").await;
    container
        .commit_blocks(&blob(), &[id(1, 0)], "text/csv")
        .await
        .unwrap();
    assert_eq!(world.read(&blob()).await, "sound");
}

async fn a_second_attempt_replaces_the_file(world: &World) {
    let container = world.open(Grant::Write);
    for (attempt, text) in [(1, "first"), (2, "second")] {
        stage(&*container, id(attempt, 0), text).await;
        container
            .commit_blocks(&blob(), &[id(attempt, 0)], "text/csv")
            .await
            .unwrap();
    }
    assert_eq!(world.read(&blob()).await, "second");
}

async fn a_missing_container_is_missing(world: &World) {
    let container = world.open_missing();
    let missing = ContainerError::Missing {
        code: "ContainerNotFound".to_owned(),
    };
    let staged = container
        .stage_block(&blob(), id(1, 0), Bytes::from_static(b"x"))
        .await;
    assert_eq!(staged, Err(missing.clone()));
    assert_eq!(
        container.commit_blocks(&blob(), &[], "text/csv").await,
        Err(missing)
    );
}

async fn assert_denied(container: &dyn Container) {
    let staged = container
        .stage_block(&blob(), id(1, 0), Bytes::from_static(b"x"))
        .await;
    let committed = container.commit_blocks(&blob(), &[], "text/csv").await;
    for answer in [staged, committed] {
        assert!(
            matches!(answer, Err(ContainerError::Denied { .. })),
            "{answer:?}"
        );
    }
}

async fn a_signature_that_may_not_write_is_denied(world: &World) {
    assert_denied(&*world.open(Grant::Read)).await;
    assert_eq!(world.list().await, []);
}

async fn an_expired_signature_is_denied(world: &World) {
    assert_denied(&*world.open(Grant::Expired)).await;
    assert_eq!(world.list().await, []);
}

async fn writing_needs_no_other_permission(world: &World) {
    for grant in [Grant::Write, Grant::CreateWrite, Grant::AccountWrite] {
        let container = world.open(grant);
        for attempt in 1..3 {
            stage(&*container, id(attempt, 0), "row").await;
            container
                .commit_blocks(&blob(), &[id(attempt, 0)], "text/csv")
                .await
                .unwrap();
        }
    }
    assert_eq!(world.read(&blob()).await, "row");
}

async fn a_preflight_finds_out_and_leaves_nothing(world: &World) {
    let container = world.open(Grant::Write);
    assert_eq!(preflight(&*container, &blob()).await, Ok(()));
    assert_eq!(world.list().await, []);
    assert!(matches!(
        preflight(&*world.open(Grant::Read), &blob()).await,
        Err(ContainerError::Denied { .. })
    ));
    assert!(matches!(
        preflight(&*world.open_missing(), &blob()).await,
        Err(ContainerError::Missing { .. })
    ));

    stage(&*container, id(1, 0), "{}").await;
    container
        .commit_blocks(&blob(), &[id(1, 0)], "application/json")
        .await
        .unwrap();
    let again = container
        .commit_blocks(&blob(), &[id(0, 0)], "application/json")
        .await;
    assert_eq!(again, Err(ContainerError::BlocksGone));
}

async fn a_written_file_is_the_one_that_was_prepared(world: &World) {
    let container = world.open(Grant::Write);
    let settings = WriterSettings {
        block_bytes: 64 * 1024,
        uploads_in_flight: 3,
        ..WriterSettings::default()
    };
    let mut writer = BlobWriter::new(container.clone(), blob(), 1, settings);
    let mut expected = String::new();
    for row in 0..20_000 {
        let line = format!("{row},\u{1f408},row\r\n");
        writer.buffer().extend_from_slice(line.as_bytes());
        writer.flush_full_blocks().await.unwrap();
        expected.push_str(&line);
    }
    let file = writer.finish().await.unwrap();
    commit(&*container, &file, "text/csv").await.unwrap();
    assert_eq!(file.size_bytes, expected.len() as u64);
    assert_eq!(file.blocks as usize, expected.len().div_ceil(64 * 1024));
    assert!(world.read(&blob()).await == expected);
}
