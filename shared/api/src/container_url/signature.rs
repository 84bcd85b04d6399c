//! What the parameters of a shared access signature say about themselves
//! (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas>,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/create-account-sas>,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/create-user-delegation-sas>).

use std::collections::BTreeMap;

use domain::plural::counted;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time};

use super::problem::{ContainerUrlProblem, shown};

/// How far the clocks of the client and of storage may be apart.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// A signature must live at least this long.
const SHORTEST_LIFE: Duration = Duration::minutes(15);

/// Parameters that choose an operation: the service sets them itself, and a second value would win
/// or confuse.
const OPERATION: [&str; 5] = ["comp", "restype", "blockid", "timeout", "snapshot"];

/// Parameters of a signature that holds only beside a token of one user: the user, and the tenant
/// that the key was delegated to.
const OF_A_USER: [&str; 2] = ["sduoid", "skdutid"];

/// Parameters that name the headers, or the query parameters, that a request must have for the
/// signature to hold.
const OF_A_REQUEST: [&str; 2] = ["srh", "srq"];

/// What a signature says of itself.
pub(super) struct Found {
    /// Its permissions, a letter each.
    pub(super) permissions: Option<String>,
    /// When it expires.
    pub(super) expires: Option<OffsetDateTime>,
}

/// Checks a query that should be a signature for a folder so many levels below the container; answers
/// what it may and when it expires, if it says so.
pub(super) fn check(
    query: &str,
    levels: usize,
    secure: bool,
    now: OffsetDateTime,
) -> Result<Found, ContainerUrlProblem> {
    let parameters = Parameters::parse(query)?;
    if let Some(name) = OPERATION
        .into_iter()
        .find(|name| parameters.0.contains_key(*name))
    {
        return Err(ContainerUrlProblem::ForeignParameter { name });
    }
    if parameters.get("sig").is_none() {
        return Err(ContainerUrlProblem::SigMissing);
    }
    if let Some(name) = OF_A_USER
        .into_iter()
        .find(|name| parameters.get(name).is_some())
    {
        return Err(ContainerUrlProblem::UserBound { name });
    }
    if let Some(name) = OF_A_REQUEST
        .into_iter()
        .find(|name| parameters.get(name).is_some())
    {
        return Err(ContainerUrlProblem::RequestBound { name });
    }
    check_resource(&parameters, levels)?;
    check_permissions(&parameters)?;
    check_protocols(&parameters, secure)?;
    check_start(&parameters, now)?;
    let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect();
    Ok(Found {
        permissions: parameters.get("sp").map(letters),
        expires: check_expiry(&parameters, now)?,
    })
}

/// The parameters by lower-cased name, decoded. An empty one counts as absent.
struct Parameters(BTreeMap<String, String>);

impl Parameters {
    fn parse(query: &str) -> Result<Self, ContainerUrlProblem> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let name = name.to_ascii_lowercase();
            if parameters
                .insert(name.clone(), value.into_owned())
                .is_some()
            {
                return Err(ContainerUrlProblem::RepeatedParameter { name: shown(&name) });
            }
        }
        Ok(Self(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn time(&self, name: &'static str) -> Result<Option<OffsetDateTime>, ContainerUrlProblem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let time = parse_time(value).ok_or_else(|| ContainerUrlProblem::BadTime {
            name,
            value: shown(value),
        })?;
        Ok(Some(time))
    }

    /// Whether a stored access policy of the container may add what the signature leaves out
    /// (<https://learn.microsoft.com/en-us/rest/api/storageservices/define-stored-access-policy>).
    fn has_policy(&self) -> bool {
        self.get("si").is_some()
    }
}

/// A signature for a container says `sr=c`; one for a folder of it, and all below that, `sr=d`, and how
/// deep it lies (`sdd`); one for an account says that it is for blobs (`ss`) and for objects (`srt`).
fn check_resource(parameters: &Parameters, levels: usize) -> Result<(), ContainerUrlProblem> {
    let wrong = |name, value: &str| {
        Err(ContainerUrlProblem::WrongResource {
            name,
            value: shown(value),
        })
    };
    let services = parameters.get("ss");
    let types = parameters.get("srt");
    if let Some(resource) = parameters.get("sr") {
        return match resource {
            "c" | "d" if services.is_some() || types.is_some() => wrong("sr", resource),
            "c" => Ok(()),
            "d" => check_depth(parameters, levels),
            _ => wrong("sr", resource),
        };
    }
    match (services.unwrap_or_default(), types.unwrap_or_default()) {
        ("", "") => wrong("sr", ""),
        (services, _) if !services.contains('b') => wrong("ss", services),
        (_, types) if !types.contains('o') => wrong("srt", types),
        _ => Ok(()),
    }
}

/// The signed folder is the first `sdd` levels of the path
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas#specify-the-directory-depth>).
fn check_depth(parameters: &Parameters, levels: usize) -> Result<(), ContainerUrlProblem> {
    let depth = parameters.get("sdd").unwrap_or_default();
    if depth.parse::<usize>().is_ok_and(|depth| depth <= levels) {
        return Ok(());
    }
    Err(ContainerUrlProblem::OtherFolder {
        depth: shown(depth),
        levels: counted(levels as u64, "folder"),
    })
}

fn check_permissions(parameters: &Parameters) -> Result<(), ContainerUrlProblem> {
    match parameters.get("sp") {
        Some(permissions) if permissions.contains('w') => Ok(()),
        Some(permissions) if permissions.contains('c') => Err(ContainerUrlProblem::CreateOnly {
            permissions: shown(permissions),
        }),
        Some(permissions) => Err(ContainerUrlProblem::WriteMissing {
            permissions: shown(permissions),
        }),
        None if parameters.has_policy() => Ok(()),
        None => Err(ContainerUrlProblem::PermissionsMissing),
    }
}

fn check_protocols(parameters: &Parameters, secure: bool) -> Result<(), ContainerUrlProblem> {
    let protocols = parameters.get("spr").unwrap_or("https");
    if !secure || protocols.split(',').any(|protocol| protocol == "https") {
        Ok(())
    } else {
        Err(ContainerUrlProblem::HttpsShutOut {
            protocols: shown(protocols),
        })
    }
}

/// Neither the signature nor the delegated key (`skt`) may start in the future.
fn check_start(parameters: &Parameters, now: OffsetDateTime) -> Result<(), ContainerUrlProblem> {
    let start = parameters.time("st")?.max(parameters.time("skt")?);
    match start {
        Some(at) if at > now + CLOCK_SKEW => Err(ContainerUrlProblem::NotYetValid { at }),
        Some(_) | None => Ok(()),
    }
}

/// A signature made with a delegated key ends with that key (`ske`), whatever it says itself.
fn check_expiry(
    parameters: &Parameters,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, ContainerUrlProblem> {
    let own = parameters.time("se")?;
    if own.is_none() && !parameters.has_policy() {
        return Err(ContainerUrlProblem::ExpiryMissing);
    }
    match own.into_iter().chain(parameters.time("ske")?).min() {
        Some(at) if at <= now => Err(ContainerUrlProblem::Expired { at }),
        Some(at) if at < now + SHORTEST_LIFE => Err(ContainerUrlProblem::ExpiresSoon { at }),
        expires => Ok(expires),
    }
}

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const CLOCK: &[BorrowedFormatItem<'_>] =
    format_description!("[hour]:[minute][optional [:[second][optional [.[subsecond digits:1+]]]]]");
const OFFSET: &[BorrowedFormatItem<'_>] =
    format_description!("[offset_hour sign:mandatory]:[offset_minute]");

/// Reads a time in the forms of Azure Storage: a date, minutes or seconds, with `Z` or an offset
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/formatting-datetime-values>).
pub(super) fn parse_time(text: &str) -> Option<OffsetDateTime> {
    let Some((date, clock)) = text.split_once('T') else {
        return Some(Date::parse(text, DATE).ok()?.midnight().assume_utc());
    };
    let (clock, offset) = match clock.find(['Z', '+', '-']) {
        Some(at) => clock.split_at_checked(at)?,
        None => (clock, "Z"),
    };
    let offset = if offset == "Z" {
        time::UtcOffset::UTC
    } else {
        time::UtcOffset::parse(offset, OFFSET).ok()?
    };
    let local = PrimitiveDateTime::new(
        Date::parse(date, DATE).ok()?,
        Time::parse(clock, CLOCK).ok()?,
    );
    Some(local.assume_offset(offset))
}
