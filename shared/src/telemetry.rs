//! Logs: one JSON object a line on standard output, which Lambda sends to `CloudWatch` Logs.

use tracing_subscriber::EnvFilter;

use crate::config::{ConfigError, Environment};
use crate::http::Call;
use crate::http::caller::EdgeSettings;
use crate::job::Job;

/// The crates of this workspace, found by the build script: nobody has to think of a new function
/// here.
///
/// The others are not named one by one to be silenced, because a forgotten one would speak. At
/// `debug` the AWS SDK prints requests, of which one to KMS holds the signature that is to be
/// sealed; an HTTP client prints URLs; `lambda_runtime` prints whole events at `trace`. So whoever
/// is not ours warns at most, today's crates and tomorrow's.
const OUR_CRATES: &str = env!("WORKSPACE_CRATES");

/// The filter of a level: ours at that level, everything else at `warn`, or at `error` when only
/// that is wanted.
///
/// # Errors
/// [`ConfigError`] when the level is none of `error`, `warn`, `info` and `debug`.
pub fn filter(env: &Environment) -> Result<EnvFilter, ConfigError> {
    let level = env.text("LOG_LEVEL")?;
    let others = match level {
        "error" => level,
        "warn" | "info" | "debug" => "warn",
        _ => {
            return Err(Environment::invalid(
                "LOG_LEVEL",
                level,
                "`error`, `warn`, `info` or `debug`",
            ));
        }
    };
    let ours: Vec<_> = OUR_CRATES
        .split(',')
        .map(|name| format!("{name}={level}"))
        .collect();
    Ok(EnvFilter::new(format!("{others},{}", ours.join(","))))
}

/// Starts logging for the process. A second call changes nothing.
///
/// # Errors
/// [`ConfigError`] when the level cannot be read.
pub fn start(env: &Environment) -> Result<(), ConfigError> {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter(env)?);
    if subscriber.try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}

/// What a caller asked for who may change jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A new job.
    Create,
    /// A new job, under a request id that has made one before.
    CreateAgain,
    /// That a job goes on with the credential that it has.
    Resume,
    /// That a job goes on with another credential.
    Renew,
    /// That a job ends early.
    Cancel,
}

impl Asked {
    /// As the field `asked` has it.
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::CreateAgain => "create-again",
            Self::Resume => "resume",
            Self::Renew => "renew",
            Self::Cancel => "cancel",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Create => "a new export job was accepted",
            Self::CreateAgain => {
                "a repeated request was answered with the export job that it made first"
            }
            Self::Resume => "a request to let an export job go on was accepted",
            Self::Renew => "a new credential of an export job was accepted",
            Self::Cancel => "a request to cancel an export job was accepted",
        }
    }
}

/// The one line of an accepted call: which job, who asked (by the claim of the verified token that
/// grants are given to), for what. Nothing of it is a secret.
pub fn log_accepted(call: Call<'_>, settings: &EdgeSettings, asked: Asked, job: &Job) {
    tracing::info!(
        job.id = %job.key.id,
        job.phase = job.phase.name(),
        app.scope = %job.key.scope,
        "export.type" = %job.request.export_type,
        caller.subject = call.claim(&settings.subject_claim),
        asked = asked.name(),
        request.id = call.request_id(),
        "{}", asked.sentence()
    );
}
