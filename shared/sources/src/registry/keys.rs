//! Every key and attribute of the registry's table, in one place.
//!
//! | item | `pk` | `sk` | attributes | absent |
//! |---|---|---|---|---|
//! | device | `DEVICES#{scope}#{segment}` | device id | `meta` `info` `location` `appInfo` (maps), `token` `tokenType` `userId` (strings) | any of them |
//! | segments of an app | `DEVICES#{scope}` | `segments` | `segments` (number) | when its loader does not write it |
//! | campaign | `CAMPAIGNS#{scope}#{campaign type}` | `campaign_sort_key` | `activeFrom` `activeTo` (timestamps) | `activeTo` while it is active |
//! | feedback | `FEEDBACK#{scope}#{campaign type}#{campaign id}` | device id | `status` (list of flags), `userId` | `userId` |
//!
//! `scope` is the [`AppScope`], which holds no `#`. The loader of the registry writes all of them;
//! the service only reads.

use std::fmt;

use domain::app::AppScope;
use domain::job::PlanCursor;
use domain::selection::CampaignType;

/// The partition key's name.
pub(crate) const PK: &str = "pk";
/// The sort key's name.
pub(crate) const SK: &str = "sk";
/// A device's technical data.
pub(crate) const META: &str = "meta";
/// What is known of a device's make and software.
pub const INFO: &str = "info";
/// Where a device was last.
pub const LOCATION: &str = "location";
/// A device's tags.
pub(crate) const APP_INFO: &str = "appInfo";
/// A device's push token.
pub const TOKEN: &str = "token";
/// The service that a device's push token is for.
pub(crate) const TOKEN_TYPE: &str = "tokenType";
/// The user id of a device, or of the feedback of one.
pub(crate) const USER_ID: &str = "userId";
/// When a campaign began.
pub(crate) const ACTIVE_FROM: &str = "activeFrom";
/// When a campaign ended, that moment included.
pub(crate) const ACTIVE_TO: &str = "activeTo";
/// What became of a campaign on a device.
pub(crate) const STATUS: &str = "status";

/// The number of segments that an app's devices are spread over; also the sort key of the item that
/// says so.
pub(crate) const SEGMENTS: &str = "segments";

/// The partition of the item that says over how many segments an app's devices are spread.
pub(crate) fn segments_partition(scope: &AppScope) -> String {
    format!("DEVICES#{scope}")
}

/// A partition of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partition {
    /// A segment of an app's devices.
    Devices {
        /// The app whose devices they are.
        scope: AppScope,
        /// The segment, from 0.
        segment: u16,
    },
    /// An app's campaigns of one type.
    Campaigns {
        /// The app whose campaigns they are.
        scope: AppScope,
        /// The type of all of them.
        campaign_type: CampaignType,
    },
    /// The feedback of one campaign.
    Feedback {
        /// The app whose campaign it is.
        scope: AppScope,
        /// The campaign's type, within which its id is unique.
        campaign_type: CampaignType,
        /// The campaign's id, unique within its type.
        campaign: i64,
        /// Which range of the devices, when it is not all of them.
        range: Option<u8>,
    },
}

/// What the ranges of a large campaign's devices are divided at: the first characters of their ids,
/// which are hexadecimal.
const BOUNDS: [&str; 21] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "a", "b", "c", "d",
    "e", "f",
];

/// How many ranges there are: the first is open below, the last above, so that whatever a device is
/// called, it is in one.
pub(super) const RANGES: u8 = 22;

/// Where a range begins and ends, both included: only an id of a single character is in two. (A key
/// condition has room for one comparison of the sort key, and `BETWEEN` includes both ends:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html>.)
pub(super) fn bounds_of(range: u8) -> (Option<&'static str>, Option<&'static str>) {
    let bound = |place: usize| BOUNDS.get(place).copied();
    let place = usize::from(range);
    (place.checked_sub(1).and_then(bound), bound(place))
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Devices { scope, segment } => write!(f, "DEVICES#{scope}#{segment}"),
            Self::Campaigns {
                scope,
                campaign_type,
            } => write!(f, "CAMPAIGNS#{scope}#{}", campaign_type.name()),
            Self::Feedback {
                scope,
                campaign_type,
                campaign,
                range,
            } => {
                write!(f, "FEEDBACK#{scope}#{}#{campaign}", campaign_type.name())?;
                match range {
                    Some(range) => write!(f, "#{range}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Partition {
    /// Reads a partition key; `None` when it is none.
    pub fn parse(key: &str) -> Option<Self> {
        let parts: Vec<&str> = key.split('#').collect();
        let scope = |scope: &&str| AppScope::from_canonical(*scope);
        match parts.as_slice() {
            ["DEVICES", path, segment] => Some(Self::Devices {
                scope: scope(path),
                segment: segment.parse().ok()?,
            }),
            ["CAMPAIGNS", path, name] => Some(Self::Campaigns {
                scope: scope(path),
                campaign_type: CampaignType::from_name(name)?,
            }),
            ["FEEDBACK", path, name, campaign, rest @ ..] => {
                let range = match rest {
                    [] => None,
                    [range] => Some(range.parse().ok().filter(|range| *range < RANGES)?),
                    _ => return None,
                };
                Some(Self::Feedback {
                    scope: scope(path),
                    campaign_type: CampaignType::from_name(name)?,
                    campaign: campaign.parse().ok()?,
                    range,
                })
            }
            _ => None,
        }
    }

    /// The value of the partition key, and the bounds of the sort key.
    pub(super) fn bounds(&self) -> (String, (Option<&'static str>, Option<&'static str>)) {
        match self {
            Self::Feedback {
                range: Some(range), ..
            } => {
                let whole = self.clone().whole();
                (whole.to_string(), bounds_of(*range))
            }
            Self::Devices { .. } | Self::Campaigns { .. } | Self::Feedback { .. } => {
                (self.to_string(), (None, None))
            }
        }
    }

    /// All of the partition.
    fn whole(self) -> Self {
        match self {
            Self::Feedback {
                scope,
                campaign_type,
                campaign,
                ..
            } => Self::Feedback {
                scope,
                campaign_type,
                campaign,
                range: None,
            },
            other @ (Self::Devices { .. } | Self::Campaigns { .. }) => other,
        }
    }
}

/// The segment of a device: FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>) of its id modulo the number of segments.
pub(crate) fn segment_of(device_id: &str, segments: u16) -> u16 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = device_id.bytes().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    u16::try_from(hash % u64::from(segments.max(1))).unwrap_or_default()
}

/// A campaign's sort key: its id shifted up by 2⁶³, in twenty digits, so that keys sort as ids do,
/// negative ones too.
pub(crate) fn campaign_sort_key(id: i64) -> String {
    format!("{:020}", id.cast_unsigned() ^ (1 << 63))
}

/// The campaign's id that [`campaign_sort_key`] was made of; `None` when the text is no such key.
pub(crate) fn parse_campaign_sort_key(key: &str) -> Option<i64> {
    let shifted: u64 = key.parse().ok()?;
    (key.len() == 20).then(|| (shifted ^ (1 << 63)).cast_signed())
}

const CURSOR_VERSION: &str = "registry1";

/// The cursor of a plan that goes on at `place`.
pub(super) fn cursor(place: impl fmt::Display) -> PlanCursor {
    PlanCursor(format!("{CURSOR_VERSION}:{place}"))
}

/// The place that [`cursor`] was made of.
pub(super) fn parse_cursor(cursor: &PlanCursor) -> Option<&str> {
    cursor.0.strip_prefix(CURSOR_VERSION)?.strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_survives_being_a_key() {
        let scope = AppScope::from_segments(["subscriptions", "s#1", "apps", "my app"]);
        let campaign_type = CampaignType::DataPush;
        for partition in [
            Partition::Devices {
                scope: scope.clone(),
                segment: 15,
            },
            Partition::Campaigns {
                scope: scope.clone(),
                campaign_type,
            },
            Partition::Feedback {
                scope: scope.clone(),
                campaign_type,
                campaign: -7,
                range: None,
            },
            Partition::Feedback {
                scope,
                campaign_type,
                campaign: -7,
                range: Some(RANGES - 1),
            },
        ] {
            assert_eq!(Partition::parse(&partition.to_string()), Some(partition));
        }
        for other in [
            "",
            "DEVICES#/a",
            "DEVICES#/a#b",
            "FEEDBACK#/a#Survey#1",
            "FEEDBACK#/a#Poll#1#22",
            "FEEDBACK#/a#Poll#1#2#3",
        ] {
            assert_eq!(Partition::parse(other), None, "{other}");
        }
    }

    #[test]
    fn campaigns_sort_by_id() {
        let ids = [i64::MIN, -10, -9, -1, 0, 1, 9, 10, i64::MAX];
        let keys = ids.map(campaign_sort_key);
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(
            keys.each_ref().map(|key| parse_campaign_sort_key(key)),
            ids.map(Some)
        );
        assert_eq!(parse_campaign_sort_key("7"), None);
    }

    #[test]
    fn a_device_stays_in_its_segment_and_segments_fill_evenly() {
        assert_eq!(
            segment_of("0123456789abcdef0123456789abcdef", 16),
            5,
            "a stored device must stay where it is"
        );
        let mut counts = [0; 16];
        for number in 0..16_000 {
            counts[usize::from(segment_of(&format!("{number:032x}"), 16))] += 1;
        }
        assert!(
            counts.iter().all(|count| (800..1_200).contains(count)),
            "{counts:?}"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_device_is_in_exactly_one_range(id in "(?s)[0-9A-Fa-f]{32}|.{2,40}") {
            let holds = |range: &u8| {
                let (from, to) = bounds_of(*range);
                from.is_none_or(|from| *id >= *from) && to.is_none_or(|to| *id <= *to)
            };
            proptest::prop_assert_eq!((0..RANGES).filter(holds).count(), 1);
        }
    }

    #[test]
    fn the_ranges_follow_each_other() {
        assert!(BOUNDS.is_sorted());
        assert_eq!(BOUNDS.len() + 1, usize::from(RANGES));
        assert_eq!(bounds_of(0), (None, Some("1")));
        assert_eq!(bounds_of(9), (Some("9"), Some("A")));
        assert_eq!(bounds_of(RANGES - 1), (Some("f"), None));
    }
}
