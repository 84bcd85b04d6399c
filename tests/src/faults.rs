//! Faults below the real adapters: at the n-th call to the table, the container or the source, in any function.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use shared::app::AppScope;
use shared::chunk::ChunkSource;
use shared::container::{BlobName, BlockId, Container, ContainerAccess, ContainerError, Containers};
use shared::job::PlanCursor;
use shared::selection::ExportRequest;
use shared::source::{Piece, PlanPage, Source, SourceError};
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
}

/// Counts all calls and plays one fault at one of them. Clones share the count.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<State>);

#[derive(Default)]
struct State {
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
        self.0.calls.store(0, Ordering::SeqCst);
        *self.0.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some((call, fault));
    }

    /// Refuses every call of a kind, until told otherwise.
    pub(crate) fn refuse(&self, calls: Option<Call>) {
        *self.0.refusing.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    /// How many calls of the clients' storage there were, those that were refused included.
    pub(crate) fn storage_calls(&self) -> usize {
        self.0.storage_calls.load(Ordering::SeqCst)
    }

    /// Whether an armed fault has not been played.
    pub(crate) fn is_armed(&self) -> bool {
        self.0.armed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Runs a function as a process that may die; `None` when it did.
    pub(crate) async fn survive<T>(&self, function: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            answer = function => Some(answer),
            () = self.0.crashed.notified() => None,
        }
    }

    /// Waits until a process stands still.
    pub(crate) async fn stalled(&self) {
        self.0.stalled.notified().await;
    }

    /// Lets the process that stands still go on.
    pub(crate) fn wake(&self) {
        self.0.woken.notify_one();
    }

    async fn stall(&self) {
        self.0.stalled.notify_one();
        self.0.woken.notified().await;
    }

    fn next(&self, what: Call) -> Option<Fault> {
        if matches!(what, Call::Stage | Call::Commit) {
            self.0.storage_calls.fetch_add(1, Ordering::SeqCst);
        }
        if *self.0.refusing.lock().unwrap_or_else(PoisonError::into_inner) == Some(what) {
            return Some(Fault::Refused);
        }
        let call = self.0.calls.fetch_add(1, Ordering::SeqCst);
        let mut armed = self.0.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.take_if(|(at, _)| *at == call).map(|(_, fault)| fault)
    }

    async fn crash<T>(&self) -> T {
        self.0.crashed.notify_one();
        std::future::pending().await
    }

    /// Makes a call, with the fault that is due.
    async fn call<T, E>(
        &self,
        what: Call,
        call: impl Future<Output = Result<T, E>>,
        refused: impl Fn() -> E,
    ) -> Result<T, E> {
        match self.next(what) {
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
            Some(Fault::Refused) => Err(refused()),
            Some(Fault::AnswerLost) => {
                drop(call.await);
                Err(refused())
            }
        }
    }
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
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(FaultyConnector { faults: self.faults.clone(), inner })
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
            match faults.next(Call::Table) {
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
                Some(Fault::Refused) => Ok(throttled()),
                Some(Fault::AnswerLost) => {
                    drop(inner.call(request).await);
                    Err(ConnectorError::io("connection reset".into()))
                }
            }
        })
    }
}

/// DynamoDB's answer to a request over the table's throughput.
fn throttled() -> HttpResponse {
    let body =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
    let mut response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}

/// Containers whose calls meet the faults.
pub(crate) struct FaultyContainers<C> {
    pub(crate) faults: Faults,
    pub(crate) inner: C,
}

impl<C: Containers> Containers for FaultyContainers<C> {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(FaultyContainer { faults: self.faults.clone(), inner: self.inner.open(access)? }))
    }
}

struct FaultyContainer {
    faults: Faults,
    inner: Arc<dyn Container>,
}

fn no_answer() -> ContainerError {
    ContainerError::Unavailable { reason: "503".to_owned() }
}

#[async_trait]
impl Container for FaultyContainer {
    async fn stage_block(&self, blob: &BlobName, block: BlockId, data: Bytes) -> Result<(), ContainerError> {
        self.faults.call(Call::Stage, self.inner.stage_block(blob, block, data), no_answer).await
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        self.faults.call(Call::Commit, self.inner.commit_blocks(blob, blocks, content_type), no_answer).await
    }
}

/// A source whose calls meet the faults; a read meets them before its first piece.
pub(crate) struct FaultySource {
    pub(crate) faults: Faults,
    pub(crate) inner: Arc<dyn Source>,
}

fn source_busy() -> SourceError {
    SourceError::Unavailable { object: "the source".to_owned(), reason: "503".to_owned() }
}

#[async_trait]
impl Source for FaultySource {
    async fn plan(
        &self,
        scope: &AppScope,
        request: &ExportRequest,
        cursor: Option<&PlanCursor>,
        limit: usize,
    ) -> Result<PlanPage, SourceError> {
        self.faults.call(Call::Source, self.inner.plan(scope, request, cursor, limit), source_busy).await
    }

    fn read(&self, chunk: &ChunkSource, request: &ExportRequest) -> BoxStream<'static, Result<Piece, SourceError>> {
        let (faults, inner) = (self.faults.clone(), self.inner.read(chunk, request));
        let gate = async move { faults.call(Call::Source, async { Ok(()) }, source_busy).await };
        futures::stream::once(gate)
            .flat_map(move |gate| match gate {
                Ok(()) => futures::stream::empty().boxed(),
                Err(error) => futures::stream::once(async { Err(error) }).boxed(),
            })
            .chain(inner)
            .boxed()
    }
}
