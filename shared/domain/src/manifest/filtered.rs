//! What a manifest says of the job's filter: the same that the client sent.

use serde::{Deserialize, Serialize};

use super::rfc3339;
use crate::filter::{DeviceId, Filter, Names};

/// The filter, as asked for; each member is absent when it was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filtered {
    /// The names that were wanted, or that were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<FilteredNames>,
    /// The devices whose records were wanted: 32 hex digits in lower case each, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_ids: Option<Vec<String>>,
    /// `present` or `absent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The first moment that was wanted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first moment behind those that were wanted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Names, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FilteredNames {
    /// These were wanted.
    In(Vec<String>),
    /// All others were.
    NotIn(Vec<String>),
}

impl Filtered {
    /// What is said of a filter; nothing of one that wants every record.
    pub(super) fn of(filter: &Filter) -> Option<Self> {
        let names = |names: &Names| {
            let all = names.all().iter().cloned().collect();
            match names {
                Names::In(_) => FilteredNames::In(all),
                Names::NotIn(_) => FilteredNames::NotIn(all),
            }
        };
        let ids = filter.device_ids.as_ref();
        (*filter != Filter::default()).then(|| Self {
            names: filter.names.as_ref().map(names),
            device_ids: ids.map(|ids| ids.iter().map(DeviceId::to_string).collect()),
            session: filter.session.map(|session| session.name().to_owned()),
            from: filter.from.map(rfc3339),
            to: filter.to.map(rfc3339),
        })
    }
}
