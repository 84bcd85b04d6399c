//! Reasons as they are kept: in bounded length.

/// The beginning of a text, of at most so many characters, and `…` when that is not all of it.
pub fn bounded(text: &str, most_chars: usize) -> String {
    let mut kept: String = text.chars().take(most_chars).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut_and_says_so() {
        for (text, expected) in [("", ""), ("täg", "täg"), ("täge", "täg…")] {
            assert_eq!(bounded(text, 3), expected);
        }
    }
}
