//! Numbers in sentences: "1 chunk is", "2 chunks are".

/// The word that agrees with a count: `one` for one, `many` for none and for several.
pub fn agree<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// A count and its noun, which takes an `s` unless it is one: "1 file", "0 files".
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", agree(count, "", "s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_every_other_number_plural() {
        let said = [0, 1, 2, 1_001]
            .map(|count| format!("{} {}", counted(count, "chunk"), agree(count, "is", "are")));
        assert_eq!(
            said,
            [
                "0 chunks are",
                "1 chunk is",
                "2 chunks are",
                "1001 chunks are"
            ]
        );
    }
}
