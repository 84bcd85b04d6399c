//! Items of the table as lines of JSON.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::selection::{CampaignType, DeviceType, Snapshot};
use serde::ser::{Error, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::registry::keys::{self, Partition};

/// An item, by attribute.
pub(super) type Item = HashMap<String, AttributeValue>;

/// What the records of a partition are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Something of each device.
    Of(DeviceType),
    /// What became of a campaign.
    Feedback {
        campaign_type: CampaignType,
        campaign: i64,
    },
}

impl Rows {
    /// The rows of a snapshot in a partition; `None` when it is no partition of such rows.
    pub(super) fn of(snapshot: &Snapshot, partition: &Partition) -> Option<Self> {
        match (snapshot, partition) {
            (Snapshot::Devices(of), Partition::Devices { .. }) => Some(Self::Of(*of)),
            (
                Snapshot::Campaigns { .. } | Snapshot::ActiveCampaigns { .. },
                Partition::Feedback {
                    campaign_type,
                    campaign,
                    ..
                },
            ) => Some(Self::Feedback {
                campaign_type: *campaign_type,
                campaign: *campaign,
            }),
            (
                Snapshot::Devices(_)
                | Snapshot::Campaigns { .. }
                | Snapshot::ActiveCampaigns { .. },
                Partition::Devices { .. }
                | Partition::Campaigns { .. }
                | Partition::Feedback { .. },
            ) => None,
        }
    }

    /// The attributes that the records are made of.
    pub(super) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Of(DeviceType::Tag) => &[keys::SK, keys::APP_INFO],
            Self::Of(DeviceType::Token) => &[keys::SK, keys::TOKEN, keys::TOKEN_TYPE],
            Self::Of(DeviceType::Device) => &[
                keys::SK,
                keys::META,
                keys::INFO,
                keys::LOCATION,
                keys::APP_INFO,
            ],
            Self::Feedback { .. } => &[keys::SK, keys::STATUS, keys::USER_ID],
        }
    }
}

/// Appends the item's record as a line; nothing when it has none of this type (no tags, no token).
///
/// # Errors
/// When an attribute cannot be JSON: binary, or a number that JSON cannot spell.
pub(super) fn write_record(
    rows: Rows,
    item: &Item,
    out: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let Some(record) = record(rows, item) else {
        return Ok(());
    };
    serde_json::to_writer(&mut *out, &record)?;
    out.push(b'\n');
    Ok(())
}

/// The members of a record, in order; what is `None` is left out.
struct Record<'a>(Vec<(&'static str, Option<Member<'a>>)>);

enum Member<'a> {
    Stored(&'a AttributeValue),
    Name(&'static str),
    Number(i64),
    Empty,
}

fn record(rows: Rows, item: &Item) -> Option<Record<'_>> {
    let stored = |name: &str| item.get(name).map(Member::Stored);
    let map = |name: &str| stored(name).or(Some(Member::Empty));
    let mut members = vec![("deviceId", stored(keys::SK))];
    match rows {
        Rows::Of(DeviceType::Tag) => {
            let has_tags = item
                .get(keys::APP_INFO)?
                .as_m()
                .map_or(true, |tags| !tags.is_empty());
            members.push(("tags", has_tags.then(|| stored(keys::APP_INFO))?));
        }
        Rows::Of(DeviceType::Token) => {
            members.push(("token", Some(stored(keys::TOKEN)?)));
            members.push(("type", stored(keys::TOKEN_TYPE)));
        }
        Rows::Feedback {
            campaign_type,
            campaign,
        } => {
            members.push(("campaignType", Some(Member::Name(campaign_type.name()))));
            members.push(("campaignId", Some(Member::Number(campaign))));
            members.push(("status", stored(keys::STATUS)));
            members.push(("userId", stored(keys::USER_ID)));
        }
        Rows::Of(DeviceType::Device) => {
            members.extend(
                [keys::META, keys::INFO, keys::LOCATION, keys::APP_INFO]
                    .map(|name| (name, map(name))),
            );
        }
    }
    Some(Record(members))
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self
            .0
            .iter()
            .filter_map(|(name, member)| Some((name, member.as_ref()?)));
        serializer.collect_map(members)
    }
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Stored(value) => Json(value).serialize(serializer),
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Empty => serializer.serialize_map(Some(0))?.end(),
        }
    }
}

/// A stored value as JSON: numbers digit for digit, maps and sets in the order of their keys.
struct Json<'a>(&'a AttributeValue);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::S(text) => serializer.serialize_str(text),
            AttributeValue::N(number) => Number(number).serialize(serializer),
            AttributeValue::Bool(value) => serializer.serialize_bool(*value),
            AttributeValue::Null(_) => serializer.serialize_unit(),
            AttributeValue::L(items) => serializer.collect_seq(items.iter().map(Json)),
            AttributeValue::M(members) => {
                let mut sorted: Vec<_> = members
                    .iter()
                    .map(|(name, value)| (name, Json(value)))
                    .collect();
                sorted.sort_unstable_by_key(|(name, _)| *name);
                serializer.collect_map(sorted)
            }
            AttributeValue::Ss(texts) => serializer.collect_seq(sorted(texts)),
            AttributeValue::Ns(numbers) => {
                serializer.collect_seq(sorted(numbers).map(|number| Number(number)))
            }
            AttributeValue::B(_) | AttributeValue::Bs(_) | _ => {
                Err(S::Error::custom("a value that JSON cannot hold"))
            }
        }
    }
}

/// A set, in an order that is the same at every reading.
fn sorted(set: &[String]) -> impl Iterator<Item = &String> {
    let mut members: Vec<_> = set.iter().collect();
    members.sort_unstable();
    members.into_iter()
}

/// A number, which DynamoDB holds as decimal text
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>).
struct Number<'a>(&'a str);

impl Serialize for Number<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: Result<&RawValue, _> = serde_json::from_str(self.0);
        raw.map_err(|_| S::Error::custom("a number that JSON cannot spell"))?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::app::AppScope;
    use domain::selection::CampaignType;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn item(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    }

    fn line(rows: Rows, item: &Item) -> String {
        let mut out = Vec::new();
        write_record(rows, item, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const FEEDBACK: Rows = Rows::Feedback {
        campaign_type: CampaignType::Poll,
        campaign: -3,
    };

    #[test]
    fn rows_lie_in_partitions_of_their_kind_alone() {
        let scope = AppScope::from_segments(["apps", "a"]);
        let campaign_type = CampaignType::Poll;
        let partitions = [
            Partition::Devices {
                scope: scope.clone(),
                segment: 0,
            },
            Partition::Campaigns {
                scope: scope.clone(),
                campaign_type,
            },
            Partition::Feedback {
                scope,
                campaign_type,
                campaign: -3,
                range: None,
            },
        ];
        let devices = Snapshot::Devices(DeviceType::Tag);
        let ids = vec![-3];
        let feedback = Snapshot::Campaigns { campaign_type, ids };
        let rows = |snapshot| {
            partitions
                .each_ref()
                .map(|partition| Rows::of(snapshot, partition))
        };
        assert_eq!(
            rows(&devices),
            [Some(Rows::Of(DeviceType::Tag)), None, None]
        );
        assert_eq!(rows(&feedback), [None, None, Some(FEEDBACK)]);
    }

    #[test]
    fn a_device_without_data_has_empty_objects() {
        let bare = item(&[("sk", text("d"))]);
        let expected =
            "{\"deviceId\":\"d\",\"meta\":{},\"info\":{},\"location\":{},\"appInfo\":{}}\n";
        assert_eq!(line(Rows::Of(DeviceType::Device), &bare), expected);
    }

    #[test]
    fn devices_without_tags_or_token_have_no_such_record() {
        let bare = item(&[
            ("sk", text("d")),
            ("appInfo", AttributeValue::M(HashMap::new())),
        ]);
        assert_eq!(line(Rows::Of(DeviceType::Tag), &bare), "");
        assert_eq!(line(Rows::Of(DeviceType::Token), &bare), "");
        let full = item(&[
            ("sk", text("d")),
            ("token", text("t")),
            ("tokenType", text("GCM")),
        ]);
        assert_eq!(
            line(Rows::Of(DeviceType::Token), &full),
            "{\"deviceId\":\"d\",\"token\":\"t\",\"type\":\"GCM\"}\n"
        );
    }

    #[test]
    fn numbers_are_kept_digit_for_digit_and_maps_are_sorted() {
        let number = |digits: &str| AttributeValue::N(digits.to_owned());
        let tags = item(&[
            ("b", number("0.1000")),
            ("a", number("12345678901234567890123456789012345678")),
        ]);
        let device = item(&[("sk", text("\"")), ("appInfo", AttributeValue::M(tags))]);
        let expected = "{\"deviceId\":\"\\\"\",\"tags\":{\"a\":12345678901234567890123456789012345678,\"b\":0.1000}}\n";
        assert_eq!(line(Rows::Of(DeviceType::Tag), &device), expected);
    }

    #[test]
    fn feedback_takes_its_campaign_from_the_partition() {
        let status = AttributeValue::L(vec![text("Queued")]);
        let feedback = item(&[("sk", text("d")), ("status", status), ("userId", text("u"))]);
        let expected = "{\"deviceId\":\"d\",\"campaignType\":\"Poll\",\"campaignId\":-3,\"status\":[\"Queued\"],\
                        \"userId\":\"u\"}\n";
        assert_eq!(line(FEEDBACK, &feedback), expected);
    }

    #[test]
    fn a_binary_value_is_refused() {
        let binary = AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new("x"));
        let device = item(&[("sk", text("d")), ("meta", binary)]);
        write_record(Rows::Of(DeviceType::Device), &device, &mut Vec::new()).unwrap_err();
    }
}
