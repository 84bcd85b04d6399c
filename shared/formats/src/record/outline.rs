//! What a raw value is like, as far as its limits are concerned: at a glance, and exactly.

use memchr::{memchr, memchr2};

use crate::record::value::string_len;

/// The fewest digits of a number without an exponent that may lie beyond a double: the greatest
/// one has 309 (<https://doc.rust-lang.org/std/primitive.f64.html#associatedconstant.MAX>).
const DIGITS_BEYOND_DOUBLE: usize = 309;

/// The fewest digits with which an exponent of two digits can lead beyond a double.
const MANY_DIGITS: usize = DIGITS_BEYOND_DOUBLE - 99;

/// How many bytes are looked at together: what is counted of them fits into a byte.
const PORTION: usize = 128;

/// What a well-formed raw JSON value is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// How many objects and arrays lie in each other where most do; none in a scalar.
    pub(super) levels: usize,
    /// The properties of all its objects.
    pub(super) properties: usize,
    /// Whether a number lies beyond a double: common readers make infinity of it, or an error.
    pub(super) beyond_double: bool,
}

impl Outline {
    /// An outline that may say too much and never too little: what looks like JSON within a string
    /// counts, too. It takes a tenth of the time of the exact one, and mostly suffices.
    pub(super) fn at_a_glance(raw: &str) -> Self {
        let json = raw.as_bytes();
        let mut outline = Self {
            beyond_double: has_long_exponent(json) || has_many_digits(json),
            ..Self::default()
        };
        for bytes in json.chunks(PORTION) {
            let (brackets, colons) = count_opening(bytes);
            outline.levels += usize::from(brackets);
            outline.properties += usize::from(colons);
        }
        outline
    }

    /// The outline without what only looks like JSON, within strings.
    pub(super) fn exact(raw: &str) -> Self {
        let mut outline = Self::default();
        let mut open = 0;
        let mut rest = raw.as_bytes();
        while let Some(quote) = memchr(b'"', rest) {
            let (between, from_quote) = rest.split_at(quote);
            outline.add_tokens(between, &mut open);
            rest = from_quote.split_at(string_len(from_quote)).1;
        }
        outline.add_tokens(rest, &mut open);
        outline
    }

    /// Adds what lies between two strings, with so many objects and arrays `open`.
    fn add_tokens(&mut self, json: &[u8], open: &mut usize) {
        for byte in json {
            match byte {
                b':' => self.properties += 1,
                b'{' | b'[' => {
                    *open += 1;
                    self.levels = self.levels.max(*open);
                }
                b'}' | b']' => *open = open.saturating_sub(1),
                _ => {}
            }
        }
        let mut numbers =
            json.split(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        self.beyond_double |= numbers.any(is_beyond_double);
    }
}

/// How many opening brackets and colons there are. No way out before the end: so the compiler looks
/// at many bytes at once.
fn count_opening(bytes: &[u8]) -> (u8, u8) {
    bytes.iter().fold((0, 0), |(brackets, colons), byte| {
        // `[` and `{` differ in this bit.
        let bracket = u8::from(byte | 0x20 == b'{');
        (brackets + bracket, colons + u8::from(*byte == b':'))
    })
}

/// Whether there is anything like an exponent of three digits, or with a plus: without one, only
/// many digits lead beyond a double. No way out before the end here, either.
fn has_long_exponent(json: &[u8]) -> bool {
    let digit = |byte: u8| u8::from(byte.wrapping_sub(b'0') < 10);
    let from = |place| json.get(place..).unwrap_or_default().iter();
    let found = from(0).zip(from(1)).zip(from(2)).zip(from(3)).zip(from(4));
    let found = found.fold(0, |found, ((((&mantissa, &e), &sign), &tens), &ones)| {
        let e = u8::from(e | 0x20 == b'e');
        let sign = digit(sign) | u8::from(sign == b'+');
        found | digit(mantissa) & e & sign & digit(tens) & digit(ones)
    });
    found != 0
}

/// Whether many digits stand in a row.
fn has_many_digits(json: &[u8]) -> bool {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    // One of these places lies in every such row.
    let mut places = (0..json.len()).step_by(MANY_DIGITS);
    places.any(|at| {
        let (before, after) = json.split_at(at);
        let before = before.iter().rev().take(MANY_DIGITS).take_while(is_digit);
        let after = after.iter().take(MANY_DIGITS).take_while(is_digit);
        before.count() + after.count() >= MANY_DIGITS
    })
}

/// Whether it is a number beyond a double.
fn is_beyond_double(number: &[u8]) -> bool {
    let may_be = number.len() >= DIGITS_BEYOND_DOUBLE || memchr2(b'e', b'E', number).is_some();
    let number = std::str::from_utf8(number).ok().filter(|_| may_be);
    number.is_some_and(|it| it.parse().is_ok_and(f64::is_infinite))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn levels_and_properties_are_counted_outside_strings() {
        for (raw, levels, properties) in [
            ("7", 0, 0),
            (r#""{[:""#, 0, 0),
            ("{}", 1, 0),
            (r#"{"a:b":"{[:\"","c" : null}"#, 1, 2),
            (r#"{"a":[]}"#, 2, 1),
            (r#"{"a":{"b":1},"c":[[{"d":1}],[]]}"#, 4, 4),
            ("[[],[],[]]", 2, 0),
        ] {
            let outline = Outline::exact(raw);
            let glance = Outline::at_a_glance(raw);
            assert!(
                glance.levels >= levels && glance.properties >= properties,
                "{raw}"
            );
            assert_eq!(
                (outline.levels, outline.properties),
                (levels, properties),
                "{raw}"
            );
        }
    }

    #[test]
    fn a_number_beyond_a_double_is_found_wherever_it_stands() {
        let (most, many) = ("1".repeat(308), "2".repeat(309));
        let small = format!("0.{}", "0".repeat(400));
        for (number, beyond) in [
            ("0", false),
            ("true", false),
            ("1e308", false),
            ("1.7976931348623157e308", false),
            ("-1.7976931348623157E+308", false),
            ("1.7976931348623159e308", true),
            ("1e400", true),
            ("-1E400", true),
            ("1e99999999999999999999", true),
            ("0e99999999999999999999", false),
            ("1e-99999999999999999999", false),
            ("12.5e307", false),
            (&most, false),
            (&format!("1{}", "0".repeat(308)), false),
            (&many, true),
            (&format!("-{many}.5"), true),
            (&small, false),
        ] {
            for raw in [
                number.to_owned(),
                format!("[true,{number} ,false]"),
                format!(r#"{{"1e400":["1e400",{{"a" : {number}}}]}}"#),
            ] {
                assert_eq!(Outline::exact(&raw).beyond_double, beyond, "{raw}");
                let at_a_glance = Outline::at_a_glance(&raw).beyond_double;
                assert!(at_a_glance || !beyond, "{raw}");
            }
        }
    }

    #[test]
    fn an_ordinary_object_is_told_at_a_glance() {
        let raw = r#"{"a":1.5e-7,"b":"x:","c":"4e5f","d":true,"e":12345678901234567890}"#;
        let glance = Outline::at_a_glance(raw);
        assert_eq!(
            (glance.levels, glance.properties),
            (1, 6),
            "one colon is within a string"
        );
        assert!(!glance.beyond_double);
    }

    proptest! {
        #[test]
        fn a_glance_never_says_too_little(
            parts in vec(r#"[\[{]{0,40}|[:, ]{0,200}|"([^"\\]|\\["\\u])*"|[]}]{0,9}|-?[0-9]{1,4}|1[eE]\+?[0-9]{1,4}|[1-9][0-9]{205,315}(e[0-9]{1,3})?"#, 0..40),
        ) {
            let raw = parts.join(" ");
            let (glance, exact) = (Outline::at_a_glance(&raw), Outline::exact(&raw));
            prop_assert!(glance.levels >= exact.levels);
            prop_assert!(glance.properties >= exact.properties);
            prop_assert!(glance.beyond_double || !exact.beyond_double);
        }

        #[test]
        fn a_number_is_beyond_a_double_when_it_parses_to_infinity(
            number in r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?|-?[1-9][0-9]{300,320}",
        ) {
            let is_infinite = number.parse::<f64>().unwrap().is_infinite();
            for raw in [format!("[{number}]"), number] {
                prop_assert_eq!(Outline::exact(&raw).beyond_double, is_infinite);
                prop_assert!(Outline::at_a_glance(&raw).beyond_double || !is_infinite);
            }
        }
    }
}
