//! Where every call to the table, a container or the source waits until the scheduler lets it
//! through.

use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::faults::{Call, Director, Fault};

/// The calls that wait.
#[derive(Default)]
pub(crate) struct Turnstile(Mutex<Vec<Waiting>>);

/// A call that waits.
pub(crate) struct Waiting {
    /// The process that calls; absent when it waits no longer for the answer.
    pub(crate) process: Option<u64>,
    pub(crate) what: Call,
    go: oneshot::Sender<Option<Fault>>,
}

impl Waiting {
    /// Lets the call through, with a fault or without.
    pub(crate) fn go(self, fault: Option<Fault>) {
        // A process that died meanwhile hears nothing.
        self.go.send(fault).ok();
    }
}

impl Turnstile {
    /// Takes those calls out whose process still lives.
    pub(crate) fn take(&self) -> Vec<Waiting> {
        let mut waiting = std::mem::take(&mut *self.0.lock().unwrap());
        waiting.retain(|call| !call.go.is_closed());
        waiting
    }

    /// Puts back those that go on waiting, in front of those that have come meanwhile.
    pub(crate) fn put_back(&self, mut calls: Vec<Waiting>) {
        let mut waiting = self.0.lock().unwrap();
        calls.append(&mut waiting);
        *waiting = calls;
    }
}

#[async_trait]
impl Director for Turnstile {
    async fn decide(&self, process: Option<u64>, what: Call) -> Option<Fault> {
        let (go, turn) = oneshot::channel();
        self.0.lock().unwrap().push(Waiting { process, what, go });
        turn.await.unwrap_or_default()
    }
}
