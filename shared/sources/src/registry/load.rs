//! Writing the registry: what its loader puts there.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::app::AppScope;
use domain::selection::CampaignType;
use ports::source::SourceError;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::registry::Registry;
use crate::registry::item::Item;
use crate::registry::keys::{self, Partition, campaign_sort_key, segment_of};

/// The most items of one batch
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
pub const BATCH_ITEMS: usize = 25;

/// The most bytes of an item, its attributes' names included
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items>).
pub const MOST_ITEM_BYTES: u64 = 400 * 1024;

/// How often what a batch left undone is tried again.
const BATCH_ATTEMPTS: u32 = 10;

/// The wait before the first repeat; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// A device's address for the push service of its platform.
#[derive(Clone, PartialEq, Eq)]
pub struct PushToken {
    /// The address itself; not for logs.
    pub token: String,
    /// The service: `GCM`, `ADM`, `APNS`, `WNS`, `MPNS` …
    pub kind: String,
}

/// A device. It has no `Debug`, because its push token is not for logs.
#[derive(Clone, PartialEq, Default)]
pub struct Device {
    /// Its id: 32 hex digits, or a dashed GUID.
    pub id: String,
    /// When it was first and last seen, and the like.
    pub meta: Map<String, Value>,
    /// Its make and software.
    pub info: Map<String, Value>,
    /// Where it was last.
    pub location: Map<String, Value>,
    /// Its tags, by name.
    pub app_info: Map<String, Value>,
    /// Its push token, if it has one.
    pub push_token: Option<PushToken>,
    /// Its user, if known.
    pub user_id: Option<String>,
}

/// A push campaign of an app, as its item in the table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Its type, a part of its partition's key.
    pub campaign_type: CampaignType,
    /// Its id, unique within its type.
    pub id: i64,
    /// When it began, that moment included.
    pub active_from: OffsetDateTime,
    /// When it ended, that moment included; `None` while it is active.
    pub active_to: Option<OffsetDateTime>,
}

/// What became of a campaign on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// The campaign's type, within which its id is unique.
    pub campaign_type: CampaignType,
    /// The campaign's id, unique within its type.
    pub campaign: i64,
    /// The device's id, as [`Device::id`] has it.
    pub device_id: String,
    /// The status flags, as the contract names them.
    pub status: Vec<String>,
    /// The device's user, if known.
    pub user_id: Option<String>,
}

impl Registry {
    /// Adds devices, or replaces them. No two may have the same id: DynamoDB refuses a batch with
    /// repeats.
    ///
    /// # Errors
    /// [`SourceError`]; some of the devices may have been written. [`SourceError::Corrupt`], and
    /// nothing is written, when the app's devices are spread over another number of segments.
    pub async fn put_devices(
        &self,
        scope: &AppScope,
        devices: &[Device],
    ) -> Result<(), SourceError> {
        self.put_segments(scope).await?;
        let item = |device: &Device| {
            let segment = segment_of(&device.id, self.segments);
            device_item(
                &Partition::Devices {
                    scope: scope.clone(),
                    segment,
                },
                device,
            )
        };
        self.put(devices.iter().map(item)).await
    }

    /// Says over how many segments the app's devices are spread, unless that is said already.
    ///
    /// # Errors
    /// [`SourceError::Corrupt`] when another number is said.
    pub async fn put_segments(&self, scope: &AppScope) -> Result<(), SourceError> {
        let partition = keys::segments_partition(scope);
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item(keys::PK, AttributeValue::S(partition.clone()));
        let put = put.item(keys::SK, AttributeValue::S(keys::SEGMENTS.to_owned()));
        let number = AttributeValue::N(self.segments.to_string());
        let put = put
            .item(keys::SEGMENTS, number.clone())
            .condition_expression("attribute_not_exists(pk) OR #n = :n");
        let put = put
            .expression_attribute_names("#n", keys::SEGMENTS)
            .expression_attribute_values(":n", number);
        match put.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                let stored = self.stored_segments(&partition).await?;
                let reason = format!(
                    "the app's devices are spread over {stored} segments, and REGISTRY_SEGMENTS (the parameter RegistrySegments) \
                     says {}: set it to {stored}; for another number, load the files into another table",
                    self.segments
                );
                Err(SourceError::Corrupt {
                    object: format!("{partition} {}", keys::SEGMENTS),
                    cause: reason.into(),
                })
            }
            Err(error) => Err(self.source_error(error)),
        }
    }

    /// How many segments an app's partition of them says; `another number of` when it says none.
    async fn stored_segments(&self, partition: &str) -> Result<String, SourceError> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key(keys::PK, AttributeValue::S(partition.to_owned()));
        let get = get.key(keys::SK, AttributeValue::S(keys::SEGMENTS.to_owned()));
        let got = get.consistent_read(true).send().await;
        let item = got.map_err(|error| self.source_error(error))?.item;
        let item = item.unwrap_or_default();
        let number = item.get(keys::SEGMENTS).and_then(|it| it.as_n().ok());
        Ok(number.map_or_else(|| "another number of".to_owned(), Clone::clone))
    }

    /// Adds campaigns, or replaces them. No two may have the same type and id.
    ///
    /// # Errors
    /// [`SourceError`]; some of the campaigns may have been written.
    pub async fn put_campaigns(
        &self,
        scope: &AppScope,
        campaigns: &[Campaign],
    ) -> Result<(), SourceError> {
        let item = |campaign: &Campaign| {
            let partition = Partition::Campaigns {
                scope: scope.clone(),
                campaign_type: campaign.campaign_type,
            };
            let mut item = keyed(&partition, &campaign_sort_key(campaign.id));
            let moments = [
                (keys::ACTIVE_FROM, Some(campaign.active_from)),
                (keys::ACTIVE_TO, campaign.active_to),
            ];
            for (name, moment) in moments {
                let text = moment.map(|moment| moment.format(&Rfc3339)).transpose();
                insert_text(&mut item, name, text?.as_deref());
            }
            Ok(item)
        };
        let items: Result<Vec<Item>, time::error::Format> = campaigns.iter().map(item).collect();
        let object = self.table.clone();
        let items = items.map_err(|error| SourceError::Corrupt {
            object,
            cause: error.into(),
        })?;
        self.put(items.into_iter()).await
    }

    /// Adds feedback, or replaces it. No two may be of the same campaign and device.
    ///
    /// # Errors
    /// [`SourceError`]; some of the feedback may have been written.
    pub async fn put_feedback(
        &self,
        scope: &AppScope,
        feedback: &[Feedback],
    ) -> Result<(), SourceError> {
        let item = |it: &Feedback| {
            let (scope, campaign_type, campaign) = (scope.clone(), it.campaign_type, it.campaign);
            let mut item = keyed(
                &Partition::Feedback {
                    scope,
                    campaign_type,
                    campaign,
                    range: None,
                },
                &it.device_id,
            );
            let status = it.status.iter().cloned().map(AttributeValue::S).collect();
            item.insert(keys::STATUS.to_owned(), AttributeValue::L(status));
            insert_text(&mut item, keys::USER_ID, it.user_id.as_deref());
            item
        };
        self.put(feedback.iter().map(item)).await
    }

    async fn put(&self, mut items: impl Iterator<Item = Item>) -> Result<(), SourceError> {
        loop {
            let batch: Vec<_> = items.by_ref().take(BATCH_ITEMS).map(put_request).collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.put_batch(batch).await?;
        }
    }

    /// Writes a batch, and again what DynamoDB left undone of it, more and more slowly.
    pub(super) async fn put_batch(&self, batch: Vec<WriteRequest>) -> Result<(), SourceError> {
        let mut left = HashMap::from([(self.table.clone(), batch)]);
        for attempt in 0..BATCH_ATTEMPTS {
            let answer = self
                .client
                .batch_write_item()
                .set_request_items(Some(left))
                .send()
                .await;
            left = answer
                .map_err(|error| self.source_error(error))?
                .unprocessed_items
                .unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(attempt)).await;
        }
        Err(SourceError::Unavailable {
            object: self.table.clone(),
            cause: "it leaves writes undone".into(),
        })
    }
}

fn device_item(partition: &Partition, device: &Device) -> Item {
    let mut item = keyed(partition, &device.id);
    let maps = [
        (keys::META, &device.meta),
        (keys::INFO, &device.info),
        (keys::LOCATION, &device.location),
        (keys::APP_INFO, &device.app_info),
    ];
    for (name, map) in maps {
        item.insert(name.to_owned(), attribute_map(map));
    }
    insert_text(
        &mut item,
        keys::TOKEN,
        device.push_token.as_ref().map(|push| push.token.as_str()),
    );
    insert_text(
        &mut item,
        keys::TOKEN_TYPE,
        device.push_token.as_ref().map(|push| push.kind.as_str()),
    );
    insert_text(&mut item, keys::USER_ID, device.user_id.as_deref());
    item
}

pub(super) fn keyed(partition: &Partition, sort_key: &str) -> Item {
    let [pk, sk] = [partition.to_string(), sort_key.to_owned()].map(AttributeValue::S);
    Item::from([(keys::PK.to_owned(), pk), (keys::SK.to_owned(), sk)])
}

pub(super) fn insert_text(item: &mut Item, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        item.insert(name.to_owned(), AttributeValue::S(text.to_owned()));
    }
}

pub(super) fn put_request(item: Item) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build().ok();
    WriteRequest::builder().set_put_request(put).build()
}

fn attribute_map(map: &Map<String, Value>) -> AttributeValue {
    AttributeValue::M(
        map.iter()
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect(),
    )
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(items) => AttributeValue::L(items.iter().map(attribute).collect()),
        Value::Object(map) => attribute_map(map),
    }
}
