//! Why storage could not authenticate a signature, as far as the body of its refusal says.
//!
//! `AuthenticationFailed` has many causes, and the element `AuthenticationErrorDetail` tells them
//! apart. It is text for people that repeats what was signed, so it is only searched, and nothing
//! of it is passed on.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The cause, as one of the project's own words; `None` when the body does not say.
pub(super) fn cause(body: &[u8]) -> Option<&'static str> {
    let (_, detail) = std::str::from_utf8(body)
        .ok()?
        .split_once("<AuthenticationErrorDetail>")?;
    if detail.contains("identifier cannot be found") {
        Some("AccessPolicyNotFound")
    } else if detail.contains("Signature did not match") {
        Some("SignatureMismatch")
    } else if detail.contains("not valid in the specified") {
        Some(if is_early(detail)? {
            "SignatureNotYetValid"
        } else {
            "SignatureExpired"
        })
    } else {
        None
    }
}

/// Whether storage's clock stands before the start, in
/// `… time frame: Start [Thu, 13 Jun 2019 16:18:02 GMT] - Expiry […] - Current […]`; a delegated
/// key's `Key start` too.
fn is_early(detail: &str) -> Option<bool> {
    Some(moment(detail, "urrent [")? < moment(detail, "tart [")?)
}

fn moment(detail: &str, mark: &str) -> Option<OffsetDateTime> {
    let (text, _) = detail.split_once(mark)?.1.split_once(']')?;
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_detail(detail: &str) -> Option<&'static str> {
        let body = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code><Message>Server \
             failed to authenticate the request.</Message><AuthenticationErrorDetail>{detail}\
             </AuthenticationErrorDetail></Error>"
        );
        cause(body.as_bytes())
    }

    #[test]
    fn the_detail_of_a_refusal_tells_its_cause() {
        let frame = |now| {
            format!(
                "Signature not valid in the specified time frame: Start [Thu, 13 Jun 2019 16:18:02 GMT] - \
                 Expiry [Fri, 14 Jun 2019 16:23:02 GMT] - Current [{now}]"
            )
        };
        for (detail, cause) in [
            (
                "SAS identifier cannot be found for specified signed identifier",
                "AccessPolicyNotFound",
            ),
            (
                "Signature did not match. String to sign used was w\n\n2026-11-22",
                "SignatureMismatch",
            ),
            (
                &frame("Thu, 13 Jun 2019 09:22:47 GMT"),
                "SignatureNotYetValid",
            ),
            (&frame("Fri, 14 Jun 2019 16:23:03 GMT"), "SignatureExpired"),
            (
                "Signature not valid in the specified key time frame: Key start [Thu, 13 Jun 2019 16:18:02 GMT] - Key \
                 expiry [Fri, 14 Jun 2019 16:23:02 GMT] - Current [Sat, 15 Jun 2019 00:00:00 GMT]",
                "SignatureExpired",
            ),
        ] {
            assert_eq!(of_detail(detail), Some(cause), "{detail}");
        }
    }

    #[test]
    fn a_body_that_does_not_say_names_no_cause() {
        for detail in [
            "",
            "sp is mandatory. Cannot be empty",
            "Signature not valid in the specified time frame: …",
        ] {
            assert_eq!(of_detail(detail), None, "{detail}");
        }
        assert_eq!(cause(b"SAS identifier cannot be found"), None);
        assert_eq!(
            cause(b"\xff<AuthenticationErrorDetail>Signature did not match"),
            None
        );
    }
}
