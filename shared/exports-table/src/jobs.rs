//! Jobs and their lists in the exports table.

use std::cmp::Ordering;
use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use domain::app::AppScope;
use domain::job::{Job, JobId, JobKey, Outcome, Phase, PhaseName};
use domain::tally::Tally;
use futures::future::try_join_all;
use ports::store::{JobLists, Jobs, Listed, Page, SortKey, StoreError, WaitingJobs};
use time::OffsetDateTime;

use super::{Condition, DynamoStore, corrupt, key_attributes, read_item, store_error};
use crate::items::{JobItem, JobRow, TallyItem, WaitingItem, unreadable};
use crate::keys::{self, ItemKey};

#[async_trait]
impl Jobs for DynamoStore {
    async fn job(&self, key: &JobKey, now: OffsetDateTime) -> Result<Option<Job>, StoreError> {
        let item_key = keys::job(key);
        let Some(item) = self.get_as::<JobItem>(&item_key).await? else {
            return Ok(None);
        };
        let job = Job::try_from(item).map_err(|reason| corrupt(&item_key, reason))?;
        Ok(Some(job).filter(|job| now < job.expires))
    }

    async fn put_job(&self, job: Job) -> Result<Job, StoreError> {
        let condition = Condition::of_revision(job.revision);
        let job = job.written();
        let write = self.write(keys::job(&job.key), JobItem::from(&job), condition)?;
        if matches!(job.phase, Phase::AwaitingCredential { .. }) {
            let waiting = self.write(
                keys::waiting(job.key.id),
                WaitingItem::from(&job),
                Condition::Always,
            )?;
            self.transact(&[write, waiting], Vec::new()).await?;
        } else {
            self.put(write).await?;
        }
        Ok(job)
    }

    async fn tally(&self, job: &Job) -> Result<Tally, StoreError> {
        let shard_tally = async |shard| {
            let item: Option<TallyItem> = self.get_as(&keys::tally(job.key.id, shard)).await?;
            Ok(item.map(Tally::from).unwrap_or_default())
        };
        Ok(try_join_all((0..job.shards).map(shard_tally))
            .await?
            .into_iter()
            .sum())
    }
}

#[async_trait]
impl WaitingJobs for DynamoStore {
    /// All entries of the older version come with the first page.
    async fn waiting(&self, after: Option<&JobKey>) -> Result<Vec<JobKey>, StoreError> {
        let mut jobs = if after.is_none() {
            self.old_waiting().await?
        } else {
            Vec::new()
        };
        let after = after.map_or_else(
            || keys::BEFORE_WAITING.to_owned(),
            |key| keys::waiting(key.id).sk,
        );
        let query = self.waiting_query("sk > :sk", after);
        let page = query
            .send()
            .await
            .map_err(|error| store_error(&waiting_partition(), error))?;
        for item in page.items.unwrap_or_default() {
            jobs.push(waiting_job(item)?);
        }
        Ok(jobs)
    }

    async fn unlist(&self, key: &JobKey) -> Result<(), StoreError> {
        let item_key = keys::waiting(key.id);
        let waits_not = "attribute_not_exists(pk) OR phase <> :waiting";
        let waiting = (
            ":waiting",
            AttributeValue::S(PhaseName::AwaitingCredential.to_string()),
        );
        let mut items = vec![
            self.check(&keys::job(key), waits_not, waiting)?,
            self.delete(&item_key)?,
        ];
        if let Some(old) = keys::old_waiting(key) {
            items.push(self.delete(&old)?);
        }
        self.transact_once(&item_key, &items).await
    }
}

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
            self.job(
                &JobKey {
                    scope: scope.clone(),
                    id,
                },
                now,
            )
            .await
        };
        let jobs = try_join_all(ids.into_iter().map(job)).await?;
        Ok(Listed {
            jobs: jobs.into_iter().flatten().collect(),
            more,
        })
    }
}

impl DynamoStore {
    /// Every entry that an older version wrote. They become no more: all of them are few.
    async fn old_waiting(&self) -> Result<Vec<JobKey>, StoreError> {
        let query = self.waiting_query("begins_with(sk, :sk)", keys::OLD_WAITING_PREFIX.to_owned());
        let mut items = query.into_paginator().items().send();
        let mut jobs = Vec::new();
        while let Some(item) = items
            .try_next()
            .await
            .map_err(|error| store_error(&waiting_partition(), error))?
        {
            jobs.push(waiting_job(item)?);
        }
        Ok(jobs)
    }

    fn waiting_query(&self, sort_condition: &str, sort: String) -> QueryFluentBuilder {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true);
        query
            .key_condition_expression(format!("pk = :pk AND {sort_condition}"))
            .expression_attribute_values(":pk", AttributeValue::S(keys::WAITING.to_owned()))
            .expression_attribute_values(":sk", AttributeValue::S(sort))
    }

    fn delete(&self, key: &ItemKey) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .build();
        let delete = delete.map_err(|error| corrupt(key, error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The page's ids and one more, in the order of ids, which is that of creation.
    async fn ids_in_order(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut ids = Vec::new();
        self.each_row(scope, page.descending, now, |row| {
            ids.push(row.job);
            ids.len() <= page.skip + page.top
        })
        .await?;
        ids.iter()
            .skip(page.skip)
            .map(|id| parse_id(scope, id))
            .collect()
    }

    /// The page's ids and one more, in an order that no key has: all of the app's rows are read.
    async fn ids_sorted(
        &self,
        scope: &AppScope,
        page: Page,
        now: OffsetDateTime,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut rows = Vec::new();
        self.each_row(scope, false, now, |row| {
            rows.push(row);
            true
        })
        .await?;
        let keyed = rows.into_iter().map(SortRow::try_from);
        let mut keyed = keyed
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| corrupt(&app_jobs(scope), reason))?;
        keyed.sort_by(|one, other| {
            let order = one.compare(other, page.sort);
            if page.descending {
                order.reverse()
            } else {
                order
            }
        });
        keyed
            .iter()
            .skip(page.skip)
            .take(page.top + 1)
            .map(|row| parse_id(scope, &row.id))
            .collect()
    }

    /// Shows every row of the app's jobs that are not forgotten to `visit`, until that returns
    /// false.
    async fn each_row(
        &self,
        scope: &AppScope,
        descending: bool,
        now: OffsetDateTime,
        mut visit: impl FnMut(JobRow) -> bool + Send,
    ) -> Result<(), StoreError> {
        let partition = app_jobs(scope);
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(!descending)
            .key_condition_expression("pk = :pk AND begins_with(sk, :job)")
            .filter_expression("#ttl > :now")
            .projection_expression("v, job, phase, outcome, ended")
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
            if !visit(read_item::<JobRow>(&partition, item)?) {
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

fn waiting_partition() -> ItemKey {
    ItemKey {
        pk: keys::WAITING.to_owned(),
        sk: String::new(),
    }
}

fn waiting_job(item: HashMap<String, AttributeValue>) -> Result<JobKey, StoreError> {
    let partition = waiting_partition();
    let item: WaitingItem = read_item(&partition, item)?;
    JobKey::try_from(item).map_err(|reason| corrupt(&partition, reason))
}

/// What a job is sorted by; equal ones by id.
struct SortRow {
    id: String,
    state: &'static str,
    ended: Option<OffsetDateTime>,
    details: Option<String>,
}

impl TryFrom<JobRow> for SortRow {
    type Error = String;

    fn try_from(row: JobRow) -> Result<Self, String> {
        let phase = PhaseName::from_name(&row.phase);
        let outcome = row.outcome.map(Outcome::from);
        Ok(Self {
            state: phase
                .ok_or_else(|| unreadable("phase", &row.phase))?
                .wire_state(),
            id: row.job,
            details: row
                .ended
                .and(outcome.as_ref().and_then(Outcome::details))
                .map(str::to_owned),
            ended: row.ended,
        })
    }
}

impl SortRow {
    fn compare(&self, other: &Self, sort: SortKey) -> Ordering {
        let order = match sort {
            SortKey::Id | SortKey::Created => Ordering::Equal,
            SortKey::State => self.state.cmp(other.state),
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

fn parse_id(scope: &AppScope, id: &str) -> Result<JobId, StoreError> {
    let partition = ItemKey {
        pk: keys::app_partition(scope),
        sk: id.to_owned(),
    };
    JobId::parse(id).ok_or_else(|| corrupt(&partition, "its id is none"))
}

impl From<TallyItem> for Tally {
    fn from(item: TallyItem) -> Self {
        Self {
            planned: item.planned,
            open: item.open,
            recorded: item.recorded,
            failed: item.failed,
            partial: item.partial,
            counts: item.counts,
        }
    }
}
