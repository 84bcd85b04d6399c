//! Values of the kinds that fields have, spelled as usual.

use domain::selection::CampaignType;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::record::check::{MAX_LEVELS_OF_VALUE, STATUS_FLAGS};
use crate::record::{Kind, MAX_EXTRAS};

use super::json::Json;

/// A value that is of its field's kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) raw: &'a str,
    /// The moment that a timestamp says.
    pub(super) moment: Option<OffsetDateTime>,
    /// Whether there is no white space between its tokens.
    pub(super) is_compact: bool,
    /// Whether it is a string of letters, digits and `-:.`.
    pub(super) is_bare: bool,
}

impl<'a> Value<'a> {
    /// Walks over a value of this kind.
    pub(super) fn walk(kind: Kind, json: &mut Json<'a>) -> Option<Self> {
        let begin = json.at();
        let was_compact = std::mem::replace(&mut json.is_compact, true);
        let mut moment = None;
        match kind {
            Kind::Id => pass_id(json)?,
            Kind::Timestamp | Kind::RecordTime => moment = Some(take_moment(json)?),
            Kind::Text => json.pass_string().map(|_| ())?,
            Kind::ShortText(most) => pass_short_text(json, most)?,
            Kind::Extras => {
                (json.pass_object(Json::pass_scalar)? <= MAX_EXTRAS).then_some(())?;
            }
            Kind::Object => {
                json.pass_object(|json| json.pass_value(MAX_LEVELS_OF_VALUE - 1))?;
            }
            Kind::Integer => json.take_number()?.parse::<i64>().map(|_| ()).ok()?,
            Kind::CampaignType => pass_campaign_type(json)?,
            Kind::Status => pass_status(json)?,
        }
        let is_compact = json.is_compact;
        json.is_compact &= was_compact;
        let raw = json.since(begin)?;
        Some(Self {
            raw,
            moment,
            is_compact,
            is_bare: matches!(kind, Kind::Id | Kind::Timestamp | Kind::RecordTime),
        })
    }
}

fn pass_id(json: &mut Json<'_>) -> Option<()> {
    // No way out before the end: so the compiler looks at many bytes at once.
    if let Some([b'"', id @ .., b'"']) = json.ahead::<34>() {
        json.pass(34);
        let is_hex = id.iter().fold(true, |all, it| all & it.is_ascii_hexdigit());
        return is_hex.then_some(());
    }
    let Some([b'"', id @ .., b'"']) = json.ahead::<38>() else {
        return None;
    };
    json.pass(38);
    let is_dashed = id.iter().enumerate().fold(true, |all, (at, it)| {
        all & match at {
            8 | 13 | 18 | 23 => *it == b'-',
            _ => it.is_ascii_hexdigit(),
        }
    });
    is_dashed.then_some(())
}

fn pass_short_text(json: &mut Json<'_>, most: usize) -> Option<()> {
    let text = json.take_string()?;
    // An escape is longer than the character that it says.
    let is_short = text.raw.len() <= most || text.unless_escaped()?.chars().count() <= most;
    is_short.then_some(())
}

/// A timestamp in the form in which it is exported, such as `2026-02-01T12:00:00.250Z`.
fn take_moment(json: &mut Json<'_>) -> Option<OffsetDateTime> {
    let text = json.ahead::<20>()?;
    let [
        b'"',
        y3,
        y2,
        y1,
        y0,
        b'-',
        o1,
        o0,
        b'-',
        d1,
        d0,
        b'T',
        h1,
        h0,
        b':',
        m1,
        m0,
        b':',
        s1,
        s0,
    ] = text
    else {
        return None;
    };
    json.pass(text.len());
    let year = u16::from(two_digits(*y3, *y2)?) * 100 + u16::from(two_digits(*y1, *y0)?);
    let month = Month::try_from(two_digits(*o1, *o0)?).ok()?;
    let day = two_digits(*d1, *d0)?;
    let date = Date::from_calendar_date(i32::from(year), month, day).ok()?;
    let (hour, minute) = (two_digits(*h1, *h0)?, two_digits(*m1, *m0)?);
    let nanosecond = take_fraction(json)?;
    let time = Time::from_hms_nano(hour, minute, two_digits(*s1, *s0)?, nanosecond).ok()?;
    json.take_all(b"Z\"")?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

/// The fraction of a second that may be next, in nanoseconds.
fn take_fraction(json: &mut Json<'_>) -> Option<u32> {
    if json.peek()? != b'.' {
        return Some(0);
    }
    json.pass(1);
    let (mut nanoseconds, mut scale) = (0, 1_000_000_000);
    while let Some(digit) = json.peek().and_then(digit) {
        json.pass(1);
        scale /= 10;
        nanoseconds += u32::from(digit) * scale;
        // Of nine digits at most, the last counts one.
        (scale > 0).then_some(())?;
    }
    (scale < 1_000_000_000).then_some(nanoseconds)
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

fn pass_campaign_type(json: &mut Json<'_>) -> Option<()> {
    let name = json.take_string()?.unless_escaped()?;
    let mut kinds = CampaignType::ALL.iter();
    kinds.any(|kind| kind.name() == name).then_some(())
}

/// An array of flags, each at most once.
fn pass_status(json: &mut Json<'_>) -> Option<()> {
    let mut seen = 0_u32;
    json.pass_array(|json| {
        let name = json.take_string()?.unless_escaped()?;
        let flag = 1 << STATUS_FLAGS.iter().position(|flag| *flag == name)?;
        let is_new = seen & flag == 0;
        seen |= flag;
        is_new.then_some(())
    })
}
