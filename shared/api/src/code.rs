//! The codes of the API's errors: stable, one per reason, documented one by one in
//! `docs/ERRORS.md`.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal,)*) => {
        /// The `code` of an error; clients may rely on it, while messages may change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code. Those of a refused container URL stand beside the rules that refuse it.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it stands in an answer.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The HTTP status that it is answered with.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }
        }
    };
}

codes! {
    /// No operation has this path.
    UnknownPath = 404,
    /// The path is known, the method is not one of its own.
    MethodNotAllowed = 405,
    /// `api-version` is missing or not the supported one.
    UnsupportedApiVersion = 400,
    /// `$skip`, `$top` or `$orderby` cannot be read.
    InvalidQuery = 400,
    /// The app's path is too long to be stored, or to be a folder of the lake.
    AppPathTooLong = 400,
    /// The caller did not prove who it is.
    Unauthenticated = 401,
    /// The caller's grants do not allow this for this app.
    Forbidden = 403,
    /// The token's subject is too long to be granted anything.
    SubjectTooLong = 403,
    /// The app has no such task.
    TaskNotFound = 404,
    /// The request id cannot be used as a key.
    InvalidRequestId = 400,
    /// The idempotency key was used for another request.
    RequestIdReused = 409,
    /// The body is neither JSON nor a form, or compressed.
    UnsupportedMediaType = 415,
    /// The body is larger than any export request.
    BodyTooLarge = 413,
    /// The body is not what its content type says, or not an object.
    InvalidBody = 400,
    /// A required field is not there.
    MissingField = 400,
    /// A field cannot be read.
    InvalidField = 400,
    /// A field stands twice.
    DuplicateField = 400,
    /// There is no such export format.
    UnknownExportFormat = 400,
    /// There is no such compression.
    UnknownCompression = 400,
    /// The list of columns is empty.
    NoColumns = 400,
    /// The type has no such column.
    UnknownColumn = 400,
    /// A column stands twice.
    RepeatedColumn = 400,
    /// Files may not be limited to so few bytes.
    MaxFileBytesTooSmall = 400,
    /// The export's format cannot have the option.
    OptionOfOtherFormat = 400,
    /// The filter has a part that is not known.
    UnknownFilter = 400,
    /// Exports of the type cannot be filtered so.
    FilterNotOfType = 400,
    /// A list of the filter is empty.
    NoFilterValues = 400,
    /// The filter has too many names and device ids.
    TooManyFilterValues = 400,
    /// The filter's times end before they start.
    FilterTimesReversed = 400,
    /// The filter's times are not within the days that are exported.
    FilterOutsideDays = 400,
    /// There is no such campaign type.
    UnknownCampaignType = 400,
    /// The description is too long.
    DescriptionTooLong = 400,
    /// The range ends before it starts.
    StartDateAfterEndDate = 400,
    /// The range starts after today.
    StartDateInFuture = 400,
    /// The range spans too many days.
    DateRangeTooLong = 400,
    /// The list of campaigns is empty.
    NoCampaignIds = 400,
    /// The list of campaigns is too long.
    TooManyCampaignIds = 400,
    /// The campaign window ends before it starts.
    CampaignWindowReversed = 400,
    /// The container URL is of another container than the task's.
    ContainerUrlOtherContainer = 400,
    /// The signature that the task has is no longer good.
    NewCredentialNeeded = 400,
    /// The task is at work: there is nothing to try again.
    TaskAtWork = 409,
    /// The task has succeeded: there is nothing left to do.
    TaskSucceeded = 409,
    /// The task has ended: there is nothing left to cancel.
    TaskFinished = 409,
    /// The task is about to end.
    TaskEnding = 409,
    /// Storage refused the signature when it was tried.
    ContainerAccessDenied = 400,
    /// Storage does not know the container.
    ContainerNotFound = 400,
    /// Storage does not accept writes into the container.
    ContainerRefusesWrites = 400,
    /// The client's storage does not answer.
    StorageUnavailable = 503,
    /// A part of the service does not answer.
    ServiceUnavailable = 503,
    /// A defect of the service.
    InternalError = 500,
}
