//! What a job's owner should know of the container's signature.

use domain::job::{Job, Phase, Wait};
use domain::warning::{Warning, WarningCode};
use ports::store::Counted;
use time::{Duration, OffsetDateTime};

use super::progress::expected_end;
use super::rfc3339;

/// How long before its expiry a signature is worth a warning: what a new one must last at least,
/// too.
const EXPIRES_SOON: Duration = Duration::minutes(15);

/// Why a job waits, and what its owner should send.
pub(super) fn what_to_do(since: OffsetDateTime, why: &Wait) -> String {
    let since = rfc3339(since);
    match why {
        Wait::Refused { reason } => format!(
            "Waiting since {since} for a new signature of the container, because {reason}. Nothing is lost: send PATCH \
             to this task with a new `containerUrl` of the same container, and the export goes on from the files that \
             it has."
        ),
        Wait::NotResumed => format!(
            "Waiting since {since} to be resumed again, because the service failed at every attempt to go on; the \
             signature of the container is not the cause. Nothing is lost: send PATCH to this task with `{{}}`, and the \
             export goes on from the files that it has. When it waits again, tell the service's operator the task's id."
        ),
    }
}

/// When the signature expires, as far as it says and as long as it matters.
pub(super) fn credential_expires(job: &Job) -> Option<OffsetDateTime> {
    let matters = !matches!(job.phase, Phase::Ended { .. });
    job.credential.as_ref().filter(|_| matters)?.expires
}

/// What is to be done about a signature that ends before the job, while a new one can still be
/// given ahead.
pub(super) fn signature_warning(
    job: &Job,
    counted: &Counted,
    now: OffsetDateTime,
) -> Option<Warning> {
    match job.phase {
        Phase::Queued | Phase::Planning | Phase::Running | Phase::Resuming => {}
        Phase::AwaitingCredential { .. }
        | Phase::Cancelling { .. }
        | Phase::Finishing { .. }
        | Phase::Ended { .. } => {
            return None;
        }
    }
    let expires = credential_expires(job)?;
    let expiry = rfc3339(expires);
    let problem = match expected_end(job, counted) {
        _ if expires <= now => format!("has expired at {expiry}"),
        Some(end) if expires < end => {
            format!(
                "expires at {expiry}, and the export is expected to end at about {}",
                rfc3339(end)
            )
        }
        _ if expires - now <= EXPIRES_SOON => format!("expires soon, at {expiry}"),
        Some(_) | None => return None,
    };
    let message = format!(
        "The signature of the container {problem}: send PATCH to this task with a new `containerUrl` of the same \
         container. Without it the export waits at that moment, and nothing is lost."
    );
    Some(Warning::new(WarningCode::SignatureExpires, message))
}
