//! Values of the kinds that fields have, spelled as usual.

use domain::selection::CampaignType;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};
use wide::u8x32;

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
}

impl<'a> Value<'a> {
    /// Walks over a value of this kind.
    #[inline]
    pub(super) fn walk(kind: Kind, json: &mut Json<'a>) -> Option<Self> {
        let begin = json.at();
        let mut moment = None;
        match kind {
            Kind::Id => pass_id(json)?,
            Kind::Timestamp | Kind::RecordTime => moment = Some(take_moment(json)?),
            Kind::Text => json.pass_string().map(|_| ())?,
            Kind::ShortText(most) => pass_short_text(json, most)?,
            Kind::Extras => {
                (json.pass_object(Json::pass_scalar)? <= MAX_EXTRAS).then_some(())?;
            }
            Kind::Object | Kind::Integer | Kind::CampaignType | Kind::Status => {
                json.go_to(behind_rare(kind, *json)?);
            }
        }
        Some(Self {
            raw: json.since(begin)?,
            moment,
            is_compact: json.is_compact_since(begin),
        })
    }
}

/// What is behind a value of a kind that few records have.
#[inline(never)]
fn behind_rare(kind: Kind, mut json: Json<'_>) -> Option<Json<'_>> {
    match kind {
        Kind::Object => {
            json.pass_object(|json| json.pass_value(MAX_LEVELS_OF_VALUE - 1))?;
        }
        Kind::Integer => json.take_number()?.parse::<i64>().map(|_| ()).ok()?,
        Kind::CampaignType => pass_campaign_type(&mut json)?,
        Kind::Status => pass_status(&mut json)?,
        Kind::Id
        | Kind::Timestamp
        | Kind::RecordTime
        | Kind::Text
        | Kind::ShortText(_)
        | Kind::Extras => {
            return None;
        }
    }
    Some(json)
}

fn pass_id(json: &mut Json<'_>) -> Option<()> {
    if let Some([b'"', id @ .., b'"']) = json.ahead::<34>() {
        json.pass(34);
        return are_hex(id).then_some(());
    }
    let Some([b'"', id @ .., b'"']) = json.ahead::<38>() else {
        return None;
    };
    json.pass(38);
    // No way out before the end: so the compiler looks at many bytes at once.
    let is_dashed = id.iter().enumerate().fold(true, |all, (at, it)| {
        all & match at {
            8 | 13 | 18 | 23 => *it == b'-',
            _ => it.is_ascii_hexdigit(),
        }
    });
    is_dashed.then_some(())
}

/// Whether all of these are hex digits.
fn are_hex(digits: &[u8; 32]) -> bool {
    let digits = u8x32::from(*digits);
    // What is below wraps around.
    let is_below = |bytes: u8x32, end: u8| bytes.min(u8x32::splat(end - 1)).simd_eq(bytes);
    let decimals = is_below(digits - u8x32::splat(b'0'), 10);
    let letters = is_below((digits | u8x32::splat(0x20)) - u8x32::splat(b'a'), 6);
    (decimals | letters).all()
}

fn pass_short_text(json: &mut Json<'_>, most: usize) -> Option<()> {
    let text = json.take_string()?;
    // An escape is longer than the character that it says.
    let is_short = text.raw.len() <= most || text.unless_escaped()?.chars().count() <= most;
    is_short.then_some(())
}

/// How a timestamp begins in the form in which it is exported, such as `2026-02-01T12:00:00.250Z`, with
/// the least digits; and by how much each byte may be more.
const MOMENT: [u8; 20] = *b"\"0000-00-00T00:00:00";
const MOMENT_MOST: [u8; 20] = [0, 9, 9, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9];

/// A timestamp in the form in which it is exported.
fn take_moment(json: &mut Json<'_>) -> Option<OffsetDateTime> {
    let text = json.ahead::<20>()?;
    json.pass(text.len());
    let mut digits = *text;
    // No way out before the end, as above.
    let mut beyond = 0;
    for ((digit, least), most) in digits.iter_mut().zip(MOMENT).zip(MOMENT_MOST) {
        *digit = digit.wrapping_sub(least);
        beyond |= u8::from(*digit > most);
    }
    (beyond == 0).then_some(())?;
    let [
        _,
        y3,
        y2,
        y1,
        y0,
        _,
        o1,
        o0,
        _,
        d1,
        d0,
        _,
        h1,
        h0,
        _,
        m1,
        m0,
        _,
        s1,
        s0,
    ] = digits;
    let two = |tens: u8, ones: u8| tens * 10 + ones;
    let year = i32::from(two(y3, y2)) * 100 + i32::from(two(y1, y0));
    let month = Month::try_from(two(o1, o0)).ok()?;
    let date = Date::from_calendar_date(year, month, two(d1, d0)).ok()?;
    let nanosecond = take_fraction(json)?;
    let time = Time::from_hms_nano(two(h1, h0), two(m1, m0), two(s1, s0), nanosecond).ok()?;
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
