//! The stored form of a filter.

use std::collections::BTreeSet;

use domain::filter::{DeviceId, Filter, Names, Session};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::items::unreadable;

/// What was asked of the records; each member is absent when it was not.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct FilterAttribute {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names_in: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names_not_in: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_ids: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    from: Option<OffsetDateTime>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    to: Option<OffsetDateTime>,
}

impl FilterAttribute {
    /// The attribute; none when nothing was asked for.
    pub(super) fn unless_usual(filter: &Filter) -> Option<Self> {
        (*filter != Filter::default()).then(|| {
            let (names_in, names_not_in) = match &filter.names {
                None => (None, None),
                Some(Names::In(names)) => (Some(names.clone()), None),
                Some(Names::NotIn(names)) => (None, Some(names.clone())),
            };
            let ids = |ids: &BTreeSet<DeviceId>| ids.iter().map(DeviceId::to_string).collect();
            Self {
                names_in,
                names_not_in,
                device_ids: filter.device_ids.as_ref().map(ids),
                session: filter.session.map(|session| session.name().to_owned()),
                from: filter.from,
                to: filter.to,
            }
        })
    }
}

impl TryFrom<FilterAttribute> for Filter {
    type Error = String;

    fn try_from(attribute: FilterAttribute) -> Result<Self, String> {
        let device = |id: &String| DeviceId::parse(id).ok_or_else(|| unreadable("device_ids", id));
        let devices = attribute.device_ids.as_ref();
        let devices = devices.map(|ids| ids.iter().map(device).collect());
        let session =
            |name: &String| Session::from_name(name).ok_or_else(|| unreadable("session", name));
        let wanted = attribute.names_in.map(Names::In);
        Ok(Self {
            names: wanted.or(attribute.names_not_in.map(Names::NotIn)),
            device_ids: devices.transpose()?,
            session: attribute.session.as_ref().map(session).transpose()?,
            from: attribute.from,
            to: attribute.to,
        })
    }
}
