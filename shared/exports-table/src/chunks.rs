//! Plans and chunks in the exports table.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::counts::Counts;
use domain::job::{Job, JobKey};
use domain::tally::DRAINED;
use domain::tally::TallyChange;
use ports::store::{ChunkLists, Chunks, Plans, StoreError};
use time::format_description::well_known::Rfc3339;

use super::{Condition, DynamoStore, corrupt, key_attributes, read_item, store_error};
use crate::items::{ChunkItem, JobItem, VERSION, ttl};
use crate::keys::{self, ItemKey};

#[async_trait]
impl Plans for DynamoStore {
    async fn put_page(
        &self,
        job: Job,
        chunks: Vec<Chunk>,
        moves: Vec<ChunkMove>,
    ) -> Result<Job, StoreError> {
        let condition = Condition::of_revision(job.revision);
        let row = self.row_write(&job)?;
        let job = job.written(self.clock.now());
        let mut writes = vec![self.write(keys::job(&job.key), JobItem::from(&job), condition)?];
        writes.extend(row);
        let planned = TallyChange {
            planned: 1,
            open: 1,
            ..TallyChange::default()
        };
        let planned = chunks.iter().map(|chunk| (chunk, planned));
        let others = moves.iter().map(|step| (&step.chunk, step.tally));
        let mut tallies: BTreeMap<u16, (&Chunk, TallyChange)> = BTreeMap::new();
        for (chunk, change) in planned.chain(others) {
            writes.push(self.chunk_write(chunk)?);
            let none = (chunk, TallyChange::default());
            let (_, sum) = tallies.entry(chunk.key.shard).or_insert(none);
            *sum = *sum + change;
        }
        let updates = tallies
            .values()
            .map(|(chunk, change)| self.tally_update(chunk, *change));
        let updates = updates.collect::<Result<_, _>>()?;
        self.transact(&writes, updates).await?;
        Ok(job)
    }

    async fn reopen(&self, job: &Job, steps: Vec<ChunkMove>) -> Result<(), StoreError> {
        let Some(first) = steps.first() else {
            return Ok(());
        };
        let tally = steps
            .iter()
            .fold(TallyChange::default(), |sum, step| sum + step.tally);
        let revision = (":revision", AttributeValue::N(job.revision.to_string()));
        let mut others =
            vec![self.check(&keys::job(&job.key), "revision = :revision", revision)?];
        if tally != TallyChange::default() {
            let update = self.tally_update(&first.chunk, tally)?;
            others.push(TransactWriteItem::builder().update(update).build());
        }
        let writes = steps
            .iter()
            .map(|step| self.chunk_write(&step.chunk))
            .collect::<Result<Vec<_>, _>>()?;
        self.transact_with(&writes, others).await
    }
}

#[async_trait]
impl Chunks for DynamoStore {
    async fn chunk(&self, key: &ChunkKey) -> Result<Option<Chunk>, StoreError> {
        let item_key = keys::chunk(key);
        let item = self.get_as::<ChunkItem>(&item_key).await?;
        item.map(|item| Chunk::try_from(item).map_err(|reason| corrupt(&item_key, reason)))
            .transpose()
    }

    async fn apply(&self, step: ChunkMove) -> Result<Chunk, StoreError> {
        let ChunkMove { chunk, tally } = step;
        let write = self.chunk_write(&chunk)?;
        if tally == TallyChange::default() {
            self.put(write).await?;
        } else {
            self.transact(&[write], vec![self.tally_update(&chunk, tally)?])
                .await?;
        }
        Ok(chunk.written())
    }
}

#[async_trait]
impl ChunkLists for DynamoStore {
    async fn chunks(
        &self,
        job: &JobKey,
        shard: u16,
        after: Option<u32>,
    ) -> Result<Vec<Chunk>, StoreError> {
        let partition = ItemKey {
            pk: keys::shard_partition(job.id, shard),
            sk: String::new(),
        };
        let first = keys::chunk_sort(after.map_or(0, |number| number + 1));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true);
        let query = query.key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last");
        let query =
            query.expression_attribute_values(":pk", AttributeValue::S(partition.pk.clone()));
        let query = query.expression_attribute_values(":first", AttributeValue::S(first));
        let query = query
            .expression_attribute_values(":last", AttributeValue::S(keys::AFTER_CHUNKS.to_owned()));
        let page = query
            .send()
            .await
            .map_err(|error| store_error(&partition, error))?;
        let read = |item| {
            let item: ChunkItem = read_item(&partition, item)?;
            Chunk::try_from(item).map_err(|reason| corrupt(&partition, reason))
        };
        page.items
            .unwrap_or_default()
            .into_iter()
            .map(read)
            .collect()
    }
}

impl DynamoStore {
    fn chunk_write(&self, chunk: &Chunk) -> Result<super::Write, StoreError> {
        let next = chunk.clone().written();
        self.write(
            keys::chunk(&chunk.key),
            ChunkItem::from(&next),
            Condition::of_revision(chunk.revision),
        )
    }

    /// The change of the tally of this chunk's shard; its first one makes the item.
    fn tally_update(&self, chunk: &Chunk, change: TallyChange) -> Result<Update, StoreError> {
        let key = keys::tally(chunk.key.job.id, chunk.key.shard);
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: i64| AttributeValue::N(value.to_string());
        let now = self.clock.now().format(&Rfc3339);
        let now = now.map_err(|error| corrupt(&key, error))?;
        let numbers = [
            ("planned", change.planned),
            ("open", change.open),
            ("recorded", change.recorded),
            ("failed", change.failed),
            ("partial", change.partial),
        ];
        let counts = Counts::COUNTERS
            .iter()
            .map(|counter| (counter.stored, (counter.get)(&change.counts).cast_signed()));
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&key)))
            .expression_attribute_names("#scope", "scope")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":kind", text("tally"))
            .expression_attribute_values(":v", number(i64::from(VERSION)))
            .expression_attribute_values(":scope", text(chunk.key.job.scope.as_str()))
            .expression_attribute_values(":job", text(&chunk.key.job.id.to_string()))
            .expression_attribute_values(":phase", text(DRAINED))
            .expression_attribute_values(":changed", text(&now))
            .expression_attribute_values(":ttl", number(ttl(chunk.expires)));
        let mut added = Vec::new();
        for (name, change) in numbers.into_iter().chain(counts) {
            added.push(format!("#{name} :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), number(change));
        }
        update
            .update_expression(format!(
                "SET kind = :kind, v = :v, #scope = :scope, job = :job, phase = :phase, changed = :changed, #ttl = :ttl ADD {}",
                added.join(", ")
            ))
            .build()
            .map_err(|error| corrupt(&key, error))
    }
}
