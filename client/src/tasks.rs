//! The commands about exports that there are: `show`, `renew`, `retry`, `cancel`.

mod list;

use clap::Args;
use domain::secret::Secret;

pub(crate) use self::list::{ListArguments, list};
use crate::api::Api;
use crate::console::Output;
use crate::container_url::{Purpose, UrlFlags};
use crate::ending::Ending;
use crate::environment::of_process;
use crate::failure::Failure;
use crate::task::Task;
use crate::verify::JobName;
use crate::watch::{Patience, until_the_end};

/// The service's code for a task that is at work already.
const AT_WORK: &str = "TaskAtWork";

/// One export.
#[derive(Debug, Args)]
pub(crate) struct TaskArguments {
    /// The export: its id, or its manifest's name or URL.
    #[arg(value_name = "EXPORT", value_parser = JobName::parse)]
    job: JobName,
}

/// An export that goes on.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    task: TaskArguments,
    #[command(flatten)]
    watch: WatchFlags,
}

/// An export that is given a new signature.
#[derive(Debug, Args)]
pub(crate) struct RenewArguments {
    #[command(flatten)]
    resume: ResumeArguments,
    #[command(flatten)]
    url: UrlFlags,
}

/// Whether what was begun is watched.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct WatchFlags {
    /// Watches the export until its end, and ends as `watch` does.
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) patience: Patience,
}

/// Shows everything about one export.
///
/// # Errors
/// What the service refuses, or that it does not answer.
pub(crate) async fn show(
    api: &Api,
    arguments: &TaskArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let task = Task::of(api.task(arguments.job.job(), None).await?.body)?;
    task.tell_all(output);
    output.document(&task.said);
    Ok(Ending::Done)
}

/// Gives an export a new signature of its container.
///
/// # Errors
/// As [`show`].
pub(crate) async fn renew(
    api: &Api,
    arguments: &RenewArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let url = arguments.url.url(Purpose::Write, &of_process).await?;
    resume(api, &arguments.resume, Some(&url), output).await
}

/// Lets an export go on, with what is missing of it.
///
/// # Errors
/// As [`show`].
pub(crate) async fn retry(
    api: &Api,
    arguments: &ResumeArguments,
    output: Output,
) -> Result<Ending, Failure> {
    resume(api, arguments, None, output).await
}

async fn resume(
    api: &Api,
    arguments: &ResumeArguments,
    url: Option<&Secret>,
    output: Output,
) -> Result<Ending, Failure> {
    let id = arguments.task.job.job();
    let body = match api.resume(id, url).await {
        Ok(answer) => answer.body,
        // The answer to an earlier try was lost, and the export is at work as it was asked to be.
        Err(failure) if failure.has_code(AT_WORK) && failure.was_repeated() => {
            api.task(id, None).await?.body
        }
        Err(failure) => return Err(failure.into()),
    };
    answer(api, body, arguments.watch, output).await
}

/// Ends an export early.
///
/// # Errors
/// As [`show`].
pub(crate) async fn cancel(
    api: &Api,
    arguments: &TaskArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let body = api.cancel(arguments.job.job()).await?.body;
    answer(api, body, WatchFlags::default(), output).await
}

/// Says what was accepted, or watches it.
///
/// # Errors
/// As [`show`].
pub(crate) async fn answer(
    api: &Api,
    body: serde_json::Value,
    flags: WatchFlags,
    output: Output,
) -> Result<Ending, Failure> {
    let task = Task::of(body)?;
    let id = task.id()?;
    if !flags.watch {
        if output.quiet {
            output.line(id);
        } else {
            task.tell(output);
        }
        output.document(&task.said);
        return Ok(Ending::Done);
    }
    if !output.quiet {
        task.tell(output);
    }
    until_the_end(api, id, flags.patience, output).await
}
