//! An export of each kind, through the API as a client has it.

use std::time::{Duration, Instant};

use client::api::ApiFailure;
use client::console::{Output, counted};
use client::create::operations;
use client::ending::Ending;
use client::task::Task;
use client::verify::{ContainerPlace, Export, JobName, Manifest, Outcome};
use domain::job::JobId;
use domain::operation::{Operation, SelectionKind};
use domain::secret::Secret;
use domain::selection::{CampaignType, ExportFormat};
use serde_json::{Value, json};
use time::Date;

use super::Trial;
use crate::checks::{Check, Light};

/// How long to wait between two looks at the same export.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// A campaign that need not exist: its export is complete and has no rows.
const CAMPAIGN: i64 = 1;

/// An export that was asked for.
struct Begun {
    name: String,
    is_of_days: bool,
    state: Result<JobId, ApiFailure>,
}

/// Creates all of them, then looks until the last one has ended. Each format is asked for.
pub(super) async fn each(trial: &Trial, output: Output) -> Vec<Check> {
    let began = Instant::now();
    let formats = ExportFormat::ALL.iter().cycle();
    let mut asked = Vec::new();
    for (operation, format) in operations().zip(formats) {
        let name = format!("{} as {}", operation.name, format.name());
        let state = create(trial, operation, *format, &name).await;
        let is_of_days = matches!(operation.selection, SelectionKind::Days(_));
        asked.push(Begun {
            name,
            is_of_days,
            state,
        });
        if has_one_cause(&asked) {
            break;
        }
    }
    let left = operations().count() - asked.len();
    let mut checks = Vec::new();
    for Begun {
        name,
        is_of_days,
        state,
    } in asked
    {
        let check = match state {
            Ok(id) => watch(trial, &name, id, is_of_days, began).await,
            Err(failure) => Check::red(name, failure.to_string()),
        };
        check.tell(output);
        checks.push(check);
    }
    if left > 0 {
        let others = counted(left as u64, "other kind");
        let message = format!("{others} of exports were not tried: what was tried failed alike");
        let check = Check::unknown("exports", message);
        check.tell(output);
        checks.push(check);
    }
    checks
}

/// Whether the last two were refused in the same words: so will be the rest.
fn has_one_cause(asked: &[Begun]) -> bool {
    let refused = |begun: &Begun| begun.state.as_ref().err().map(ToString::to_string);
    match asked {
        [.., one, other] => refused(one).is_some() && refused(one) == refused(other),
        [] | [_] => false,
    }
}

async fn create(
    trial: &Trial,
    operation: &Operation,
    format: ExportFormat,
    name: &str,
) -> Result<JobId, ApiFailure> {
    let mut body = selected(operation.selection, trial.day);
    let fields = [
        ("containerUrl", trial.container_url.reveal()),
        ("exportFormat", format.name()),
        ("description", "a smoke test"),
    ];
    if let Some(body) = body.as_object_mut() {
        body.extend(fields.map(|(name, value)| (name.to_owned(), value.into())));
    }
    // Each run is an export of its own, and its repeat after a lost answer is not.
    let key = format!("smoke-{}-{name}", trial.id);
    let created = trial.api.create(operation.name, &body, &key).await?;
    let id = Task::of(created.body).and_then(|task| task.id());
    id.map_err(ApiFailure::NoToken)
}

/// What an export of this kind selects.
fn selected(kind: SelectionKind, day: Date) -> Value {
    let (day, campaign_type) = (day.to_string(), CampaignType::Announcement.name());
    match kind {
        SelectionKind::Days(_) => json!({"startDate": day, "endDate": day}),
        SelectionKind::Devices(_) => json!({}),
        SelectionKind::Campaigns => {
            json!({"campaignType": campaign_type, "campaignIds": [CAMPAIGN]})
        }
        SelectionKind::ActiveCampaigns => json!({
            "campaignType": campaign_type, "campaignWindowStart": format!("{day}T00:00:00Z"),
            "campaignWindowEnd": format!("{day}T23:59:59Z"),
        }),
    }
}

async fn watch(trial: &Trial, name: &str, id: JobId, is_of_days: bool, began: Instant) -> Check {
    loop {
        let task = match trial.api.task(id, None).await.map_err(Into::into) {
            Ok(answer) => Task::of(answer.body),
            Err(failure) => Err(failure),
        };
        let task = match task {
            Ok(task) => task,
            Err(failure) => return Check::red(name, format!("export {id}: {failure}")),
        };
        match task.ending() {
            Some(Ending::Done) => return succeeded(trial, name, id, &task, is_of_days).await,
            Some(_) => return Check::red(name, format!("export {id}: {}", reason(&task))),
            None if began.elapsed() > trial.timeout => {
                let message = format!(
                    "export {id} has not ended in the time of --timeout: {}",
                    reason(&task)
                );
                return Check::red(name, message);
            }
            None => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
}

/// What a task says of itself.
fn reason(task: &Task) -> String {
    let text = |name: &str| task.said.get(name).and_then(Value::as_str);
    let phase = text("phase").or(text("state")).unwrap_or_default();
    match text("errorDetails") {
        Some(details) => format!("{phase}, {details}"),
        None => phase.to_owned(),
    }
}

async fn succeeded(trial: &Trial, name: &str, id: JobId, task: &Task, is_of_days: bool) -> Check {
    let count = task.progress().map_or(0, |progress| progress.rows);
    let rows = counted(count, "row");
    // An export without rows shows little: not that the lake can be read.
    let (light, advice) = if count == 0 && is_of_days {
        (Light::Note, "; --day names a day with data")
    } else {
        (Light::Green, "")
    };
    let Some(url) = &trial.read_url else {
        let message = format!("export {id} succeeded, {rows}{advice}");
        return Check::new(light, name, message);
    };
    match verified(url, id).await {
        Ok(line) => {
            let message = format!("export {id} succeeded, {line}{advice}");
            Check::new(light, name, message)
        }
        Err(problem) => Check::red(
            name,
            format!("export {id} succeeded, {rows}, but {problem}"),
        ),
    }
}

/// That the files are as the manifest says; the verdict in words, or what is wrong.
async fn verified(url: &Secret, id: JobId) -> Result<String, String> {
    let named = JobName::parse(&id.to_string())?;
    let opened = ContainerPlace::open(url, named).await;
    let (place, manifest) = opened.map_err(|error| error.to_string())?;
    let manifest = Manifest::read(manifest).await;
    let manifest = manifest.map_err(|error| error.to_string())?;
    let export = Export {
        manifest: &manifest,
        place: &place,
        keep_rows: false,
    };
    let verdict = export.verify(&mut |_| {}, &|_| {}).await;
    let verdict = verdict.map_err(|error| error.to_string())?;
    let line = verdict
        .line()
        .trim_start_matches(['✓', '✗', '!', '?', ' '])
        .to_owned();
    match verdict.outcome() {
        Outcome::Right => Ok(line),
        Outcome::Wrong | Outcome::Unknown | Outcome::Incomplete => Err(line),
    }
}
