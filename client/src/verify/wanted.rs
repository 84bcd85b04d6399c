//! Whether a row is one that the manifest's filter wants, found out of the row as it is in its file. This
//! shares no code with the service's filter.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use domain::manifest::{Filtered, FilteredNames};
use domain::selection::{ExportFormat, ExportType};
use formats::read::{Kind, Value};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::mismatch::shown;
use super::row::{FORMULA, text_of};

/// The rows that a filter wants.
#[derive(Debug)]
pub(crate) struct Wanted {
    names: Option<Names>,
    /// 32 hex digits in lower case each.
    devices: Option<HashSet<String>>,
    /// Whether a row must have a `sessionId`, or must not.
    session: Option<bool>,
    from: Option<OffsetDateTime>,
    to: Option<OffsetDateTime>,
    /// The column that says when a row happened.
    time_column: &'static str,
    /// What the files hold.
    kind: Kind,
}

#[derive(Debug)]
struct Names {
    all: HashSet<String>,
    /// Whether these are wanted, or all others.
    are_wanted: bool,
}

impl Names {
    fn want(&self, name: &str) -> bool {
        self.all.contains(name) == self.are_wanted
    }
}

/// What of a row a filter looks at, as far as the row has it: texts without their escapes.
#[derive(Debug, Default)]
pub(crate) struct Seen<'a> {
    name: Option<Cow<'a, str>>,
    device: Option<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    moment: Option<Moment<'a>>,
}

/// When a row happened.
#[derive(Debug, Clone)]
enum Moment<'a> {
    Text(Cow<'a, str>),
    /// Microseconds since 1970: finer digits are cut.
    Micros(i64),
}

/// Columns that the filter asks for and a row lacks, because nobody asked for them.
pub(crate) type Unchecked = BTreeSet<&'static str>;

impl Wanted {
    /// The rows of files of this kind that a manifest says were wanted.
    ///
    /// # Errors
    /// What of it is not understood.
    pub(crate) fn of(filter: Filtered, kind: &Kind) -> Result<Self, String> {
        let names = filter.names.map(|names| {
            let (all, are_wanted) = match names {
                FilteredNames::In(names) => (names, true),
                FilteredNames::NotIn(names) => (names, false),
            };
            let all = all.into_iter().collect();
            Names { all, are_wanted }
        });
        let devices = filter.device_ids.as_ref();
        let session = match filter.session.as_deref() {
            None => None,
            Some("present") => Some(true),
            Some("absent") => Some(false),
            Some(_) => return Err("its filter's `session` is unknown".to_owned()),
        };
        Ok(Self {
            names,
            devices: devices.map(|ids| ids.iter().map(|id| digits(id)).collect()),
            session,
            from: bound("from", filter.from.as_deref())?,
            to: bound("to", filter.to.as_deref())?,
            time_column: time_column(kind.export_type),
            kind: kind.clone(),
        })
    }

    /// Takes note of a member of a row of JSON.
    ///
    /// # Errors
    /// When a text that is looked at is none.
    pub(crate) fn see_member<'a>(
        &self,
        seen: &mut Seen<'a>,
        name: &str,
        raw: &'a RawValue,
    ) -> Result<(), serde_json::Error> {
        if raw.get() != "null" && self.looks_at(name) {
            self.see(seen, name, Moment::Text(text_of(raw)?));
        }
        Ok(())
    }

    /// Takes note of a cell of CSV. An empty one is absent, unless it is a name: every row has one.
    pub(crate) fn see_cell<'a>(&self, seen: &mut Seen<'a>, column: &str, cell: &'a str) {
        if !cell.is_empty() || column == "name" {
            self.see(seen, column, Moment::Text(cell.into()));
        }
    }

    /// Takes note of a value of a column with a type.
    pub(crate) fn see_value<'a>(&self, seen: &mut Seen<'a>, column: &str, value: Value<'a>) {
        let value = match value {
            Value::Text(text) => Moment::Text(text.into()),
            Value::Micros(micros) => Moment::Micros(micros),
            Value::Integer(_) => return,
        };
        self.see(seen, column, value);
    }

    fn looks_at(&self, column: &str) -> bool {
        matches!(column, "name" | "deviceId" | "sessionId") || column == self.time_column
    }

    fn see<'a>(&self, seen: &mut Seen<'a>, column: &str, value: Moment<'a>) {
        match (column, value) {
            ("name", Moment::Text(text)) => seen.name = Some(text),
            ("deviceId", Moment::Text(text)) => seen.device = Some(text),
            ("sessionId", Moment::Text(text)) => seen.session = Some(text),
            (column, moment) if column == self.time_column => seen.moment = Some(moment),
            _ => {}
        }
    }

    /// Whether the filter wants a row, as far as the row has what it asks for; adds the columns that the
    /// row lacks.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) fn check(&self, row: &Seen<'_>, unchecked: &mut Unchecked) -> Result<(), String> {
        let mut has = |column: &'static str, is_there: bool| {
            let has = is_there || !self.may_lack(column);
            if !has {
                unchecked.insert(column);
            }
            has
        };
        if let Some(names) = self.names.as_ref()
            && has("name", row.name.is_some())
        {
            self.check_name(names, row.name.as_deref())?;
        }
        if let Some(devices) = self.devices.as_ref()
            && has("deviceId", row.device.is_some())
        {
            check_device(devices, row.device.as_deref())?;
        }
        if let Some(must) = self.session
            && has("sessionId", row.session.is_some())
        {
            check_session(must, row.session.is_some())?;
        }
        if (self.from.is_some() || self.to.is_some()) && has(self.time_column, row.moment.is_some())
        {
            self.check_moment(row.moment.as_ref())?;
        }
        Ok(())
    }

    /// Whether rows lack a column because nobody asked for it. A `JsonBlob` of activities has device ids
    /// on request only, and its manifest does not say whether they were.
    fn may_lack(&self, column: &str) -> bool {
        let Kind { columns, .. } = &self.kind;
        let is_left_out = columns
            .as_ref()
            .is_some_and(|columns| columns.iter().all(|there| there != column));
        let is_on_request = column == "deviceId"
            && self.kind.export_type == ExportType::Activity
            && self.kind.format == ExportFormat::JsonBlob;
        is_left_out || is_on_request
    }

    fn check_name(&self, names: &Names, name: Option<&str>) -> Result<(), String> {
        let name = name.ok_or("it has no `name`, by which the filter chooses")?;
        // A text that begins with an apostrophe cannot be told from a formula that was escaped.
        let bare = name
            .strip_prefix('\'')
            .filter(|_| self.kind.escape_formulas);
        let bare = bare.filter(|text| text.starts_with(FORMULA));
        if names.want(name) || bare.is_some_and(|name| names.want(name)) {
            return Ok(());
        }
        let list = if names.are_wanted {
            "none of `in`"
        } else {
            "one of `notIn`"
        };
        Err(format!("its `name`, {:?}, is {list}", shown(name)))
    }

    fn check_moment(&self, moment: Option<&Moment<'_>>) -> Result<(), String> {
        let column = self.time_column;
        let moment = moment.ok_or_else(|| format!("it does not say its `{column}`"))?;
        let (nanos, text, finest) = match moment {
            Moment::Text(text) => (nanos_of(text), shown(text), 1),
            Moment::Micros(micros) => (
                Some(i128::from(*micros) * 1_000),
                format!("{micros} microseconds"),
                1_000,
            ),
        };
        let nanos = nanos.ok_or_else(|| format!("its `{column}`, {text}, is no moment"))?;
        // What is cut to whole microseconds may be earlier than it was, by less than one.
        let cut = |from: OffsetDateTime| from.unix_timestamp_nanos().div_euclid(finest) * finest;
        if self.from.is_some_and(|from| nanos < cut(from)) {
            return Err(format!("its `{column}`, {text}, is before `from`"));
        }
        if self.to.is_some_and(|to| nanos >= to.unix_timestamp_nanos()) {
            return Err(format!("its `{column}`, {text}, is not before `to`"));
        }
        Ok(())
    }
}

fn check_device(devices: &HashSet<String>, device: Option<&str>) -> Result<(), String> {
    let device = device.ok_or("it has no `deviceId`, by which the filter chooses")?;
    if devices.contains(&digits(device)) {
        return Ok(());
    }
    Err(format!(
        "its `deviceId`, {}, is none of `deviceIds`",
        shown(device)
    ))
}

fn check_session(must: bool, has: bool) -> Result<(), String> {
    match (must, has) {
        (true, false) => Err("it has no `sessionId`, and `session` is `present`".to_owned()),
        (false, true) => Err("it has a `sessionId`, and `session` is `absent`".to_owned()),
        (true, true) | (false, false) => Ok(()),
    }
}

/// The column that says when a row of a type happened.
fn time_column(export_type: ExportType) -> &'static str {
    match export_type {
        ExportType::Job | ExportType::Session => "start",
        ExportType::Activity
        | ExportType::Event
        | ExportType::Error
        | ExportType::Crash
        | ExportType::Tag
        | ExportType::Token
        | ExportType::Push
        | ExportType::Device => "timestamp",
    }
}

/// An id of a device in one spelling: without dashes, in lower case.
fn digits(id: &str) -> String {
    id.replace('-', "").to_ascii_lowercase()
}

fn nanos_of(moment: &str) -> Option<i128> {
    let moment = OffsetDateTime::parse(moment, &Rfc3339).ok()?;
    Some(moment.unix_timestamp_nanos())
}

fn bound(name: &str, moment: Option<&str>) -> Result<Option<OffsetDateTime>, String> {
    let parse = |text| OffsetDateTime::parse(text, &Rfc3339);
    let moment = moment.map(parse).transpose();
    moment.map_err(|_| format!("its filter's `{name}` is no moment"))
}

#[cfg(test)]
mod tests;
