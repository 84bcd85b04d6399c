//! An export task, as the service says it. What an older service does not say is absent.

use std::fmt;
use std::str::FromStr;

use domain::job::{JobId, PhaseName, State};
use domain::warning::Warning;
use indicatif::{DecimalBytes, HumanCount};
use serde::Deserialize;
use serde_json::Value;

use crate::console::{Output, counted};
use crate::ending::Ending;
use crate::failure::Failure;
use crate::verify::{shown, shown_up_to};

/// The characters of a warning, or of the reason of an end, that are shown.
const MOST_SHOWN: usize = 5_000;

/// What is read of a task.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    id: String,
    state: String,
    phase: Option<String>,
    #[serde(default)]
    export_type: String,
    description: Option<String>,
    #[serde(default)]
    date_created: String,
    date_completed: Option<String>,
    error_details: Option<String>,
    credential_expires: Option<String>,
    #[serde(default)]
    warnings: Vec<Warning>,
    manifest_url: Option<String>,
    progress: Option<Progress>,
}

/// How far an export has come, as of its last recorded change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// How much of it is done, of a hundred.
    pub(crate) percent: u64,
    /// Rows in the files.
    pub rows: u64,
    pub(crate) bytes: u64,
    pub(crate) chunks_done: u64,
    pub(crate) chunks_total: Option<u64>,
    /// Absent from an older service.
    pub(crate) rows_per_second: Option<f64>,
    /// Absent from an older service, and while nobody can know.
    pub(crate) estimated_completion: Option<String>,
}

/// An export task.
#[derive(Debug, Clone)]
pub struct Task {
    read: Read,
    /// All that the service says.
    pub said: Value,
}

impl Task {
    /// Reads an answer.
    ///
    /// # Errors
    /// When it is no task.
    pub fn of(said: Value) -> Result<Self, Failure> {
        let read = Read::deserialize(&said).map_err(|error| {
            let message = format!("what answers is not this service: its task is none ({error})");
            Failure::unknown(shown(&message))
        })?;
        Ok(Self { read, said })
    }

    /// Its id.
    ///
    /// # Errors
    /// When it is none.
    pub fn id(&self) -> Result<JobId, Failure> {
        JobId::parse(&self.read.id)
            .ok_or_else(|| Failure::unknown("what answers is not this service: its task has no id"))
    }

    /// How far it has come; absent where the service does not say.
    pub fn progress(&self) -> Option<&Progress> {
        self.read.progress.as_ref()
    }

    /// Where it stands, in the words of the service.
    pub(crate) fn phase(&self) -> &str {
        self.read.phase.as_deref().unwrap_or(&self.read.state)
    }

    /// Whether it is of this type, in this state and created later, as far as these are asked for.
    pub(crate) fn fits(&self, state: Option<&str>, of: Option<&str>, after: Option<&str>) -> bool {
        let is = |asked: Option<&str>, found: &str| {
            asked.is_none_or(|asked| asked.eq_ignore_ascii_case(found))
        };
        // Moments of the service are of one form, so that they sort as texts do.
        is(state, &self.read.state)
            && is(of, &self.read.export_type)
            && after.is_none_or(|after| self.read.date_created.as_str() > after)
    }

    /// How it ended; `None` while it goes on by itself.
    pub fn ending(&self) -> Option<Ending> {
        match (self.known_phase(), State::from_name(&self.read.state)?) {
            (Some(PhaseName::AwaitingCredential), _) => Some(Ending::SignatureNeeded),
            (_, State::Succeeded) => Some(Ending::Done),
            (Some(PhaseName::Incomplete), State::Failed) => Some(Ending::Incomplete),
            (_, State::Failed) => Some(Ending::Failed),
            (_, State::Queued | State::Started) => None,
        }
    }

    fn known_phase(&self) -> Option<PhaseName> {
        PhaseName::from_str(self.read.phase.as_deref()?).ok()
    }

    /// What is to be known of it in one line, and a line for each warning and for the reason of an
    /// end without success.
    pub(crate) fn tell(&self, output: Output) {
        output.line(self);
        if let Some(details) = &self.read.error_details {
            output.line(format_args!("! {}", shown_up_to(details, MOST_SHOWN)));
        }
        if output.quiet {
            return;
        }
        for warning in &self.read.warnings {
            let text = shown_up_to(&warning.message, MOST_SHOWN);
            output.line(format_args!("! {}: {text}", shown(&warning.code)));
        }
    }

    /// Everything that is known of it, a line each.
    pub(crate) fn tell_all(&self, output: Output) {
        let read = &self.read;
        let chunks = self.progress().map(|progress| match progress.chunks_total {
            Some(total) => format!("{} of {total}", progress.chunks_done),
            None => format!("{}, and more are planned", progress.chunks_done),
        });
        let done = self.progress().map(|progress| {
            let (rows, bytes) = (counted(progress.rows, "row"), DecimalBytes(progress.bytes));
            format!("{} %, {rows}, {bytes}", progress.percent)
        });
        for (name, value) in [
            ("id", Some(read.id.clone())),
            ("type", Some(read.export_type.clone())),
            ("phase", Some(self.phase().to_owned())),
            ("description", read.description.clone()),
            ("created", Some(read.date_created.clone())),
            ("ended", read.date_completed.clone()),
            ("done", done),
            ("chunks", chunks),
            (
                "expected end",
                self.progress()
                    .and_then(|it| it.estimated_completion.clone()),
            ),
            ("signature until", read.credential_expires.clone()),
            ("manifest", read.manifest_url.clone()),
        ] {
            if let Some(value) = value {
                output.line(format_args!("{name:<16} {}", shown(&value)));
            }
        }
        if let Some(details) = &read.error_details {
            output.line(format_args!("! {}", shown_up_to(details, MOST_SHOWN)));
        }
        for warning in &read.warnings {
            let text = shown_up_to(&warning.message, MOST_SHOWN);
            output.line(format_args!("! {}: {text}", shown(&warning.code)));
        }
    }

    /// A row of the table of tasks.
    pub(crate) fn row(&self) -> String {
        let read = &self.read;
        let rows = self.progress().map(|it| HumanCount(it.rows).to_string());
        let created = read.date_created.get(..16).unwrap_or(&read.date_created);
        let row = format!(
            "{:<36}  {:<8}  {:<19}  {:<16}  {:>13}  {}",
            shown(&read.id),
            shown(&read.export_type),
            shown(self.phase()),
            shown(created).replace('T', " "),
            rows.unwrap_or_default(),
            shown_up_to(read.description.as_deref().unwrap_or_default(), 60),
        );
        row.trim_end().to_owned()
    }

    /// The head of that table; times are UTC.
    pub(crate) fn head() -> String {
        format!(
            "{:<36}  {:<8}  {:<19}  {:<16}  {:>13}  DESCRIPTION",
            "ID", "TYPE", "PHASE", "CREATED (UTC)", "ROWS"
        )
    }
}

/// The task in one line.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.ending() {
            Some(Ending::Done) => '✓',
            Some(_) => '✗',
            None => '·',
        };
        let (of, id) = (shown(&self.read.export_type), shown(&self.read.id));
        write!(f, "{mark} {of} {id}: {}", shown(self.phase()))?;
        if let Some(progress) = self.progress() {
            let (rows, bytes) = (counted(progress.rows, "row"), DecimalBytes(progress.bytes));
            write!(f, ", {rows}, {bytes}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::job::PhaseName;
    use serde_json::json;
    use strum::VariantArray;

    use super::*;

    fn task(state: &str, phase: Option<&str>) -> Task {
        Task::of(json!({
            "id": "01890a5d-ac96-774b-bcce-b302099a8057", "state": state, "phase": phase,
            "exportType": "Event", "dateCreated": "2026-01-12T10:00:00.000Z",
        }))
        .unwrap()
    }

    #[test]
    fn every_phase_has_its_ending_or_goes_on() {
        for phase in PhaseName::VARIANTS {
            let name: &'static str = phase.into();
            let expected = match phase {
                PhaseName::AwaitingCredential => Some(Ending::SignatureNeeded),
                PhaseName::Succeeded => Some(Ending::Done),
                PhaseName::Incomplete => Some(Ending::Incomplete),
                PhaseName::Failed | PhaseName::Cancelled => Some(Ending::Failed),
                PhaseName::Queued
                | PhaseName::Planning
                | PhaseName::Running
                | PhaseName::Resuming
                | PhaseName::Cancelling
                | PhaseName::Finishing => None,
            };
            let task = task(phase.state().name(), Some(name));
            assert_eq!(task.ending(), expected, "{phase}");
        }
    }

    #[test]
    fn a_service_that_says_no_phase_or_one_of_the_future_is_understood_by_its_state() {
        for (state, ending) in [
            ("Queued", None),
            ("Started", None),
            ("Succeeded", Some(Ending::Done)),
            ("Failed", Some(Ending::Failed)),
        ] {
            assert_eq!(task(state, None).ending(), ending, "{state}");
            assert_eq!(task(state, Some("resting")).ending(), ending, "{state}");
        }
    }

    #[test]
    fn a_list_is_filtered_where_the_service_does_not() {
        let task = task("Succeeded", None);
        assert!(task.fits(None, None, None));
        assert!(task.fits(
            Some("succeeded"),
            Some("event"),
            Some("2026-01-12T09:59:59Z")
        ));
        assert!(!task.fits(Some("Failed"), None, None));
        assert!(!task.fits(None, Some("Job"), None));
        assert!(!task.fits(None, None, Some("2026-01-12T10:00:01Z")));
    }

    #[test]
    fn a_task_in_one_line_and_in_a_row() {
        let mut said = task("Succeeded", Some("succeeded")).said;
        said["progress"] = json!({"percent": 100, "rows": 1_234, "bytes": 5_600});
        said["description"] = "a\nweek".into();
        let task = Task::of(said).unwrap();
        assert_eq!(
            task.to_string(),
            "✓ Event 01890a5d-ac96-774b-bcce-b302099a8057: succeeded, 1,234 rows, 5.60 kB"
        );
        assert_eq!(
            task.row(),
            "01890a5d-ac96-774b-bcce-b302099a8057  Event     succeeded            2026-01-12 10:00          1,234  a\u{fffd}week"
        );
        assert_eq!(
            Task::head().find("DESCRIPTION"),
            task.row().find('a').map(|_| 102)
        );
    }
}
