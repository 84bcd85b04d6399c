//! A source that is not quite the one below it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::app::AppScope;
use domain::chunk::ChunkSource;
use domain::job::PlanCursor;
use domain::selection::ExportRequest;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use ports::source::{Piece, PlanPage, Source, SourceError};

/// A source that plans fewer chunks at once than it is asked for, and reads other pieces.
pub(crate) struct Altered {
    pub(crate) inner: Arc<dyn Source>,
    /// The most chunks on a page of a plan.
    pub(crate) page: usize,
    /// What becomes of a piece.
    pub(crate) piece: fn(Piece) -> Piece,
}

#[async_trait]
impl Source for Altered {
    async fn plan(
        &self,
        scope: &AppScope,
        request: &ExportRequest,
        cursor: Option<&PlanCursor>,
        limit: usize,
    ) -> Result<PlanPage, SourceError> {
        self.inner
            .plan(scope, request, cursor, limit.min(self.page))
            .await
    }

    fn read(
        &self,
        chunk: &ChunkSource,
        request: &ExportRequest,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        self.inner.read(chunk, request).map_ok(self.piece).boxed()
    }
}
