//! What a record of the source is to look like in a file, found out the slow way: this shares no
//! code with the service, so that what judges an export does not have the mistakes of what wrote it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// The fields that hold a moment.
pub(crate) const MOMENTS: [&str; 3] = ["timestamp", "start", "end"];

/// The character that stands for what is none.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// The raw values of a record, by field, as a file has them: moments in one form, and no half
/// surrogates. All else is as it was.
///
/// # Errors
/// When it is no JSON object.
pub fn as_exported(record: &str) -> Result<BTreeMap<String, Box<RawValue>>, serde_json::Error> {
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&without_halves(record))?;
    for name in MOMENTS {
        let Some(raw) = fields.get_mut(name) else {
            continue;
        };
        if let Some(moment) = in_one_form(raw.get()) {
            *raw = RawValue::from_string(moment)?;
        }
    }
    Ok(fields)
}

/// A moment as RFC 3339 in UTC, with the digits of its fraction; `None` when it is none.
fn in_one_form(raw: &str) -> Option<String> {
    let text: String = serde_json::from_str(raw).ok()?;
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.trim_start_matches(['T', ' ']);
    let (clock, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let or = |text: &str, default: &str| {
        if text.is_empty() {
            default.to_owned()
        } else {
            text.to_owned()
        }
    };
    let whole = format!("{date}T{}{}", or(clock, "00:00:00"), or(zone, "Z"));
    let moment = OffsetDateTime::parse(&whole, &Rfc3339).ok()?;
    let utc = moment.to_offset(UtcOffset::UTC).format(&Rfc3339).ok()?;
    let seconds = utc.strip_suffix('Z')?;
    Some(match fraction {
        "" => format!("\"{seconds}Z\""),
        digits => format!("\"{seconds}.{digits}Z\""),
    })
}

/// JSON in which every escape of half a surrogate pair is U+FFFD.
fn without_halves(json: &str) -> String {
    let symbols: Vec<char> = json.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    while let Some(symbol) = symbols.get(at) {
        let here = unit(&symbols, at);
        match (here, unit(&symbols, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.extend(symbols.iter().skip(at).take(12));
                at += 12;
            }
            (Some(0xd800..=0xdfff), _) => {
                out.push(REPLACEMENT);
                at += 6;
            }
            _ if *symbol == '\\' => {
                // Whatever is escaped is not the beginning of an escape.
                out.extend(symbols.iter().skip(at).take(2));
                at += 2;
            }
            _ => {
                out.push(*symbol);
                at += 1;
            }
        }
    }
    out
}

/// The UTF-16 unit whose escape stands there.
fn unit(symbols: &[char], at: usize) -> Option<u32> {
    let [backslash, 'u', digits @ ..] = symbols.get(at..at + 6)? else {
        return None;
    };
    if *backslash != '\\' {
        return None;
    }
    u32::from_str_radix(&digits.iter().collect::<String>(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_moment_comes_to_one_form() {
        for (given, form) in [
            ("2026-02-01", "2026-02-01T00:00:00Z"),
            ("2026-02-01T", "2026-02-01T00:00:00Z"),
            ("2026-02-01 +01:00", "2026-01-31T23:00:00Z"),
            ("2026-02-01 10:00:00.", "2026-02-01T10:00:00Z"),
            ("2026-02-01T10:00:00.500-00:30", "2026-02-01T10:30:00.500Z"),
        ] {
            let raw = format!("\"{given}\"");
            assert_eq!(in_one_form(&raw), Some(format!("\"{form}\"")), "{given}");
        }
        assert_eq!(in_one_form("\"2026-02-30\""), None);
    }

    #[test]
    fn half_pairs_are_replaced_and_whole_ones_and_their_likes_are_not() {
        assert_eq!(
            without_halves(r#"{"\ud83d":"\uDE00 \ud83d\ude00 \\ud83d \ud83d\ud83d\ude00"}"#),
            "{\"\u{fffd}\":\"\u{fffd} \\ud83d\\ude00 \\\\ud83d \u{fffd}\\ud83d\\ude00\"}"
        );
    }
}
