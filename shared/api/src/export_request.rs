//! From the fields of a body to a checked export request.

mod filter;
mod options;

use domain::operation::{Operation, SelectionKind};
use domain::plural::counted;
use domain::secret::Secret;
use domain::selection::{
    CampaignType, Compression, DateRange, ExportFormat, ExportRequest, History, Selection, Snapshot,
};
use domain::warning::Warning;
use serde_json::Value;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

use super::body::Fields;
use super::code::ErrorCode;
use super::error::FieldError;
use super::shown::{holds_signature, shown};
use super::task::exact;

pub(crate) use self::options::OPTIONS;

const FULL_DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const DATE_FIX: &str = "send an RFC 3339 full-date such as 2016-01-31";
const MOMENT_FIX: &str = "send an RFC 3339 date-time such as 2016-01-31T08:00:00Z";
const IDS_FIX: &str = "send an array of 1 to 100 whole numbers of 64 bits";
const URL_FIX: &str = "send the container's https URL with its SAS";

/// The field of the container's URL with its signature.
const CONTAINER_URL: &str = "containerUrl";

const START_DATE: &str = "startDate";
const END_DATE: &str = "endDate";
const CAMPAIGN_TYPE: &str = "campaignType";
const CAMPAIGN_IDS: &str = "campaignIds";
const WINDOW_START: &str = "campaignWindowStart";
const WINDOW_END: &str = "campaignWindowEnd";

/// What only some of the operations ask for. The others ignore it in silence: clients share one
/// object.
const SELECTION_FIELDS: [&str; 6] = [
    START_DATE,
    END_DATE,
    CAMPAIGN_TYPE,
    CAMPAIGN_IDS,
    WINDOW_START,
    WINDOW_END,
];

/// Parameters that every signature has (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas>),
/// of which a URL that was cut at its first `&` has lost one at least.
const SIGNATURE_PARAMETERS: [&str; 2] = ["sig", "sv"];

/// How HTML writes `&`.
const HTML_AMPERSAND: &str = "&amp;";

/// The most characters of a description.
const MOST_DESCRIPTION_CHARACTERS: usize = 1_024;

/// The most campaigns of an export.
const MOST_CAMPAIGNS: usize = 100;

/// What an export request is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The present UTC day.
    pub today: Date,
    /// The most days that a range may span, both ends included.
    pub max_range_days: u32,
}

/// What the client asks for, checked but for its container.
#[derive(Debug)]
pub struct NewExport {
    /// What to export, as the job keeps it once it is created.
    pub request: ExportRequest,
    /// The container's URL as given, its signature included.
    pub container_url: Secret,
    /// The export options that the body has, by name.
    pub options: Vec<String>,
    /// What of the body was ignored because no operation knows it.
    pub unknown: Option<Warning>,
}

/// Reads and checks the fields of a create operation. The first field that is refused is named.
///
/// # Errors
/// [`FieldError`] that names the field, its value, the reason and the fix.
pub fn read_export(
    operation: &Operation,
    fields: &Fields,
    limits: Limits,
) -> Result<NewExport, FieldError> {
    let container_url = container_url(fields)?;
    let format = known(
        fields,
        "exportFormat",
        ErrorCode::UnknownExportFormat,
        &FORMATS,
    )?;
    let selection = selection(operation.selection, fields, limits)?;
    options::check(fields)?;
    let export_user_id = options::flag(fields, "exportOptions.exportUserId")?;
    let columns = operation.export_type().columns(export_user_id);
    let filter = filter::filter(fields, &selection)?;
    let request = ExportRequest {
        selection,
        format,
        compression: options::compression(fields, format)?,
        description: description(fields)?,
        export_user_id,
        export_device_id: options::flag(fields, "exportOptions.exportDeviceId")?,
        files: options::files(fields, format, columns)?,
        filter,
    };
    Ok(NewExport {
        request,
        container_url,
        options: options::given(fields),
        unknown: fields.unknown(&SELECTION_FIELDS),
    })
}

/// Reads the container's URL where it may be left out.
///
/// # Errors
/// [`FieldError`] when it stands twice or is no text.
pub fn read_container_url(fields: &Fields) -> Result<Option<Secret>, FieldError> {
    if fields.one(CONTAINER_URL, URL_FIX)?.is_none() {
        return Ok(None);
    }
    container_url(fields).map(Some)
}

fn container_url(fields: &Fields) -> Result<Secret, FieldError> {
    let url = text(fields, CONTAINER_URL, URL_FIX, |_| {
        "a value that is not shown".to_owned()
    })?;
    let is_parameter = |name: &str| {
        SIGNATURE_PARAMETERS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    if fields
        .form_names()
        .any(|name| is_parameter(name.strip_prefix("amp;").unwrap_or(name)))
    {
        let problem = "was cut at its first `&`: the form holds the rest as fields of their own";
        return Err(unreadable_url(
            problem,
            "percent-encode the whole URL, `&` as %26",
        ));
    }
    if url.to_ascii_lowercase().contains(HTML_AMPERSAND) {
        let problem = "was escaped for HTML: it holds `&amp;`, which stands for `&`";
        return Err(unreadable_url(
            problem,
            "send the URL as it was made, with `&` alone",
        ));
    }
    Ok(Secret::new(url))
}

fn unreadable_url(problem: &str, fix: &str) -> FieldError {
    refused(
        ErrorCode::InvalidField,
        CONTAINER_URL,
        problem.to_owned(),
        fix,
    )
}

fn selection(
    kind: SelectionKind,
    fields: &Fields,
    limits: Limits,
) -> Result<Selection, FieldError> {
    match kind {
        SelectionKind::Devices(of) => Ok(Selection::Snapshot(Snapshot::Devices(of))),
        SelectionKind::Days(of) => {
            let days = days(fields, limits)?;
            Ok(Selection::History(History { of, days }))
        }
        SelectionKind::Campaigns => {
            let campaign_type = known(
                fields,
                CAMPAIGN_TYPE,
                ErrorCode::UnknownCampaignType,
                &CAMPAIGN_TYPES,
            )?;
            Ok(Selection::Snapshot(Snapshot::Campaigns {
                campaign_type,
                ids: campaign_ids(fields)?,
            }))
        }
        SelectionKind::ActiveCampaigns => {
            let campaign_type = known(
                fields,
                CAMPAIGN_TYPE,
                ErrorCode::UnknownCampaignType,
                &CAMPAIGN_TYPES,
            )?;
            let (start, end) = campaign_window(fields)?;
            Ok(Selection::Snapshot(Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            }))
        }
    }
}

fn days(fields: &Fields, limits: Limits) -> Result<DateRange, FieldError> {
    let (start, end) = (date(fields, START_DATE)?, date(fields, END_DATE)?);
    let refuse = |code, problem, fix: String| Err(refused(code, START_DATE, problem, &fix));
    if start > end {
        let problem = format!("is {start}, which is after `endDate`, {end}");
        return refuse(
            ErrorCode::StartDateAfterEndDate,
            problem,
            "send the earlier day as `startDate`".to_owned(),
        );
    }
    if start > limits.today {
        let problem = format!("is {start}, and today is {} (UTC)", limits.today);
        return refuse(
            ErrorCode::StartDateInFuture,
            problem,
            "send a day that has begun".to_owned(),
        );
    }
    let range = DateRange { start, end };
    let span = range.days();
    if span > i64::from(limits.max_range_days) {
        let problem = format!("is {start} and `endDate` {end}, a range of {span} days");
        let most = counted(limits.max_range_days.into(), "day");
        let fix = format!("send ranges of at most {most}, both ends included");
        return refuse(ErrorCode::DateRangeTooLong, problem, fix);
    }
    Ok(range)
}

fn date(fields: &Fields, field: &'static str) -> Result<Date, FieldError> {
    let text = text(fields, field, DATE_FIX, show)?;
    let date = Some(text)
        .filter(|text| is_full_date(text))
        .ok_or_else(|| malformed(field, &shown(text), DATE_FIX))?;
    Date::parse(date, FULL_DATE).map_err(|_| no_day(field, date, DATE_FIX))
}

/// Whether the text has the form of a date, be it a day of the calendar or not.
fn is_full_date(text: &str) -> bool {
    let is_digits =
        |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [year, month, day] if is_digits(year, 4) && is_digits(month, 2) && is_digits(day, 2))
}

fn no_day(field: &'static str, text: &str, fix: &str) -> FieldError {
    malformed(
        field,
        &format!("{}, which is no day of the calendar", shown(text)),
        fix,
    )
}

fn campaign_window(fields: &Fields) -> Result<(OffsetDateTime, OffsetDateTime), FieldError> {
    let (start, end) = (moment(fields, WINDOW_START)?, moment(fields, WINDOW_END)?);
    if start <= end {
        return Ok((start, end));
    }
    let problem = format!(
        "is {}, which is after `campaignWindowEnd`, {}",
        exact(start),
        exact(end)
    );
    let fix = "send the earlier moment as `campaignWindowStart`";
    Err(refused(
        ErrorCode::CampaignWindowReversed,
        WINDOW_START,
        problem,
        fix,
    ))
}

fn moment(fields: &Fields, field: &'static str) -> Result<OffsetDateTime, FieldError> {
    let text = text(fields, field, MOMENT_FIX, show)?;
    let day = text.get(..10).filter(|day| is_full_date(day));
    if day.is_some_and(|day| Date::parse(day, FULL_DATE).is_err()) {
        return Err(no_day(field, text, MOMENT_FIX));
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
    let moment = moment.and_then(|moment| moment.checked_to_offset(UtcOffset::UTC));
    moment.ok_or_else(|| malformed(field, &shown(text), MOMENT_FIX))
}

fn campaign_ids(fields: &Fields) -> Result<Vec<i64>, FieldError> {
    const FIELD: &str = CAMPAIGN_IDS;
    let list = fields
        .list(FIELD, IDS_FIX)?
        .ok_or_else(|| missing(FIELD, IDS_FIX))?;
    if list.is_empty() {
        return Err(refused(
            ErrorCode::NoCampaignIds,
            FIELD,
            "is empty".to_owned(),
            IDS_FIX,
        ));
    }
    let mut ids = Vec::new();
    for value in &list {
        let id = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let id = id.ok_or_else(|| malformed(FIELD, &show(value), IDS_FIX))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() > MOST_CAMPAIGNS {
            let problem = format!("names more than {MOST_CAMPAIGNS} campaigns");
            return Err(refused(
                ErrorCode::TooManyCampaignIds,
                FIELD,
                problem,
                "send several requests",
            ));
        }
    }
    Ok(ids)
}

fn description(fields: &Fields) -> Result<Option<String>, FieldError> {
    const FIELD: &str = "description";
    const FIX: &str = "send a text of at most 1024 characters";
    let Some(value) = fields.one(FIELD, FIX)? else {
        return Ok(None);
    };
    let text = value
        .as_str()
        .ok_or_else(|| malformed(FIELD, &show(value), FIX))?;
    if holds_signature(text) {
        return Err(malformed(
            FIELD,
            &shown(text),
            "leave the signature out, every reader of the task sees this text",
        ));
    }
    match text.chars().count() {
        ..=MOST_DESCRIPTION_CHARACTERS => Ok(Some(text.to_owned())),
        count => Err(refused(
            ErrorCode::DescriptionTooLong,
            FIELD,
            format!("has {count} characters"),
            FIX,
        )),
    }
}

/// The values of an enumeration on the wire, and how one is named and read.
struct Names<T: 'static> {
    all: &'static [T],
    name: fn(T) -> &'static str,
    read: fn(&str) -> Option<T>,
}

impl<T: Copy> Names<T> {
    /// What to send instead of anything else.
    fn fix(&self) -> String {
        let names = self.all.iter().map(|it| (self.name)(*it));
        format!("send {}", any_of(names))
    }
}

/// Names as a choice.
fn any_of(names: impl Iterator<Item = &'static str>) -> String {
    let mut names: Vec<&str> = names.collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() {
        return last.to_owned();
    }
    format!("{} or {last}", names.join(", "))
}

const FORMATS: Names<ExportFormat> = Names {
    all: ExportFormat::ALL,
    name: ExportFormat::name,
    read: ExportFormat::from_name,
};
const COMPRESSIONS: Names<Compression> = Names {
    all: Compression::ALL,
    name: Compression::name,
    read: Compression::from_name,
};
const CAMPAIGN_TYPES: Names<CampaignType> = Names {
    all: CampaignType::ALL,
    name: CampaignType::name,
    read: CampaignType::from_name,
};

fn known<T: Copy>(
    fields: &Fields,
    field: &'static str,
    code: ErrorCode,
    names: &Names<T>,
) -> Result<T, FieldError> {
    let fix = names.fix();
    let text = text(fields, field, &fix, show)?;
    let unknown = || {
        refused(
            code,
            field,
            format!("is {}, which is not known", shown(text)),
            &fix,
        )
    };
    (names.read)(text).ok_or_else(unknown)
}

/// A required text. `show` says how a value that is no text appears in the message.
fn text<'a>(
    fields: &'a Fields,
    field: &'static str,
    fix: &str,
    show: fn(&Value) -> String,
) -> Result<&'a str, FieldError> {
    let value = fields.one(field, fix)?.ok_or_else(|| missing(field, fix))?;
    value
        .as_str()
        .ok_or_else(|| malformed(field, &format!("{}, which is no text", show(value)), fix))
}

fn show(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| shown(&value.to_string()), shown)
}

fn missing(field: &'static str, fix: &str) -> FieldError {
    refused(ErrorCode::MissingField, field, "is missing".to_owned(), fix)
}

fn malformed(field: &'static str, value: &str, fix: &str) -> FieldError {
    refused(ErrorCode::InvalidField, field, format!("is {value}"), fix)
}

fn refused(code: ErrorCode, field: &'static str, problem: String, fix: &str) -> FieldError {
    FieldError {
        code,
        field,
        problem,
        fix: fix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fix_of_an_unknown_name_lists_the_known_ones() {
        assert_eq!(
            FORMATS.fix(),
            "send JsonBlob, CsvBlob, JsonLinesBlob or ParquetBlob"
        );
        assert_eq!(COMPRESSIONS.fix(), "send none, gzip or zstd");
        assert_eq!(
            CAMPAIGN_TYPES.fix(),
            "send Announcement, DataPush, NativePush or Poll"
        );
    }
}
