//! `make serve`: the whole service stays up, with its state in a folder, and says how to talk to
//! it.

use std::io::ErrorKind;
use std::time::Duration;

use ports::clock::Clock;
use tracing::warn;
use wiring::SystemClock;
use wiring::config::{self, ConfigError, Environment};

use crate::demo::{DemoError, make_sample};
use crate::dynamodb::{EXPORTS_TABLE, REGION, REGISTRY_TABLE};
use crate::gateway::cors::Cors;
use crate::sample::{APPS, Sample};
use crate::stack::{Stack, StackError, StackSettings};
use crate::token::write_secret;
use client::console::say;

/// Where the commands stand that `serve` prints.
const README: &str = include_str!("../../README.md");

/// How often expired items and old stream records are deleted.
const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// How old a stream record may get: the pump has long read it, as there is no other reader.
const STREAM_AGE: Duration = Duration::from_hours(1);

/// Source bytes of a chunk.
const CHUNK_TARGET_BYTES: u64 = 4 * 1024 * 1024;

/// How long the printed token is valid.
const TOKEN_TTL: Duration = Duration::from_hours(24);

/// Where the service listens, each 0 for any free port.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// The API, and the page.
    pub api: u16,
    /// Where people sign in.
    pub issuer: u16,
    /// Azurite.
    pub blob: u16,
}

/// The stack's settings for a state that outlives it.
///
/// # Errors
/// [`ConfigError`] when a setting of the functions is no text.
pub fn settings(
    folder: &std::path::Path,
    ports: Ports,
    cors: Cors,
) -> Result<StackSettings, ConfigError> {
    Ok(StackSettings {
        folder: folder.to_owned(),
        api_port: ports.api,
        issuer_port: ports.issuer,
        cors,
        blob_port: Some(ports.blob),
        chunk_target_bytes: CHUNK_TARGET_BYTES,
        functions: Environment::of_process().settings()?,
    })
}

/// Serves until it is cancelled. A state without any data gets the sample.
///
/// # Errors
/// [`DemoError`] when the stack does not start or the sample cannot be made.
pub async fn serve(settings: &StackSettings) -> Result<(), DemoError> {
    let stack = Stack::start(settings).await?;
    if std::fs::read_dir(stack.places.lake())?.next().is_none() {
        make_sample(&stack, Sample::default()).await?;
    }
    greet(&stack, settings)?;
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        clean_up(&stack);
    }
}

fn clean_up(stack: &Stack) {
    let done = stack.dynamodb.delete_expired().and_then(|_| {
        let now = SystemClock.now();
        stack.dynamodb.trim_stream(now, STREAM_AGE)
    });
    if let Err(error) = done {
        warn!(%error, "the tables could not be tidied up");
    }
}

/// Shows the operator everything it takes, secrets included: they go to this terminal and nowhere
/// else.
fn greet(stack: &Stack, settings: &StackSettings) -> Result<(), DemoError> {
    let (token, container, read) = (
        stack.token(TOKEN_TTL)?,
        stack.container_url("w"),
        stack.container_url("rl"),
    );
    say(format_args!("API   {}", stack.api_url()));
    say(format_args!("Page  {}", stack.page_url()));
    say(format_args!("Logs  {}", stack.places.logs().display()));
    say(format_args!("Lake  {}", stack.places.lake().display()));
    let operate = write_operating(stack, token.reveal())?;
    say(format_args!(
        "Run   source {operate}    before engagement-export-admin and engagement-export"
    ));
    for (name, value) in &settings.functions {
        say(format_args!("Set   {name}={value}"));
    }
    say(
        "\nPaste this into a second terminal, in the same folder, to export a week of events (valid for a day):\n",
    );
    say(filled(&[
        ("API", &stack.api_url()),
        ("TOKEN", token.reveal()),
        ("CONTAINER_URL", container.reveal()),
        ("READ_URL", read.reveal()),
    ]));
    say("Ctrl-C stops everything; the state stays.");
    Ok(())
}

/// Writes what both commands read from the environment into a file that only this person may read.
fn write_operating(stack: &Stack, token: &str) -> Result<String, DemoError> {
    let path = stack.places.operate();
    let name = path.display().to_string();
    let written = match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => write_secret(&path, operating(stack, token).as_bytes()),
    };
    written.map_err(|source| StackError::Io {
        what: name.clone(),
        source,
    })?;
    Ok(name)
}

/// What `engagement-export-admin` and `engagement-export` read from the environment, as a shell sets
/// it.
pub fn operating(stack: &Stack, token: &str) -> String {
    let lake = format!("file://{}", stack.places.lake().display());
    let (container, read) = (stack.container_url("w"), stack.container_url("rl"));
    let [app, ..] = &APPS;
    let variables = [
        ("AWS_ENDPOINT_URL_DYNAMODB", stack.dynamodb.endpoint()),
        ("AWS_REGION", REGION),
        // What AWS's own command reads.
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        (config::EXPORTS_TABLE.name, EXPORTS_TABLE),
        (config::REGISTRY_TABLE.name, REGISTRY_TABLE),
        (config::LAKE_URL.name, &lake),
        ("ENGAGEMENT_EXPORT_API", &stack.api_url()),
        ("ENGAGEMENT_EXPORT_APP", &app.exports_path()),
        ("ENGAGEMENT_EXPORT_ISSUER", &stack.issuer_url()),
        ("ENGAGEMENT_EXPORT_TOKEN", token),
        ("ENGAGEMENT_EXPORT_CONTAINER_URL", container.reveal()),
        ("ENGAGEMENT_EXPORT_READ_URL", read.reveal()),
    ];
    let lines = variables.map(|(name, value)| format!("export {name}='{value}'\n"));
    lines.concat()
}

/// README's first export, each line with its end. What only a running service knows stands there as
/// `NAME='…'`.
pub fn first_export() -> &'static str {
    let section = README
        .split_once("\n## Your first export\n")
        .map_or("", |(_, rest)| rest);
    let block = section.split_once("\n```sh\n").map_or("", |(_, rest)| rest);
    block.split_once("```").map_or("", |(commands, _)| commands)
}

/// README's first export with these values.
fn filled(values: &[(&str, &str)]) -> String {
    values
        .iter()
        .fold(first_export().to_owned(), |commands, (name, value)| {
            commands.replace(&format!("{name}='…'\n"), &format!("{name}='{value}'\n"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{APPS, DAYS, EMPTY_DAY};

    #[test]
    fn every_value_that_the_readme_leaves_open_is_filled_in() {
        let names = ["API", "TOKEN", "CONTAINER_URL", "READ_URL"];
        let printed = filled(&names.map(|name| (name, "value")));
        assert!(
            first_export().contains('…') && !printed.contains('…'),
            "{printed}"
        );
        assert!(
            names
                .iter()
                .all(|name| printed.contains(&format!("{name}='value'\n"))),
            "{printed}"
        );
    }

    #[test]
    fn the_readme_exports_an_app_and_days_that_the_sample_has() {
        let app = APPS[0].exports_path().replace("/devices/exportTasks", "\n");
        assert!(first_export().contains(&format!("APP={app}")), "{app}");
        for day in [DAYS[0], DAYS[6]] {
            assert!(first_export().contains(&day.to_string()), "{day}");
        }
        let line = format!(
            "data of {} to {}, but of\n{EMPTY_DAY} none",
            DAYS[0], DAYS[6]
        );
        assert!(README.contains(&line), "{line}");
    }
}
