//! Lines of a loader's files as items of the registry: checked by the words of the exports, their
//! numbers digit for digit.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, WriteRequest};
use domain::app::AppScope;
use domain::selection::CampaignType;
use formats::record::value::text;
use formats::record::{BadRecord, LoadedShapes, Presence, Record, Shape};
use ports::source::SourceError;
use serde_json::value::RawValue;

use crate::registry::Registry;
use crate::registry::item::Item;
use crate::registry::keys::{self, Partition, campaign_sort_key, segment_of};
use crate::registry::load::{insert_text, keyed, put_request};

/// What a loader's file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// Devices, a line each.
    Devices,
    /// Campaigns.
    Campaigns,
    /// What became of campaigns on devices.
    Feedback,
}

/// An item that is to be put. It has no `Debug`, because a device's push token is not for logs.
#[derive(Clone)]
pub struct Entry {
    item: Item,
}

impl Entry {
    /// Where it is put: what has the same place replaces it.
    pub fn place(&self) -> Option<(&str, &str)> {
        let text = |name: &str| self.item.get(name)?.as_s().ok().map(String::as_str);
        text(keys::PK).zip(text(keys::SK))
    }

    /// How large it is, as `DynamoDB` counts
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>). The
    /// bytes of a number are an estimate there, too.
    pub fn size_bytes(&self) -> u64 {
        members(&self.item)
    }
}

/// The bytes of attributes with their names.
fn members(of: &HashMap<String, AttributeValue>) -> u64 {
    let sizes = of
        .iter()
        .map(|(name, value)| name.len() as u64 + size(value));
    sizes.sum()
}

/// The bytes of a value. A list or map has three, and one for each of its members.
fn size(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::S(text) => text.len() as u64,
        AttributeValue::N(number) => {
            let digits = number.split(['e', 'E']).next().unwrap_or_default();
            let digits = digits.bytes().filter(u8::is_ascii_digit).count() as u64;
            digits.div_ceil(2) + 1
        }
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + size(value)).sum::<u64>(),
        AttributeValue::M(values) => 3 + values.len() as u64 + members(values),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        // What a line of JSON cannot make is not counted.
        AttributeValue::B(_)
        | AttributeValue::Bs(_)
        | AttributeValue::Ns(_)
        | AttributeValue::Ss(_)
        | _ => 0,
    }
}

impl Loaded {
    /// The shapes that its lines are read by.
    fn shapes(self) -> &'static [Shape] {
        match self {
            Self::Devices => &LoadedShapes::DEVICE,
            Self::Campaigns => &LoadedShapes::CAMPAIGN,
            Self::Feedback => &LoadedShapes::FEEDBACK,
        }
    }

    /// Whether every line has a field of this name.
    pub fn needs(self, name: &str) -> bool {
        let mut fields = self.shapes().iter().flat_map(|shape| shape.fields);
        fields.any(|field| field.name == name && field.presence == Presence::Required)
    }

    /// Whether a line may have a field of this name.
    pub fn has_field(self, name: &str) -> bool {
        let mut fields = self.shapes().iter().flat_map(|shape| shape.fields);
        fields.any(|field| field.name == name)
    }
}

impl Registry {
    /// Reads a line as an item.
    ///
    /// # Errors
    /// [`BadRecord`], which names the first fault found, in the words of the exports.
    pub fn entry(&self, of: Loaded, scope: &AppScope, line: &[u8]) -> Result<Entry, BadRecord> {
        let item = match of {
            Loaded::Devices => self.device(scope, line)?,
            Loaded::Campaigns => campaign(scope, line)?,
            Loaded::Feedback => feedback(scope, line)?,
        };
        Ok(Entry { item })
    }

    fn device(&self, scope: &AppScope, line: &[u8]) -> Result<Item, BadRecord> {
        let [what, address] = LoadedShapes::DEVICE.map(|shape| Fields::read(shape, line));
        let (what, address) = (what?, address?);
        let id = what.text("deviceId")?;
        let partition = Partition::Devices {
            scope: scope.clone(),
            segment: segment_of(&id, self.segments()),
        };
        let mut item = keyed(&partition, &id);
        for name in [keys::META, keys::INFO, keys::LOCATION, keys::APP_INFO] {
            let object = what.raw(name).unwrap_or("{}");
            item.insert(name.to_owned(), attribute(object));
        }
        match (address.raw("token"), address.raw("type")) {
            (Some(_), None) => return Err(BadRecord::Missing { field: "type" }),
            (None, Some(_)) => return Err(BadRecord::Missing { field: "token" }),
            (Some(token), Some(kind)) => {
                insert_text(&mut item, keys::TOKEN, text(token).as_deref());
                insert_text(&mut item, keys::TOKEN_TYPE, text(kind).as_deref());
            }
            (None, None) => {}
        }
        let user = address.raw("userId").and_then(text);
        insert_text(&mut item, keys::USER_ID, user.as_deref());
        Ok(item)
    }

    /// Puts items, each of which replaces what has its place. No two may have the same, and there
    /// are at most [`BATCH_ITEMS`](super::BATCH_ITEMS).
    ///
    /// # Errors
    /// [`SourceError`]; some of them may have been written. [`SourceError::Corrupt`] when the table
    /// refuses one of them, and then none is.
    pub async fn put_entries(&self, entries: &[Entry]) -> Result<(), SourceError> {
        let requests = entries.iter().map(|entry| put_request(entry.item.clone()));
        let requests: Vec<WriteRequest> = requests.collect();
        if requests.is_empty() {
            return Ok(());
        }
        self.put_batch(requests).await
    }
}

fn campaign(scope: &AppScope, line: &[u8]) -> Result<Item, BadRecord> {
    let [shape] = LoadedShapes::CAMPAIGN;
    let fields = Fields::read(shape, line)?;
    let partition = Partition::Campaigns {
        scope: scope.clone(),
        campaign_type: fields.campaign_type()?,
    };
    let mut item = keyed(&partition, &campaign_sort_key(fields.campaign()?));
    for name in [keys::ACTIVE_FROM, keys::ACTIVE_TO] {
        let moment = fields.raw(name).and_then(text);
        insert_text(&mut item, name, moment.as_deref());
    }
    Ok(item)
}

fn feedback(scope: &AppScope, line: &[u8]) -> Result<Item, BadRecord> {
    let [shape] = LoadedShapes::FEEDBACK;
    let fields = Fields::read(shape, line)?;
    let partition = Partition::Feedback {
        scope: scope.clone(),
        campaign_type: fields.campaign_type()?,
        campaign: fields.campaign()?,
        range: None,
    };
    let mut item = keyed(&partition, &fields.text("deviceId")?);
    let status = fields.raw(keys::STATUS).unwrap_or("[]");
    item.insert(keys::STATUS.to_owned(), attribute(status));
    let user = fields.raw(keys::USER_ID).and_then(text);
    insert_text(&mut item, keys::USER_ID, user.as_deref());
    Ok(item)
}

/// A line that is as its shape says.
struct Fields<'a> {
    shape: Shape,
    record: Record<'a>,
}

impl<'a> Fields<'a> {
    fn read(shape: Shape, line: &'a [u8]) -> Result<Self, BadRecord> {
        let record = shape.parse(line)?;
        Ok(Self { shape, record })
    }

    /// The raw JSON of a field; `None` when absent or null.
    fn raw(&self, name: &str) -> Option<&str> {
        let mut fields = self.shape.fields.iter().zip(self.record.values());
        fields.find(|(field, _)| field.name == name)?.1
    }

    fn text(&self, field: &'static str) -> Result<String, BadRecord> {
        let found = self.raw(field).and_then(text);
        found.map(String::from).ok_or(BadRecord::Missing { field })
    }

    fn campaign_type(&self) -> Result<CampaignType, BadRecord> {
        let field = "campaignType";
        CampaignType::from_name(&self.text(field)?).ok_or(BadRecord::Missing { field })
    }

    fn campaign(&self) -> Result<i64, BadRecord> {
        let field = "campaignId";
        let number = self.raw(field).and_then(|raw| raw.parse().ok());
        number.ok_or(BadRecord::Missing { field })
    }
}

/// A well-formed JSON value as the table holds it, its numbers digit for digit. How deep it may be,
/// its shape says.
fn attribute(raw: &str) -> AttributeValue {
    let raw = raw.trim();
    let null = || AttributeValue::Null(true);
    match raw.as_bytes().first() {
        Some(b'{') => {
            let members: Result<HashMap<String, &RawValue>, _> = serde_json::from_str(raw);
            members.map_or_else(
                |_| null(),
                |members| {
                    let member =
                        |(name, value): (String, &RawValue)| (name, attribute(value.get()));
                    AttributeValue::M(members.into_iter().map(member).collect())
                },
            )
        }
        Some(b'[') => {
            let items: Result<Vec<&RawValue>, _> = serde_json::from_str(raw);
            items.map_or_else(
                |_| null(),
                |items| AttributeValue::L(items.iter().map(|item| attribute(item.get())).collect()),
            )
        }
        Some(b'"') => text(raw).map_or_else(null, |text| AttributeValue::S(text.into_owned())),
        Some(b't') => AttributeValue::Bool(true),
        Some(b'f') => AttributeValue::Bool(false),
        Some(b'n') | None => null(),
        Some(_) => AttributeValue::N(raw.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config};
    use domain::selection::DeviceType;

    use super::*;
    use crate::registry::item::{Rows, write_record};

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn registry() -> Registry {
        let config = Config::builder().behavior_version(BehaviorVersion::latest());
        Registry::new(Client::from_conf(config.build()), "registry", 16)
    }

    fn read(of: Loaded, line: &str) -> Result<Entry, BadRecord> {
        let scope = AppScope::from_canonical("/apps/a");
        registry().entry(of, &scope, line.as_bytes())
    }

    fn exported(rows: Rows, entry: &Entry) -> String {
        let mut out = Vec::new();
        write_record(rows, &entry.item, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_device_is_exported_as_its_line_says_digit_for_digit() {
        let line = format!(
            r#"{{"deviceId":"{ID}","meta":{{"firstSeen":12345678901234567890123456789012345678}},"info":{{"a":[1.50,true,null,"\u00e9"]}},"token":"t\n","type":"GCM","userId":"u"}}"#
        );
        let entry = read(Loaded::Devices, &line).unwrap();
        assert_eq!(entry.place(), Some(("DEVICES#/apps/a#5", ID)));
        let device = format!(
            "{{\"deviceId\":\"{ID}\",\"meta\":{{\"firstSeen\":12345678901234567890123456789012345678}},\
             \"info\":{{\"a\":[1.50,true,null,\"é\"]}},\"location\":{{}},\"appInfo\":{{}}}}\n"
        );
        assert_eq!(exported(Rows::Of(DeviceType::Device), &entry), device);
        let token = format!("{{\"deviceId\":\"{ID}\",\"token\":\"t\\n\",\"type\":\"GCM\"}}\n");
        assert_eq!(exported(Rows::Of(DeviceType::Token), &entry), token);
        assert_eq!(exported(Rows::Of(DeviceType::Tag), &entry), "");
    }

    #[test]
    fn feedback_is_loaded_from_the_line_that_its_export_writes() {
        let line = format!(
            "{{\"deviceId\":\"{ID}\",\"campaignType\":\"Poll\",\"campaignId\":-3,\"status\":[\"Queued\"],\"userId\":\"u\"}}\n"
        );
        let entry = read(Loaded::Feedback, line.trim_end()).unwrap();
        let rows = Rows::Feedback {
            campaign_type: CampaignType::Poll,
            campaign: -3,
        };
        assert_eq!(entry.place(), Some(("FEEDBACK#/apps/a#Poll#-3", ID)));
        assert_eq!(exported(rows, &entry), line);
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_in_the_words_of_the_exports() {
        let device = |rest: &str| format!("{{\"deviceId\":\"{ID}\"{rest}}}");
        for (of, line, said) in [
            (Loaded::Devices, "[]".to_owned(), "not an object: "),
            (Loaded::Devices, "{".to_owned(), "not JSON: "),
            (
                Loaded::Devices,
                "{\"deviceId\":\"1\"}".to_owned(),
                "field `deviceId` is not an id",
            ),
            (
                Loaded::Devices,
                device(",\"appInfo\":[]"),
                "field `appInfo` is not an object",
            ),
            (
                Loaded::Devices,
                device(",\"meta\":{\"a\":1e400}"),
                "field `meta` holds a number beyond a double",
            ),
            (
                Loaded::Devices,
                device(",\"token\":\"t\""),
                "missing required field `type`",
            ),
            (
                Loaded::Devices,
                device(",\"type\":\"GCM\""),
                "missing required field `token`",
            ),
            (
                Loaded::Feedback,
                device(",\"campaignType\":\"Poll\",\"campaignId\":1"),
                "missing required field `status`",
            ),
            (
                Loaded::Campaigns,
                "{\"campaignType\":\"Survey\",\"campaignId\":1}".to_owned(),
                "field `campaignType` is not a campaign type",
            ),
            (
                Loaded::Campaigns,
                "{\"campaignType\":\"Poll\",\"campaignId\":1,\"activeFrom\":\"soon\"}".to_owned(),
                "field `activeFrom` is not a timestamp",
            ),
        ] {
            let error = read(of, &line).err().map(|error| error.to_string());
            assert!(
                error.as_ref().is_some_and(|error| error.starts_with(said)),
                "{line}: {error:?}"
            );
        }
    }
}
