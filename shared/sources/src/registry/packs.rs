//! How an app's segments become chunks: small ones together, so that few devices come in few files.

use aws_sdk_dynamodb::types::Select;
use futures::stream::{self, StreamExt, TryStreamExt};
use ports::source::SourceError;

use crate::registry::Registry;

/// The most rows of a chunk of several partitions, as far as they were counted.
const MOST_ROWS: u64 = 100_000;

/// How many partitions are counted at once.
const COUNTED_AT_ONCE: usize = 8;

/// What the first page of a partition says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: u64,
    /// Whether the partition ends with that page.
    pub(super) is_whole: bool,
}

impl Size {
    /// That of a partition that does not end with its first page, however many rows that has.
    pub(super) const LARGE: Self = Self {
        rows: 0,
        is_whole: false,
    };
}

/// How many rows more the open chunk takes; none when there is no chunk, or its partition is larger
/// than a page.
#[derive(Debug, Default)]
pub(super) struct Room(Option<u64>);

impl Room {
    /// What a chunk has left that begins with a partition of this size.
    pub(super) fn beside(size: Size) -> Self {
        let left = MOST_ROWS.saturating_sub(size.rows);
        Self(size.is_whole.then_some(left))
    }

    /// Whether a partition of this size joins the chunk, which then has so much less room.
    pub(super) fn takes(&mut self, size: Size) -> bool {
        let room = self.0.filter(|_| size.is_whole);
        let left = room.and_then(|room| room.checked_sub(size.rows));
        self.0 = left.or(self.0);
        left.is_some()
    }
}

impl Registry {
    /// Packs consecutive segments, of these keys, into chunks of at most `limit`; the answer are the
    /// chunks and how many segments are in them.
    ///
    /// A segment that does not end with the first page of its items, 1 MB
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>), is
    /// a chunk of its own. Counting reads that page
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#DDB-Query-request-Select>),
    /// and no device that comes later is lost: a run of the chunk reads its segments anew.
    pub(super) async fn pack(
        &self,
        segments: Vec<String>,
        limit: usize,
    ) -> Result<(Vec<Vec<String>>, usize), SourceError> {
        let sizes = self.sizes_of(&segments).await?;
        let packs = packs(&sizes, limit);
        let packed = packs.iter().sum();
        let mut segments = segments.into_iter();
        let chunks = packs
            .into_iter()
            .map(|count| segments.by_ref().take(count).collect());
        Ok((chunks.collect(), packed))
    }

    /// The sizes of partitions, by their keys.
    pub(super) async fn sizes_of(&self, partitions: &[String]) -> Result<Vec<Size>, SourceError> {
        let size_of = |partition: String| {
            let registry = self.clone();
            async move { registry.size_of(&partition).await }
        };
        stream::iter(partitions.to_vec())
            .map(size_of)
            .buffered(COUNTED_AT_ONCE)
            .try_collect()
            .await
    }

    async fn size_of(&self, partition: &str) -> Result<Size, SourceError> {
        let query = self.query(partition).select(Select::Count);
        let answer = query
            .send()
            .await
            .map_err(|error| self.source_error(error))?;
        Ok(Size {
            rows: answer.count.unsigned_abs().into(),
            is_whole: answer.last_evaluated_key.is_none(),
        })
    }
}

/// How many of consecutive segments each chunk has, of at most `limit` chunks.
fn packs(sizes: &[Size], limit: usize) -> Vec<usize> {
    let mut packs: Vec<usize> = Vec::new();
    let mut room = Room::default();
    for size in sizes {
        let joins = room.takes(*size);
        if joins && let Some(last) = packs.last_mut() {
            *last += 1;
        } else if packs.len() < limit {
            packs.push(1);
            room = Room::beside(*size);
        } else {
            break;
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_segments_share_a_chunk_and_large_ones_have_their_own() {
        let small = |rows| Size {
            rows,
            is_whole: true,
        };
        let large = Size {
            rows: 4_000,
            is_whole: false,
        };
        let cases: [(&[Size], usize, &[usize]); 9] = [
            (&[], 9, &[]),
            (&[small(0); 16], 9, &[16]),
            (&[small(85); 16], 9, &[16]),
            (
                &[large, small(1), small(1), large, small(1)],
                9,
                &[1, 2, 1, 1],
            ),
            (&[large, large], 9, &[1, 1]),
            (&[large, small(0), small(0), large], 9, &[1, 2, 1]),
            (&[small(60_000), small(40_000), small(1)], 9, &[2, 1]),
            (&[small(100_000), small(0), small(1)], 9, &[2, 1]),
            (&[large, small(1), small(1), large], 2, &[1, 2]),
        ];
        for (sizes, limit, expected) in cases {
            assert_eq!(packs(sizes, limit), expected, "{sizes:?}");
        }
    }
}
