//! Reasons as they are kept: in bounded length.

/// A text of at most so many characters: when that is not all of it, its beginning and its end, where
/// paths have the names, with `…` between.
pub fn bounded(text: &str, most_chars: usize) -> String {
    let length = text.chars().count();
    if length <= most_chars {
        return text.to_owned();
    }
    let end = most_chars / 2;
    let begin = text.chars().take(most_chars - end);
    let end = text.chars().skip(length - end);
    begin.chain(['…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut_in_its_middle_and_says_so() {
        for (text, expected) in [
            ("", ""),
            ("täg", "täg"),
            ("tägö", "tä…ö"),
            ("12345678", "12…8"),
        ] {
            assert_eq!(bounded(text, 3), expected);
        }
    }
}
