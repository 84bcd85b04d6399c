//! Halves of surrogate pairs, in raw JSON.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use memchr::memchr;
use serde::de::{Deserializer, Error, Visitor};

use crate::record::value::string_len;

/// The bytes of an escaped UTF-16 unit, such as `\ud83d`.
const UNIT_BYTES: usize = 6;

/// A well-formed raw value with U+FFFD in place of each half; `None` when it holds none.
pub(super) fn repair(raw: &str) -> Option<String> {
    if !may_hold_halves(raw.as_bytes()) {
        return None;
    }
    let mut repaired = String::new();
    let mut rest = raw;
    while let Some((before, half)) = next_half(rest) {
        repaired.push_str(before);
        repaired.push(char::REPLACEMENT_CHARACTER);
        rest = half.get(UNIT_BYTES..).unwrap_or_default();
    }
    let has_halves = rest.len() < raw.len();
    repaired.push_str(if has_halves { rest } else { "" });
    has_halves.then_some(repaired)
}

/// Whether there is anything like the escape of a half, be it one of a pair. Escapes of other kinds
/// are many in some texts: so no way out before the end, and the compiler looks at many bytes at
/// once.
fn may_hold_halves(json: &[u8]) -> bool {
    let Some(first) = memchr(b'\\', json) else {
        return false;
    };
    let from = |place: usize| json.get(first + place..).unwrap_or_default().iter();
    let found = from(0).zip(from(1)).zip(from(2)).zip(from(3));
    let found = found.fold(0, |found, (((&backslash, &u), &d), &digit)| {
        let is_escape = u8::from(backslash == b'\\') & u8::from(u == b'u');
        // The digits from 8 on, letters of either case included, are the greater bytes.
        found | is_escape & u8::from(d | 0x20 == b'd') & u8::from(digit >= b'8')
    });
    found != 0
}

/// Splits a text of whole escapes before its first half. Outside of strings there is no `\`.
fn next_half(raw: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    loop {
        at += memchr(b'\\', raw.as_bytes().get(at..)?)?;
        let (before, escape) = raw.split_at_checked(at)?;
        at += match unit(escape) {
            Some(0xD800..=0xDBFF) if is_low(escape.get(UNIT_BYTES..)) => 2 * UNIT_BYTES,
            Some(0xD800..=0xDFFF) => return Some((before, escape)),
            Some(_) => UNIT_BYTES,
            // The second byte may itself be a `\`.
            None => 2,
        };
    }
}

/// Whether the second half of a pair stands first.
fn is_low(escape: Option<&str>) -> bool {
    matches!(escape.and_then(unit), Some(0xDC00..=0xDFFF))
}

/// The UTF-16 unit whose escape stands first, if one does.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

/// Whether two keys of one object in a well-formed raw value differ, and no more once their halves
/// are repaired.
pub(in crate::record) fn keys_become_equal(raw: &str) -> bool {
    let mut objects: Vec<Vec<&str>> = Vec::new();
    let (mut rest, mut string) = (raw, "");
    while let Some(token) = rest.bytes().next() {
        let len = if token == b'"' {
            string_len(rest.as_bytes())
        } else {
            1
        };
        let (this, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
        match token {
            b'"' => string = this,
            b'{' | b'[' => objects.push(Vec::new()),
            // What stood before the colon was a key.
            b':' => objects
                .last_mut()
                .into_iter()
                .for_each(|keys| keys.push(string)),
            b'}' | b']' if objects.pop().is_some_and(|keys| some_become_equal(&keys)) => {
                return true;
            }
            _ => {}
        }
        rest = after;
    }
    false
}

/// Whether two of an object's keys become equal, given as raw strings.
fn some_become_equal(keys: &[&str]) -> bool {
    if !keys.iter().any(|key| next_half(key).is_some()) {
        return false;
    }
    let mut originals = HashMap::new();
    keys.iter().any(|key| {
        let whole = repair(key).and_then(|key| decode(&key));
        let original = decode(key);
        match originals.entry(whole.or_else(|| original.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(original);
                false
            }
            Entry::Occupied(entry) => *entry.get() != original,
        }
    })
}

/// The text of a raw string in WTF-8, which is UTF-8 that can hold halves: `serde_json` gives it
/// when bytes are asked for
/// (<https://docs.rs/serde_json/1/serde_json/struct.Deserializer.html#method.deserialize_bytes>).
fn decode(raw: &str) -> Option<Vec<u8>> {
    let mut json = serde_json::Deserializer::from_str(raw);
    json.deserialize_bytes(Bytes).ok()
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn each_half_becomes_one_replacement_character() {
        for (raw, expected) in [
            (r#""\ud83d""#, r#""�""#),
            (r#""\uDE00""#, r#""�""#),
            (r#""a\uD83Db""#, r#""a�b""#),
            (r#""\ud83d\ud83d""#, r#""��""#),
            (r#""\ud83d\ud83d\ude00""#, r#""�\ud83d\ude00""#),
            (r#""\ud83d\ude00\ude00""#, r#""\ud83d\ude00�""#),
            (r#""\ude00\ud83d""#, r#""��""#),
            (r#""\ude00\ud83d\ude00""#, r#""�\ud83d\ude00""#),
            (r#""\ud83d\\ude00""#, r#""�\\ude00""#),
            (r#""\ud83d\n\ude00""#, r#""�\n�""#),
            (r#""\ud83d\u0041\ude00""#, r#""�\u0041�""#),
            (r#""\\\ud83d\"\u00e9é""#, r#""\\�\"\u00e9é""#),
            (
                r#"{ "\udfff" : ["\udbff", {"k\udbff":1e2}] }"#,
                r#"{ "�" : ["�", {"k�":1e2}] }"#,
            ),
        ] {
            assert_eq!(repair(raw).as_deref(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn what_holds_no_half_is_left_alone() {
        for raw in [
            r#""""#,
            r#""\ud83d\ude00""#,
            r#""\uD83D\uDE00\udbff\uDFFF""#,
            r#""\\ud83d""#,
            r#""\\\\ud83d""#,
            r#""\ud7ff\ue000\u00e9\"\n""#,
            r#"{"a":[1,"\ud83d\ude00"]}"#,
        ] {
            assert_eq!(repair(raw), None, "{raw}");
        }
    }

    #[test]
    fn keys_become_equal_only_by_the_repair() {
        for (raw, equal) in [
            (r#"{"\ud800":1,"\udbff":2}"#, true),
            (r#"{"\ud800":1,"�":2}"#, true),
            (r#"{"\ufffd":1,"\udfff":2}"#, true),
            (r#"{"a":1,"x\ud800":1,"b":2,"\u0078\uFFFD":2}"#, true),
            (r#"{"x":[0,{"y":{"\ud800":{},"�":[]}}]}"#, true),
            (r#"{"\ud800":{"z":1},"�":2}"#, true),
            (r#"{"\ud800":[1],"�":2}"#, true),
            (r#"{"\ud800":1,"\uD800":2}"#, false),
            (r#"{"\ud800":1,"\ud800\ud800":2}"#, false),
            (r#"{"a":1,"a":2,"\ud800":3}"#, false),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"\ud800":"�","x":"\ud800"}"#, false),
            (r#"[{"\ud800":1},{"�":1}]"#, false),
            (r#"{"\ud800":{"�":1}}"#, false),
            (r#"{"\\ud800":1,"\ud800":2,"\\ufffd":3}"#, false),
            (r#"{"a":"\"\ud800\":1,","�":2}"#, false),
            (r#""\ud800""#, false),
        ] {
            assert_eq!(keys_become_equal(raw), equal, "{raw}");
        }
    }

    /// The plain way: the string's UTF-16 units, one by one.
    fn units(raw: &str) -> Vec<u16> {
        let inner = raw.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let mut symbols = inner.chars();
        let mut units = Vec::new();
        while let Some(symbol) = symbols.next() {
            let symbol = match (symbol, symbol == '\\') {
                (_, true) => match symbols.next().unwrap() {
                    'u' => {
                        let digits: String = symbols.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&digits, 16).unwrap());
                        continue;
                    }
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                },
                (symbol, false) => symbol,
            };
            units.extend(symbol.encode_utf16(&mut [0; 2]).iter());
        }
        units
    }

    fn raw_string() -> impl Strategy<Value = String> {
        let parts = select(vec![
            "\\ud83d", "\\uD83D", "\\uDbFf", "\\uD800", "\\ude00", "\\uDE00", "\\uDfFF", "\\udc00",
            "\\ud7ff", "\\ue000", "\\u0041", "\\\\", "\\\"", "\\/", "\\n", "\\t", "\\b", "\\f",
            "\\r", "ud83d", "u", "d", "é", "😀", "�", " ", "x",
        ]);
        vec(parts, 0..12).prop_map(|parts| format!("\"{}\"", parts.concat()))
    }

    proptest! {
        #[test]
        fn a_repaired_string_says_what_utf_16_says_of_it(raw in raw_string()) {
            let repaired = repair(&raw);
            let units = units(&raw);
            let has_halves = String::from_utf16(&units).is_err();
            prop_assert_eq!(repaired.is_some(), has_halves);
            let text = serde_json::from_str::<String>(repaired.as_deref().unwrap_or(&raw));
            prop_assert_eq!(text.unwrap(), String::from_utf16_lossy(&units));
            prop_assert_eq!(repaired.and_then(|whole| repair(&whole)), None, "nothing is left");
        }

        #[test]
        fn keys_are_compared_as_utf_16_says(names in vec(raw_string(), 0..5)) {
            let properties: Vec<_> = names.iter().map(|name| format!("{name}:0")).collect();
            let found = keys_become_equal(&format!("{{{}}}", properties.join(",")));
            let expected = names.iter().any(|one| names.iter().any(|other| {
                let (one, other) = (units(one), units(other));
                one != other && String::from_utf16_lossy(&one) == String::from_utf16_lossy(&other)
            }));
            prop_assert_eq!(found, expected);
        }
    }
}
