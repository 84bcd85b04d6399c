//! What the processes of a run do.

use std::sync::{Arc, Mutex};

use domain::job::{JobId, JobKey};
use serde_json::Value;

use super::checks::clean;
use super::control::{Answered, Control, ask};
use super::data::Posted;
use crate::world::deliveries::{Delivery, Kind};
use crate::world::{APP_PATH, World, body_of};

/// What is to be done by some process.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Post,
    Look,
    Deliver(Delivery),
    Control(Control),
    /// The schedule runs expire-jobs.
    Expire,
}

/// What the owner knows.
#[derive(Debug, Default)]
pub(crate) struct Owner {
    /// The job, once its POST was answered.
    pub(crate) job: Option<JobKey>,
    /// Whether a DELETE was accepted.
    pub(crate) has_cancelled: bool,
}

impl Work {
    /// In words.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Post => "post the request".to_owned(),
            Self::Look => "look".to_owned(),
            Self::Expire => "look for jobs that waited too long".to_owned(),
            Self::Control(control) => format!("ask: {control:?}"),
            Self::Deliver(Delivery {
                what: Kind::Chunk(message),
                receives,
            }) => {
                format!("receive chunk {} ({receives} before)", message.chunk)
            }
            Self::Deliver(Delivery {
                what: Kind::Job(event),
                receives,
            }) => {
                format!(
                    "receive {} of the {} ({receives} before)",
                    event.phase, event.kind
                )
            }
        }
    }
}

/// Does the work once; whether it is done with.
pub(crate) async fn carry_out(
    world: Arc<World>,
    owner: Arc<Mutex<Owner>>,
    posted: Posted,
    work: Work,
) -> bool {
    let key = owner.lock().unwrap().job.clone();
    match (work, key) {
        (Work::Post, _) => post(&world, &owner, &posted).await,
        (Work::Deliver(delivery), _) => world.deliver(delivery).await.is_none(),
        (Work::Control(control), Some(key)) => {
            let answered = ask(&world, &key, &control).await;
            if answered == Answered::Accepted && matches!(control, Control::Cancel) {
                owner.lock().unwrap().has_cancelled = true;
            }
            answered != Answered::Failed
        }
        (Work::Expire, _) => expire_jobs::handle(Value::Null, &world.expire)
            .await
            .is_ok(),
        (Work::Look, Some(key)) => {
            let event = World::http("GET", &format!("{APP_PATH}/{}", key.id), None);
            let answer = crate::described::status(event, &world.status).await;
            clean("an answer", &format!("{answer:?}")).unwrap();
            true
        }
        (Work::Control(_) | Work::Look, None) => true,
    }
}

async fn post(world: &World, owner: &Mutex<Owner>, posted: &Posted) -> bool {
    let mut event = World::http(
        "POST",
        &format!("{APP_PATH}/{}", posted.operation),
        Some(&posted.body),
    );
    // Remembered for a day: the client repeats for longer than the ten minutes of a mere id of its
    // request.
    event
        .headers
        .insert("idempotency-key", "request-1".parse().unwrap());
    let answer = crate::described::create(event, &world.create).await;
    clean("an answer", &format!("{answer:?}")).unwrap();
    if answer.status_code != 202 {
        assert_eq!(answer.status_code, 503, "{answer:?}");
        return false;
    }
    let id = JobId::parse(body_of(&answer)["id"].as_str().unwrap()).unwrap();
    let key = JobKey {
        scope: World::scope(),
        id,
    };
    let mut owner = owner.lock().unwrap();
    assert!(
        owner.job.as_ref().is_none_or(|earlier| *earlier == key),
        "one request made two jobs"
    );
    owner.job = Some(key);
    true
}
