//! The lists of apps' jobs in the exports table.

use std::cmp::Ordering;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::AppScope;
use domain::job::{JobId, JobKey, Outcome, PhaseName, State};
use domain::selection::ExportType;
use futures::future::try_join_all;
use ports::store::{JobLists, Jobs, Listed, Page, SortKey, StoreError};
use time::OffsetDateTime;

use super::{DynamoStore, corrupt, read_item, store_error};
use crate::items::{JobRow, unreadable};
use crate::keys::{self, ItemKey};

#[async_trait]
impl JobLists for DynamoStore {
    async fn jobs(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Listed, StoreError> {
        let mut ids = match page.sort {
            SortKey::Id | SortKey::Created => self.ids_in_order(scope, page, now).await?,
            SortKey::State | SortKey::Completed | SortKey::ErrorDetails => {
                self.ids_sorted(scope, page, now).await?
            }
        };
        let more = ids.len() > page.top;
        ids.truncate(page.top);
        let job = async |id| {
            let scope = scope.clone();
            self.job(&JobKey { scope, id }, now).await
        };
        let jobs = try_join_all(ids.into_iter().map(job)).await?;
        Ok(Listed {
            jobs: jobs.into_iter().flatten().collect(),
            more,
        })
    }
}

impl DynamoStore {
    /// The page's ids and one more, in the order of ids, which is that of creation.
    async fn ids_in_order(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut ids = Vec::new();
        self.each_row(scope, page, now, |row| {
            ids.push(row.id);
            ids.len() <= page.skip + page.top
        })
        .await?;
        ids.drain(..page.skip.min(ids.len()));
        Ok(ids)
    }

    /// The page's ids and one more, in an order that no key has: all of the app's rows are read.
    async fn ids_sorted(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut rows = Vec::new();
        self.each_row(scope, page, now, |row| {
            rows.push(row);
            true
        })
        .await?;
        rows.sort_by(|one, other| {
            let order = one.compare(other, page.sort);
            if page.descending {
                order.reverse()
            } else {
                order
            }
        });
        let rows = rows.into_iter().skip(page.skip).take(page.top + 1);
        Ok(rows.map(|row| row.id).collect())
    }

    /// Shows every row of the app's jobs that are not forgotten, and are wanted, to `visit`, until that
    /// returns false.
    async fn each_row(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
        mut visit: impl FnMut(Row) -> bool + Send,
    ) -> Result<(), StoreError> {
        let partition = app_jobs(scope);
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(!page.descending)
            .key_condition_expression("pk = :pk AND begins_with(sk, :job)")
            .filter_expression("#ttl > :now")
            .projection_expression("v, job, phase, export_type, created, outcome, ended")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":pk", AttributeValue::S(partition.pk.clone()))
            .expression_attribute_values(":job", AttributeValue::S(keys::JOB_PREFIX.to_owned()))
            .expression_attribute_values(
                ":now",
                AttributeValue::N(now.unix_timestamp().to_string()),
            )
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items
            .try_next()
            .await
            .map_err(|error| store_error(&partition, error))?
        {
            let row = Row::try_from(read_item::<JobRow>(&partition, item)?);
            let row = row.map_err(|reason| corrupt(&partition, reason))?;
            let is_wanted = page.wanted.fits(row.state, row.export_type, row.created);
            if is_wanted && !visit(row) {
                break;
            }
        }
        Ok(())
    }
}

fn app_jobs(scope: &AppScope) -> ItemKey {
    ItemKey {
        pk: keys::app_partition(scope),
        sk: String::new(),
    }
}

/// What a job is looked for and sorted by; equal ones by id.
struct Row {
    id: JobId,
    state: State,
    export_type: ExportType,
    created: OffsetDateTime,
    ended: Option<OffsetDateTime>,
    details: Option<String>,
}

impl TryFrom<JobRow> for Row {
    type Error = String;

    fn try_from(row: JobRow) -> Result<Self, String> {
        let phase = PhaseName::from_name(&row.phase);
        let outcome = row.outcome.map(Outcome::from);
        let details = row.ended.and(outcome.as_ref().and_then(Outcome::details));
        Ok(Self {
            id: JobId::parse(&row.job).ok_or_else(|| unreadable("job", &row.job))?,
            state: phase
                .ok_or_else(|| unreadable("phase", &row.phase))?
                .state(),
            export_type: ExportType::from_name(&row.export_type)
                .ok_or_else(|| unreadable("export_type", &row.export_type))?,
            created: row.created,
            details: details.map(str::to_owned),
            ended: row.ended,
        })
    }
}

impl Row {
    fn compare(&self, other: &Self, sort: SortKey) -> Ordering {
        let order = match sort {
            SortKey::Id | SortKey::Created => Ordering::Equal,
            SortKey::State => self.state.name().cmp(other.state.name()),
            SortKey::Completed => absent_last(self.ended.as_ref(), other.ended.as_ref()),
            SortKey::ErrorDetails => absent_last(self.details.as_ref(), other.details.as_ref()),
        };
        order.then_with(|| self.id.cmp(&other.id))
    }
}

fn absent_last<T: Ord>(one: Option<&T>, other: Option<&T>) -> Ordering {
    one.is_none()
        .cmp(&other.is_none())
        .then_with(|| one.cmp(&other))
}
