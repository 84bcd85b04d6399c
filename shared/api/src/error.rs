//! Every way in which the API says no, and how it says it.

use domain::app::AppScope;
use domain::cause::Cause;
use domain::container::ContainerAddress;
use ports::container::ContainerError;
use ports::seal::SealError;
use ports::store::{Role, StoreError};
use thiserror::Error;

use super::code::ErrorCode;
use super::shown::{holds_signature, shown, shown_path};
use crate::container_url::ContainerUrlProblem;

/// The one supported version of the API.
pub(crate) const API_VERSION: &str = "2014-12-01";

/// The most bytes that a body may have.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Seconds after which a client should repeat what found a part of the service unavailable.
const RETRY_AFTER_SECONDS: &str = "5";

/// A field that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{field}` {problem}: {fix}.")]
pub struct FieldError {
    /// The code of the reason.
    pub code: ErrorCode,
    /// The field in the contract's spelling, such as `exportOptions.exportUserId`.
    pub field: &'static str,
    /// What is wrong with it, naming its value when that is no secret.
    pub problem: String,
    /// What to send instead.
    pub fix: String,
}

/// An answer other than 2xx. The message (`Display`) names what was given, the reason and the fix.
#[derive(Debug, Error)]
pub enum ApiError {
    /// No operation has this path.
    #[error(
        "No operation has the path {}: send POST or GET to …/apps/{{appName}}/devices/exportTasks and what lies below it.",
        shown_path(path)
    )]
    UnknownPath {
        /// The path as API Gateway delivers it.
        path: String,
    },
    /// The path has other methods.
    #[error("This path does not take {}: send {allow}.", shown(method))]
    MethodNotAllowed {
        /// The method that was sent, in capitals.
        method: String,
        /// The methods of the path, comma-separated.
        allow: &'static str,
    },
    /// Another version, or none.
    #[error("`api-version` is {}: send `api-version={API_VERSION}`, the one supported version.", or_missing(given.as_deref()))]
    UnsupportedApiVersion {
        /// What was asked for.
        given: Option<String>,
    },
    /// A query option cannot be read.
    #[error("`{name}` is {}: {fix}.", shown(value))]
    InvalidQuery {
        /// Its name, such as `$top`.
        name: &'static str,
        /// What it was set to, decoded; several values are joined by commas.
        value: String,
        /// What to send instead, to follow a colon.
        fix: &'static str,
    },
    /// There is no verified token, or it names no subject.
    #[error(
        "The request proves no caller: send `Authorization: Bearer` and a token of the service's issuer."
    )]
    Unauthenticated,
    /// The subject fits no grant.
    #[error(
        "The token's subject has {size_bytes} bytes, and no grant takes more than {most}: ask the service's operator for \
         a token of a shorter subject."
    )]
    SubjectTooLong {
        /// The subject's length, in bytes.
        size_bytes: usize,
        /// The length of the longest subject that a grant takes, in bytes.
        most: usize,
    },
    /// The app's path is longer than what is made of it may be.
    #[error(
        "The app's path takes {size_bytes} bytes {what}, in lower case and percent-encoded, and at most {most} fit: \
         send shorter names."
    )]
    AppPathTooLong {
        /// The length of what is made of the app's path, in bytes.
        size_bytes: usize,
        /// The greatest length that fits, in bytes.
        most: usize,
        /// What is made of it: "as it is stored".
        what: &'static str,
    },
    /// The caller's role does not reach.
    #[error(
        "The caller {} for {}, and this needs the role {}: ask the service's operator for a grant.",
        held.map_or_else(|| "has no role".to_owned(), |role| format!("has the role {}", role.name())),
        shown_scope(scope),
        needed.name()
    )]
    Forbidden {
        /// The app that the path names.
        scope: AppScope,
        /// The role that it takes.
        needed: Role,
        /// The role that the caller has.
        held: Option<Role>,
    },
    /// No such task of this app.
    #[error(
        "The app has no export task {}: list its tasks, those of the past are forgotten after a time.",
        shown(id)
    )]
    TaskNotFound {
        /// What was asked for.
        id: String,
    },
    /// The request id is no usable key.
    #[error(
        "`{header}` is not usable as a key: send at most {most} printable ASCII characters without a signature, such as \
         a GUID."
    )]
    InvalidRequestId {
        /// `idempotency-key` or `x-ms-client-request-id`.
        header: &'static str,
        /// The length of the longest key that is taken, in characters.
        most: usize,
    },
    /// The idempotency key belongs to another request.
    #[error(
        "The `Idempotency-Key` {} was used for another export within the last day: send a fresh one with a new request.",
        shown(key)
    )]
    RequestIdReused {
        /// The value of the client's `Idempotency-Key`.
        key: String,
    },
    /// A content type that is not read here.
    #[error(
        "`Content-Type` is {}: send application/json or application/x-www-form-urlencoded, in UTF-8.",
        or_missing(given.as_deref())
    )]
    UnsupportedMediaType {
        /// The value of `Content-Type`; `None` when it is missing or empty.
        given: Option<String>,
    },
    /// A content coding that is not read here.
    #[error(
        "The body is compressed ({}): send it as it is, without `Content-Encoding`.",
        shown(coding)
    )]
    CompressedBody {
        /// The value of `Content-Encoding`; without one, `gzip` of a body that begins so.
        coding: String,
    },
    /// The body has more than [`MAX_BODY_BYTES`].
    #[error("The body has {size_bytes} bytes: send at most {MAX_BODY_BYTES}.")]
    BodyTooLarge {
        /// The body's length in bytes, base64 decoded.
        size_bytes: usize,
    },
    /// The body cannot be read as a whole.
    #[error("The body {reason}: {fix}.")]
    InvalidBody {
        /// Why; never what it holds.
        reason: String,
        /// What to send instead, to follow a colon.
        fix: &'static str,
    },
    /// One field is refused.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The container URL breaks a rule.
    #[error("{0}.")]
    ContainerUrl(ContainerUrlProblem),
    /// The write that tried the container failed.
    #[error("{}", explain(.0))]
    Container(#[source] ContainerError),
    /// A signature of another container.
    #[error(
        "`containerUrl` is of the container {given}, and the task writes to {own}: send a new signature of that one."
    )]
    OtherContainer {
        /// The container of the URL that was sent.
        given: ContainerAddress,
        /// The container that the task was created with.
        own: ContainerAddress,
    },
    /// The task's own signature does not work any more.
    #[error(
        "The task's signature cannot be used again, because {reason}: send a new `containerUrl` of the same container."
    )]
    NewCredentialNeeded {
        /// What is wrong with it, in words that follow “because”.
        reason: String,
    },
    /// Nothing to try again.
    #[error(
        "The task is {phase}: send `{{}}` once it has failed, or a new `containerUrl` to replace its signature."
    )]
    TaskAtWork {
        /// The phase's name, such as `running`.
        phase: &'static str,
    },
    /// A task that has succeeded cannot be resumed.
    #[error("The task has succeeded: send a new request for another export.")]
    TaskSucceeded,
    /// A task that has ended as anything but cancelled cannot be cancelled.
    #[error("The task has ended ({phase}): there is nothing left to cancel.")]
    TaskFinished {
        /// The name of the phase that it ended in, such as `failed`.
        phase: &'static str,
    },
    /// Too late for this, too early for the next.
    #[error(
        "The task is {phase}, it ends in a moment: ask for it, and send this again if it still applies."
    )]
    TaskEnding {
        /// The phase's name, such as `finishing`.
        phase: &'static str,
    },
    /// A part of the service does not answer.
    #[error(
        "The service cannot answer at the moment: send the same request again, with the same request id."
    )]
    Unavailable(#[source] Cause),
    /// A defect of the service; its cause is logged and never shown.
    #[error("The service has failed and a repeat will not help: tell its operator the request id.")]
    Internal(#[source] Cause),
}

impl ApiError {
    /// The `code` of the answer.
    pub fn code(&self) -> &'static str {
        if let Self::ContainerUrl(problem) = self {
            problem.code()
        } else {
            self.reason().name()
        }
    }

    /// The HTTP status of the answer, 400 to 503.
    pub fn status(&self) -> u16 {
        self.reason().status()
    }

    /// The header that belongs to this answer, and only to it.
    pub fn header(&self) -> Option<(&'static str, &'static str)> {
        if let Self::MethodNotAllowed { allow, .. } = self {
            return Some(("allow", allow));
        }
        match self.status() {
            401 => Some(("www-authenticate", "Bearer")),
            // Which content types are read, the message says: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16
            415 if matches!(self, Self::CompressedBody { .. }) => {
                Some(("accept-encoding", "identity"))
            }
            503 => Some(("retry-after", RETRY_AFTER_SECONDS)),
            _ => None,
        }
    }

    /// The code, and with it the status; a refused container URL has its own code and the status of
    /// any refused field.
    fn reason(&self) -> ErrorCode {
        match self {
            Self::UnknownPath { .. } => ErrorCode::UnknownPath,
            Self::MethodNotAllowed { .. } => ErrorCode::MethodNotAllowed,
            Self::UnsupportedApiVersion { .. } => ErrorCode::UnsupportedApiVersion,
            Self::InvalidQuery { .. } => ErrorCode::InvalidQuery,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::SubjectTooLong { .. } => ErrorCode::SubjectTooLong,
            Self::AppPathTooLong { .. } => ErrorCode::AppPathTooLong,
            Self::Forbidden { .. } => ErrorCode::Forbidden,
            Self::TaskNotFound { .. } => ErrorCode::TaskNotFound,
            Self::InvalidRequestId { .. } => ErrorCode::InvalidRequestId,
            Self::RequestIdReused { .. } => ErrorCode::RequestIdReused,
            Self::UnsupportedMediaType { .. } | Self::CompressedBody { .. } => {
                ErrorCode::UnsupportedMediaType
            }
            Self::BodyTooLarge { .. } => ErrorCode::BodyTooLarge,
            Self::InvalidBody { .. } => ErrorCode::InvalidBody,
            Self::Field(error) => error.code,
            Self::ContainerUrl(_) => ErrorCode::InvalidField,
            Self::Container(error) => container_code(error),
            Self::OtherContainer { .. } => ErrorCode::ContainerUrlOtherContainer,
            Self::NewCredentialNeeded { .. } => ErrorCode::NewCredentialNeeded,
            Self::TaskAtWork { .. } => ErrorCode::TaskAtWork,
            Self::TaskSucceeded => ErrorCode::TaskSucceeded,
            Self::TaskFinished { .. } => ErrorCode::TaskFinished,
            Self::TaskEnding { .. } => ErrorCode::TaskEnding,
            Self::Unavailable(_) => ErrorCode::ServiceUnavailable,
            Self::Internal(_) => ErrorCode::InternalError,
        }
    }
}

fn container_code(error: &ContainerError) -> ErrorCode {
    match error {
        ContainerError::Denied { .. } => ErrorCode::ContainerAccessDenied,
        ContainerError::Missing { .. } => ErrorCode::ContainerNotFound,
        ContainerError::Refused { .. } | ContainerError::BlocksGone => {
            ErrorCode::ContainerRefusesWrites
        }
        ContainerError::Damaged { .. } | ContainerError::Unavailable { .. } => {
            ErrorCode::StorageUnavailable
        }
    }
}

fn explain(error: &ContainerError) -> String {
    let fix = match error {
        ContainerError::Denied { .. } => {
            "send a SAS that is valid now and may create or write blobs there"
        }
        ContainerError::Missing { .. } => "create the container first, or correct its name",
        ContainerError::Refused { .. } | ContainerError::BlocksGone => {
            "send a container that accepts new block blobs"
        }
        ContainerError::Damaged { .. } | ContainerError::Unavailable { .. } => {
            "send the same request again, with the same request id"
        }
    };
    format!("`containerUrl` was tried by staging a block, and {error}: {fix}.")
}

/// An app's scope in full; its names are the client's own texts.
fn shown_scope(scope: &AppScope) -> &str {
    if holds_signature(scope.as_str()) {
        "an app whose name holds a signature"
    } else {
        scope.as_str()
    }
}

fn or_missing(given: Option<&str>) -> String {
    given.map_or_else(|| "missing".to_owned(), shown)
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. }
            | StoreError::Unavailable { .. }
            | StoreError::Newer { .. } => Self::Unavailable(error.into()),
            StoreError::Corrupt { .. } => Self::Internal(error.into()),
        }
    }
}

impl From<SealError> for ApiError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Unavailable { .. } => Self::Unavailable(error.into()),
            SealError::Unreadable => Self::Internal(error.into()),
        }
    }
}
