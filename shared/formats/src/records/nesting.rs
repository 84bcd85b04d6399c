//! How deep a text is nested, without a look at the rest of its grammar.

/// Where a text of JSON stands that is read a piece at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nesting {
    depth: u64,
    is_in_text: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Passes over a piece, to its end or behind the bracket that closes the outermost: then how many
    /// bytes that takes.
    pub(super) fn pass(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            if self.is_escaped {
                self.is_escaped = false;
                continue;
            }
            match (self.is_in_text, byte) {
                (true, b'\\') => self.is_escaped = true,
                (_, b'"') => self.is_in_text = !self.is_in_text,
                (false, b'{' | b'[') => self.depth += 1,
                (false, b'}' | b']') if self.depth <= 1 => return Some(at + 1),
                (false, b'}' | b']') => self.depth -= 1,
                (true | false, _) => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_ends_with_its_outermost_brace_however_it_comes() {
        let text = br#"{"a":"}\\\"}]","b":[{"c":{}}],"d":"\\"}{"e":1}"#;
        let end = text.len() - br#"{"e":1}"#.len();
        for cut in 0..end {
            let (one, other) = text.split_at(cut);
            let mut nesting = Nesting::default();
            assert_eq!(nesting.pass(one), None, "cut at {cut}");
            assert_eq!(nesting.pass(other), Some(end - cut), "cut at {cut}");
        }
        assert_eq!(Nesting::default().pass(b"{\"a\":\"}}"), None);
    }
}
