//! A finisher that stands still, or whose signature is revoked half-way.

use domain::job::Phase;

use serde_json::json;

use crate::faults::{Call, Fault};
use crate::stories::days;
use crate::stories::rows::{exported_events, small_lake};
use crate::stories::scenes::{
    NEW_SIGNATURE, assert_exact, grant, new_credential, planned, recorded, revoke,
};
use crate::world::{SIGNATURE, World};

/// The same of a finisher.
async fn finisher_that_wakes_late(call: usize) -> bool {
    let world = World::new().await;
    let rows = small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    for chunk in 0..world.job(&key).await.chunks {
        run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
    }
    world.faults.arm(call, Fault::Stall);
    let mut zombie = Box::pin(finish_export::handle(
        World::event_of(&key, "running"),
        &world.finish,
    ));
    tokio::select! {
        _ = &mut zombie => return false,
        () = world.faults.stalled() => {}
    }
    let job = world.drive(&key).await;
    let manifest = world.manifest(&job);
    world.faults.wake();
    zombie.await.unwrap();
    assert_eq!(
        world.manifest(&job),
        manifest,
        "the zombie of call {call} changed the manifest"
    );
    assert_eq!(world.job(&key).await, job);
    assert_eq!(
        exported_events(&world.files(&job)).len(),
        rows.len() * 3 / 5
    );
    true
}

#[tokio::test]
async fn a_finisher_that_wakes_late_changes_nothing() {
    let mut call = 0;
    while Box::pin(finisher_that_wakes_late(call)).await {
        call += 1;
    }
    assert!(call >= 6, "the finisher made only {call} calls");
}

#[tokio::test]
async fn a_signature_revoked_while_the_manifest_is_written_costs_no_chunk() {
    for is_prepared in [false, true] {
        let world = World::new().await;
        let rows = small_lake(&world).await;
        let key = planned(&world).await;
        for chunk in 0..5 {
            run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
        }
        let kept = recorded(&world, &key).await;
        if is_prepared {
            world.faults.refuse(Some(Call::Commit));
            finish_export::handle(World::event_of(&key, "running"), &world.finish)
                .await
                .unwrap_err();
            world.faults.refuse(None);
            assert!(matches!(
                world.job(&key).await.phase,
                Phase::Finishing {
                    manifest: Some(_),
                    ..
                }
            ));
        }
        revoke(&world, SIGNATURE);
        finish_export::handle(World::event_of(&key, "drained"), &world.finish)
            .await
            .unwrap();
        let task = world.task(&key).await;
        assert_eq!(
            (&task["phase"], task.get("manifestUrl")),
            (&json!("awaiting-credential"), None)
        );
        grant(&world, NEW_SIGNATURE);
        assert_eq!(world.patch(&key, &new_credential()).await.status_code, 202);
        let job = world.drive(&key).await;
        assert_eq!(kept.len(), 5);
        assert_exact(&world, &job, &rows, &kept).await;
    }
}
