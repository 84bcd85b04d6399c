//! A source of nothing.

use std::marker::PhantomData;

use async_trait::async_trait;
use domain::app::AppScope;
use domain::job::PlanCursor;
use domain::listing::Listing;
use futures::stream::{self, BoxStream, StreamExt};
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};

/// A lake or a registry that is not asked, or has no row.
pub struct NoRows<S, P>(PhantomData<(S, P)>);

impl<S, P> Default for NoRows<S, P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

#[async_trait]
impl<S: Send + Sync, P: Send + Sync> Source for NoRows<S, P> {
    type Selected = S;
    type Part = P;

    async fn plan(
        &self,
        _: &AppScope,
        _: &S,
        _: Option<&PlanCursor>,
        _: usize,
        _: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        Ok(PlanPage {
            chunks: Vec::new(),
            next: None,
            missing: Vec::new(),
            found: Listing::default(),
        })
    }

    fn read(&self, _: &[P], _: &S) -> BoxStream<'static, Result<Piece, SourceError>> {
        stream::empty().boxed()
    }
}
