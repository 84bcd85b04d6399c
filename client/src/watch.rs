//! `engagement-export watch`: how an export goes on, until it has ended or waits for its owner.

mod view;

use std::time::Duration;

use clap::Args;
use domain::job::JobId;
use reqwest::StatusCode;

use self::view::View;
use crate::api::{Answer, Api, ApiFailure, Backoff};
use crate::console::Output;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::task::Task;
use crate::verify::JobName;

/// How long to wait for the next look when the service does not say.
const USUAL_WAIT: Duration = Duration::from_secs(10);

/// The looks of who has just begun: most exports are small. They grow to what the service asks for.
const FIRST_LOOKS: Backoff = Backoff {
    tries: u32::MAX,
    first: Duration::from_secs(1),
    longest: Duration::from_mins(1),
};

/// How long an export is watched.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Patience {
    /// Ends with 7 after so long, such as 90s, 15m or 2h; the export goes on.
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    timeout: Option<Duration>,
    /// Goes on while the export waits for a new signature, which somebody else gives.
    #[arg(long)]
    wait_for_signature: bool,
}

/// Watches an export until it has ended, or waits for a new signature.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The export: its id, or its manifest's name or URL.
    #[arg(value_name = "EXPORT", value_parser = JobName::parse)]
    job: JobName,
    #[command(flatten)]
    patience: Patience,
}

/// Watches, and says how it ended.
///
/// # Errors
/// What the service refuses; that it does not answer is outlived.
pub(crate) async fn watch(
    api: &Api,
    arguments: &WatchArguments,
    output: Output,
) -> Result<Ending, Failure> {
    until_the_end(api, arguments.job.job(), arguments.patience, output).await
}

/// Watches an export by its id.
///
/// # Errors
/// As [`watch`].
pub(crate) async fn until_the_end(
    api: &Api,
    id: JobId,
    patience: Patience,
    output: Output,
) -> Result<Ending, Failure> {
    let looking = look(api, id, patience.wait_for_signature, output);
    let task = match patience.timeout {
        None => looking.await?,
        Some(timeout) => tokio::time::timeout(timeout, looking).await.map_err(|_| {
            let message = format!(
                "the export goes on after the time of --timeout: engagement-export watch {id}"
            );
            Failure::new(Ending::TimedOut, message)
        })??,
    };
    task.tell(output);
    output.document(&task.said);
    let ending = task.ending().unwrap_or(Ending::Unknown);
    if ending == Ending::SignatureNeeded {
        output.remark(format_args!(
            "✗ the export waits for a new signature of its container: engagement-export renew {id} --watch"
        ));
    }
    Ok(ending)
}

/// Looks again and again, until there is an end.
async fn look(api: &Api, id: JobId, waits_on: bool, output: Output) -> Result<Task, Failure> {
    let view = View::new(output);
    let (mut etag, mut looks, mut losses) = (None, 0, 0);
    let mut last: Option<Task> = None;
    loop {
        let wait = match api.task(id, etag.as_deref()).await {
            Ok(answer) => {
                (looks, losses) = (looks + 1, 0);
                let wait = wait_after(&answer, looks);
                if answer.status != StatusCode::NOT_MODIFIED {
                    etag.clone_from(&answer.etag);
                    last = Some(Task::of(answer.body)?);
                }
                if let Some(task) = &last {
                    view.show(task);
                    let goes_on = match task.ending() {
                        None => true,
                        Some(ending) => waits_on && ending == Ending::SignatureNeeded,
                    };
                    if !goes_on {
                        return Ok(task.clone());
                    }
                }
                wait
            }
            Err(failure) => {
                losses += 1;
                outlived(&view, failure, losses)?
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// How long to wait until the next look.
fn wait_after(answer: &Answer, looks: u32) -> Duration {
    let asked = answer.retry_after.unwrap_or(USUAL_WAIT);
    FIRST_LOOKS.after(looks).min(asked).max(FIRST_LOOKS.first)
}

/// How long to wait until the service may answer again.
fn outlived(view: &View, failure: ApiFailure, losses: u32) -> Result<Duration, Failure> {
    if !failure.is_transient() {
        return Err(failure.into());
    }
    view.lost();
    Ok(FIRST_LOOKS.after(losses).min(Backoff::usual().longest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::tests::{Scripted, token};

    const RUNNING: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\netag: W/\"1\"\r\nretry-after: 0\r\n\
        content-length: 63\r\n\r\n{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"state\":\"Started\"}";
    const UNCHANGED: &str =
        "HTTP/1.1 304 Not Modified\r\nconnection: close\r\nretry-after: 0\r\n\r\n";
    const ENDED: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 65\r\n\r\n\
        {\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"state\":\"Succeeded\"}";
    const GONE: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

    fn id() -> JobId {
        JobId::parse("01890a5d-ac96-774b-bcce-b302099a8057").unwrap()
    }

    #[tokio::test]
    async fn a_service_that_does_not_answer_is_outlived_and_what_is_known_is_not_asked_again() {
        let lost = ["", "", "", ""];
        let answers = [&[RUNNING][..], &lost, &[UNCHANGED, ENDED]].concat();
        let service = Scripted::new(answers).await;
        let api = service.api(token());
        let watched = until_the_end(&api, id(), Patience::default(), Output::default()).await;
        assert_eq!(watched, Ok(Ending::Done));
        let asked = service.asked().await;
        assert!(!asked[0].contains("if-none-match"), "{}", asked[0]);
        let is_conditional = |request: &String| request.contains("if-none-match: W/\"1\"");
        assert!(asked.iter().skip(1).all(is_conditional), "{asked:?}");
    }

    #[tokio::test]
    async fn what_the_service_refuses_ends_the_watch() {
        let service = Scripted::new(vec![RUNNING, GONE]).await;
        let api = service.api(token());
        let watched = until_the_end(&api, id(), Patience::default(), Output::default()).await;
        assert_eq!(watched.unwrap_err().ending, Ending::Refused);
    }

    #[test]
    fn looks_begin_often_and_grow_to_what_the_service_asks_for() {
        let answer = |seconds| Answer {
            status: StatusCode::OK,
            retry_after: Some(Duration::from_secs(seconds)),
            etag: None,
            body: serde_json::Value::Null,
        };
        let waits =
            |seconds| [1, 2, 3, 4, 9].map(|looks| wait_after(&answer(seconds), looks).as_secs());
        assert_eq!(waits(10), [1, 2, 4, 8, 10]);
        assert_eq!(waits(0), [1, 1, 1, 1, 1]);
    }
}
