//! What can be wrong with a container URL, in words for the one who gave it.

use strum::{IntoStaticStr, VariantNames};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Why a container URL is refused. Its text names the field, the offending value where that is no
/// secret, the reason and the fix; it never holds the signature.
///
/// Its code is `ContainerUrl` and the variant's name, unless `strum` says another: clients act on
/// codes, so a variant that is renamed keeps its own.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr, VariantNames)]
#[strum(prefix = "ContainerUrl")]
pub enum ContainerUrlProblem {
    /// It cannot be parsed.
    #[error(
        "containerUrl is not a URL; give https://{{account}}.blob.core.windows.net/{{container}}?{{shared access signature}}"
    )]
    NotAUrl,
    /// It holds a part that has no place in it.
    #[error("containerUrl holds {part}, which has no place in a container URL; remove it")]
    Surplus {
        /// What it is, in words: `a fragment`.
        part: &'static str,
    },
    /// Its scheme is not https.
    #[error(
        "containerUrl has the scheme {scheme}, which would send the signature in the clear; use https \
         (http is only for blob endpoints that the operator of the service allows)"
    )]
    NotHttps {
        /// Such as `http`; `(not shown)` when it is long or odd.
        scheme: String,
    },
    /// Its host is not a blob endpoint.
    #[error(
        "containerUrl has the host {host}, which is not an Azure blob endpoint; \
         use {{account}}.blob.core.windows.net or the blob endpoint of your cloud or DNS zone"
    )]
    UnknownHost {
        /// Such as `example.com`; `(not shown)` when it is odd, or may be a signature.
        host: String,
    },
    /// Its host is the read-only copy of an account in another region
    /// (<https://learn.microsoft.com/en-us/azure/storage/common/storage-redundancy#read-access-to-data-in-the-secondary-region>).
    #[error(
        "containerUrl has the host {host}, the secondary endpoint of an account, which can only be read; \
         use the primary one, without -secondary"
    )]
    #[strum(serialize = "UnknownHost")]
    SecondaryHost {
        /// The whole host, `-secondary` included.
        host: String,
    },
    /// Its host is one of Microsoft Fabric's `OneLake`
    /// (<https://learn.microsoft.com/en-us/fabric/onelake/onelake-access-api>).
    #[error(
        "containerUrl has the host {host}, which is OneLake of Microsoft Fabric: a signature there is for files and \
         folders within an item, and never for a container; use a container of an Azure storage account, \
         to which OneLake can have a shortcut"
    )]
    #[strum(serialize = "UnknownHost")]
    OneLakeHost {
        /// Such as `onelake.blob.fabric.microsoft.com`; `(not shown)` when it is odd, or may be a
        /// signature.
        host: String,
    },
    /// Its path names no container.
    #[error(
        "containerUrl names no container; give its name behind the host, and a folder within it if you like"
    )]
    #[strum(serialize = "NotOneContainer")]
    NoContainer,
    /// What stands behind the container's name is no folder that files can be written to.
    #[error("containerUrl names the folder {folder} within the container, which {why}; correct it")]
    BadFolder {
        /// The path behind the container; `(none)` when empty, `(not shown)` when it is odd, beyond 253
        /// characters, or may be a signature.
        folder: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Its signature is for a folder that is not the one of the path, or not above it.
    #[error(
        "containerUrl has a signature for a folder (sr=d) with sdd={depth}, and its path has {levels} behind the \
         container; sdd must say how many of these the signed folder is deep"
    )]
    OtherFolder {
        /// The value of `sdd`; `(none)` when it is absent.
        depth: String,
        /// How many folders the path has.
        levels: String,
    },
    /// Its path is not a container's name.
    #[error(
        "containerUrl names the container {name}, which cannot exist; \
         a name has 3 to 63 lower-case letters, digits and single hyphens"
    )]
    BadContainerName {
        /// The one segment of the path; `(not shown)` when it is odd, beyond 253 characters, or may
        /// be a signature.
        name: String,
    },
    /// It is one of the containers that Azure makes for purposes of its own.
    #[error(
        "containerUrl names the container {name}, which {why}; use a container of its own for exports"
    )]
    #[strum(serialize = "BadContainerName")]
    SpecialContainer {
        /// One of `$web`, `$root`, `$logs` and `$blobchangefeed`.
        name: &'static str,
        /// Why no export goes there.
        why: &'static str,
    },
    /// It has no query.
    #[error(
        "containerUrl has no shared access signature; append the one that your storage account made, after a ?"
    )]
    SignatureMissing,
    /// Its query is longer than can be kept.
    #[error(
        "containerUrl has a signature of {length} characters, more than {limit}; remove what is not part of it"
    )]
    TooLong {
        /// The query's length, in bytes.
        length: usize,
        /// The longest accepted, in bytes.
        limit: usize,
    },
    /// Its query has no `sig`.
    #[error(
        "containerUrl has a query without sig, so it is not signed; copy the shared access signature in full"
    )]
    SigMissing,
    /// A parameter occurs twice.
    #[error("containerUrl has the parameter {name} more than once; keep the one that was signed")]
    RepeatedParameter {
        /// Its name in lower case; `(not shown)` when it is long or odd.
        name: String,
    },
    /// A parameter that chooses an operation, which the service does itself.
    #[error("containerUrl has the parameter {name}, which is not part of a signature; remove it")]
    ForeignParameter {
        /// One of `comp`, `restype`, `blockid`, `timeout` and `snapshot`.
        name: &'static str,
    },
    /// It is for one user, who would have to prove who they are with every request
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-user-delegation-sas>).
    #[error(
        "containerUrl has a signature for one user ({name}): storage takes it only beside a token of that user, \
         which the service does not have; make a user delegation SAS without a delegated user, or one of the account's key"
    )]
    UserBound {
        /// The parameter that says so.
        name: &'static str,
    },
    /// It is for requests with certain headers or query parameters only
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-user-delegation-sas>).
    #[error(
        "containerUrl has a signature that is bound to headers or query parameters of a request ({name}), \
         which the service's writes do not have; make one without {name}"
    )]
    RequestBound {
        /// The parameter that says so.
        name: &'static str,
    },
    /// A time cannot be read.
    #[error(
        "containerUrl has {name}={value}, which is not a time of Azure Storage; use the form 2026-01-31T18:00:00Z"
    )]
    BadTime {
        /// The parameter with the time: `st`, `se`, `skt` or `ske`.
        name: &'static str,
        /// What it is set to; `(not shown)` when it is long or odd.
        value: String,
    },
    /// Neither it nor a stored access policy says when it expires.
    #[error(
        "containerUrl has a signature without an expiry (se); make one that has an expiry or an access policy"
    )]
    ExpiryMissing,
    /// It has expired, or the delegated key that it was made with has.
    #[error(
        "containerUrl has a signature that expired at {}; make a new one",
        moment(at)
    )]
    Expired {
        /// The earlier of its own expiry (`se`) and that of its delegated key (`ske`).
        at: OffsetDateTime,
    },
    /// It will have expired before an export can be written.
    #[error(
        "containerUrl has a signature that expires at {}, within 15 minutes; make one that lasts",
        moment(at)
    )]
    ExpiresSoon {
        /// The earlier of its own expiry (`se`) and that of its delegated key (`ske`).
        at: OffsetDateTime,
    },
    /// It is valid only later.
    #[error(
        "containerUrl has a signature that starts at {}, in the future; leave the start out",
        moment(at)
    )]
    NotYetValid {
        /// The later of its own start (`st`) and that of its delegated key (`skt`).
        at: OffsetDateTime,
    },
    /// Neither it nor a stored access policy says what it permits.
    #[error(
        "containerUrl has a signature without permissions (sp); make one with sp=w or an access policy"
    )]
    PermissionsMissing,
    /// It does not permit writing.
    #[error(
        "containerUrl has a signature with sp={permissions}, which cannot write; make one that has w, such as sp=cw"
    )]
    WriteMissing {
        /// The value of `sp`, such as `rl`; it has neither `w` nor `c`.
        permissions: String,
    },
    /// It permits to create blobs and not to write them again. Since service version 2026-04-06
    /// that is enough to stage and commit a new blob (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas>).
    #[error(
        "containerUrl has a signature with sp={permissions}, which creates blobs and cannot write them again: \
         after a crash a commit is repeated, and that needs w; make one that has w, such as sp=cw"
    )]
    #[strum(serialize = "WriteMissing")]
    CreateOnly {
        /// The value of `sp`, such as `rc`; it has `c` and no `w`.
        permissions: String,
    },
    /// It is for something else than the blobs of a container.
    #[error(
        "containerUrl has a signature {name}={value}, which is not for the blobs of a container; \
         make one for the container (sr=c), for a folder of it (sr=d), or for the account (ss=b, srt=co)"
    )]
    WrongResource {
        /// The parameter that says so.
        name: &'static str,
        /// What the parameter is set to; `(none)` when it is absent.
        value: String,
    },
    /// It may not be used over https.
    #[error(
        "containerUrl has a signature with spr={protocols}, which shuts out https; make one with spr=https"
    )]
    HttpsShutOut {
        /// The protocols it allows.
        protocols: String,
    },
}

impl ContainerUrlProblem {
    /// The code of every problem. Problems that the client solves in the same way have the same.
    pub const CODES: &[&str] = Self::VARIANTS;

    /// The stable code of the problem, for the client's code to act on.
    pub fn code(&self) -> &'static str {
        self.into()
    }
}

/// The most characters of a value that a message quotes: below the 43 of an HMAC-SHA256 in base64.
const SHOWN_CHARS: usize = 40;

/// The most characters of a place that a message quotes: those of the longest host name
/// (<https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>), which is more than a container's 63.
const SHOWN_PLACE_CHARS: usize = 253;

/// The most characters of a host without a dot that a message quotes: less than half a signature.
const SHOWN_DOTLESS_CHARS: usize = 19;

/// A value fit for a message. A signature pasted into the wrong place must not come back in an
/// answer or a log, so only short values of harmless characters are quoted: no `=` and no `%`.
pub(super) fn shown(value: &str) -> String {
    shown_up_to(SHOWN_CHARS, value)
}

/// A path or a container's name fit for a message. It may be longer than a signature, but what lies
/// between two of `-`, `_` and dots may not: a signature has none of these.
pub(super) fn shown_place(place: &str) -> String {
    shown_up_to(SHOWN_PLACE_CHARS, place)
}

/// A host fit for a message, as a place is. Without a dot it may be the beginning of a signature,
/// up to its first slash; an IPv6 address is in brackets.
pub(super) fn shown_host(host: &str) -> String {
    let may_be_signature = !host.contains(['.', '[']);
    let most = if may_be_signature {
        SHOWN_DOTLESS_CHARS
    } else {
        SHOWN_PLACE_CHARS
    };
    shown_up_to(most, host)
}

fn shown_up_to(most: usize, value: &str) -> String {
    let is_harmless = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._:,/[]".contains(c));
    let mut words = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '/');
    let holds_signature = words.any(|word| word.len() > SHOWN_CHARS);
    if value.is_empty() {
        "(none)".to_owned()
    } else if value.len() <= most && is_harmless && !holds_signature {
        value.to_owned()
    } else {
        "(not shown)".to_owned()
    }
}

fn moment(at: &OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}
