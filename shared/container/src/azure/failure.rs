//! What a failed request means for the export.
//!
//! A transport error's `Debug` shows the whole URL, signature included, so nothing of an error is
//! ever formatted or kept: only its status, its error code and its kind are read, and the number that
//! the operating system gave.

mod detail;

use azure_client::{AnswerTooLong, causes};
use azure_core::error::ErrorKind;
use azure_core::http::StatusCode;
use azure_core::http::headers::HeaderName;
use ports::container::{ContainerError, SystemError};

/// Reads a failure of Azure's client.
pub(super) fn of(error: &azure_core::Error) -> ContainerError {
    match error.kind() {
        ErrorKind::HttpResponse {
            status,
            raw_response,
            ..
        } => {
            let code = raw_response
                .as_ref()
                .and_then(|answer| answer.headers().get_optional_str(&ERROR_CODE));
            let cause = raw_response
                .as_ref()
                .and_then(|answer| detail::cause(answer.body()));
            of_answer(*status, cause.or(code))
        }
        ErrorKind::Connection => of_connection(error),
        ErrorKind::Io if timed_out(error) => ContainerError::unavailable("no answer in time"),
        ErrorKind::Io => broken("the connection broke", error),
        ErrorKind::DataConversion if AnswerTooLong::caused(error) => {
            refused("AnswerTooLong".to_owned())
        }
        ErrorKind::DataConversion => ContainerError::unavailable("the answer was unreadable"),
        ErrorKind::Credential | ErrorKind::Other => refused("RequestNotSent".to_owned()),
    }
}

const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");

/// Reads an answer that is no success
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes>).
///
/// Of the statuses from 500 up, those that speak of how the request is made and not of the moment
/// come again with every repeat: not implemented, HTTP version, negotiation, loop, extension and a
/// network that wants a sign-on (<https://www.iana.org/assignments/http-status-codes/http-status-codes.xhtml>). An unknown one counts as 500
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-15>).
fn of_answer(status: StatusCode, code: Option<&str>) -> ContainerError {
    let status = u16::from(status);
    let code = code
        .filter(|code| is_word(code))
        .map_or_else(|| format!("HTTP {status}"), str::to_owned);
    match (status, code.as_str()) {
        (401 | 403, _) | (400, "InvalidAuthenticationInfo") => ContainerError::Denied { code },
        (404, _) | (409, "ContainerBeingDeleted") => ContainerError::Missing { code },
        (400, "InvalidBlockList") => ContainerError::BlocksGone,
        (400, "Crc64Mismatch" | "Md5Mismatch") => ContainerError::Damaged { code },
        (501 | 505 | 506 | 508 | 510 | 511, _) => refused(code),
        (408 | 425 | 429 | 500.., _) | (409, "AccountBeingCreated") => {
            ContainerError::unavailable(code)
        }
        _ => refused(code),
    }
}

/// A name that resolves to nothing is an account that does not exist; every other failure to
/// connect may pass.
fn of_connection(error: &azure_core::Error) -> ContainerError {
    if unknown_host(error) {
        return ContainerError::Missing {
            code: "AccountNotFound".to_owned(),
        };
    }
    if timed_out(error) {
        return ContainerError::unavailable("no connection in time");
    }
    broken("no connection", error)
}

/// The resolver distinguishes "there is no such name" from "ask again" by its text alone:
/// `EAI_NONAME` and `EAI_NODATA` of `getaddrinfo`
/// (<https://man7.org/linux/man-pages/man3/gai_strerror.3.html>) have no error kind of their own.
fn unknown_host(error: &azure_core::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| {
            let text = cause.to_string();
            text.contains("Name or service not known")
                || text.contains("No address associated with hostname")
        })
}

fn timed_out(error: &azure_core::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<reqwest::Error>())
        .any(reqwest::Error::is_timeout)
}

/// No connection, with what the operating system said of it.
fn broken(reason: &str, error: &azure_core::Error) -> ContainerError {
    let cause = causes(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .find_map(SystemError::of);
    ContainerError::Unavailable {
        reason: reason.to_owned(),
        cause,
    }
}

fn refused(code: String) -> ContainerError {
    ContainerError::Refused { code }
}

/// An error code is a word; whatever else a server sends there is not passed on.
fn is_word(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use domain::cause::in_one_line;

    use super::*;

    fn answer(status: u16, code: &str) -> ContainerError {
        of_answer(StatusCode::from(status), Some(code))
    }

    #[test]
    fn an_unusable_signature_is_denied() {
        for (status, code) in [
            (401, "NoAuthenticationInformation"),
            (403, "AuthenticationFailed"),
            (403, "AuthorizationFailure"),
            (403, "AuthorizationPermissionMismatch"),
            (400, "InvalidAuthenticationInfo"),
        ] {
            assert_eq!(
                answer(status, code),
                ContainerError::Denied {
                    code: code.to_owned()
                }
            );
        }
    }

    #[test]
    fn a_container_that_is_gone_or_going_is_missing() {
        for (status, code) in [
            (404, "ContainerNotFound"),
            (404, "ResourceNotFound"),
            (409, "ContainerBeingDeleted"),
        ] {
            assert_eq!(
                answer(status, code),
                ContainerError::Missing {
                    code: code.to_owned()
                }
            );
        }
    }

    #[test]
    fn what_a_repeat_cannot_fix_is_refused() {
        for (status, code) in [
            (302, "Found"),
            (400, "InvalidBlobOrBlock"),
            (409, "BlobImmutableDueToPolicy"),
            (409, "ContainerDisabled"),
            (412, "LeaseIdMissing"),
            (413, "RequestBodyTooLarge"),
            (501, "NotImplemented"),
            (505, "HttpVersionNotSupported"),
            (506, "VariantAlsoNegotiates"),
            (508, "LoopDetected"),
            (510, "NotExtended"),
            (511, "NetworkAuthenticationRequired"),
        ] {
            assert_eq!(
                answer(status, code),
                ContainerError::Refused {
                    code: code.to_owned()
                }
            );
        }
    }

    #[test]
    fn what_may_pass_is_unavailable() {
        for (status, code) in [
            (408, "Timeout"),
            (409, "AccountBeingCreated"),
            (425, "TooEarly"),
            (429, "Slow"),
            (500, "OperationTimedOut"),
            (502, "BadGateway"),
            (503, "ServerBusy"),
            (504, "GatewayTimeout"),
            (507, "InsufficientStorage"),
            (599, "Unknown"),
        ] {
            assert_eq!(answer(status, code), ContainerError::unavailable(code));
        }
    }

    #[test]
    fn blocks_may_be_gone_or_damaged() {
        assert_eq!(answer(400, "InvalidBlockList"), ContainerError::BlocksGone);
        assert_eq!(
            answer(400, "Crc64Mismatch"),
            ContainerError::Damaged {
                code: "Crc64Mismatch".to_owned()
            }
        );
        assert_eq!(
            answer(400, "Md5Mismatch"),
            ContainerError::Damaged {
                code: "Md5Mismatch".to_owned()
            }
        );
    }

    #[test]
    fn an_answer_without_a_code_is_known_by_its_status() {
        let error = of_answer(StatusCode::from(503), None);
        assert_eq!(error, ContainerError::unavailable("HTTP 503"));
    }

    #[test]
    fn a_code_that_is_no_word_is_not_passed_on() {
        assert_eq!(
            answer(409, "a?sig=b&c"),
            ContainerError::Refused {
                code: "HTTP 409".to_owned()
            }
        );
    }

    #[test]
    fn a_host_without_an_address_is_a_missing_account() {
        let resolver = |text: &str| {
            let cause =
                std::io::Error::other(format!("failed to lookup address information: {text}"));
            of(&azure_core::Error::with_error(
                ErrorKind::Connection,
                cause,
                "https://host/?sig=secret",
            ))
        };
        let missing = ContainerError::Missing {
            code: "AccountNotFound".to_owned(),
        };
        assert_eq!(resolver("Name or service not known"), missing);
        assert_eq!(
            resolver("Temporary failure in name resolution"),
            ContainerError::unavailable("no connection")
        );
    }

    #[test]
    fn of_a_broken_connection_only_the_systems_number_is_kept() {
        let reset = std::io::Error::from_raw_os_error(104);
        let error = of(&azure_core::Error::with_error(
            ErrorKind::Io,
            reset,
            "https://host/?sig=secret",
        ));
        let line = format!("{} {error:?}", in_one_line(&error));
        assert!(line.contains("104") && !line.contains("sig="), "{line}");
    }
}
