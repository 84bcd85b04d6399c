//! How long, as people write it: `90`, `90s`, `15m`, `2h`, `1d`.

use std::time::Duration;

/// Reads a length of time; a number alone is of seconds.
///
/// # Errors
/// What it should look like.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let seconds = match unit.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().filter(|_| seconds > 0);
    let length = number.and_then(|number| number.checked_mul(seconds));
    length
        .map(Duration::from_secs)
        .ok_or_else(|| "give a number of seconds, or one such as 90s, 15m, 2h, 1d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7_200),
            ("1 d", 86_400),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "m",
            "-1",
            "1.5h",
            "1w",
            "99999999999999999999",
            "99999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
