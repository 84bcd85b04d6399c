//! The registry: what is known of the devices now, in a DynamoDB table.
//!
//! Reads are consistent per item, not across items: a snapshot holds each device as it was at the
//! moment at which its page was read.
#![expect(
    clippy::disallowed_types,
    reason = "the adapter of the registry's table"
)]

mod feedback;
mod item;
pub mod keys;
mod load;
mod packs;
mod plan;
mod read;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::app::AppScope;
use domain::job::PlanCursor;
use domain::selection::Snapshot;
use futures::stream::BoxStream;
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};

pub use self::load::{Campaign, Device, Feedback, PushToken};

/// The registry in one table.
#[derive(Debug, Clone)]
pub struct Registry {
    client: Client,
    table: String,
    segments: u16,
}

impl Registry {
    /// The registry in `table`, whose devices are spread over `segments` partitions of each app:
    /// the same number for whoever writes and whoever reads it.
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

    /// What a failed request means.
    fn source_error<E: ProvideErrorMetadata>(
        &self,
        error: &SdkError<E, HttpResponse>,
    ) -> SourceError {
        let object = self.table.clone();
        let Some(service) = error.as_service_error() else {
            return SourceError::Unavailable {
                object,
                reason: error.to_string(),
            };
        };
        let code = service.code().unwrap_or("no error code");
        let is_5xx = error
            .raw_response()
            .is_some_and(|answer| answer.status().is_server_error());
        if is_5xx || THROTTLES.contains(&code) {
            SourceError::Unavailable {
                object,
                reason: code.to_owned(),
            }
        } else if DENIALS.contains(&code) {
            SourceError::Denied { object }
        } else if code == "ResourceNotFoundException" {
            SourceError::Corrupt {
                object,
                reason: "the table does not exist".to_owned(),
            }
        } else {
            SourceError::Corrupt {
                object,
                reason: code.to_owned(),
            }
        }
    }
}

/// The codes of errors that a repeat may mend
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
const THROTTLES: [&str; 6] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "InternalServerError",
    "ServiceUnavailable",
];

/// The codes of errors that only another permission or credential mends
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html>).
const DENIALS: [&str; 6] = [
    "AccessDeniedException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
];

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
        reason: "it is not one of the registry".to_owned(),
    }
}
