//! Whether a value is what its field's kind says.

use std::fmt;

use domain::selection::CampaignType;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::record::normalise::{Normal, keys_become_equal};
use crate::record::outline::Outline;
use crate::record::value::text;
use crate::record::{BadRecord, Field, Kind, MAX_EXTRAS, MAX_LEVELS};

/// The most levels of a value: the record is a level of its own.
pub(super) const MAX_LEVELS_OF_VALUE: usize = MAX_LEVELS - 1;

/// The push status flags of the contract.
pub(super) const STATUS_FLAGS: [&str; 12] = [
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
    /// Whether a well-formed value in its normal form is of this kind, and such that every reader
    /// takes it.
    pub(super) fn admits(self, value: &Normal<'_>) -> bool {
        let raw = &*value.raw;
        match self {
            Self::Id => text(raw).is_some_and(|id| is_id(&id)),
            Self::Text => text(raw).is_some(),
            Self::ShortText(most) => {
                text(raw).is_some_and(|it| it.len() <= most || it.chars().count() <= most)
            }
            Self::Timestamp | Self::RecordTime => value.moment.is_some(),
            Self::Extras => raw.starts_with('{') && has_outline(raw, is_flat),
            Self::Object => raw.starts_with('{') && has_outline(raw, is_plain),
            Self::Integer => raw.parse::<i64>().is_ok(),
            Self::CampaignType => text(raw)
                .is_some_and(|name| CampaignType::ALL.iter().any(|kind| kind.name() == name)),
            Self::Status => serde_json::from_str::<StatusFlags>(raw).is_ok(),
        }
    }
}

/// What a value of this kind is and how a right one looks, in words that follow “is not”.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str(
                "an id: expected 32 hex digits or a dashed GUID such as \
                 01234567-89ab-cdef-0123-456789abcdef",
            ),
            Self::Text => f.write_str("a string: expected text in double quotes"),
            Self::ShortText(most) => write!(
                f,
                "a short string: expected at most {most} characters in double quotes"
            ),
            Self::Timestamp | Self::RecordTime => {
                f.write_str("a timestamp: expected RFC 3339 such as 2026-02-01T12:00:00Z")
            }
            Self::Extras => write!(
                f,
                "a flat object: expected at most {MAX_EXTRAS} strings, numbers, booleans and nulls \
                 by name"
            ),
            Self::Object => f.write_str("an object: expected values by name in braces"),
            Self::Integer => {
                f.write_str("a 64-bit integer: expected digits without quotes, such as 42")
            }
            Self::CampaignType => write_names(f),
            Self::Status => f.write_str(
                "an array of push status flags: expected each at most once, such as [\"Queued\"]",
            ),
        }
    }
}

fn write_names(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("a campaign type: expected one of ")?;
    for (place, kind) in CampaignType::ALL.iter().enumerate() {
        let separator = if place > 0 { ", " } else { "" };
        write!(f, "{separator}{}", kind.name())?;
    }
    Ok(())
}

/// Checks a field's value; `original` is what the source holds.
pub(super) fn check(field: &Field, original: &str, value: &Normal<'_>) -> Result<(), BadRecord> {
    if !field.kind.admits(value) {
        return Err(fault(field, original));
    }
    if value.repaired && keys_become_equal(original) {
        return Err(BadRecord::KeysBecomeEqual { field: field.name });
    }
    Ok(())
}

/// Why a value that its kind does not admit is refused: the limits of all values come first.
fn fault(field: &Field, raw: &str) -> BadRecord {
    let outline = Outline::exact(raw);
    let (field, expected) = (field.name, field.kind);
    if outline.levels > MAX_LEVELS_OF_VALUE {
        BadRecord::TooDeep { field }
    } else if outline.beyond_double {
        BadRecord::NumberTooLarge { field }
    } else {
        BadRecord::Wrong { field, expected }
    }
}

/// Whether its outline is as it must be; the less it holds, the better.
fn has_outline(raw: &str, is_good: fn(Outline) -> bool) -> bool {
    is_good(Outline::at_a_glance(raw)) || is_good(Outline::exact(raw))
}

/// Whether it keeps to the limits of all values.
fn is_plain(outline: Outline) -> bool {
    outline.levels <= MAX_LEVELS_OF_VALUE && !outline.beyond_double
}

fn is_flat(outline: Outline) -> bool {
    is_plain(outline) && outline.levels <= 1 && outline.properties <= MAX_EXTRAS
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
    use crate::record::normalise::normalise;

    fn assert_kind(kind: Kind, good: &[&str], bad: &[&str]) {
        for raw in good {
            assert!(kind.admits(&normalise(kind, raw)), "{kind:?} refuses {raw}");
        }
        for raw in bad {
            assert!(!kind.admits(&normalise(kind, raw)), "{kind:?} admits {raw}");
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
