//! How a client's own text is shown to it in a message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// The most characters of a value that a message repeats.
const MOST_CHARACTERS: usize = 64;

/// How often a text is percent-decoded on the search for a signature: a URL within a URL within a
/// URL.
const MOST_DECODINGS: usize = 3;

/// The bytes of a signature, which is an HMAC-SHA256
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas#specify-the-signature>).
const SIGNATURE_BYTES: usize = 32;

/// A client's value as a message shows it: quoted and escaped, cut to 64 characters, and not at all
/// when it looks like a signature or a signed URL, which a client may have put into the wrong
/// field.
pub(super) fn shown(value: &str) -> String {
    quoted(value, |value| {
        let mut text: String = value.chars().take(MOST_CHARACTERS).collect();
        if text.len() < value.len() {
            text.push('…');
        }
        text
    })
}

/// The same of a path, which says at its end what is asked for: cut at its beginning.
pub(super) fn shown_path(path: &str) -> String {
    quoted(path, |path| {
        let behind = path.char_indices().rev().nth(MOST_CHARACTERS - 1);
        let end = behind.and_then(|(at, _)| path.get(at..)).unwrap_or(path);
        let cut = if end.len() < path.len() { "…" } else { "" };
        format!("{cut}{end}")
    })
}

fn quoted(value: &str, cut: impl FnOnce(&str) -> String) -> String {
    if holds_signature(value) {
        return "a text with a signature (not repeated)".to_owned();
    }
    format!("{:?}", cut(value))
}

/// Whether a text looks like a shared access signature, or like a URL or an object with one,
/// however often it is percent-encoded and however short the signature is.
pub(super) fn holds_signature(text: &str) -> bool {
    let mut text = text.to_owned();
    for _ in 0..MOST_DECODINGS {
        if names_signature(&text) || is_signature(&text) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    names_signature(&text) || is_signature(&text)
}

/// Whether `sig` stands in front of a value: in a query, a form, or an object.
fn names_signature(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("sig").any(|(at, name)| {
        let rest = lower.get(at + name.len()..).unwrap_or_default();
        rest.trim_start_matches(['"', '\'', '\\', ' '])
            .starts_with(['=', ':'])
    })
}

/// Whether the text is a signature alone.
fn is_signature(text: &str) -> bool {
    STANDARD
        .decode(text.trim())
        .is_ok_and(|bytes| bytes.len() == SIGNATURE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_at_a_character() {
        assert_eq!(shown(&"ü".repeat(65)), format!("\"{}…\"", "ü".repeat(64)));
        assert_eq!(shown("line\nbreak"), r#""line\nbreak""#);
    }

    #[test]
    fn a_long_path_is_shown_by_its_end() {
        let short = format!("/{}", "ü".repeat(63));
        assert_eq!(shown_path(&short), format!("{short:?}"));
        assert_eq!(shown_path(&format!("/a{short}")), format!("\"…{short}\""));
        assert!(!shown_path("/a?sig=abc").contains("abc"));
    }

    #[test]
    fn a_signature_in_the_wrong_place_is_not_repeated_however_short() {
        for value in [
            "https://a/c?sv=1&sig=abc",
            "?SIG=abc",
            "sig=abc",
            "sig =abc",
            "sv%3D1%26sig%3Dabc",
            "sv%253D1%2526sig%253Dabc",
            "%73ig=abc",
            r#"{"sig":"abc"}"#,
            r#"{\"sig\": \"abc\"}"#,
            "amp;sig=abc",
        ] {
            assert!(!shown(value).contains("abc"), "{value}");
        }
    }

    #[test]
    fn a_signature_alone_is_not_repeated() {
        let signature = STANDARD.encode([0xfb; SIGNATURE_BYTES]);
        let encoded = signature
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        for value in [signature.as_str(), &encoded, &format!(" {signature} ")] {
            assert!(shown(value).contains("not repeated"), "{value}");
        }
    }

    #[test]
    fn other_texts_are_shown() {
        for value in ["design", "sigma", "a=b", "signal: 3", "2016-02-30", "Zm9v"] {
            assert_eq!(shown(value), format!("{value:?}"));
        }
    }
}
