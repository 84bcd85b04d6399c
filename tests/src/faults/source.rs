//! A source whose calls meet the faults.

use std::sync::Arc;

use async_trait::async_trait;
use domain::app::AppScope;
use domain::job::PlanCursor;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};

use super::{Call, Fault, Faults};

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
