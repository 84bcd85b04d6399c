//! What is logged of an accepted call.

use domain::job::Job;

use crate::Call;
use crate::caller::EdgeSettings;

/// What a caller asked for who may change jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A new job, which this call made.
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
        "export.type" = %job.request.export_type(),
        caller.subject = call.claim(&settings.subject_claim),
        asked = asked.name(),
        request.id = call.request_id(),
        "{}", asked.sentence()
    );
}
