//! Jobs, and the list of those that wait, in the exports table.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use domain::job::{Job, JobKey, Phase, PhaseName};
use domain::tally::Tally;
use futures::future::try_join_all;
use ports::store::{Audit, Changes, Counted, Jobs, StoreError, Tallies, WaitingJobs};
use time::{OffsetDateTime, UtcOffset};

use super::{Condition, DynamoStore, Write, corrupt, key_attributes, read_item, store_error};
use crate::items::{AuditItem, JobItem, TallyItem, WaitingItem};
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
        self.put_job_with(job, None).await
    }

    async fn tally(&self, job: &Job) -> Result<Tally, StoreError> {
        Ok(self.counted(job).await?.tally)
    }
}

#[async_trait]
impl Changes for DynamoStore {
    async fn put_change(&self, job: Job, audit: Audit) -> Result<Job, StoreError> {
        self.put_job_with(job, Some(audit)).await
    }
}

impl DynamoStore {
    /// Writes a job, with what goes with it: in one transaction, when there is more than the job.
    async fn put_job_with(&self, job: Job, audit: Option<Audit>) -> Result<Job, StoreError> {
        let condition = Condition::of_revision(job.revision);
        let row = self.row_write(&job)?;
        let job = job.written(self.clock.now());
        let write = self.write(keys::job(&job.key), JobItem::from(&job), condition)?;
        let waits = matches!(job.phase, Phase::AwaitingCredential { .. });
        let (key, item) = (keys::waiting(job.key.id), WaitingItem::from(&job));
        let waiting = waits.then(|| self.write(key, item, Condition::Always));
        let audit = audit.map(|audit| self.audit_write(&job, &audit));
        let others = row.into_iter().chain(waiting.transpose()?);
        let others: Vec<_> = others.chain(audit.transpose()?).collect();
        if others.is_empty() {
            self.put(write).await?;
        } else {
            let writes: Vec<_> = [write].into_iter().chain(others).collect();
            self.transact(&writes, Vec::new()).await?;
        }
        Ok(job)
    }

    /// Who did what with a job, under an id of its own: nothing is ever replaced.
    pub(crate) fn audit_write(&self, job: &Job, audit: &Audit) -> Result<Write, StoreError> {
        let key = keys::audit(
            audit.at.to_offset(UtcOffset::UTC).date(),
            self.clock.fresh_id(),
        );
        self.write(key, AuditItem::new(job, audit), Condition::Absent)
    }
}

#[async_trait]
impl Tallies for DynamoStore {
    async fn counted(&self, job: &Job) -> Result<Counted, StoreError> {
        let of_shard = async |shard| {
            let item: Option<TallyItem> = self.get_as(&keys::tally(job.key.id, shard)).await?;
            Ok::<_, StoreError>(item.unwrap_or_default())
        };
        let items = try_join_all((0..job.shards).map(of_shard)).await?;
        Ok(Counted {
            changed: items.iter().filter_map(|item| item.changed).max(),
            tally: items.into_iter().map(Tally::from).sum(),
        })
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
