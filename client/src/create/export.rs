//! An export as the command line asks for it: a command for each operation, arguments for what its
//! type can be asked for, all of them as the domain has them.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use domain::operation::{OPERATIONS, Operation, SelectionKind};
use domain::secret::Secret;
use domain::selection::CampaignType;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::options;

const FULL_DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// The argument of each field that selects.
const FROM: &str = "from";
const TO: &str = "to";
const CAMPAIGN_TYPE: &str = "campaign-type";
const CAMPAIGN_IDS: &str = "campaign-id";
const WINDOW_START: &str = "window-start";
const WINDOW_END: &str = "window-end";
const DESCRIPTION: &str = "description";

/// What is asked for, but for the container.
#[derive(Debug)]
pub(super) struct Export {
    /// The operation that creates it.
    pub(super) operation: &'static Operation,
    /// The fields of the request.
    fields: Map<String, Value>,
}

/// The operations, each by its first name: the others are for old clients.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().enumerate().filter_map(|(at, operation)| {
        let mut earlier = OPERATIONS.iter().take(at);
        let is_first = earlier.all(|it| it.selection != operation.selection);
        is_first.then_some(operation)
    })
}

/// The command of an operation.
pub(super) fn command(operation: &'static Operation) -> Command {
    let aliases = OPERATIONS
        .iter()
        .filter(|it| it.selection == operation.selection && it.name != operation.name);
    Command::new(operation.name)
        .about(about(operation))
        .aliases(aliases.map(|it| it.name))
        .args(of_selection(operation.selection))
        .args(options::arguments(operation.export_type()))
        .arg(
            Arg::new(DESCRIPTION)
                .long(DESCRIPTION)
                .value_name("TEXT")
                .help("Your own words about the export, up to 1,024 characters"),
        )
}

fn about(operation: &Operation) -> String {
    let of = operation.export_type();
    match operation.selection {
        SelectionKind::Days(_) => format!("{of} records of some days"),
        SelectionKind::Devices(_) => format!("{of} records of every device, as they are now"),
        SelectionKind::Campaigns => "Push feedback of the campaigns that are named".to_owned(),
        SelectionKind::ActiveCampaigns => {
            "Push feedback of the campaigns that were active in a window of time".to_owned()
        }
    }
}

fn of_selection(kind: SelectionKind) -> Vec<Arg> {
    let required = |name: &'static str, value, help| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .required(true)
            .help(help)
    };
    let campaign_type = || {
        let names = CampaignType::ALL.iter().map(|it| it.name());
        required(CAMPAIGN_TYPE, "TYPE", "The type of the campaigns")
            .ignore_case(true)
            .value_parser(PossibleValuesParser::new(names))
    };
    match kind {
        SelectionKind::Days(_) => vec![
            required(FROM, "DAY", "The first day (UTC), such as 2026-01-05").value_parser(day),
            required(TO, "DAY", "The last day (UTC), which is exported too").value_parser(day),
        ],
        SelectionKind::Devices(_) => Vec::new(),
        SelectionKind::Campaigns => vec![
            campaign_type(),
            required(
                CAMPAIGN_IDS,
                "ID",
                "The ids of the campaigns, separated by commas",
            )
            .value_delimiter(',')
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .value_parser(clap::value_parser!(i64)),
        ],
        SelectionKind::ActiveCampaigns => vec![
            campaign_type(),
            required(WINDOW_START, "MOMENT", "Such as 2026-01-05T00:00:00Z").value_parser(moment),
            required(WINDOW_END, "MOMENT", "The last moment of the window").value_parser(moment),
        ],
    }
}

impl Export {
    /// What the arguments of an operation's command ask for; `None` when there is no such
    /// operation.
    pub(super) fn of(name: &str, matches: &ArgMatches) -> Option<Self> {
        let operation = operations().find(|operation| operation.name == name)?;
        let mut fields = Map::new();
        let mut set = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(field.to_owned(), value);
            }
        };
        let text = |name| options::text(matches, name);
        match operation.selection {
            SelectionKind::Days(_) => {
                set("startDate", text(FROM));
                set("endDate", text(TO));
            }
            SelectionKind::Devices(_) => {}
            SelectionKind::Campaigns => {
                let ids = matches.get_many::<i64>(CAMPAIGN_IDS);
                set("campaignType", text(CAMPAIGN_TYPE));
                set("campaignIds", ids.map(|ids| ids.copied().collect()));
            }
            SelectionKind::ActiveCampaigns => {
                set("campaignType", text(CAMPAIGN_TYPE));
                set("campaignWindowStart", text(WINDOW_START));
                set("campaignWindowEnd", text(WINDOW_END));
            }
        }
        set("description", text(DESCRIPTION));
        set("exportFormat", options::format(matches));
        set(
            "exportOptions",
            options::options(operation.export_type(), matches),
        );
        Some(Self { operation, fields })
    }

    /// The body of the request.
    pub(super) fn body(&self, container_url: &Secret) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("containerUrl".to_owned(), container_url.reveal().into());
        fields.into()
    }
}

/// A day of the calendar, as it is sent.
fn day(text: &str) -> Result<String, String> {
    time::Date::parse(text, FULL_DATE)
        .map(|day| day.to_string())
        .map_err(|_| "give a day such as 2026-01-31".to_owned())
}

/// A moment, as it is sent.
///
/// # Errors
/// What it should look like.
pub(crate) fn moment(text: &str) -> Result<String, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(|_| text.to_owned())
        .map_err(|_| "give a moment such as 2026-01-31T08:00:00Z".to_owned())
}

#[cfg(test)]
mod tests;
