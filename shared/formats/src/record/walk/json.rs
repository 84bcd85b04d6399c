//! Strict JSON, token by token, without a tree and without a copy. Every answer but the last says
//! "as expected": what is wrong is somebody else's to find out.

use wide::u8x16;

/// How many bytes are looked at together.
const BLOCK: usize = 16;

/// The most bytes of a number without an exponent that is a double without a closer look.
const PLAIN_NUMBER: usize = 300;

/// A place in a text of JSON. It is handed on by value where it must not be looked up in memory: what
/// is passed mostly is passed in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<'a> {
    text: &'a str,
    /// What is behind the place.
    rest: &'a [u8],
    /// The end of the last white space that was passed.
    space_end: usize,
}

/// A string without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawString<'a> {
    /// As it is spelled.
    pub(super) raw: &'a str,
    has_escapes: bool,
}

impl<'a> RawString<'a> {
    /// What it says, when that is what it spells.
    pub(super) fn unless_escaped(self) -> Option<&'a str> {
        (!self.has_escapes).then_some(self.raw)
    }
}

impl<'a> Json<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.as_bytes(),
            space_end: 0,
        }
    }

    /// Goes on from a later place. It is not assigned as a whole: what is written to by a call stays in memory.
    pub(super) fn go_to(&mut self, behind: Self) {
        self.rest = behind.rest;
        self.space_end = behind.space_end;
    }

    pub(super) fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was passed since a place.
    pub(super) fn since(&self, begin: usize) -> Option<&'a str> {
        self.text.get(begin..self.at())
    }

    /// Whether no white space was passed since a place.
    pub(super) fn is_compact_since(&self, begin: usize) -> bool {
        self.space_end <= begin
    }

    /// The bytes that come next, if there are so many.
    pub(super) fn ahead<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.rest.first_chunk()
    }

    pub(super) fn pass(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next byte.
    pub(super) fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// The next byte that is no white space.
    pub(super) fn next_token(&mut self) -> Option<u8> {
        self.pass_space();
        self.next()
    }

    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    pub(super) fn take_all(&mut self, token: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    pub(super) fn pass_space(&mut self) {
        // Mostly there is none, and what else comes next is larger.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.go_to(self.behind_space());
        }
    }

    #[cold]
    fn behind_space(mut self) -> Self {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
            self.space_end = self.at();
        }
        self
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    pub(super) fn take_string(&mut self) -> Option<RawString<'a>> {
        let begin = self.at() + 1;
        let has_escapes = self.pass_string()?;
        let raw = self.text.get(begin..self.at() - 1)?;
        Some(RawString { raw, has_escapes })
    }

    /// Passes a string: whether it has escapes.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    pub(super) fn pass_string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        self.pass_plain()?;
        if self.peek()? == b'"' {
            self.pass(1);
            return Some(false);
        }
        self.go_to(self.behind_escaped()?);
        Some(true)
    }

    /// What is behind a string, at its first escape.
    #[inline(never)]
    fn behind_escaped(mut self) -> Option<Self> {
        loop {
            match self.next()? {
                b'"' => return Some(self),
                b'\\' => self.pass_escape()?,
                // A control character.
                _ => return None,
            }
            self.pass_plain()?;
        }
    }

    /// Passes what a string spells as itself, up to what it does not: a quote, a backslash, a control
    /// character.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    fn pass_plain(&mut self) -> Option<()> {
        while let Some((block, rest)) = self.rest.split_first_chunk::<BLOCK>() {
            let stops = stops(*block);
            if stops != 0 {
                self.pass(stops.trailing_zeros() as usize % BLOCK);
                return Some(());
            }
            self.rest = rest;
        }
        self.rest = plain_at_end(self.rest)?;
        Some(())
    }

    /// Passes the rest of an escape, unless it is half of a surrogate pair.
    fn pass_escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.take_unit()? {
                0xD800..=0xDBFF => {
                    self.take_all(b"\\u")?;
                    matches!(self.take_unit()?, 0xDC00..=0xDFFF).then_some(())
                }
                0xDC00..=0xDFFF => None,
                _ => Some(()),
            },
            _ => None,
        }
    }

    /// The four hex digits of an escaped UTF-16 unit.
    fn take_unit(&mut self) -> Option<u32> {
        let digits = self.ahead::<4>()?;
        self.pass(digits.len());
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        digits
            .iter()
            .try_fold(0, |unit, byte| Some(unit << 4 | digit(byte)?))
    }

    /// A number that a double holds, as it is spelled.
    pub(super) fn take_number(&mut self) -> Option<&'a str> {
        let begin = self.at();
        self.pass_number()?;
        self.since(begin)
    }

    /// Passes a number that a double holds.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    fn pass_number(&mut self) -> Option<()> {
        let begin = self.at();
        if self.peek()? == b'-' {
            self.pass(1);
        }
        let is_zero = self.peek()? == b'0';
        let digits = self.pass_digits()?;
        if is_zero && digits > 1 {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.pass(1);
            self.pass_digits()?;
        }
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent || self.at() - begin > PLAIN_NUMBER {
            self.go_to(self.behind_unusual_number(begin)?);
        }
        Some(())
    }

    /// What is behind a number that begins there, of which all but the exponent is passed.
    #[cold]
    fn behind_unusual_number(mut self, begin: usize) -> Option<Self> {
        if let Some(b'e' | b'E') = self.peek() {
            self.pass(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.pass(1);
            }
            self.pass_digits()?;
        }
        let number = self.since(begin)?.parse::<f64>();
        number.is_ok_and(f64::is_finite).then_some(self)
    }

    /// Passes at least one digit: how many.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    fn pass_digits(&mut self) -> Option<usize> {
        let begin = self.rest.len();
        while let Some((word, rest)) = self.rest.split_first_chunk() {
            let others = no_digits(*word);
            if others != 0 {
                self.pass(others.trailing_zeros() as usize / 8);
                return (self.rest.len() < begin).then(|| begin - self.rest.len());
            }
            self.rest = rest;
        }
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
        (self.rest.len() < begin).then(|| begin - self.rest.len())
    }

    /// Passes a string, number, boolean or null.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    pub(super) fn pass_scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.pass_string().map(|_| ()),
            b'0'..=b'9' | b'-' => self.pass_number(),
            b't' => self.take_all(b"true"),
            b'f' => self.take_all(b"false"),
            b'n' => self.take_all(b"null"),
            _ => None,
        }
    }

    /// Passes any value in which objects and arrays lie in each other at so many `levels` at most.
    pub(super) fn pass_value(&mut self, levels: usize) -> Option<()> {
        if let b'{' | b'[' = self.peek()? {
            self.go_to(self.behind_nested(levels)?);
            return Some(());
        }
        self.pass_scalar()
    }

    /// What is behind an object or array.
    fn behind_nested(mut self, levels: usize) -> Option<Self> {
        let within = levels.checked_sub(1)?;
        if self.peek()? == b'{' {
            self.pass_object(|json| json.pass_value(within))?;
        } else {
            self.pass_array(|json| json.pass_value(within))?;
        }
        Some(self)
    }

    /// Passes an object, with what passes a value of it: how many properties it has.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "else the place is in memory")]
    pub(super) fn pass_object(
        &mut self,
        mut pass_value: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<usize> {
        self.take(b'{')?;
        self.pass_space();
        if self.peek()? == b'}' {
            self.pass(1);
            return Some(0);
        }
        let mut properties = 0;
        loop {
            self.pass_string()?;
            (self.next_token()? == b':').then_some(())?;
            self.pass_space();
            pass_value(self)?;
            properties += 1;
            match self.next_token()? {
                b',' => self.pass_space(),
                b'}' => return Some(properties),
                _ => return None,
            }
        }
    }

    /// Passes an array, with what passes an item of it.
    pub(super) fn pass_array(
        &mut self,
        mut pass_item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(b'[')?;
        self.pass_space();
        if self.peek()? == b']' {
            self.pass(1);
            return Some(());
        }
        loop {
            pass_item(self)?;
            match self.next_token()? {
                b',' => self.pass_space(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }
}

/// What is behind the plain part of a string, where less than a block is left of the text.
#[cold]
fn plain_at_end(rest: &[u8]) -> Option<&[u8]> {
    let is_stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    rest.get(rest.iter().position(is_stop)?..)
}

/// Which of eight bytes are no digits: the highest bit of each.
fn no_digits(bytes: [u8; 8]) -> u64 {
    // A digit differs from `0` by 9 at most, to which one may add so much without this bit.
    let word = u64::from_le_bytes(bytes) ^ u64::from_le_bytes([b'0'; 8]);
    let low = word & u64::from_le_bytes([0x7F; 8]);
    ((low + u64::from_le_bytes([0x7F - 9; 8])) | word) & u64::from_le_bytes([0x80; 8])
}

/// Which bytes of a block end the plain part of a string, a bit each.
fn stops(block: [u8; BLOCK]) -> u32 {
    let block = u8x16::from(block);
    let quote = block.simd_eq(u8x16::splat(b'"'));
    let escape = block.simd_eq(u8x16::splat(b'\\'));
    let control = block.min(u8x16::splat(0x1F)).simd_eq(block);
    (quote | escape | control).to_bitmask()
}
