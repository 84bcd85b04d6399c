//! Timestamps as the raw data spells them.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Reads a timestamp: a date, alone or followed by `T` or a space, a time of day with up to nine
/// decimals of a second, and a zone (`Z` or `±hh:mm`). Without a time it is midnight, without a
/// zone UTC.
///
/// `None` when it is spelled otherwise or no such moment exists. The answer is in UTC.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = parse_date(date)?;
    if rest.is_empty() {
        return Some(date.midnight().assume_utc());
    }
    let (clock, zone) = split_zone(rest.strip_prefix(['T', ' '])?);
    let clock = if clock.is_empty() {
        Time::MIDNIGHT
    } else {
        parse_clock(clock)?
    };
    let zone = if zone.is_empty() {
        UtcOffset::UTC
    } else {
        parse_zone(zone)?
    };
    PrimitiveDateTime::new(date, clock)
        .assume_offset(zone)
        .checked_to_offset(UtcOffset::UTC)
}

/// Reads a date, `YYYY-MM-DD`; `None` when it is spelled otherwise or no such day exists.
pub fn parse_date(text: &str) -> Option<Date> {
    let (year, month, day) = triple(text.split_at_checked(4)?, '-')?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(year.cast_signed(), month, u8::try_from(day).ok()?).ok()
}

/// Splits a time of day from the zone behind it, which may be empty.
fn split_zone(text: &str) -> (&str, &str) {
    match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

fn parse_clock(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_at_checked(8)?;
    let (hour, minute, second) = triple(clock.split_at_checked(2)?, ':')?;
    let nanosecond = if fraction.is_empty() {
        0
    } else {
        nanoseconds(fraction.strip_prefix('.')?)?
    };
    let [hour, minute, second] = [hour, minute, second].map(u8::try_from);
    Time::from_hms_nano(hour.ok()?, minute.ok()?, second.ok()?, nanosecond).ok()
}

fn parse_zone(text: &str) -> Option<UtcOffset> {
    if text == "Z" {
        return Some(UtcOffset::UTC);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hour, minute) = text.get(1..)?.split_once(':')?;
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    if hour > 23 || minute > 59 {
        return None;
    }
    UtcOffset::from_hms(sign * hour, sign * minute, 0).ok()
}

fn two_digits(text: &str) -> Option<i8> {
    if text.len() == 2 {
        i8::try_from(number(text)?).ok()
    } else {
        None
    }
}

/// Reads `first`, and `<separator>dd<separator>dd` behind it.
fn triple((first, rest): (&str, &str), separator: char) -> Option<(u32, u32, u32)> {
    let (second, third) = rest.strip_prefix(separator)?.split_at_checked(2)?;
    let third = third.strip_prefix(separator)?;
    if third.len() == 2 {
        Some((number(first)?, number(second)?, number(third)?))
    } else {
        None
    }
}

/// The decimals of a second, as nanoseconds.
fn nanoseconds(decimals: &str) -> Option<u32> {
    if decimals.is_empty() {
        return Some(0);
    }
    let scale = 10_u32.checked_pow(9_u32.checked_sub(u32::try_from(decimals.len()).ok()?)?)?;
    number(decimals)?.checked_mul(scale)
}

/// A number of at most nine digits, and nothing but digits.
fn number(digits: &str) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.bytes().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn every_spelling_of_a_moment_is_that_moment() {
        let noon = datetime!(2026-02-28 12:00 UTC);
        for text in [
            "2026-02-28T12:00:00Z",
            "2026-02-28 12:00:00Z",
            "2026-02-28T12:00:00",
            "2026-02-28T12:00:00.Z",
            "2026-02-28T12:00:00.000000000+00:00",
            "2026-02-28T23:30:00+11:30",
            "2026-02-28T01:00:00-11:00",
        ] {
            assert_eq!(parse(text), Some(noon), "{text}");
        }
        assert_eq!(
            parse("2026-02-28T12:00:00.1"),
            Some(noon + time::Duration::milliseconds(100))
        );
        assert_eq!(
            parse("2026-02-28T12:00:00.123456789Z"),
            Some(noon + time::Duration::nanoseconds(123_456_789))
        );
    }

    #[test]
    fn a_date_alone_is_midnight() {
        let midnight = datetime!(2026-02-28 0:00 UTC);
        for text in [
            "2026-02-28",
            "2026-02-28T",
            "2026-02-28 Z",
            "2026-02-28T+00:00",
        ] {
            assert_eq!(parse(text), Some(midnight), "{text}");
        }
    }

    #[test]
    fn an_offset_can_move_a_moment_to_another_day() {
        assert_eq!(
            parse("2026-03-01T00:30:00+01:00"),
            Some(datetime!(2026-02-28 23:30 UTC))
        );
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2026",
            "2026-02-30T12:00:00Z",
            "2026-13-01",
            "2026-2-28",
            "26-02-28",
            "2026-02-28t12:00:00Z",
            "2026-02-28T12:00Z",
            "2026-02-28T24:00:00Z",
            "2026-02-28T12:60:00Z",
            "2026-02-28T12:00:60Z",
            "2026-02-28T12:00:00,5Z",
            "2026-02-28T12:00:00.1234567890Z",
            "2026-02-28T12:00:00z",
            "2026-02-28T12:00:00+24:00",
            "2026-02-28T12:00:00+01:60",
            "2026-02-28T12:00:00+0100",
            "2026-02-28T12:00:00+01",
            "2026-02-28T12:00:00Z ",
            "0000-01-01T00:00:00+23:59x",
            "9999-12-31T23:59:59-23:59",
            "２026-02-28",
            "2026-02-2８",
            "+026-02-28",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
