//! The registry: what is known of the devices now, in a DynamoDB table.
//!
//! Reads are consistent per item, not across items: a snapshot holds each device as it was at the
//! moment at which its page was read.
#![expect(
    clippy::disallowed_types,
    reason = "the adapter of the registry's table"
)]

pub mod entry;
mod feedback;
mod item;
pub mod keys;
mod load;
mod packs;
mod plan;
mod read;

use std::error::Error;

use async_trait::async_trait;
use aws_errors::{AwsError, Kind};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::app::AppScope;
use domain::cause::Cause;
use domain::job::PlanCursor;
use domain::selection::Snapshot;
use futures::stream::BoxStream;
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};

pub use self::load::{BATCH_ITEMS, Campaign, Device, Feedback, MOST_ITEM_BYTES, PushToken};

/// The registry in one table.
#[derive(Debug, Clone)]
pub struct Registry {
    client: Client,
    table: String,
    segments: u16,
}

impl Registry {
    /// The registry in `table`, whose devices are spread over `segments` partitions of each app:
    /// the same number for those who write and those who read it.
    pub fn new(client: Client, table: impl Into<String>, segments: u16) -> Self {
        Self {
            client,
            table: table.into(),
            segments: segments.max(1),
        }
    }

    /// The same table, for devices that are spread over another number of segments.
    #[must_use]
    pub fn with_segments(&self, segments: u16) -> Self {
        Self::new(self.client.clone(), &self.table, segments)
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Over how many segments the devices of an app are spread.
    fn segments(&self) -> u16 {
        self.segments
    }

    /// What a failed request means. The job's owner reads what is wrong for good: of that the code
    /// alone is kept, because the service's words may name ARNs.
    fn source_error<E>(&self, error: SdkError<E, HttpResponse>) -> SourceError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let object = self.table.clone();
        let error = AwsError::of(error);
        match (error.kind(), error) {
            (Kind::Transient, error) => SourceError::Unavailable {
                object,
                cause: error.into(),
            },
            (Kind::Denied, _) => SourceError::Denied { object },
            (Kind::Conflict | Kind::Other, AwsError::Answered { code, .. }) => {
                SourceError::Corrupt {
                    object,
                    cause: problem_of(code),
                }
            }
            (Kind::Conflict | Kind::Other, error @ AwsError::NotAnswered { .. }) => {
                SourceError::Corrupt {
                    object,
                    cause: error.into(),
                }
            }
        }
    }
}

/// What is wrong, in a [`SourceError::Corrupt`], with a table that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table does not exist")]
pub struct NoTable;

/// What is wrong with a request that is refused for good.
fn problem_of(code: String) -> Cause {
    if code == "ResourceNotFoundException" {
        NoTable.into()
    } else {
        code.into()
    }
}

#[async_trait]
impl Source for Registry {
    type Selected = Snapshot;
    type Part = String;

    async fn plan(
        &self,
        scope: &AppScope,
        snapshot: &Snapshot,
        cursor: Option<&PlanCursor>,
        limit: usize,
        _: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        let cursor = cursor.map(|cursor| {
            keys::parse_cursor(cursor).ok_or_else(|| not_of_the_registry("the cursor"))
        });
        let (cursor, limit) = (cursor.transpose()?, limit.max(1));
        match snapshot {
            Snapshot::Devices(_) => plan::segments(self, scope, cursor, limit).await,
            Snapshot::Campaigns { campaign_type, ids } => {
                plan::campaigns(self, scope, *campaign_type, ids, cursor, limit).await
            }
            Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            } => {
                plan::active_campaigns(self, scope, *campaign_type, *start..=*end, cursor, limit)
                    .await
            }
        }
    }

    fn read(
        &self,
        partitions: &[String],
        snapshot: &Snapshot,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        read::read_partitions(self.clone(), partitions.to_vec(), snapshot.clone())
    }
}

fn not_of_the_registry(what: &str) -> SourceError {
    SourceError::Corrupt {
        object: what.to_owned(),
        cause: "it is not one of the registry".into(),
    }
}
