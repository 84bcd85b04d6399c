//! Whether a raw value is what its field's kind says.

use std::fmt;

use domain::selection::CampaignType;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::record::value::{flat_properties, text};
use crate::record::{Kind, MAX_EXTRAS, timestamp};

/// The push status flags of the contract.
const STATUS_FLAGS: [&str; 12] = [
    "None",
    "Queued",
    "Dropped",
    "InAppNotificationDisplayed",
    "InAppNotificationActioned",
    "InAppNotificationExited",
    "SystemNotificationDisplayed",
    "SystemNotificationActioned",
    "SystemNotificationExited",
    "ContentDisplayed",
    "ContentActioned",
    "ContentExited",
];

impl Kind {
    /// Whether a well-formed raw JSON value is of this kind.
    pub(super) fn admits(self, raw: &str) -> bool {
        match self {
            Self::Id => text(raw).is_some_and(|id| is_id(&id)),
            Self::Text => text(raw).is_some(),
            Self::ShortText(most) => {
                text(raw).is_some_and(|it| it.len() <= most || it.chars().count() <= most)
            }
            Self::Timestamp | Self::RecordTime => {
                text(raw).is_some_and(|it| timestamp::parse(&it).is_some())
            }
            Self::Extras => flat_properties(raw).is_some_and(|count| count <= MAX_EXTRAS),
            Self::Object => raw.starts_with('{'),
            Self::Integer => raw.parse::<i64>().is_ok(),
            Self::CampaignType => text(raw)
                .is_some_and(|name| CampaignType::ALL.iter().any(|kind| kind.name() == name)),
            Self::Status => serde_json::from_str::<StatusFlags>(raw).is_ok(),
        }
    }

    /// What a value of this kind is, in words that follow “is not”.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Id => "an id (32 hex digits or a dashed GUID)",
            Self::Text => "a string",
            Self::ShortText(_) => "a string, or too long",
            Self::Timestamp | Self::RecordTime => "a timestamp",
            Self::Extras => "a flat object of at most 200 properties",
            Self::Object => "an object",
            Self::Integer => "a 64-bit integer",
            Self::CampaignType => "a campaign type",
            Self::Status => "an array of push status flags without repeats",
        }
    }
}

fn is_id(text: &str) -> bool {
    // No way out before the end: so the compiler looks at many bytes at once.
    let hex = |part: &str, len| {
        part.len() == len
            && part
                .bytes()
                .fold(true, |all, byte| all & byte.is_ascii_hexdigit())
    };
    match text.len() {
        32 => hex(text, 32),
        36 => {
            let lens = [8, 4, 4, 4, 12];
            text.split('-').count() == lens.len()
                && text.split('-').zip(lens).all(|(part, len)| hex(part, len))
        }
        _ => false,
    }
}

/// A set of status flags, one bit each; only its well-formedness is of interest.
struct StatusFlags;

/// The place of one flag in [`STATUS_FLAGS`].
struct StatusFlag(usize);

impl<'de> Deserialize<'de> for StatusFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self)
    }
}

impl<'de> Visitor<'de> for StatusFlags {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("status flags")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut flags: A) -> Result<Self, A::Error> {
        let mut seen = 0_u16;
        while let Some(StatusFlag(place)) = flags.next_element()? {
            let flag = 1 << place;
            if seen & flag != 0 {
                return Err(A::Error::custom("repeated"));
            }
            seen |= flag;
        }
        Ok(self)
    }
}

impl<'de> Deserialize<'de> for StatusFlag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FlagName)
    }
}

struct FlagName;

impl Visitor<'_> for FlagName {
    type Value = StatusFlag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status flag")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<StatusFlag, E> {
        let place = STATUS_FLAGS.iter().position(|flag| *flag == name);
        place.map(StatusFlag).ok_or_else(|| E::custom("unknown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_kind(kind: Kind, good: &[&str], bad: &[&str]) {
        for raw in good {
            assert!(kind.admits(raw), "{kind:?} refuses {raw}");
        }
        for raw in bad {
            assert!(!kind.admits(raw), "{kind:?} admits {raw}");
        }
    }

    #[test]
    fn ids_are_hex_or_dashed_guids() {
        assert_kind(
            Kind::Id,
            &[
                "\"0123456789abcdefABCDEF0123456789\"",
                "\"01234567-89ab-cdef-ABCD-EF0123456789\"",
                "\"\\u0030123456789abcdefABCDEF0123456789\"",
            ],
            &[
                "\"0123456789abcdefABCDEF012345678\"",
                "\"0123456789abcdefABCDEF012345678g\"",
                "\"012345678-9ab-cdef-ABCD-EF0123456789\"",
                "\"01234567-89ab-cdef-ABCD-EF012345678-\"",
                "\"01234567-89ab-cdef-ABCD-EF0123456-89\"",
                "12",
                "null",
            ],
        );
    }

    #[test]
    fn short_texts_are_counted_in_characters() {
        let umlauts = format!("\"{}\"", "ü".repeat(64));
        let too_long = format!("\"{}\"", "ü".repeat(65));
        assert_kind(
            Kind::ShortText(64),
            &["\"\"", &umlauts],
            &[&too_long, "1", "{}"],
        );
    }

    #[test]
    fn extras_are_flat_and_few() {
        let extras = |count| format!("{{{}}}", vec!["\"a\":1"; count].join(","));
        assert_kind(
            Kind::Extras,
            &["{}", &extras(200)],
            &[&extras(201), "{\"a\":[1]}", "[]", "\"x\""],
        );
        assert_kind(
            Kind::Object,
            &["{}", "{\"a\":{\"b\":[1]}}"],
            &["[]", "\"{\"", "1"],
        );
    }

    #[test]
    fn integers_have_64_bits() {
        assert_kind(
            Kind::Integer,
            &["0", "-1", "9223372036854775807", "-9223372036854775808"],
            &["9223372036854775808", "1.0", "1e3", "\"1\"", "true"],
        );
    }

    #[test]
    fn push_fields_are_of_the_contract() {
        assert_kind(
            Kind::CampaignType,
            &["\"DataPush\""],
            &["\"datapush\"", "\"Survey\"", "1"],
        );
        assert_kind(
            Kind::Status,
            &["[]", "[\"None\"]", "[\"Queued\", \"ContentExited\"]"],
            &[
                "[\"Queued\",\"Queued\"]",
                "[\"queued\"]",
                "\"None\"",
                "[1]",
                "{}",
            ],
        );
    }
}
