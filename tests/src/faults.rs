//! Faults below the real adapters: at the n-th call to the table, the container or the source, in
//! any function.

pub(crate) mod container;
pub(crate) mod sealer;
pub(crate) mod source;
pub(crate) mod table;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use time::Duration;
use tokio::sync::Notify;

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before the call goes out.
    CrashBefore,
    /// The process dies after the call has done its work.
    CrashAfter,
    /// The call is refused for now: a throttle, a 503.
    Refused,
    /// The call does its work, but its answer is lost.
    AnswerLost,
    /// The caller gives up waiting; the call does its work later.
    Late,
    /// What is sent arrives damaged, what is read ends early.
    Damaged,
    /// The process stands still before the call goes out, until it is woken.
    Stall,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// The exports table.
    Table,
    /// A block to be staged.
    Stage,
    /// A block list to be committed.
    Commit,
    /// The lake or the registry.
    Source,
    /// The key service.
    Seal,
    /// A call whose caller waits no longer.
    Late,
}

/// A process: one invocation of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    pub(crate) id: u64,
    /// How far its clock is off.
    pub(crate) skew: Duration,
}

tokio::task_local! {
    /// The process that the present task runs.
    pub(crate) static PROCESS: Process;
}

/// How far the clock of the present process is off.
pub(crate) fn skew() -> Duration {
    PROCESS.try_with(|process| process.skew).unwrap_or_default()
}

/// Decides what happens at each call, in place of one armed fault.
#[async_trait]
pub(crate) trait Director: Send + Sync {
    /// Lets the call wait for its turn, and says what happens to it then.
    async fn decide(&self, process: Option<u64>, call: Call) -> Option<Fault>;
}

/// Counts all calls and plays one fault at one of them, or does as a director says. Clones share
/// the count.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    state: Arc<State>,
    /// The process that calls, where a task of its own does it.
    process: Option<u64>,
}

#[derive(Default)]
struct State {
    director: OnceLock<Arc<dyn Director>>,
    calls: AtomicUsize,
    storage_calls: AtomicUsize,
    armed: Mutex<Option<(usize, Fault)>>,
    refusing: Mutex<Option<Call>>,
    crashed: Notify,
    stalled: Notify,
    woken: Notify,
}

impl Faults {
    /// Plays the fault at the n-th call from now on, counted from 0.
    pub(crate) fn arm(&self, call: usize, fault: Fault) {
        self.state.calls.store(0, Ordering::SeqCst);
        *self
            .state
            .armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some((call, fault));
    }

    /// Refuses every call of a kind, until told otherwise.
    pub(crate) fn refuse(&self, calls: Option<Call>) {
        *self
            .state
            .refusing
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = calls;
    }

    /// How many calls of the clients' storage there were, those that were refused included.
    pub(crate) fn storage_calls(&self) -> usize {
        self.state.storage_calls.load(Ordering::SeqCst)
    }

    /// Whether an armed fault has not been played.
    pub(crate) fn is_armed(&self) -> bool {
        self.state
            .armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Runs a function as a process that may die; `None` when it did.
    pub(crate) async fn survive<T>(&self, function: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            answer = function => Some(answer),
            () = self.state.crashed.notified() => None,
        }
    }

    /// Waits until a process stands still.
    pub(crate) async fn stalled(&self) {
        self.state.stalled.notified().await;
    }

    /// Lets the process that stands still go on.
    pub(crate) fn wake(&self) {
        self.state.woken.notify_one();
    }

    async fn stall(&self) {
        self.state.stalled.notify_one();
        self.state.woken.notified().await;
    }

    /// Hands every decision over, for good.
    pub(crate) fn direct(&self, director: Arc<dyn Director>) {
        assert!(
            self.state.director.set(director).is_ok(),
            "there is a director already"
        );
    }

    /// The faults of the calls that tasks of the present process will make.
    fn of_present_process(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            process: present_process(),
        }
    }

    async fn next(&self, what: Call) -> Option<Fault> {
        if matches!(what, Call::Stage | Call::Commit) {
            self.state.storage_calls.fetch_add(1, Ordering::SeqCst);
        }
        match self.state.director.get() {
            Some(director) => {
                director
                    .decide(self.process.or_else(present_process), what)
                    .await
            }
            None => self.armed(what),
        }
    }

    fn armed(&self, what: Call) -> Option<Fault> {
        if *self
            .state
            .refusing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            == Some(what)
        {
            return Some(Fault::Refused);
        }
        let call = self.state.calls.fetch_add(1, Ordering::SeqCst);
        let mut armed = self
            .state
            .armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        armed.take_if(|(at, _)| *at == call).map(|(_, fault)| fault)
    }

    async fn crash<T>(&self) -> T {
        if self.state.director.get().is_none() {
            self.state.crashed.notify_one();
        }
        std::future::pending().await
    }

    /// Lets a call do its work when its caller waits no longer.
    fn make_late<T>(&self, call: impl Future<Output = T> + Send + 'static) {
        let faults = self.clone();
        tokio::spawn(async move {
            faults.next(Call::Late).await;
            call.await;
        });
    }

    /// Makes a call, with the fault that is due.
    async fn call<T, E>(
        &self,
        what: Call,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
        refused: impl Fn(Fault) -> E,
    ) -> Result<T, E> {
        match self.next(what).await {
            None => call.await,
            Some(Fault::CrashBefore) => self.crash().await,
            Some(Fault::CrashAfter) => {
                drop(call.await);
                self.crash().await
            }
            Some(Fault::Stall) => {
                self.stall().await;
                call.await
            }
            Some(fault @ (Fault::Refused | Fault::Damaged)) => Err(refused(fault)),
            Some(fault @ Fault::AnswerLost) => {
                drop(call.await);
                Err(refused(fault))
            }
            Some(fault @ Fault::Late) => {
                self.make_late(call);
                Err(refused(fault))
            }
        }
    }
}

fn present_process() -> Option<u64> {
    PROCESS.try_with(|process| process.id).ok()
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faults")
    }
}

/// A socket that holds a port of this machine and does not listen: whoever connects is refused, and
/// nobody else can take the port meanwhile.
pub(crate) fn deaf_socket() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket
        .bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))
        .unwrap();
    socket
}
