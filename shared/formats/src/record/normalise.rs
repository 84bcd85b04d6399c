//! The form in which a value is exported: every common reader takes it.
//!
//! Two things are rewritten. All else of a value is exported byte for byte as it lies in the
//! source: numbers with their digits, escapes, white space within objects.
//!
//! **Timestamps** ([`Kind::Timestamp`], [`Kind::RecordTime`]) are written in one form of RFC 3339
//! (<https://www.rfc-editor.org/rfc/rfc3339#section-5.6>): `2026-02-01T12:00:00.250Z`.
//!
//! - in UTC, with `T` and `Z`: a moment with another zone is converted, one without a zone is
//!   taken to be in UTC;
//! - a date alone becomes its midnight;
//! - the digits of a fraction stay as they are given, zeros at the end included; a point without
//!   digits is left out;
//! - without escapes.
//!
//! A moment whose year in UTC is not 0000 to 9999 has no such form: the record is refused.
//!
//! **Half surrogates.** JSON can spell half of a UTF-16 surrogate pair (`\ud83d` without a
//! `\ude00` behind it); it is no character, and readers refuse the whole file for it. In the texts
//! of a value, keys of nested objects included, each half becomes U+FFFD, the replacement
//! character, written as such in UTF-8. Proper pairs stay as they are. The record is then
//! [`repaired`](crate::record::Record::repaired). When two keys of an object that differed are
//! equal afterwards, the record is refused. Values of the other kinds (ids, flags …) need no
//! repair: one that holds a half is refused, as it would be with U+FFFD.
//!
//! The checks of a field (its length …) apply to what is written.

mod halves;

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::record::value::text;
use crate::record::{Kind, timestamp};

pub(super) use halves::keys_become_equal;

/// A value in the form in which it is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Normal<'a> {
    /// Its raw JSON; the same text unless something had to be rewritten.
    pub(super) raw: Cow<'a, str>,
    /// Whether half surrogates became U+FFFD.
    pub(super) repaired: bool,
    /// The moment that a timestamp says; `None` when it is none, and for the other kinds.
    pub(super) moment: Option<OffsetDateTime>,
}

/// Puts a well-formed raw JSON value of a field of this kind into the form in which it is exported.
/// One that is not of its kind may stay as it is.
pub(super) fn normalise(kind: Kind, raw: &str) -> Normal<'_> {
    let as_it_is = Normal {
        raw: Cow::Borrowed(raw),
        repaired: false,
        moment: None,
    };
    match kind {
        Kind::Timestamp | Kind::RecordTime => in_utc(raw).unwrap_or(as_it_is),
        Kind::Text | Kind::ShortText(_) | Kind::Extras | Kind::Object => {
            match halves::repair(raw) {
                Some(whole) => Normal {
                    raw: Cow::Owned(whole),
                    repaired: true,
                    moment: None,
                },
                None => as_it_is,
            }
        }
        Kind::Id | Kind::Integer | Kind::CampaignType | Kind::Status => as_it_is,
    }
}

/// A timestamp in its one form; `None` when it is none, or has no such form.
fn in_utc(raw: &str) -> Option<Normal<'_>> {
    let text = text(raw)?;
    let moment = timestamp::parse(&text).filter(|it| (0..=9999).contains(&it.year()))?;
    let is_borrowed = matches!(text, Cow::Borrowed(_));
    let raw = if is_borrowed && is_in_form(&text) {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(format!("\"{}\"", write(moment, fraction(&text))))
    };
    Some(Normal {
        raw,
        repaired: false,
        moment: Some(moment),
    })
}

/// Whether a timestamp that can be read is in its one form: all that it may differ in.
fn is_in_form(text: &str) -> bool {
    let bytes = text.as_bytes();
    // `2026-02-01T12:00:00Z`, or longer by a point and at least one digit.
    let has_time = bytes.len() == 20 || bytes.len() > 21;
    has_time && bytes.get(10) == Some(&b'T') && bytes.last() == Some(&b'Z')
}

/// The digits after the point of a timestamp that can be read, with the point; nothing when there
/// are none.
fn fraction(text: &str) -> &str {
    let Some(rest) = text.get(19..).filter(|rest| rest.starts_with('.')) else {
        return "";
    };
    let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
    let fraction = rest.get(..=digits).unwrap_or_default();
    if digits > 0 { fraction } else { "" }
}

fn write(moment: OffsetDateTime, fraction: &str) -> String {
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    let month = u8::from(month);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

#[cfg(test)]
mod tests;
