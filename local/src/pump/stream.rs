//! Reading the exports table's stream.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType, StreamDescription};
use domain::cause::Cause;

use super::PumpError;

/// A place in the stream. The embedded engine keeps one shard for a stream's whole life, so one
/// place is enough.
pub struct StreamReader {
    client: Client,
    iterator: String,
}

impl StreamReader {
    /// Takes its place behind the last record that there is now.
    ///
    /// # Errors
    /// [`PumpError`] when the table has no stream, or the stream does not answer.
    pub(crate) async fn at_the_end(config: &SdkConfig, table: &str) -> Result<Self, PumpError> {
        let client = Client::new(config);
        let streams = client
            .list_streams()
            .table_name(table)
            .send()
            .await
            .map_err(unread)?;
        let arn = streams
            .streams()
            .first()
            .and_then(|stream| stream.stream_arn())
            .ok_or(PumpError::NoStream)?;
        Self::at_the_end_of(config, arn).await
    }

    /// The same of the stream with this ARN, which asks for no list of them.
    ///
    /// # Errors
    /// [`PumpError`] when there is no such stream, or it does not answer.
    pub async fn at_the_end_of(config: &SdkConfig, arn: &str) -> Result<Self, PumpError> {
        let client = Client::new(config);
        let stream = client
            .describe_stream()
            .stream_arn(arn)
            .send()
            .await
            .map_err(unread)?;
        let shards = stream
            .stream_description()
            .map(StreamDescription::shards)
            .unwrap_or_default();
        let shard = shards
            .last()
            .and_then(|shard| shard.shard_id())
            .ok_or(PumpError::NoStream)?;
        let request = client.get_shard_iterator().stream_arn(arn).shard_id(shard);
        let place = request
            .shard_iterator_type(ShardIteratorType::Latest)
            .send()
            .await
            .map_err(unread)?;
        let iterator = place
            .shard_iterator()
            .ok_or(PumpError::NoStream)?
            .to_owned();
        Ok(Self { client, iterator })
    }

    /// The next records, in order; none when there is nothing new. The place moves only when they
    /// were read.
    pub(crate) async fn next(&mut self) -> Result<Vec<Record>, PumpError> {
        let page = self.client.get_records().shard_iterator(&self.iterator);
        let page = page.send().await.map_err(unread)?;
        if let Some(next) = page.next_shard_iterator {
            self.iterator = next;
        }
        Ok(page.records.unwrap_or_default())
    }

    /// The next records as soon as there are any.
    ///
    /// # Errors
    /// [`PumpError::Unread`] when the stream does not answer; the place is kept.
    pub async fn wait(&mut self, poll: Duration) -> Result<Vec<Record>, PumpError> {
        loop {
            let records = self.next().await?;
            if !records.is_empty() {
                return Ok(records);
            }
            tokio::time::sleep(poll).await;
        }
    }
}

fn unread(error: impl Into<Cause>) -> PumpError {
    PumpError::Unread(error.into())
}
