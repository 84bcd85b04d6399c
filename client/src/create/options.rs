//! The format of an export's files, and its options.

use std::collections::BTreeSet;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches};
use domain::filter::{FilterPart, Session};
use domain::selection::{Compression, ExportFormat, ExportType, FileOptions};
use serde_json::{Map, Value};

use super::export::moment;

const FORMAT: &str = "format";
const COMPRESSION: &str = "compression";
const COLUMNS: &str = "columns";
const MAX_FILE_BYTES: &str = "max-file-bytes";
const NAMES: &str = "filter-name";
const OTHER_NAMES: &str = "filter-not-name";
const DEVICE_IDS: &str = "filter-device-id";
const SESSION: &str = "filter-session";
const AFTER: &str = "filter-from";
const BEFORE: &str = "filter-to";

/// The options that are true or false, by argument and field, and what they do.
const FLAGS: [(&str, &str, &str); 4] = [
    (
        "byte-order-mark",
        "byteOrderMark",
        "Begins CSV files with a byte order mark, for spreadsheets",
    ),
    (
        "escape-formulas",
        "escapeFormulas",
        "Puts an apostrophe before what a spreadsheet would take for a formula",
    ),
    (
        EXPORT_USER_ID,
        "exportUserId",
        "Gives push feedback the user id",
    ),
    (
        EXPORT_DEVICE_ID,
        "exportDeviceId",
        "Gives the activities of JSON files the device id",
    ),
];
const EXPORT_USER_ID: &str = "export-user-id";
const EXPORT_DEVICE_ID: &str = "export-device-id";

/// The flags that an export of a type can have: some change one type alone.
fn flags(
    of: ExportType,
) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    FLAGS.iter().filter(move |(name, _, _)| match *name {
        EXPORT_USER_ID => of == ExportType::Push,
        EXPORT_DEVICE_ID => of == ExportType::Activity,
        _ => true,
    })
}

/// The arguments of an export of a type.
pub(super) fn arguments(of: ExportType) -> Vec<Arg> {
    let mut arguments = vec![
        named(FORMAT, "FORMAT", "The format of the files")
            .required(true)
            .ignore_case(true)
            .value_parser(PossibleValuesParser::new(formats())),
        named(
            COMPRESSION,
            "COMPRESSION",
            "How the files are compressed, unless as is usual for the format",
        )
        .ignore_case(true)
        .value_parser(PossibleValuesParser::new(
            Compression::ALL.iter().map(|it| it.name()),
        )),
        list(
            COLUMNS,
            "COLUMN",
            "Which fields a row has, in this order, separated by commas; all unless given",
        )
        .ignore_case(true)
        .value_parser(PossibleValuesParser::new(columns(of))),
        named(
            MAX_FILE_BYTES,
            "BYTES",
            "The most bytes of a file, at least 16777216 (16 MiB)",
        )
        .value_parser(clap::value_parser!(u64).range(FileOptions::LEAST_MAX_FILE_BYTES..)),
    ];
    arguments.extend(flags(of).map(|(name, _, help)| {
        Arg::new(*name)
            .long(*name)
            .action(ArgAction::SetTrue)
            .help(*help)
    }));
    arguments.extend(FilterPart::of(of).flat_map(of_part));
    arguments
}

/// Every format by the ending of its files; the wire's name is understood, too.
fn formats() -> impl Iterator<Item = PossibleValue> {
    let all = ExportFormat::ALL.iter();
    all.map(|format| PossibleValue::new(format.extension()).alias(format.name()))
}

/// The columns of a type, those too that it has only when they are asked for.
fn columns(of: ExportType) -> impl Iterator<Item = &'static str> {
    let mut seen = BTreeSet::new();
    let all = [false, true].into_iter();
    all.flat_map(move |with_user_id| of.columns(with_user_id).iter().copied())
        .filter(move |name| seen.insert(*name))
}

fn of_part(part: FilterPart) -> Vec<Arg> {
    match part {
        FilterPart::Names => vec![
            repeated(
                NAMES,
                "NAME",
                "Only records of this name; repeat it for further ones",
            ),
            repeated(
                OTHER_NAMES,
                "NAME",
                "No records of this name; repeat it for further ones",
            )
            .conflicts_with(NAMES),
        ],
        FilterPart::DeviceIds => {
            vec![list(
                DEVICE_IDS,
                "ID",
                "Only records of these devices, separated by commas",
            )]
        }
        FilterPart::Session => {
            let names = Session::ALL.iter().map(|it| it.name());
            let help = "Only records of a session, or of none";
            vec![
                named(SESSION, "SESSION", help)
                    .ignore_case(true)
                    .value_parser(PossibleValuesParser::new(names)),
            ]
        }
        FilterPart::From => {
            vec![
                named(AFTER, "MOMENT", "Only records of this moment or later").value_parser(moment),
            ]
        }
        FilterPart::To => {
            vec![
                named(BEFORE, "MOMENT", "Only records from before this moment")
                    .value_parser(moment),
            ]
        }
    }
}

fn named(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// Takes one value each time: it may hold a comma.
fn repeated(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    named(name, value, help).action(ArgAction::Append)
}

fn list(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    repeated(name, value, help).value_delimiter(',')
}

/// The text of an argument, if it is given.
pub(super) fn text(matches: &ArgMatches, name: &str) -> Option<Value> {
    let text = matches.try_get_one::<String>(name).ok().flatten();
    text.map(|text| text.as_str().into())
}

fn texts(matches: &ArgMatches, name: &str) -> Option<Value> {
    let texts = matches.try_get_many::<String>(name).ok().flatten();
    texts.map(|texts| texts.map(String::as_str).collect())
}

/// The format, by its name on the wire.
pub(super) fn format(matches: &ArgMatches) -> Option<Value> {
    let given = matches.get_one::<String>(FORMAT)?;
    let is_given = |format: &ExportFormat| {
        let names = [format.extension(), format.name()];
        names.iter().any(|name| name.eq_ignore_ascii_case(given))
    };
    let format = ExportFormat::ALL.iter().copied().find(is_given)?;
    Some(format.name().into())
}

/// The options; `None` when none is given.
pub(super) fn options(of: ExportType, matches: &ArgMatches) -> Option<Value> {
    let mut options = Map::new();
    let bytes = matches.get_one::<u64>(MAX_FILE_BYTES);
    let given = [
        ("compression", text(matches, COMPRESSION)),
        ("columns", texts(matches, COLUMNS)),
        ("maxFileBytes", bytes.map(|bytes| (*bytes).into())),
        ("filter", filter(of, matches)),
    ];
    options.extend(present(given));
    let are_set = flags(of).filter(|(name, _, _)| matches.get_flag(name));
    options.extend(are_set.map(|(_, field, _)| ((*field).to_owned(), true.into())));
    (!options.is_empty()).then(|| options.into())
}

fn filter(of: ExportType, matches: &ArgMatches) -> Option<Value> {
    let mut filter = Map::new();
    for part in FilterPart::of(of) {
        let value = match part {
            FilterPart::Names => {
                let names = [
                    ("in", texts(matches, NAMES)),
                    ("notIn", texts(matches, OTHER_NAMES)),
                ];
                let names: Map<String, Value> = present(names).collect();
                (!names.is_empty()).then(|| names.into())
            }
            FilterPart::DeviceIds => texts(matches, DEVICE_IDS),
            FilterPart::Session => text(matches, SESSION),
            FilterPart::From => text(matches, AFTER),
            FilterPart::To => text(matches, BEFORE),
        };
        filter.extend(present([(part.name(), value)]));
    }
    (!filter.is_empty()).then(|| filter.into())
}

fn present<const N: usize>(
    fields: [(&str, Option<Value>); N],
) -> impl Iterator<Item = (String, Value)> {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}
