//! Which records of a selection a client wants as rows, by what they are. Every record is checked,
//! whether it is wanted or not.

use std::collections::BTreeSet;
use std::fmt;

use strum::{EnumString, IntoStaticStr, VariantArray};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::selection::{ExportType, HistoryType};

/// What a record must be to become a row. What is absent is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The name of what happened, as it is decoded.
    pub names: Option<Names>,
    /// Its device is one of these; of a record that says none it is not.
    pub device_ids: Option<BTreeSet<DeviceId>>,
    /// Whether it happened in a session.
    pub session: Option<Session>,
    /// It happened then or later; a record that does not say when did not.
    pub from: Option<OffsetDateTime>,
    /// It happened before; a record that does not say when did not.
    pub to: Option<OffsetDateTime>,
}

impl Filter {
    /// The most names and device ids together: a job's item, which holds the filter, stays below
    /// DynamoDB's 400 KB
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>), as a
    /// name has at most 64 characters.
    pub const MOST_VALUES: usize = 1_000;

    /// The most characters of a name: no record has a longer one.
    pub const MOST_NAME_CHARACTERS: usize = 64;

    /// How many names and device ids it has.
    pub fn values(&self) -> usize {
        let names = self.names.as_ref().map_or(0, |names| names.all().len());
        names + self.device_ids.as_ref().map_or(0, BTreeSet::len)
    }
}

/// Names that are wanted, or that are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// One of these.
    In(BTreeSet<String>),
    /// Any but these.
    NotIn(BTreeSet<String>),
}

impl Names {
    /// The names, wanted or not.
    pub fn all(&self) -> &BTreeSet<String> {
        match self {
            Self::In(names) | Self::NotIn(names) => names,
        }
    }
}

/// Whether something happened in a session: whether it says a `sessionId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum Session {
    /// In one.
    Present,
    /// In none.
    Absent,
}

impl Session {
    /// Both, in the order in which an error lists them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name on the wire, in stored items and in manifests.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads [`Session::name`] ignoring case, as clients type it.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The id of a device, whichever way it is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(Uuid);

impl DeviceId {
    /// Reads 32 hex digits, or a dashed GUID, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let is_of_length = matches!(text.len(), 32 | 36);
        is_of_length.then(|| Uuid::try_parse(text).ok())?.map(Self)
    }
}

/// 32 hex digits in lower case.
impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// A part of a [`Filter`], which not every type can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "camelCase")]
pub enum FilterPart {
    /// Of what has a name.
    Names,
    /// Of all.
    DeviceIds,
    /// Of what may happen in a session or in none.
    Session,
    /// Of what happened at some time.
    From,
    /// Of what happened at some time.
    To,
}

impl FilterPart {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Every part.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::VARIANTS.iter().copied()
    }

    /// The parts that a filter of this type can have.
    pub fn of(export_type: ExportType) -> impl Iterator<Item = Self> {
        let has = move |name| export_type.columns(false).contains(&name);
        let is_there = move |part: &Self| match part {
            Self::Names => has("name"),
            Self::DeviceIds => has("deviceId"),
            // Activities and sessions always say which session.
            Self::Session => matches!(
                export_type,
                ExportType::Event | ExportType::Error | ExportType::Crash
            ),
            Self::From | Self::To => HistoryType::of(export_type).is_some(),
        };
        Self::all().filter(is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_id_is_the_same_in_either_spelling_and_case() {
        let id = DeviceId::parse("0123456789abcdef0123456789abcdef").unwrap();
        let dashed = DeviceId::parse("01234567-89AB-CDEF-0123-456789ABCDEF");
        assert_eq!(dashed, Some(id));
        assert_eq!(id.to_string(), "0123456789abcdef0123456789abcdef");
        for none in [
            "",
            "0123456789abcdef0123456789abcde",
            "0123456789abcdef0123456789abcdeg",
            "{01234567-89ab-cdef-0123-456789abcdef}",
            "urn:uuid:01234567-89ab-cdef-0123-456789abcdef",
            "0123456789abcdef0123456789abcdef----",
        ] {
            assert_eq!(DeviceId::parse(none), None, "{none}");
        }
    }

    #[test]
    fn each_type_has_the_parts_that_its_records_can_be_told_by() {
        let names = |of| FilterPart::of(of).map(FilterPart::name).collect::<Vec<_>>();
        for (of, parts) in [
            (
                ExportType::Event,
                &["names", "deviceIds", "session", "from", "to"][..],
            ),
            (ExportType::Activity, &["names", "deviceIds", "from", "to"]),
            (ExportType::Session, &["deviceIds", "from", "to"]),
            (ExportType::Token, &["deviceIds"]),
            (ExportType::Push, &["deviceIds"]),
        ] {
            assert_eq!(names(of), parts, "{of}");
        }
    }
}
