//! Why the service gave no answer that is of use.

use std::time::Duration;

use domain::cause::in_one_line;
use domain::plural::agree;
use reqwest::StatusCode;
use thiserror::Error;

use super::Answer;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::verify::shown_up_to;

/// The most characters of the service's words that are shown.
const MOST_SHOWN: usize = 2_000;

/// What became of a request.
#[derive(Debug, Error)]
pub enum ApiFailure {
    /// No connection, or an answer that broke off.
    #[error("the service does not answer{}: {reason}", tried(*tries))]
    NoAnswer {
        /// What keeps it from answering.
        reason: String,
        /// How often it was asked.
        tries: u32,
    },
    /// An answer that says no.
    #[error("{message} ({status} {code}{})", tried(*tries))]
    Refused {
        /// Its status.
        status: u16,
        /// The service's code; that of the gateway is its status in words.
        code: String,
        /// The service's own words.
        message: String,
        /// When to ask again, if it says so.
        retry_after: Option<Duration>,
        /// How often it was asked.
        tries: u32,
    },
    /// An answer that is none of this API.
    #[error(
        "what answers is not this service ({status}): {reason}; see whether the API's URL is right"
    )]
    Strange {
        /// Its status.
        status: u16,
        /// What is odd about it.
        reason: &'static str,
    },
    /// There is no token to ask with.
    #[error("{0}")]
    NoToken(Failure),
}

fn tried(tries: u32) -> String {
    match tries {
        0 | 1 => String::new(),
        tries => format!(", asked {tries} {}", agree(tries.into(), "time", "times")),
    }
}

impl ApiFailure {
    /// A URL never enters a message.
    pub(super) fn no_answer(error: reqwest::Error) -> Self {
        let reason = in_one_line(&error.without_url());
        Self::NoAnswer { reason, tries: 1 }
    }

    pub(super) fn strange(status: StatusCode, reason: &'static str) -> Self {
        Self::Strange {
            status: status.as_u16(),
            reason,
        }
    }

    pub(super) fn refused(answer: &Answer) -> Self {
        let text = |pointer: &str| Some(answer.body.pointer(pointer)?.as_str()?.to_owned());
        let in_words = answer.status.canonical_reason().unwrap_or("unknown");
        let message = text("/error/message").or_else(|| text("/message"));
        let message = message.unwrap_or_else(|| "the service refuses the request".to_owned());
        Self::Refused {
            status: answer.status.as_u16(),
            code: text("/error/code").unwrap_or_else(|| in_words.replace(' ', "")),
            message: shown_up_to(&message, MOST_SHOWN),
            retry_after: answer.retry_after,
            tries: 1,
        }
    }

    /// The same after so many tries.
    pub(super) fn after(self, asked: u32) -> Self {
        match self {
            Self::NoAnswer { reason, .. } => Self::NoAnswer {
                reason,
                tries: asked,
            },
            Self::Refused {
                status,
                code,
                message,
                retry_after,
                ..
            } => Self::Refused {
                status,
                code,
                message,
                retry_after,
                tries: asked,
            },
            other @ (Self::Strange { .. } | Self::NoToken(_)) => other,
        }
    }

    /// Whether the same request may be answered later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            Self::Strange { .. } | Self::NoToken(_) => false,
        }
    }

    /// Whether a fresh token may be taken where this one was not.
    pub(super) fn is_about_the_token(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// Whether the service said this code.
    pub(crate) fn has_code(&self, known: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == known)
    }

    /// Whether the request was sent more than once, so that an earlier one may have done it.
    pub(crate) fn was_repeated(&self) -> bool {
        match self {
            Self::NoAnswer { tries, .. } | Self::Refused { tries, .. } => *tries > 1,
            Self::Strange { .. } | Self::NoToken(_) => false,
        }
    }
}

impl From<ApiFailure> for Failure {
    fn from(failure: ApiFailure) -> Self {
        let ending = if failure.is_transient() {
            Ending::Unknown
        } else {
            Ending::Refused
        };
        let message = failure.to_string();
        match failure {
            ApiFailure::NoToken(failure) => failure,
            ApiFailure::Strange { .. } => Self::unknown(message),
            ApiFailure::NoAnswer { .. } => Self::new(ending, message),
            ApiFailure::Refused { code, .. } => Self {
                ending,
                code: Some(code),
                message,
            },
        }
    }
}
