//! A finisher of a cancelled job keeps what is prepared, and gives up only what is lost for good.

use std::sync::Arc;

use async_trait::async_trait;
use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::seal::{SealError, Sealer};
use serde_json::json;

use crate::stories::rows::small_lake;
use crate::stories::scenes::{assert_honest, half_done, recorded, states};
use crate::world::World;

/// A key service that opens nothing.
struct Shut(fn() -> SealError);

#[async_trait]
impl Sealer for Shut {
    async fn seal(&self, _: JobId, _: &Secret) -> Result<SealedCredential, SealError> {
        Err((self.0)())
    }

    async fn open(&self, _: JobId, _: &SealedCredential) -> Result<Secret, SealError> {
        Err((self.0)())
    }
}

#[tokio::test]
async fn a_cancellation_waits_for_the_key_service_and_keeps_what_is_prepared() {
    let mut world = World::new().await;
    let rows = small_lake(&world).await;
    let (key, deliveries) = half_done(&world).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    let unavailable = || SealError::Unavailable {
        cause: "503".into(),
    };
    let sealer = std::mem::replace(&mut world.finish.sealer, Arc::new(Shut(unavailable)));
    let cancelling = World::event_of(&key, "cancelling");
    finish_export::handle(cancelling.clone(), &world.finish)
        .await
        .unwrap_err();
    assert_eq!(
        states(&world, &key).await[..3],
        ["recorded", "prepared", "pending"]
    );
    world.finish.sealer = sealer;
    finish_export::handle(cancelling, &world.finish)
        .await
        .unwrap();
    assert_eq!(
        recorded(&world, &key).await.len(),
        2,
        "what was prepared is kept"
    );
    let job = world.drive_on(&key, deliveries).await;
    assert_eq!(job.phase.name(), "cancelled");
    assert_honest(&world, &job, &rows).await;
}

#[tokio::test]
async fn a_cancellation_gives_up_what_only_a_lost_credential_could_commit() {
    let mut world = World::new().await;
    small_lake(&world).await;
    let (key, _) = half_done(&world).await;
    assert_eq!(world.delete(&key).await.status_code, 202);
    world.finish.sealer = Arc::new(Shut(|| SealError::Unreadable));
    finish_export::handle(World::event_of(&key, "cancelling"), &world.finish)
        .await
        .unwrap();
    let task = world.task(&key).await;
    assert_eq!(
        (&task["phase"], task.get("manifestUrl")),
        (&json!("cancelled"), None)
    );
    assert_eq!(
        states(&world, &key).await,
        [
            "recorded",
            "cancelled",
            "cancelled",
            "cancelled",
            "cancelled"
        ]
    );
}
