//! The settings of the functions: each is one constant, read once at start from the environment and
//! checked before the first event.
//!
//! A setting's name, what fits, what it is when it is not given, and what it means stand here and
//! nowhere else: code that reads one asks [`Environment::get`] for the constant.

mod environment;
mod error;
mod kind;
mod values;

use domain::cause::Cause;
use domain::job::MAX_SHARDS as SHARDS_OF_A_JOB;
use domain::rules::{Misread, OnBadRecord};
use time::Duration;

pub use self::environment::Environment;
pub use self::error::ConfigError;
pub use self::kind::{Kind, Number, OneOf, OptionalText, RequiredText, Span, Text, Unit, Word};
pub use self::values::LogLevel;

/// A setting of the functions: one environment variable, and how it is read.
#[derive(Debug, Clone, Copy)]
pub struct Setting<K: Kind> {
    /// The environment variable, such as `EXPORTS_TABLE`.
    pub name: &'static str,
    /// What its text is read as, and what fits.
    pub kind: K,
    /// What it is when it is not given or empty.
    pub default: K::Default,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

impl<K: Kind> Setting<K> {
    /// The error of a value that is of the setting's kind, and of which its reader found out that
    /// it does not fit.
    pub fn refused(&self, value: &str, cause: impl Into<Cause>) -> ConfigError {
        ConfigError::invalid(self.name, value, self.kind.fits(), Some(cause.into()))
    }

    #[cfg(test)]
    fn default_fits(&self) -> bool {
        let written = self.kind.written(self.default).unwrap_or_default();
        written.is_empty() || self.kind.parse(&written).is_ok()
    }

    /// The setting in words.
    fn variable(&self) -> Variable {
        Variable {
            name: self.name,
            default: self.kind.written(self.default),
            fits: self.kind.fits(),
            meaning: self.meaning,
        }
    }
}

/// A setting in words. The README's table and the template's environments are tested against them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The environment variable, such as `EXPORTS_TABLE`.
    pub name: &'static str,
    /// What it is when it is not given, as one would write it: empty for nothing at all, `None`
    /// when it must be given.
    pub default: Option<String>,
    /// What fits, as the end of the sentence "set it to …".
    pub fits: String,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

/// Declares each setting as a constant, and all of them as a list.
macro_rules! settings {
    ($($name:ident: $kind:ty { kind: $value:expr, default: $default:expr, meaning: $meaning:literal $(,)? })*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`: ", $meaning, ".")]
            pub const $name: Setting<$kind> = Setting {
                name: stringify!($name),
                kind: $value,
                default: $default,
                meaning: $meaning,
            };
        )*

        /// Every setting of every function, in words.
        pub fn variables() -> Vec<Variable> {
            vec![$($name.variable()),*]
        }

        /// The settings whose default, written down, would not be read as such.
        #[cfg(test)]
        fn defaults_that_do_not_fit() -> Vec<&'static str> {
            let fits = [$(($name.name, $name.default_fits())),*];
            fits.into_iter().filter(|(_, fits)| !fits).map(|(name, _)| name).collect()
        }
    };
}

settings! {
    EXPORTS_TABLE: RequiredText {
        kind: RequiredText { fits: "a name" },
        default: (),
        meaning: "DynamoDB table of jobs, chunks and grants",
    }
    REGISTRY_TABLE: RequiredText {
        kind: RequiredText { fits: "a name" },
        default: (),
        meaning: "DynamoDB table of devices, campaigns and feedback",
    }
    REGISTRY_SEGMENTS: Number<u16> {
        kind: Number { least: 1, most: 1024 },
        default: 16,
        meaning: "segments that an app's devices are spread over; fixed once data is written",
    }
    CHUNK_QUEUE_URL: OptionalText {
        kind: OptionalText { fits: "the URL of an SQS queue" },
        default: (),
        meaning: "queue that a chunk of a newer version of the service is put back on; without it, its message stays a dead letter",
    }
    LAKE_URL: RequiredText {
        kind: RequiredText { fits: "`s3://bucket/prefix` or `file:///folder`" },
        default: (),
        meaning: "where the lake is",
    }
    LAKE_IGNORE: Text {
        kind: Text { fits: "patterns of names with `*` and `?`, separated by blanks" },
        default: "*_$folder$ *.tmp *.temp *.part *.partial *.filepart *.inprogress *.crc *.md5 *.sha256 *.bak *~",
        meaning: "names of objects that are not read, beside those that begin with `_` or `.`; replaces the default",
    }
    PREFETCH_BYTES: Number<u64> {
        kind: Number { least: 1 << 20, most: 1 << 30 },
        default: 64 * 1024 * 1024,
        meaning: "bytes of a chunk's next objects that are fetched ahead",
    }
    ROW_GROUP_BYTES: Number<usize> {
        kind: Number { least: 1 << 20, most: 1 << 28 },
        default: 32 * 1024 * 1024,
        meaning: "bytes of values that a row group of a `ParquetBlob` is filled up to",
    }
    SEAL_KMS_KEY_ID: OptionalText {
        kind: OptionalText { fits: "an id or ARN" },
        default: (),
        meaning: "KMS key that seals credentials; this or `SEAL_KEY_FILE`",
    }
    SEAL_KEY_FILE: OptionalText {
        kind: OptionalText { fits: "the path of a file of 64 hex digits" },
        default: (),
        meaning: "key that seals credentials; for one machine",
    }
    EXTRA_BLOB_ENDPOINTS: OptionalText {
        kind: OptionalText { fits: "http or https URLs, comma-separated" },
        default: (),
        meaning: "blob endpoints allowed beside Azure's; for Azurite",
    }
    PUBLIC_URL: OptionalText {
        kind: OptionalText { fits: "a URL" },
        default: (),
        meaning: "base of `Location` and `nextLink`; default: the API's own domain",
    }
    TOKEN_SUBJECT_CLAIM: Text {
        kind: Text { fits: "a name" },
        default: "sub",
        meaning: "the token's claim that grants are given to",
    }
    JOB_RETENTION_DAYS: Span {
        kind: Span { unit: Unit::Day, least: 1, most: 3_650 },
        default: Duration::days(90),
        meaning: "days until a job is forgotten; at least `CREDENTIAL_WAIT_DAYS`",
    }
    CREDENTIAL_WAIT_DAYS: Span {
        kind: Span { unit: Unit::Day, least: 1, most: 3_650 },
        default: Duration::days(7),
        meaning: "days that a job waits for a new credential before it fails",
    }
    AUDIT_DAYS: Span {
        kind: Span { unit: Unit::Day, least: 1, most: 3_653 },
        default: Duration::days(365),
        meaning: "days that is kept who created, changed or cancelled which job",
    }
    MAX_RANGE_DAYS: Number<u32> {
        kind: Number { least: 1, most: 36_600 },
        default: 366,
        meaning: "most days that one export may span",
    }
    CHUNK_TARGET_BYTES: Number<u64> {
        kind: Number { least: 1, most: 1 << 40 },
        default: 64 * 1024 * 1024,
        meaning: "source bytes that a chunk is packed up to",
    }
    MAX_SHARDS: Number<u16> {
        kind: Number { least: 1, most: SHARDS_OF_A_JOB },
        default: SHARDS_OF_A_JOB,
        meaning: "most shards that a job's chunks are spread over",
    }
    BLOCK_BYTES: Number<usize> {
        kind: Number { least: 64 * 1024, most: 256 * 1024 * 1024 },
        default: 8 * 1024 * 1024,
        meaning: "bytes of a block in the client's container",
    }
    UPLOADS_IN_FLIGHT: Number<usize> {
        kind: Number { least: 1, most: 32 },
        default: 3,
        meaning: "blocks of a file that are uploaded at once",
    }
    STORAGE_TIMEOUT_SECONDS: Span {
        kind: Span { unit: Unit::Second, least: 1, most: 600 },
        default: Duration::seconds(60),
        meaning: "seconds that one request to the client's container may take",
    }
    ON_BAD_RECORD: OneOf<OnBadRecord> {
        kind: OneOf(OnBadRecord::ALL),
        default: OnBadRecord::Reject,
        meaning: "`reject` keeps a record that cannot be exported in a file of its own, `fail` ends its chunk; a job keeps what was set when it was planned",
    }
    LAKE_LATE_DAYS: Number<u16> {
        kind: Number { least: 0, most: 31 },
        default: 0,
        meaning: "in folders of how many later days a day's records may lie: 0 when folders say the day of the event, more when they say the day of arrival",
    }
    MISREAD_FROM_RECORDS: Number<u64> {
        kind: Number { least: 2, most: 1 << 40 },
        default: Misread::USUAL.from_records,
        meaning: "from how many records on an object with too many bad ones is missing as a whole, instead of all of them being rejected",
    }
    MISREAD_PERCENT: Number<u64> {
        kind: Number { least: 0, most: 100 },
        default: Misread::USUAL.most_percent,
        meaning: "how many of a hundred records of such an object may be bad",
    }
    PAGE_ISSUER: RequiredText {
        kind: RequiredText { fits: "the URL of an issuer of tokens" },
        default: (),
        meaning: "issuer at which the page lets people sign in",
    }
    PAGE_TOKEN_ORIGIN: OptionalText {
        kind: OptionalText { fits: "an origin" },
        default: (),
        meaning: "origin of the issuer's token endpoint, when it is not the issuer's",
    }
    PAGE_CLIENT_ID: OptionalText {
        kind: OptionalText { fits: "a client id" },
        default: (),
        meaning: "id that the issuer knows the page by, as a public client; without it, people paste a token",
    }
    PAGE_SCOPE: Text {
        kind: Text { fits: "scopes, separated by blanks" },
        default: "openid",
        meaning: "what the page asks the issuer for",
    }
    PAGE_APP: OptionalText {
        kind: OptionalText { fits: "an app's path" },
        default: (),
        meaning: "app that the page begins with",
    }
    FUNCTION_TIMEOUT_SECONDS: Span {
        kind: Span { unit: Unit::Second, least: 1, most: 900 },
        default: Duration::seconds(900),
        meaning: "seconds that a run may take; a lease lasts a little longer",
    }
    METRICS_NAMESPACE: OptionalText {
        kind: OptionalText { fits: "a name" },
        default: (),
        meaning: "namespace of the metrics that CloudWatch reads out of the logs; without it, out of none",
    }
    LOG_LEVEL: OneOf<LogLevel> {
        kind: OneOf(&[LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug]),
        default: LogLevel::Info,
        meaning: "what our crates log; the others warn at most",
    }
}

#[cfg(test)]
mod tests;
