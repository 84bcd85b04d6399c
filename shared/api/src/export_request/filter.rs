//! `exportOptions.filter`: which records become rows.

use std::collections::BTreeSet;

use domain::filter::{DeviceId, Filter, FilterPart, Names as NameFilter, Session};
use domain::selection::{ExportType, History, Selection};
use serde_json::Value;
use time::{OffsetDateTime, Time};

use super::{MOMENT_FIX, Names, any_of, known, malformed, moment, refused, show};
use crate::body::Fields;
use crate::code::ErrorCode;
use crate::error::FieldError;
use crate::shown::{holds_signature, shown};
use crate::task::exact;

const FILTER: &str = "exportOptions.filter";
const NAMES: &str = "exportOptions.filter.names";
const NAMES_IN: &str = "exportOptions.filter.names.in";
const NAMES_NOT_IN: &str = "exportOptions.filter.names.notIn";
const DEVICE_IDS: &str = "exportOptions.filter.deviceIds";
const SESSION: &str = "exportOptions.filter.session";
const FROM: &str = "exportOptions.filter.from";
const TO: &str = "exportOptions.filter.to";

const FILTER_FIX: &str = "send an object such as {\"deviceIds\": [\"0123…\"]}";
const NAMES_FIX: &str = "send an object such as {\"in\": [\"login\"]} or {\"notIn\": [\"login\"]}";
const NAME_FIX: &str = "send an array of names of at most 64 characters";
const ID_FIX: &str = "send an array of ids of 32 hex digits, or of dashed GUIDs";

const SESSIONS: Names<Session> = Names {
    all: Session::ALL,
    name: Session::name,
    read: Session::from_name,
};

/// Reads the filter of an export of this selection. Unlike other options, a part of it that is not
/// known is refused: to ignore it would be to export other rows than were asked for.
pub(super) fn filter(fields: &Fields, selection: &Selection) -> Result<Filter, FieldError> {
    for (field, fix) in [(FILTER, FILTER_FIX), (NAMES, NAMES_FIX)] {
        if fields.one(field, fix)?.is_some() {
            return Err(malformed(field, "not an object", fix));
        }
    }
    let filter = Filter {
        names: names(fields)?,
        device_ids: list(fields, DEVICE_IDS, ID_FIX, device_id)?,
        session: match fields.one(SESSION, &SESSIONS.fix())? {
            None => None,
            Some(_) => Some(known(fields, SESSION, ErrorCode::InvalidField, &SESSIONS)?),
        },
        from: optional_moment(fields, FROM)?,
        to: optional_moment(fields, TO)?,
    };
    if let Some(name) = fields.unknown_within(FILTER) {
        let problem = format!("has {}, which is no part of a filter", shown(&name));
        let fix = format!("send {}", any_of(FilterPart::all().map(FilterPart::name)));
        return Err(refused(ErrorCode::UnknownFilter, FILTER, problem, &fix));
    }
    check_type(&filter, selection.export_type())?;
    check_values(&filter)?;
    check_times(&filter, selection)?;
    Ok(filter)
}

fn names(fields: &Fields) -> Result<Option<NameFilter>, FieldError> {
    let wanted = list(fields, NAMES_IN, NAME_FIX, name)?;
    let unwanted = list(fields, NAMES_NOT_IN, NAME_FIX, name)?;
    match (wanted, unwanted) {
        (Some(_), Some(_)) => {
            let problem = "has both `in` and `notIn`".to_owned();
            let fix = "send one of them";
            Err(refused(ErrorCode::InvalidField, NAMES, problem, fix))
        }
        (Some(names), None) => Ok(Some(NameFilter::In(names))),
        (None, Some(names)) => Ok(Some(NameFilter::NotIn(names))),
        (None, None) => Ok(None),
    }
}

fn name(text: &str) -> Option<String> {
    let is_name = text.chars().count() <= Filter::MOST_NAME_CHARACTERS && !holds_signature(text);
    is_name.then(|| text.to_owned())
}

fn device_id(text: &str) -> Option<DeviceId> {
    DeviceId::parse(text)
}

/// A list of texts, each of which is `read`. Repeats are as good as one.
fn list<T: Ord>(
    fields: &Fields,
    field: &'static str,
    fix: &str,
    read: fn(&str) -> Option<T>,
) -> Result<Option<BTreeSet<T>>, FieldError> {
    let Some(list) = fields.list(field, fix)? else {
        return Ok(None);
    };
    if list.is_empty() {
        let problem = "is empty".to_owned();
        let fix = format!("{fix}, or leave it out");
        return Err(refused(ErrorCode::NoFilterValues, field, problem, &fix));
    }
    let value = |value: &Value| {
        let read = value.as_str().and_then(read);
        read.ok_or_else(|| malformed(field, &show(value), fix))
    };
    list.iter().map(value).collect::<Result<_, _>>().map(Some)
}

fn optional_moment(
    fields: &Fields,
    field: &'static str,
) -> Result<Option<OffsetDateTime>, FieldError> {
    match fields.one(field, MOMENT_FIX)? {
        None => Ok(None),
        Some(_) => moment(fields, field).map(Some),
    }
}

/// Each part is one that the type can have.
fn check_type(filter: &Filter, of: ExportType) -> Result<(), FieldError> {
    let given = [
        (FilterPart::Names, NAMES, filter.names.is_some()),
        (
            FilterPart::DeviceIds,
            DEVICE_IDS,
            filter.device_ids.is_some(),
        ),
        (FilterPart::Session, SESSION, filter.session.is_some()),
        (FilterPart::From, FROM, filter.from.is_some()),
        (FilterPart::To, TO, filter.to.is_some()),
    ];
    let can_be = |part| FilterPart::of(of).any(|it| it == part);
    let wrong = given
        .into_iter()
        .find(|(part, _, is_given)| *is_given && !can_be(*part));
    wrong.map_or(Ok(()), |(_, field, _)| {
        let parts = any_of(FilterPart::of(of).map(FilterPart::name));
        let problem = format!("is no filter that exports of type {of} can have");
        let fix = format!("leave it out, or filter by {parts}");
        Err(refused(ErrorCode::FilterNotOfType, field, problem, &fix))
    })
}

fn check_values(filter: &Filter) -> Result<(), FieldError> {
    let (values, most) = (filter.values(), Filter::MOST_VALUES);
    if values <= most {
        return Ok(());
    }
    let problem = format!("has {values} different names and device ids");
    let fix = format!("send at most {most}, and the rest in another request");
    Err(refused(
        ErrorCode::TooManyFilterValues,
        FILTER,
        problem,
        &fix,
    ))
}

/// The moments are in their order, and within the days that are exported.
fn check_times(filter: &Filter, selection: &Selection) -> Result<(), FieldError> {
    if let (Some(from), Some(to)) = (filter.from, filter.to)
        && from >= to
    {
        let problem = format!(
            "is {}, which is not before `to`, {}",
            exact(from),
            exact(to)
        );
        let fix = "send the earlier moment as `from`";
        return Err(refused(ErrorCode::FilterTimesReversed, FROM, problem, fix));
    }
    let Selection::History(History { days, .. }) = selection else {
        return Ok(());
    };
    let first = days.start.with_time(Time::MIDNIGHT).assume_utc();
    let end = days
        .end
        .next_day()
        .map(|day| day.with_time(Time::MIDNIGHT).assume_utc());
    let is_within = |moment: OffsetDateTime| moment >= first && end.is_none_or(|end| moment <= end);
    let given = [(FROM, filter.from), (TO, filter.to)];
    let given = given
        .into_iter()
        .filter_map(|(field, it)| Some((field, it?)));
    let wrong = given.into_iter().find(|(_, moment)| !is_within(*moment));
    wrong.map_or(Ok(()), |(field, moment)| {
        let (start, last) = (days.start, days.end);
        let problem = format!(
            "is {}, which is not within the days from {start} to {last} (UTC)",
            exact(moment)
        );
        let fix = "send a moment of these days, or other days";
        Err(refused(ErrorCode::FilterOutsideDays, field, problem, fix))
    })
}
