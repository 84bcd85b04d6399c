//! How a client's own text is shown to it in a message.

/// The most characters of a value that a message repeats.
const MOST_CHARACTERS: usize = 64;

/// A client's value as a message shows it: quoted and escaped, cut to 64 characters, and not at all when it looks like
/// a signed URL, which a client may have put into the wrong field.
pub(super) fn shown(value: &str) -> String {
    if holds_signature(value) {
        return "a text with a signature (not repeated)".to_owned();
    }
    let mut text: String = value.chars().take(MOST_CHARACTERS).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    format!("{text:?}")
}

/// Whether a text looks like a shared access signature, or like a URL with one.
pub(super) fn holds_signature(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["sig=", "sig%3d"].iter().any(|mark| lower.contains(mark))
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
    fn a_signed_url_in_the_wrong_place_is_not_repeated() {
        for value in ["https://a/c?sv=1&sig=abc", "?SIG=abc", "sv%3D1%26sig%3Dabc"] {
            assert!(!shown(value).contains("abc"), "{value}");
        }
    }
}
