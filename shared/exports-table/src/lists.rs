//! The lists of apps' jobs in the exports table.
//!
//! Beside each job stands a row, which is thin and says what lists are filtered and sorted by. A job
//! that only an older version wrote has none: up to the newest of these, jobs are read themselves
//! ([ADR 13](../../../docs/adr/0013-rows.md)).

mod older;
mod row;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::AppScope;
use domain::job::{Job, JobId, JobKey};
use futures::future::try_join_all;
use ports::store::{JobLists, Jobs, Listed, Page, SortKey, StoreError, Wanted};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use self::row::Row;
use super::{Condition, DynamoStore, WRITE_ID, Write, corrupt, read_item, store_error};
use crate::items::{JobRow, RowItem};
use crate::keys::{self, ItemKey};

/// Up to so many jobs are read one after the other in the order of their keys; beyond, it is cheaper
/// to read rows.
const MOST_IN_ORDER: usize = 200;

#[async_trait]
impl JobLists for DynamoStore {
    async fn jobs(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Listed, StoreError> {
        let is_by_id = matches!(page.sort, SortKey::Id | SortKey::Created);
        let is_near = page.skip.saturating_add(page.top) <= MOST_IN_ORDER;
        let mut ids = if is_by_id && is_near && page.wanted == Wanted::default() {
            self.ids_in_order(scope, page, now).await?
        } else {
            self.ids_of_rows(scope, page, now).await?
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
    /// The row of a job, where it must be written together with the job: where there is none yet, or
    /// the job comes into another state. Asked before the job counts as written.
    pub(super) fn row_write(&self, job: &Job) -> Result<Option<Write>, StoreError> {
        if !job.needs_row() {
            return Ok(None);
        }
        let mut write = self.write(keys::row(&job.key), RowItem::from(job), Condition::Always)?;
        // It is the job beside it that a writer whose answer was lost looks at.
        write.item.remove(WRITE_ID);
        Ok(Some(write))
    }

    /// The page's ids and one more, in the order of ids, which is that of creation.
    async fn ids_in_order(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Vec<JobId>, StoreError> {
        let partition = keys::app_partition(scope);
        let query = self.query(&partition, "begins_with(sk, :sk)", keys::JOB_PREFIX, now);
        let query = query.scan_index_forward(!page.descending);
        let mut ids = Vec::new();
        let most = page.skip + page.top;
        each(
            query.projection_expression("v, job"),
            &partition,
            |job: older::JobHead| {
                ids.push(job.id()?);
                Ok(ids.len() <= most)
            },
        )
        .await?;
        ids.drain(..page.skip.min(ids.len()));
        Ok(ids)
    }

    /// The page's ids and one more, in any order, of those that are wanted: all of the app's rows are
    /// read.
    async fn ids_of_rows(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Vec<JobId>, StoreError> {
        // First the jobs without a row: one that gets a row meanwhile is in both.
        let rowless = self.rowless(scope, now).await?;
        let mut rows: BTreeMap<JobId, Row> = rowless.into_iter().map(|row| (row.id, row)).collect();
        let partition = keys::rows_partition(scope);
        let query = self.query(&partition, "begins_with(sk, :sk)", keys::ROW_PREFIX, now);
        each(query, &partition, |item: RowItem| {
            let row = Row::try_from(item)?;
            rows.insert(row.id, row);
            Ok(true)
        })
        .await?;
        let mut rows: Vec<Row> = rows
            .into_values()
            .filter(|row| row.is_among(&page.wanted))
            .collect();
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

    /// The jobs without a row that there may be, as rows.
    async fn rowless(&self, scope: &AppScope, now: OffsetDateTime) -> Result<Vec<Row>, StoreError> {
        let Some(last) = self.last_rowless(scope).await? else {
            return Ok(Vec::new());
        };
        let partition = keys::app_partition(scope);
        let query = self
            .query(
                &partition,
                "sk BETWEEN :sk AND :last",
                keys::JOB_PREFIX,
                now,
            )
            .expression_attribute_values(":last", AttributeValue::S(keys::job_sort(last)))
            .projection_expression("v, job, phase, export_type, created, outcome, ended");
        let mut rows = Vec::new();
        each(query, &partition, |job: JobRow| {
            if !job.has_row() {
                rows.push(Row::try_from(job)?);
            }
            Ok(true)
        })
        .await?;
        Ok(rows)
    }

    /// A consistent query for items that are not forgotten; `condition` is on `sk`, with `:sk`.
    fn query(
        &self,
        partition: &str,
        condition: &str,
        sort: &str,
        now: OffsetDateTime,
    ) -> QueryFluentBuilder {
        let seconds = AttributeValue::N(now.unix_timestamp().to_string());
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression(format!("pk = :pk AND {condition}"))
            .filter_expression("#ttl > :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":sk", AttributeValue::S(sort.to_owned()))
            .expression_attribute_values(":now", seconds)
    }
}

/// Shows every item to `visit`, page by page, until that returns false or says what is wrong with it.
async fn each<T: DeserializeOwned>(
    query: QueryFluentBuilder,
    partition: &str,
    mut visit: impl FnMut(T) -> Result<bool, String> + Send,
) -> Result<(), StoreError> {
    let partition = ItemKey {
        pk: partition.to_owned(),
        sk: String::new(),
    };
    let mut items = query.into_paginator().items().send();
    while let Some(item) = items
        .try_next()
        .await
        .map_err(|error| store_error(&partition, error))?
    {
        let item = read_item(&partition, item)?;
        if !visit(item).map_err(|reason| corrupt(&partition, reason))? {
            break;
        }
    }
    Ok(())
}
