//! Faults below the real adapters: at the n-th call to the table, the container or the source, in
//! any function.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use domain::app::AppScope;
use domain::container::{BlobName, BlockId, ContainerAccess};
use domain::job::{JobId, PlanCursor, SealedCredential};
use domain::secret::Secret;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use ports::container::{Container, ContainerError, Containers};
use ports::seal::{SealError, Sealer};
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};
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

/// An HTTP client for the SDK whose calls meet the faults.
#[derive(Debug)]
pub(crate) struct FaultyHttp {
    pub(crate) faults: Faults,
    pub(crate) inner: SharedHttpClient,
}

impl HttpClient for FaultyHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(FaultyConnector {
            faults: self.faults.clone(),
            inner,
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    faults: Faults,
    inner: SharedHttpConnector,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (faults, inner) = (self.faults.clone(), self.inner.clone());
        HttpConnectorFuture::new(async move {
            match faults.next(Call::Table).await {
                None => inner.call(request).await,
                Some(Fault::CrashBefore) => faults.crash().await,
                Some(Fault::CrashAfter) => {
                    drop(inner.call(request).await);
                    faults.crash().await
                }
                Some(Fault::Stall) => {
                    faults.stall().await;
                    inner.call(request).await
                }
                Some(Fault::Refused | Fault::Damaged) => Ok(throttled()),
                Some(Fault::AnswerLost) => {
                    drop(inner.call(request).await);
                    Err(ConnectorError::io("connection reset".into()))
                }
                Some(Fault::Late) => {
                    faults.make_late(async move { inner.call(request).await });
                    Err(ConnectorError::timeout("no answer in time".into()))
                }
            }
        })
    }
}

/// DynamoDB's answer to a request over the table's throughput.
fn throttled() -> HttpResponse {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
    let mut response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    response
}

/// Containers whose calls meet the faults.
pub(crate) struct FaultyContainers<C> {
    pub(crate) faults: Faults,
    pub(crate) inner: C,
}

impl<C: Containers> Containers for FaultyContainers<C> {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(FaultyContainer {
            faults: self.faults.of_present_process(),
            inner: self.inner.open(access)?,
        }))
    }
}

struct FaultyContainer {
    faults: Faults,
    inner: Arc<dyn Container>,
}

fn no_answer(fault: Fault) -> ContainerError {
    let reason = "503".to_owned();
    if fault == Fault::Damaged {
        ContainerError::Damaged { code: reason }
    } else {
        ContainerError::unavailable(reason)
    }
}

#[async_trait]
impl Container for FaultyContainer {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        let (inner, blob) = (Arc::clone(&self.inner), blob.clone());
        let call = async move { inner.stage_block(&blob, block, data).await };
        self.faults.call(Call::Stage, call, no_answer).await
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        let (inner, blob, blocks) = (Arc::clone(&self.inner), blob.clone(), blocks.to_vec());
        let content_type = content_type.to_owned();
        let call = async move { inner.commit_blocks(&blob, &blocks, &content_type).await };
        self.faults.call(Call::Commit, call, no_answer).await
    }
}

/// A key service whose calls meet the faults.
pub(crate) struct FaultySealer {
    pub(crate) faults: Faults,
    pub(crate) inner: Arc<dyn Sealer>,
}

fn no_keys(_: Fault) -> SealError {
    SealError::Unavailable {
        cause: "503".into(),
    }
}

#[async_trait]
impl Sealer for FaultySealer {
    async fn seal(&self, job: JobId, credential: &Secret) -> Result<SealedCredential, SealError> {
        let (inner, credential) = (Arc::clone(&self.inner), credential.clone());
        self.faults
            .call(
                Call::Seal,
                async move { inner.seal(job, &credential).await },
                no_keys,
            )
            .await
    }

    async fn open(&self, job: JobId, sealed: &SealedCredential) -> Result<Secret, SealError> {
        let (inner, sealed) = (Arc::clone(&self.inner), sealed.clone());
        self.faults
            .call(
                Call::Seal,
                async move { inner.open(job, &sealed).await },
                no_keys,
            )
            .await
    }
}

/// A source whose calls meet the faults; a read meets them before its first piece.
pub(crate) struct FaultySource<S, P> {
    pub(crate) faults: Faults,
    pub(crate) inner: Arc<dyn Source<Selected = S, Part = P>>,
}

fn source_busy(_: Fault) -> SourceError {
    SourceError::Unavailable {
        object: "the source".to_owned(),
        cause: "503".into(),
    }
}

#[async_trait]
impl<S, P> Source for FaultySource<S, P>
where
    S: Clone + Send + Sync + 'static,
    P: Send + Sync + 'static,
{
    type Selected = S;
    type Part = P;

    async fn plan(
        &self,
        scope: &AppScope,
        selected: &S,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        let (inner, scope, selected, cursor) = (
            Arc::clone(&self.inner),
            scope.clone(),
            selected.clone(),
            cursor.cloned(),
        );
        let call = async move {
            inner
                .plan(&scope, &selected, cursor.as_ref(), limit, unanswered)
                .await
        };
        self.faults.call(Call::Source, call, source_busy).await
    }

    fn read(&self, parts: &[P], selected: &S) -> BoxStream<'static, Result<Piece, SourceError>> {
        let (faults, inner) = (
            self.faults.of_present_process(),
            self.inner.read(parts, selected),
        );
        let stream = async move {
            let broken = faults
                .call(Call::Source, async { Ok(()) }, |fault| fault)
                .await
                .err();
            let pieces = match broken {
                None => inner,
                Some(Fault::Damaged) => inner.take(1).boxed(),
                Some(_) => futures::stream::empty().boxed(),
            };
            pieces.chain(futures::stream::iter(
                broken.map(|fault| Err(source_busy(fault))),
            ))
        };
        stream.flatten_stream().boxed()
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
