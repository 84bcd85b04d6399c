//! Up to which of an app's jobs there may be some without a row.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::AppScope;
use domain::job::JobId;
use futures::future::try_join;
use ports::store::StoreError;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::{DynamoStore, each};
use crate::items::{FIRST_WITH_ROWS, MarkItem, unreadable};
use crate::keys;
use crate::{Condition, Write};

/// How long a mark is kept: as long as any job may be (`JOB_RETENTION_DAYS`).
const KEPT: Duration = Duration::days(3_650);

/// Which job it is, and of which layout.
#[derive(Debug, Deserialize)]
pub(super) struct JobHead {
    v: u32,
    job: String,
}

impl JobHead {
    pub(super) fn id(&self) -> Result<JobId, String> {
        JobId::parse(&self.job).ok_or_else(|| unreadable("job", &self.job))
    }
}

/// What is known of an app's jobs without rows.
struct Known {
    /// The newest job, when it has no row.
    newest: Option<JobId>,
    /// Whether the app has any job.
    has_jobs: bool,
    /// The last mark: up to this job there may be some without. The nil id is no job's: there was
    /// none.
    marked: Option<JobId>,
}

impl DynamoStore {
    /// The last of the app's jobs that may have no row; none when all have.
    pub(super) async fn last_rowless(&self, scope: &AppScope) -> Result<Option<JobId>, StoreError> {
        let known = self.known(scope).await?;
        Ok(match (known.newest, known.marked) {
            (Some(newest), marked) => Some(marked.map_or(newest, |marked| marked.max(newest))),
            (None, Some(marked)) => Some(marked).filter(|&marked| marked != JobId::NIL),
            // No job was created since there are rows.
            (None, None) => known.has_jobs.then_some(JobId::MAX),
        })
    }

    /// The mark that goes with a new job, unless what it says is marked already. A job that an older
    /// version stores at this very moment is found by the next creation; and whatever moves it writes
    /// its row.
    pub(crate) async fn mark_write(
        &self,
        scope: &AppScope,
        now: OffsetDateTime,
    ) -> Result<Option<Write>, StoreError> {
        let known = self.known(scope).await?;
        let last = known.newest.unwrap_or(JobId::NIL);
        if known.marked.is_some_and(|marked| marked >= last) {
            return Ok(None);
        }
        let (key, item) = (keys::mark(scope, last), MarkItem::new(now + KEPT));
        self.write(key, item, Condition::Always).map(Some)
    }

    async fn known(&self, scope: &AppScope) -> Result<Known, StoreError> {
        let (newest, marked) = try_join(self.newest_job(scope), self.last_mark(scope)).await?;
        Ok(Known {
            has_jobs: newest.is_some(),
            newest: newest.and_then(|(id, layout)| (layout < FIRST_WITH_ROWS).then_some(id)),
            marked,
        })
    }

    /// The app's newest job, forgotten or not, and its layout. A newer layout than this version knows
    /// is as good as this one's: its job has a row.
    async fn newest_job(&self, scope: &AppScope) -> Result<Option<(JobId, u32)>, StoreError> {
        let mut newest = None;
        let partition = keys::app_partition(scope);
        let query = self.last_of(&partition, keys::JOB_PREFIX);
        let found = each(
            query.projection_expression("v, job"),
            &partition,
            |head: JobHead| {
                newest = Some((head.id()?, head.v));
                Ok(false)
            },
        );
        match found.await {
            Err(StoreError::Newer { layout, .. }) => Ok(Some((JobId::NIL, layout))),
            found => found.map(|()| newest),
        }
    }

    async fn last_mark(&self, scope: &AppScope) -> Result<Option<JobId>, StoreError> {
        let mut last = None;
        let partition = keys::rows_partition(scope);
        each(
            self.last_of(&partition, keys::MARK_PREFIX),
            &partition,
            |mark: MarkItem| {
                last = Some(mark.job()?);
                Ok(false)
            },
        )
        .await?;
        Ok(last)
    }

    /// The last item whose sort key begins so.
    fn last_of(&self, partition: &str, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()))
    }
}
