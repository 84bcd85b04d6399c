//! `smoke`: after a deployment, whether exports come to their end, and whether what must be refused is.

mod exports;
mod refusals;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use client::api::Api;
use client::console::Output;
use client::container_url::{Purpose, UrlFlags, read_url};
use client::ending::Ending;
use client::environment::{API, READ_URL, Variable, of_process};
use client::failure::Failure;
use client::settings::{Service, ServiceFlags, Token};
use domain::secret::Secret;
use ports::clock::Clock;
use serde_json::json;
use time::Date;
use uuid::Uuid;
use wiring::SystemClock;

use crate::checks::{Check, conclude};
use crate::deployment::DeploymentFlags;
use crate::lake::day;

/// How a deployment is tried.
#[derive(Debug, Args)]
pub(crate) struct SmokeArguments {
    #[command(flatten)]
    service: ServiceFlags,
    #[command(flatten)]
    url: UrlFlags,
    /// A file with the container's URL and a signature that may read, else the environment's: then the
    /// files are verified.
    #[arg(long, value_name = "FILE")]
    read_url_file: Option<PathBuf>,
    /// The day (UTC) of which what happened is exported; yesterday unless it is given.
    #[arg(long, value_name = "DAY", value_parser = day)]
    day: Option<Date>,
    /// How long the exports may take, such as 90s, 15m or 2h.
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = patience)]
    timeout: Duration,
}

/// What is needed to try a deployment.
pub(crate) struct Trial {
    tasks: reqwest::Url,
    api: Api,
    /// Of this run, and of no other.
    id: Uuid,
    container_url: Secret,
    read_url: Option<Secret>,
    day: Date,
    timeout: Duration,
}

/// Tries what must be refused, then an export of each kind. What all the rest has in common is tried
/// first, and what cannot succeed then is not tried.
///
/// # Errors
/// What keeps anything from being tried.
pub(crate) async fn smoke(
    arguments: SmokeArguments,
    deployment: &DeploymentFlags,
    output: Output,
) -> Result<Ending, Failure> {
    let trial = Trial::of(arguments, deployment).await?;
    let is_read = trial.read_url.is_some();
    let mut checks = Vec::new();
    let can_be_tried = refusals::what_all_need(&trial, &mut checks, output).await?;
    if can_be_tried {
        checks.extend(exports::each(&trial, output).await);
    } else {
        let message = "they were not tried, because of the line above";
        let check = Check::unknown("exports", message);
        check.tell(output);
        checks.push(check);
    }
    if !is_read {
        output.line("· content was not read: with --read-url-file, the files are verified, too");
    }
    Ok(conclude(&checks, json!({"contentRead": is_read}), output))
}

/// How long to wait, which is longer than not at all.
fn patience(text: &str) -> Result<Duration, String> {
    let length = client::duration::parse(text)?;
    if length.is_zero() {
        return Err("no export ends in no time: give a time such as 90s, 15m or 2h".to_owned());
    }
    Ok(length)
}

/// The service that is meant; of a stack that is named, no other than its own.
fn service(flags: ServiceFlags, of_stack: Option<String>) -> Result<Service, Failure> {
    let Some(url) = of_stack else {
        return flags.resolve(&of_process);
    };
    let service = flags.resolve(&|variable: &Variable| match of_process(variable)? {
        None if variable.name == API.name => Ok(Some(url.clone())),
        said => Ok(said),
    })?;
    let begin = format!("{}/", url.trim_end_matches('/'));
    if service.tasks.as_str().starts_with(&begin) {
        return Ok(service);
    }
    Err(Failure::usage(format!(
        "the API of the stack is {url}, and {} is to be tried: leave out --api and {}, or --stack",
        service.tasks, API.name
    )))
}

impl Trial {
    async fn of(arguments: SmokeArguments, deployment: &DeploymentFlags) -> Result<Self, Failure> {
        let container_url = arguments.url.url(Purpose::Write, &of_process).await?;
        let read_url = match arguments.read_url_file.as_deref().map(read_url) {
            Some(url) => Some(url?),
            None => of_process(&READ_URL)?.map(Secret::new),
        };
        let service = service(arguments.service, deployment.api_url().await?)?;
        let yesterday = SystemClock.now().date().previous_day();
        Ok(Self {
            tasks: service.tasks.clone(),
            api: Api::open(service)?,
            id: SystemClock.fresh_id(),
            container_url,
            read_url,
            day: arguments.day.or(yesterday).unwrap_or(Date::MIN),
            timeout: arguments.timeout,
        })
    }

    /// The same service, asked with another token.
    fn with_token(&self, token: &str) -> Result<Api, Failure> {
        Api::open(Service {
            tasks: self.tasks.clone(),
            token: Token::Given(Secret::new(token)),
        })
    }
}
