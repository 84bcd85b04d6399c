//! A source that is not quite the one below it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::app::AppScope;
use domain::job::PlanCursor;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};

/// A source that plans fewer chunks at once than it is asked for, and reads other pieces.
pub(crate) struct Altered<S, P> {
    pub(crate) inner: Arc<dyn Source<Selected = S, Part = P>>,
    /// The most chunks on a page of a plan.
    pub(crate) page: usize,
    /// What becomes of a piece.
    pub(crate) piece: fn(Piece) -> Piece,
}

#[async_trait]
impl<S: Send + Sync, P: Send + Sync> Source for Altered<S, P> {
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
        self.inner
            .plan(scope, selected, cursor, limit.min(self.page), unanswered)
            .await
    }

    fn read(&self, parts: &[P], selected: &S) -> BoxStream<'static, Result<Piece, SourceError>> {
        self.inner.read(parts, selected).map_ok(self.piece).boxed()
    }
}
