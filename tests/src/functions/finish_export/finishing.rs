//! A finisher that somebody else's write to the job meets half-way.

use domain::job::{Credential, JobKey, Phase};
use domain::secret::Secret;
use ports::store::Jobs;

use crate::faults::Fault;
use crate::stories::days;
use crate::stories::rows::{exported_events, small_lake};
use crate::world::{SIGNATURE, World};

/// A world whose job has nothing left to do but to be finished.
async fn ready_to_finish() -> (World, JobKey) {
    let world = World::new().await;
    small_lake(&world).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    plan_export::handle(World::event_of(&key, "queued"), &world.plan)
        .await
        .unwrap();
    for chunk in 0..world.job(&key).await.chunks {
        run_export_chunk::handle(World::message_of(&key, 0, chunk), &world.run).await;
    }
    (world, key)
}

/// Finishes while something happens before the n-th call; whether there was such a call.
async fn finish_while(call: usize, happens: impl AsyncFnOnce(&World, &JobKey)) -> bool {
    let (world, key) = ready_to_finish().await;
    world.faults.arm(call, Fault::Stall);
    let mut finisher = Box::pin(finish_export::handle(
        World::event_of(&key, "running"),
        &world.finish,
    ));
    tokio::select! {
        _ = &mut finisher => return false,
        () = world.faults.stalled() => {}
    }
    happens(&world, &key).await;
    world.faults.wake();
    finisher.await.unwrap();
    let job = world.job(&key).await;
    assert_eq!(
        job.phase.wire_state(),
        "Succeeded",
        "call {call}: {:?}",
        job.phase
    );
    assert_eq!(exported_events(&world.files(&job)).len(), 36);
    true
}

#[tokio::test]
async fn a_new_credential_at_any_call_of_a_finisher_leaves_the_job_with_a_finisher() {
    let replace = async |world: &World, key: &JobKey| {
        let job = world.job(key).await;
        if !matches!(job.phase, Phase::Ended { .. }) {
            let sealed = world
                .run
                .sealer
                .seal(key.id, &Secret::new(SIGNATURE))
                .await
                .unwrap();
            world
                .store
                .put_job(
                    job.replace_credential(Credential {
                        sealed,
                        expires: None,
                    })
                    .unwrap(),
                )
                .await
                .unwrap();
        }
    };
    let mut call = 0;
    while finish_while(call, replace).await {
        call += 1;
    }
    assert!(call >= 6, "the finisher made only {call} calls");
}

#[tokio::test]
async fn a_dead_finisher_that_began_just_before_leaves_the_job_with_a_finisher() {
    for call in 0..3 {
        let begin = async |world: &World, key: &JobKey| {
            let job = world.job(key).await;
            world
                .store
                .put_job(job.begin_finishing().unwrap())
                .await
                .unwrap();
        };
        assert!(finish_while(call, begin).await);
    }
}
