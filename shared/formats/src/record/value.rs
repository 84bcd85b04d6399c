//! Raw JSON values, taken apart without a tree.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The text of a raw JSON string; `None` when it is no string, or holds an escape that is no
/// character.
pub fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    match memchr(b'\\', inner.as_bytes()) {
        None => Some(Cow::Borrowed(inner)),
        Some(_) => serde_json::from_str(raw).ok().map(Cow::Owned),
    }
}

/// Writes a well-formed raw JSON value without the white space between its tokens.
pub(crate) fn write_compact(raw: &str, out: &mut Vec<u8>) {
    let mut rest = raw.as_bytes();
    while let Some(quote) = memchr(b'"', rest) {
        let (between, from_quote) = rest.split_at(quote);
        write_tokens(between, out);
        let (string, after) = from_quote.split_at(string_len(from_quote));
        out.extend_from_slice(string);
        rest = after;
    }
    write_tokens(rest, out);
}

/// Writes what lies between two strings, without its white space.
fn write_tokens(json: &[u8], out: &mut Vec<u8>) {
    if json.iter().any(u8::is_ascii_whitespace) {
        out.extend(json.iter().filter(|byte| !byte.is_ascii_whitespace()));
    } else {
        out.extend_from_slice(json);
    }
}

/// The length in bytes of the well-formed JSON string that `json` begins with, quotes included.
pub(super) fn string_len(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(rest) = json.get(at..) {
        match memchr2(b'"', b'\\', rest) {
            Some(found) if rest.get(found) == Some(&b'"') => return at + found + 1,
            Some(escape) => at += escape + 2,
            None => break,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_strings_stay() {
        let mut out = Vec::new();
        write_compact(
            " { \"a \\\" b\" : [ 1 ,\t\"\\\\\" , 2.50 ] , \"c\":null } ",
            &mut out,
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a \" b":[1,"\\",2.50],"c":null}"#
        );
    }

    #[test]
    fn a_string_with_half_a_surrogate_pair_is_no_text() {
        assert_eq!(text(r#""\ud83d\ude00""#).as_deref(), Some("😀"));
        assert_eq!(text(r#""\ud83d""#), None);
        assert_eq!(text("7"), None);
    }
}
