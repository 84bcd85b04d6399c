//! The store's ports over one DynamoDB table.
#![expect(clippy::disallowed_types, reason = "the adapter of the exports table")]

mod audited;
mod chunks;
mod grants;
mod intake;
mod items;
mod jobs;
mod keys;
mod lists;

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_errors::{AwsError, Kind, kind_of_cancellation};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};
use domain::cause::Cause;
use ports::clock::Clock;
use ports::store::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wiring::Wiring;
use wiring::config::{ConfigError, EXPORTS_TABLE};

pub use crate::audited::Audited;
use crate::keys::ItemKey;

type Item = HashMap<String, AttributeValue>;

/// The attribute of the id of the last write.
const WRITE_ID: &str = "write_id";

/// How often a transaction that met another one on the same item is tried again, with doubling
/// pauses from 10 ms.
const TRANSACTION_TRIES: u32 = 8;

/// All ports of [`ports::store`] over one table.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
}

/// The exports table that the settings name.
///
/// # Errors
/// [`ConfigError`] when its name is missing.
pub fn wire(wiring: &Wiring) -> Result<Arc<DynamoStore>, ConfigError> {
    let client = Client::new(wiring.sdk());
    let table = wiring.env().get(&EXPORTS_TABLE)?;
    Ok(Arc::new(DynamoStore::new(client, table, wiring.clock())))
}

/// What must be true of the stored item for a write to happen.
#[derive(Debug, Clone, Copy)]
enum Condition {
    /// There is no item.
    Absent,
    /// There is none, or what there is may be forgotten.
    AbsentOrExpired,
    /// It is the one that was read.
    Revision(u64),
    /// Nothing: what is there is replaced.
    Always,
}

impl Condition {
    /// The condition of writing what was read with this revision; 0 is what was never stored.
    fn of_revision(revision: u64) -> Self {
        if revision == 0 {
            Self::Absent
        } else {
            Self::Revision(revision)
        }
    }

    fn expression(self) -> Option<&'static str> {
        match self {
            Self::Absent => Some("attribute_not_exists(pk)"),
            Self::AbsentOrExpired => Some("attribute_not_exists(pk) OR #ttl <= :now"),
            Self::Revision(_) => Some("revision = :revision"),
            Self::Always => None,
        }
    }
}

/// A whole item to be written. Each write carries an id of its own, by which it is known again when
/// its answer is lost.
struct Write {
    key: ItemKey,
    item: Item,
    condition: Condition,
    id: String,
}

impl DynamoStore {
    /// The store over `table`.
    pub fn new(client: Client, table: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            table: table.into(),
            clock,
        }
    }

    fn write(
        &self,
        key: ItemKey,
        body: impl Serialize,
        condition: Condition,
    ) -> Result<Write, StoreError> {
        let write_id = self.clock.fresh_id().to_string();
        let mut item: Item = serde_dynamo::to_item(body).map_err(|error| corrupt(&key, error))?;
        for (name, value) in [("pk", &key.pk), ("sk", &key.sk), (WRITE_ID, &write_id)] {
            item.insert(name.to_owned(), AttributeValue::S(value.clone()));
        }
        Ok(Write {
            key,
            item,
            condition,
            id: write_id,
        })
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>, StoreError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)));
        let answer = request.consistent_read(true).send().await;
        Ok(answer.map_err(|error| store_error(key, error))?.item)
    }

    /// All items of a partition.
    async fn partition(&self, partition: &ItemKey) -> Result<Vec<Item>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition.pk.clone()));
        let items = query.into_paginator().items().send();
        let items = items.collect::<Result<Vec<Item>, _>>().await;
        items.map_err(|error| store_error(partition, error))
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    async fn get_as<T: DeserializeOwned>(&self, key: &ItemKey) -> Result<Option<T>, StoreError> {
        self.get(key)
            .await?
            .map(|item| read_item(key, item))
            .transpose()
    }

    async fn put(&self, write: Write) -> Result<(), StoreError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(write.item.clone()));
        let request =
            request.set_condition_expression(write.condition.expression().map(str::to_owned));
        let request = request.set_expression_attribute_names(names(write.condition));
        let request =
            request.set_expression_attribute_values(values(write.condition, self.clock.as_ref()));
        let written = request.send().await;
        match written.map_err(|error| store_error(&write.key, error)) {
            Ok(_) => Ok(()),
            Err(StoreError::Conflict { .. }) => self.was_ours(&write).await,
            Err(error) => Err(error),
        }
    }

    /// Writes all or nothing; `updates` are without conditions.
    async fn transact(&self, writes: &[Write], updates: Vec<Update>) -> Result<(), StoreError> {
        let updates = updates
            .into_iter()
            .map(|update| TransactWriteItem::builder().update(update).build());
        self.transact_with(writes, updates.collect()).await
    }

    /// Writes all or nothing, together with `others`.
    async fn transact_with(
        &self,
        writes: &[Write],
        others: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let Some(first) = writes.first() else {
            return Ok(());
        };
        let puts = writes.iter().map(|write| {
            Ok(TransactWriteItem::builder()
                .put(self.transact_put(write)?)
                .build())
        });
        let mut items = puts.collect::<Result<Vec<_>, StoreError>>()?;
        items.extend(others);
        let mut pause = Duration::from_millis(10);
        for _ in 1..TRANSACTION_TRIES {
            match self.transact_once(&first.key, &items).await {
                Err(StoreError::Unavailable { .. }) => {
                    tokio::time::sleep(jittered(pause, self.clock.as_ref())).await;
                }
                Err(StoreError::Conflict { .. }) => return self.was_ours(first).await,
                done => return done,
            }
            pause *= 2;
        }
        match self.transact_once(&first.key, &items).await {
            Err(StoreError::Conflict { .. }) => self.was_ours(first).await,
            done => done,
        }
    }

    async fn transact_once(
        &self,
        key: &ItemKey,
        items: &[TransactWriteItem],
    ) -> Result<(), StoreError> {
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items.to_vec()));
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|error| transaction_error(key, error))
    }

    /// That an item is as `expression` says, without a write to it.
    fn check(
        &self,
        key: &ItemKey,
        expression: &str,
        value: (&str, AttributeValue),
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(key)))
            .condition_expression(expression)
            .expression_attribute_values(value.0, value.1)
            .build()
            .map_err(|error| corrupt(key, error))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    fn transact_put(&self, write: &Write) -> Result<Put, StoreError> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(write.item.clone()))
            .set_condition_expression(write.condition.expression().map(str::to_owned))
            .set_expression_attribute_names(names(write.condition))
            .set_expression_attribute_values(values(write.condition, self.clock.as_ref()))
            .build()
            .map_err(|error| corrupt(&write.key, error))
    }

    /// Whether the condition failed only because this very write had happened before, its answer
    /// lost.
    async fn was_ours(&self, write: &Write) -> Result<(), StoreError> {
        let stored = self.get(&write.key).await?;
        let stored_id = stored
            .as_ref()
            .and_then(|item| item.get(WRITE_ID))
            .and_then(|id| id.as_s().ok());
        if stored_id == Some(&write.id) {
            Ok(())
        } else {
            Err(conflict(&write.key))
        }
    }
}

/// A pause of half to all of this length, by chance: runs that met at one shard's tally do not meet
/// there again in step (<https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>).
fn jittered(pause: Duration, clock: &dyn Clock) -> Duration {
    let [.., chance] = *clock.fresh_id().as_bytes();
    pause.mul_f64(0.5 + f64::from(chance) / 510.0)
}

fn names(condition: Condition) -> Option<HashMap<String, String>> {
    matches!(condition, Condition::AbsentOrExpired)
        .then(|| HashMap::from([("#ttl".to_owned(), "ttl".to_owned())]))
}

fn values(condition: Condition, clock: &dyn Clock) -> Option<Item> {
    let (name, number) = match condition {
        Condition::Revision(revision) => (":revision", revision.to_string()),
        Condition::AbsentOrExpired => (":now", clock.now().unix_timestamp().to_string()),
        Condition::Absent | Condition::Always => return None,
    };
    Some(HashMap::from([(
        name.to_owned(),
        AttributeValue::N(number),
    )]))
}

fn key_attributes(key: &ItemKey) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

/// Reads an item, or what a query projects of one. What is wrong with it is said of its own key, where
/// that is known; else of `key`, under which it was asked for.
fn read_item<T: DeserializeOwned>(key: &ItemKey, item: Item) -> Result<T, StoreError> {
    let own = own_key(&item);
    let key = own.as_ref().unwrap_or(key);
    newer(key, &item)?;
    serde_dynamo::from_item(item).map_err(|error| corrupt(key, error))
}

/// An item of a layout that only a newer version reads.
fn newer(key: &ItemKey, item: &Item) -> Result<(), StoreError> {
    items::newer_layout(item).map_or(Ok(()), |layout| {
        Err(StoreError::Newer {
            item: item_name(key),
            layout,
        })
    })
}

/// The key that stands in an item.
fn own_key(item: &Item) -> Option<ItemKey> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    text("pk")
        .zip(text("sk"))
        .map(|(pk, sk)| ItemKey { pk, sk })
}

fn item_name(key: &ItemKey) -> String {
    format!("item {} {}", key.pk, key.sk)
}

fn corrupt(key: &ItemKey, cause: impl Into<Cause>) -> StoreError {
    StoreError::Corrupt {
        item: item_name(key),
        cause: cause.into(),
    }
}

fn conflict(key: &ItemKey) -> StoreError {
    StoreError::Conflict {
        item: item_name(key),
    }
}

/// Sorts a failed request: what a repeat may help is unavailable; what neither that nor another
/// reading helps is a defect or a wrong deployment.
fn store_error<E>(key: &ItemKey, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let error = AwsError::of(error);
    of_kind(key, error.kind(), error)
}

/// Sorts a cancelled transaction by its items' reasons.
fn transaction_error(
    key: &ItemKey,
    error: SdkError<TransactWriteItemsError, HttpResponse>,
) -> StoreError {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return store_error(key, error);
    };
    let reasons = cancelled.cancellation_reasons().iter();
    let codes: Vec<&str> = reasons.filter_map(|reason| reason.code()).collect();
    let message = format!("transaction cancelled: {}", codes.join(", "));
    of_kind(key, kind_of_cancellation(&codes), message)
}

fn of_kind(key: &ItemKey, kind: Kind, cause: impl Into<Cause>) -> StoreError {
    match kind {
        Kind::Conflict => conflict(key),
        Kind::Transient => StoreError::Unavailable {
            cause: cause.into(),
        },
        Kind::Denied | Kind::Other => corrupt(key, cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiring::SystemClock;

    #[test]
    fn pauses_differ_within_their_bounds() {
        let pauses: Vec<_> = (0..64)
            .map(|_| jittered(Duration::from_millis(100), &SystemClock))
            .collect();
        let bounds = Duration::from_millis(50)..=Duration::from_millis(100);
        assert!(
            pauses.iter().all(|pause| bounds.contains(pause)),
            "{pauses:?}"
        );
        assert!(pauses.windows(2).any(|two| two[0] != two[1]), "{pauses:?}");
    }
}
