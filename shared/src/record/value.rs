//! Raw JSON values, taken apart without a tree.

use std::borrow::Cow;

use memchr::memchr;

/// The text of a raw JSON string; `None` when it is no string, or holds an escape that is no character.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    match memchr(b'\\', inner.as_bytes()) {
        None => Some(Cow::Borrowed(inner)),
        Some(_) => serde_json::from_str(raw).ok().map(Cow::Owned),
    }
}

/// Writes a well-formed raw JSON value without the white space between its tokens.
pub fn write_compact(raw: &str, out: &mut Vec<u8>) {
    let mut rest = raw.as_bytes();
    while let Some(quote) = memchr(b'"', rest) {
        let (between, from_quote) = rest.split_at(quote);
        out.extend(between.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let (string, after) = from_quote.split_at(string_len(from_quote));
        out.extend_from_slice(string);
        rest = after;
    }
    out.extend(rest.iter().filter(|byte| !byte.is_ascii_whitespace()));
}

/// How many properties a well-formed raw JSON object has; `None` when one of them is itself an object or an array.
pub fn flat_properties(object: &str) -> Option<usize> {
    let mut rest = object.strip_prefix('{')?.as_bytes();
    let mut properties = 0;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'"' => {
                rest = rest.split_at(string_len(rest)).1;
                continue;
            }
            b'{' | b'[' => return None,
            b':' => properties += 1,
            _ => {}
        }
        rest = after;
    }
    Some(properties)
}

/// The length in bytes of the JSON string that `json` begins with, quotes included.
fn string_len(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(json.len(), |inner| inner + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_strings_stay() {
        let mut out = Vec::new();
        write_compact(" { \"a \\\" b\" : [ 1 ,\t\"\\\\\" , 2.50 ] , \"c\":null } ", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a \" b":[1,"\\",2.50],"c":null}"#);
    }

    #[test]
    fn properties_are_counted_outside_strings() {
        assert_eq!(flat_properties("{}"), Some(0));
        assert_eq!(flat_properties(r#"{"a:b":"{[:\"","c" : null}"#), Some(2));
        assert_eq!(flat_properties(r#"{"a":[]}"#), None);
        assert_eq!(flat_properties(r#"{"a":{"b":1}}"#), None);
    }

    #[test]
    fn a_string_with_half_a_surrogate_pair_is_no_text() {
        assert_eq!(text(r#""\ud83d\ude00""#).as_deref(), Some("😀"));
        assert_eq!(text(r#""\ud83d""#), None);
        assert_eq!(text("7"), None);
    }
}
