//! Reads partitions, a page of DynamoDB at a time.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use domain::cause::Cause;
use domain::selection::Snapshot;
use futures::stream::{self, BoxStream, StreamExt};
use ports::source::{Piece, SourceError};

use crate::registry::item::{Item, Rows, write_record};
use crate::registry::keys::{self, Partition};
use crate::registry::{Registry, not_of_the_registry};

/// The records of the partitions, one partition after the other. A piece is what DynamoDB answers
/// at once: at most 1 MB of items (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>).
pub(super) fn read_partitions(
    registry: Registry,
    partitions: Vec<String>,
    snapshot: Snapshot,
) -> BoxStream<'static, Result<Piece, SourceError>> {
    let reader = Reader {
        registry,
        partitions,
        snapshot,
        origin: 0,
        start: None,
        is_read: false,
    };
    stream::try_unfold(reader, |mut reader| async {
        let piece = reader.next().await?;
        Ok(piece.map(|piece| (piece, reader)))
    })
    .boxed()
}

struct Reader {
    registry: Registry,
    partitions: Vec<String>,
    snapshot: Snapshot,
    /// The place of the partition that is read now.
    origin: usize,
    /// The key that the next page begins after.
    start: Option<Item>,
    /// Whether it is read to its end, which is still to be said.
    is_read: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Piece>, SourceError> {
        let origin = self.origin;
        while let Some(key) = self.partitions.get(origin) {
            if self.is_read {
                (self.is_read, self.origin) = (false, origin + 1);
                return Ok(Some(Piece::End { origin }));
            }
            let place = Partition::parse(key)
                .and_then(|partition| Some((Rows::of(&self.snapshot, &partition)?, partition)));
            let (rows, partition) = place.ok_or_else(|| not_of_the_registry("the chunk"))?;
            let (items, last) = self.page(&partition, rows).await?;
            let text = self.lines(&partition, rows, &items)?;
            self.is_read = last.is_none();
            self.start = last;
            if !text.is_empty() {
                let text = Bytes::from(text);
                return Ok(Some(Piece::Text { origin, text }));
            }
        }
        Ok(None)
    }

    async fn page(
        &self,
        partition: &Partition,
        rows: Rows,
    ) -> Result<(Vec<Item>, Option<Item>), SourceError> {
        let (key, bounds) = partition.bounds();
        let query = within(self.registry.query(&key), bounds);
        let query = project(query, rows.attributes()).set_exclusive_start_key(self.start.clone());
        let answer = query
            .send()
            .await
            .map_err(|error| self.registry.source_error(error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    fn lines(
        &self,
        partition: &Partition,
        rows: Rows,
        items: &[Item],
    ) -> Result<Vec<u8>, SourceError> {
        let mut text = Vec::new();
        for item in items {
            let device = item
                .get(keys::SK)
                .and_then(|id| id.as_s().ok())
                .map_or("", String::as_str);
            let corrupt = |cause: Cause| SourceError::Corrupt {
                object: format!("{partition} {device}"),
                cause,
            };
            self.check_segment(partition, device)
                .map_err(|reason| corrupt(reason.into()))?;
            write_record(rows, item, &mut text).map_err(|error| corrupt(error.into()))?;
        }
        Ok(text)
    }

    /// A device in a segment that is not its own is a sign of a loader with another number of
    /// segments.
    fn check_segment(&self, partition: &Partition, device: &str) -> Result<(), String> {
        let Partition::Devices { segment, .. } = partition else {
            return Ok(());
        };
        let own = keys::segment_of(device, self.registry.segments);
        if own == *segment {
            return Ok(());
        }
        Err(format!(
            "it belongs into segment {own} of the {} that REGISTRY_SEGMENTS says",
            self.registry.segments
        ))
    }
}

impl Registry {
    /// A consistent query of one partition.
    pub(super) fn query(&self, partition: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
    }
}

/// Asks for the items whose sort keys are within bounds only, both included.
fn within(query: QueryFluentBuilder, bounds: (Option<&str>, Option<&str>)) -> QueryFluentBuilder {
    let condition = match bounds {
        (None, None) => return query,
        (Some(_), Some(_)) => "#pk = :pk AND #sk BETWEEN :from AND :to",
        (Some(_), None) => "#pk = :pk AND #sk >= :from",
        (None, Some(_)) => "#pk = :pk AND #sk <= :to",
    };
    let text = |bound: &str| AttributeValue::S(bound.to_owned());
    let (from, to) = bounds;
    let named = [(":from", from), (":to", to)].into_iter();
    named
        .filter_map(|(name, bound)| Some((name, bound?)))
        .fold(query, |query, (name, bound)| {
            query.expression_attribute_values(name, text(bound))
        })
        .expression_attribute_names("#sk", keys::SK)
        .key_condition_expression(condition)
}

/// Asks for these attributes only, by placeholders: some of their names are reserved words
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>).
fn project(query: QueryFluentBuilder, names: &[&str]) -> QueryFluentBuilder {
    let placeholders: Vec<String> = names.iter().map(|name| format!("#{name}")).collect();
    let pairs = placeholders.iter().zip(names);
    pairs
        .fold(query, |query, (placeholder, name)| {
            query.expression_attribute_names(placeholder, *name)
        })
        .projection_expression(placeholders.join(","))
}
