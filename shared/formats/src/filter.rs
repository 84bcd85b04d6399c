//! Which checked records become rows: those that a client's filter wants.

use std::collections::HashSet;

use domain::filter::{DeviceId, Filter, Names, Session};
use time::OffsetDateTime;

use crate::record::{Record, Shape, value};

/// A filter of the records of one shape.
#[derive(Debug)]
pub struct RecordFilter {
    names: Option<NameFilter>,
    devices: Option<DeviceFilter>,
    session: Option<SessionFilter>,
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
}

#[derive(Debug)]
struct NameFilter {
    place: usize,
    names: HashSet<String>,
    /// Whether these are wanted, or all others.
    wanted: bool,
}

#[derive(Debug)]
struct DeviceFilter {
    place: usize,
    ids: HashSet<DeviceId>,
}

#[derive(Debug)]
struct SessionFilter {
    place: usize,
    is_present: bool,
}

impl RecordFilter {
    /// A filter of records of this shape. What the shape has no field for, no record of it has.
    pub fn new(filter: &Filter, shape: Shape) -> Self {
        let place = |name: &str| {
            let mut fields = shape.fields.iter();
            let place = fields.position(|field| field.name == name);
            place.unwrap_or(usize::MAX)
        };
        let names = filter.names.as_ref().map(|names| NameFilter {
            place: place("name"),
            names: names.all().iter().cloned().collect(),
            wanted: matches!(names, Names::In(_)),
        });
        let devices = filter.device_ids.as_ref().map(|ids| DeviceFilter {
            place: place("deviceId"),
            ids: ids.iter().copied().collect(),
        });
        let session = filter.session.map(|session| SessionFilter {
            place: place("sessionId"),
            is_present: session == Session::Present,
        });
        Self {
            names,
            devices,
            session,
            from: filter.from,
            to: filter.to,
        }
    }

    /// Whether the record is to become a row.
    pub fn wants(&self, record: &Record<'_>) -> bool {
        let names = self.names.as_ref();
        let devices = self.devices.as_ref();
        let session = self.session.as_ref();
        self.wants_time(record.time)
            && session.is_none_or(|it| record.value(it.place).is_some() == it.is_present)
            && devices.is_none_or(|it| it.wants(record.value(it.place)))
            && names.is_none_or(|it| it.wants(record.value(it.place)))
    }

    fn wants_time(&self, time: Option<OffsetDateTime>) -> bool {
        let is_early = |from| time.is_none_or(|time| time < from);
        let is_late = |to| time.is_none_or(|time| time >= to);
        !self.from.is_some_and(is_early) && !self.to.is_some_and(is_late)
    }
}

impl NameFilter {
    fn wants(&self, raw: Option<&str>) -> bool {
        let name = raw.and_then(value::text);
        let is_named = name.is_some_and(|name| self.names.contains(&*name));
        is_named == self.wanted
    }
}

impl DeviceFilter {
    fn wants(&self, raw: Option<&str>) -> bool {
        let id = raw.and_then(value::text);
        let id = id.and_then(|id| DeviceId::parse(&id));
        id.is_some_and(|id| self.ids.contains(&id))
    }
}

#[cfg(test)]
mod tests;
