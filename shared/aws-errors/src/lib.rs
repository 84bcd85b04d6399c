//! What the errors of AWS's services mean for those who asked, by their codes: the one place that
//! knows these. Each adapter makes the variant of its port's error of it.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::cause::Cause;
use thiserror::Error;

/// What can be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A repeat may help: no answer, a throttle, a defect of the service.
    Transient,
    /// Only another permission or other credentials help.
    Denied,
    /// The condition of a write does not hold: somebody else was first.
    Conflict,
    /// The service refuses the request as it is, or a code that is not known here.
    Other,
}

/// Codes that a repeat may help with: of `DynamoDB`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.MessagesAndCodes>),
/// of its transactions
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors>),
/// of KMS (<https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors>),
/// of SQS (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors>)
/// and of every service (<https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>).
const TRANSIENT: [&str; 15] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "InternalServerError",
    "TransactionConflictException",
    "TransactionInProgressException",
    "DependencyTimeoutException",
    "KMSInternalException",
    "KeyUnavailableException",
    "RequestThrottled",
    "KmsThrottled",
    "InternalFailure",
    "ServiceUnavailable",
    "RequestExpired",
];

/// Codes that only another permission or other credentials help with: of `DynamoDB`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.MessagesAndCodes>)
/// and of every service
/// (<https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>).
const DENIED: [&str; 10] = [
    "AccessDeniedException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "IncompleteSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationTokenException",
    "InvalidClientTokenId",
    "NotAuthorized",
    "OptInRequired",
];

/// The code of a write whose condition does not hold
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html#API_PutItem_Errors>).
const CONFLICT: &str = "ConditionalCheckFailedException";

/// The reason of an item whose condition cancelled a transaction. These reasons have names of their
/// own (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors>).
const CANCELLED_BY_CONDITION: &str = "ConditionalCheckFailed";

/// The reasons of items that cancelled a transaction which a repeat may help
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors>).
const CANCELLED_FOR_NOW: [&str; 3] = [
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
];

/// What came of a request that did not succeed. It holds nothing of the request.
#[derive(Debug, Error)]
pub enum AwsError {
    /// The service refused it.
    #[error("{}", with_message(code, message.as_deref()))]
    Answered {
        /// The service's code; `no error code` when it gave none.
        code: String,
        /// The service's words, which may name ARNs.
        message: Option<String>,
        /// Whether the answer's status says that the fault is the service's (5xx).
        is_server_fault: bool,
    },
    /// There is no answer, or none that can be read.
    #[error("{what}")]
    NotAnswered {
        /// What there is instead.
        what: &'static str,
        /// What lies below. Of an answer that cannot be read nothing is kept: it may hold what a
        /// service decrypted.
        #[source]
        cause: Option<Cause>,
    },
}

impl AwsError {
    /// Takes from an SDK's error what may be kept.
    pub fn of<E>(error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        if let SdkError::ServiceError(answered) = &error {
            let metadata = answered.err().meta();
            return Self::Answered {
                code: metadata.code().unwrap_or("no error code").to_owned(),
                message: metadata.message().map(str::to_owned),
                is_server_fault: answered.raw().status().is_server_error(),
            };
        }
        let (what, is_kept) = unanswered(&error);
        let cause = error.into_source().ok().filter(|_| is_kept);
        Self::NotAnswered { what, cause }
    }

    /// What can be done about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Answered {
                is_server_fault: true,
                ..
            }
            | Self::NotAnswered { .. } => Kind::Transient,
            Self::Answered { code, .. } => kind_of(code),
        }
    }
}

/// What can be done about a cancelled transaction, by its items' reasons: one failed condition makes
/// it a conflict, whatever else there was.
pub fn kind_of_cancellation(reasons: &[&str]) -> Kind {
    if reasons.contains(&CANCELLED_BY_CONDITION) {
        Kind::Conflict
    } else if reasons
        .iter()
        .any(|reason| CANCELLED_FOR_NOW.contains(reason))
    {
        Kind::Transient
    } else {
        Kind::Other
    }
}

fn kind_of(code: &str) -> Kind {
    if TRANSIENT.contains(&code) {
        Kind::Transient
    } else if DENIED.contains(&code) {
        Kind::Denied
    } else if code == CONFLICT {
        Kind::Conflict
    } else {
        Kind::Other
    }
}

fn with_message(code: &str, message: Option<&str>) -> String {
    message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"))
}

/// What there is instead of an answer, and whether what lies below it may be kept.
fn unanswered<E>(error: &SdkError<E, HttpResponse>) -> (&'static str, bool) {
    match error {
        SdkError::TimeoutError(_) => ("time-out", true),
        SdkError::DispatchFailure(_) => ("no connection", true),
        SdkError::ConstructionFailure(_) => ("the request could not be made", true),
        SdkError::ResponseError(_) => ("unreadable answer", false),
        // The enum is open: what AWS adds is not known to be safe.
        SdkError::ServiceError(_) | _ => ("unknown failure", false),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    use domain::cause::in_one_line;

    use super::*;

    fn answer(status: u16, body: &'static str) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
    }

    fn answered(status: u16, code: &str) -> AwsError {
        let metadata = ErrorMetadata::builder().code(code).message("words").build();
        AwsError::of(SdkError::service_error(metadata, answer(status, "")))
    }

    #[test]
    fn what_may_pass_is_transient() {
        for code in TRANSIENT {
            assert_eq!(answered(400, code).kind(), Kind::Transient, "{code}");
        }
        assert_eq!(answered(500, "Unheard").kind(), Kind::Transient);
        assert_eq!(
            answered(503, "AccessDeniedException").kind(),
            Kind::Transient
        );
    }

    #[test]
    fn what_another_permission_helps_with_is_denied() {
        for code in DENIED {
            assert_eq!(answered(400, code).kind(), Kind::Denied, "{code}");
        }
    }

    #[test]
    fn a_condition_that_does_not_hold_is_a_conflict() {
        let failed = answered(400, "ConditionalCheckFailedException");
        assert_eq!(failed.kind(), Kind::Conflict);
    }

    #[test]
    fn every_other_refusal_is_for_good() {
        for code in [
            "ValidationException",
            "ResourceNotFoundException",
            "ItemCollectionSizeLimitExceededException",
            "DisabledException",
            "AWS.SimpleQueueService.NonExistentQueue",
            "Unheard",
            "",
        ] {
            assert_eq!(answered(400, code).kind(), Kind::Other, "{code}");
        }
    }

    #[test]
    fn a_cancelled_transaction_is_as_its_items_say() {
        for (reasons, kind) in [
            (&["None", "ConditionalCheckFailed"][..], Kind::Conflict),
            (
                &["ThrottlingError", "ConditionalCheckFailed"],
                Kind::Conflict,
            ),
            (&["None", "TransactionConflict"], Kind::Transient),
            (&["ThrottlingError"], Kind::Transient),
            (&["ProvisionedThroughputExceeded"], Kind::Transient),
            (&["ValidationError", "None"], Kind::Other),
            (&["ItemCollectionSizeLimitExceeded"], Kind::Other),
            (&[], Kind::Other),
        ] {
            assert_eq!(kind_of_cancellation(reasons), kind, "{reasons:?}");
        }
    }

    #[test]
    fn a_refusal_is_written_by_code_and_words() {
        let line = in_one_line(&answered(400, "ValidationException"));
        assert_eq!(line, "ValidationException: words");
    }

    #[test]
    fn a_missing_answer_is_transient_and_written_with_what_lies_below() {
        let refused = ConnectorError::io("connection refused".into());
        let error = AwsError::of(SdkError::<ErrorMetadata, _>::dispatch_failure(refused));
        assert_eq!(error.kind(), Kind::Transient);
        let line = in_one_line(&error);
        assert_eq!(line, "no connection: io error: connection refused");
    }

    #[test]
    fn of_an_unreadable_answer_nothing_is_kept() {
        let error = SdkError::<ErrorMetadata, _>::response_error(
            "unexpected `sig=`",
            answer(200, "sig=secret"),
        );
        let error = AwsError::of(error);
        assert_eq!(error.kind(), Kind::Transient);
        assert!(!format!("{} {error:?}", in_one_line(&error)).contains("sig="));
    }
}
