//! `exportOptions`: how the files are written.

use domain::columns::{Columns, NoColumns};
use domain::selection::{Compression, ExportFormat, FileOptions};
use serde_json::Value;

use super::{COMPRESSIONS, any_of, known, malformed, refused, show};
use crate::body::Fields;
use crate::code::ErrorCode;
use crate::error::FieldError;
use crate::shown::shown;

/// The options by their names within `exportOptions`.
pub(crate) const OPTIONS: [&str; 8] = [
    "compression",
    "columns",
    "byteOrderMark",
    "escapeFormulas",
    "filter",
    "maxFileBytes",
    "exportUserId",
    "exportDeviceId",
];

/// Those of the options that the client sent.
pub(super) fn given(fields: &Fields) -> Vec<String> {
    let given = OPTIONS
        .iter()
        .filter(|name| fields.has_within("exportOptions", name));
    given.map(|name| (*name).to_owned()).collect()
}

/// Options are read one by one; what is no object has none.
pub(super) fn check(fields: &Fields) -> Result<(), FieldError> {
    const FIELD: &str = "exportOptions";
    const FIX: &str = "send an object such as {\"exportUserId\": true}";
    match fields.one(FIELD, FIX)? {
        None => Ok(()),
        Some(_) => Err(malformed(FIELD, "not an object", FIX)),
    }
}

/// The compression, of which each format has its usual one.
pub(super) fn compression(
    fields: &Fields,
    format: ExportFormat,
) -> Result<Compression, FieldError> {
    const FIELD: &str = "exportOptions.compression";
    if fields.one(FIELD, &COMPRESSIONS.fix())?.is_none() {
        return Ok(format.usual_compression());
    }
    let compression = known(fields, FIELD, ErrorCode::UnknownCompression, &COMPRESSIONS)?;
    if format.compressions().contains(&compression) {
        return Ok(compression);
    }
    let (name, format) = (compression.name(), format.name());
    Err(refused(
        ErrorCode::OptionOfOtherFormat,
        FIELD,
        format!("is {name}, and a {format} is compressed within"),
        "leave it out",
    ))
}

/// An option that is true or false. User ids are written by push feedback only, and device ids are
/// left out of the JSON of activities only, but every operation takes these options: clients share
/// one options object.
pub(super) fn flag(fields: &Fields, field: &'static str) -> Result<bool, FieldError> {
    const FIX: &str = "send true or false";
    let Some(value) = fields.one(field, FIX)? else {
        return Ok(false);
    };
    let flag = value
        .as_bool()
        .or_else(|| value.as_str()?.to_ascii_lowercase().parse().ok());
    flag.ok_or_else(|| malformed(field, &show(value), FIX))
}

/// What is asked of the files of rows that have these columns.
pub(super) fn files(
    fields: &Fields,
    format: ExportFormat,
    all: &[&'static str],
) -> Result<FileOptions, FieldError> {
    let for_spreadsheets = |field| {
        let is_asked = flag(fields, field)?;
        if is_asked && !format.is_for_spreadsheets() {
            return Err(of_others(field, format, ExportFormat::is_for_spreadsheets));
        }
        Ok(is_asked)
    };
    Ok(FileOptions {
        columns: columns(fields, format, all)?,
        byte_order_mark: for_spreadsheets("exportOptions.byteOrderMark")?,
        escape_formulas: for_spreadsheets("exportOptions.escapeFormulas")?,
        max_file_bytes: max_file_bytes(fields)?,
    })
}

fn columns(
    fields: &Fields,
    format: ExportFormat,
    all: &[&'static str],
) -> Result<Option<Columns>, FieldError> {
    const FIELD: &str = "exportOptions.columns";
    let fix = format!("send an array of some of {}", all.join(", "));
    let Some(list) = fields.list(FIELD, &fix)? else {
        return Ok(None);
    };
    if !format.has_columns() {
        return Err(of_others(FIELD, format, ExportFormat::has_columns));
    }
    let texts = list
        .iter()
        .map(|value| value.as_str().ok_or_else(|| not_text(FIELD, value, &fix)))
        .collect::<Result<Vec<_>, _>>()?;
    let names = match texts.as_slice() {
        // A form cannot say otherwise that a list is empty.
        [""] => Vec::new(),
        _ => texts,
    };
    Columns::choose(all, names)
        .map(Some)
        .map_err(|none| no_choice(FIELD, none, &fix))
}

fn max_file_bytes(fields: &Fields) -> Result<Option<u64>, FieldError> {
    const FIELD: &str = "exportOptions.maxFileBytes";
    let least = FileOptions::LEAST_MAX_FILE_BYTES;
    let fix = format!("send a whole number of bytes, at least {least}");
    let Some(value) = fields.one(FIELD, &fix)? else {
        return Ok(None);
    };
    let bytes = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    match bytes.ok_or_else(|| malformed(FIELD, &show(value), &fix))? {
        bytes if bytes >= least => Ok(Some(bytes)),
        bytes => {
            let problem = format!("is {bytes}");
            Err(refused(
                ErrorCode::MaxFileBytesTooSmall,
                FIELD,
                problem,
                &fix,
            ))
        }
    }
}

fn not_text(field: &'static str, value: &Value, fix: &str) -> FieldError {
    malformed(field, &format!("{}, which is no text", show(value)), fix)
}

fn no_choice(field: &'static str, none: NoColumns, fix: &str) -> FieldError {
    let (code, problem) = match none {
        NoColumns::Empty => (ErrorCode::NoColumns, "is empty".to_owned()),
        NoColumns::Unknown { name } => {
            let problem = format!("names {}, which is no column of this type", shown(&name));
            (ErrorCode::UnknownColumn, problem)
        }
        NoColumns::Repeated { name } => {
            (ErrorCode::RepeatedColumn, format!("names `{name}` twice"))
        }
    };
    refused(code, field, problem, fix)
}

/// An option that only other formats have.
fn of_others(
    field: &'static str,
    format: ExportFormat,
    has_it: fn(ExportFormat) -> bool,
) -> FieldError {
    let others = ExportFormat::ALL.iter().filter(|format| has_it(**format));
    let fix = format!(
        "leave it out, or send {} as `exportFormat`",
        any_of(others.map(|format| format.name()))
    );
    let problem = format!("is no option of {}", format.name());
    refused(ErrorCode::OptionOfOtherFormat, field, problem, &fix)
}
