//! Strict JSON, token by token, without a tree and without a copy. Every answer but the last says
//! "as expected": what is wrong is somebody else's to find out.

use wide::u8x16;

/// How many bytes are looked at together.
const BLOCK: usize = 16;

/// The most bytes of a number without an exponent that is a double without a closer look.
const PLAIN_NUMBER: usize = 300;

/// A place in a text of JSON.
#[derive(Debug)]
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
    /// Whether no white space was passed since somebody set it.
    pub(super) is_compact: bool,
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
            at: 0,
            is_compact: true,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// What was passed since a place.
    pub(super) fn since(&self, begin: usize) -> Option<&'a str> {
        self.text.get(begin..self.at)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The bytes that come next, if there are so many.
    pub(super) fn ahead<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.rest().first_chunk()
    }

    pub(super) fn pass(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte.
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    pub(super) fn take_all(&mut self, token: &[u8]) -> Option<()> {
        self.rest()
            .starts_with(token)
            .then(|| self.pass(token.len()))
    }

    pub(super) fn pass_space(&mut self) {
        // Mostly there is none, and what else comes next is larger.
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.pass_spaces();
        }
    }

    #[cold]
    fn pass_spaces(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.is_compact = false;
            self.at += 1;
        }
    }

    pub(super) fn take_string(&mut self) -> Option<RawString<'a>> {
        let begin = self.at + 1;
        let has_escapes = self.pass_string()?;
        let raw = self.text.get(begin..self.at - 1)?;
        Some(RawString { raw, has_escapes })
    }

    /// Passes a string: whether it has escapes.
    #[inline]
    pub(super) fn pass_string(&mut self) -> Option<bool> {
        self.take(b'"')?;
        self.pass_plain()?;
        if self.next()? == b'"' {
            return Some(false);
        }
        self.at -= 1;
        self.pass_escaped()
    }

    /// Passes the rest of a string, from its first escape on.
    fn pass_escaped(&mut self) -> Option<bool> {
        loop {
            match self.next()? {
                b'"' => return Some(true),
                b'\\' => self.pass_escape()?,
                // A control character.
                _ => return None,
            }
            self.pass_plain()?;
        }
    }

    /// Passes what a string spells as itself, up to what it does not: a quote, a backslash, a control
    /// character.
    fn pass_plain(&mut self) -> Option<()> {
        while let Some(block) = self.ahead::<BLOCK>() {
            let stops = stops(*block);
            if stops != 0 {
                self.at += stops.trailing_zeros() as usize;
                return Some(());
            }
            self.at += BLOCK;
        }
        self.pass_plain_at_end()
    }

    /// The same where less than a block is left of the text.
    fn pass_plain_at_end(&mut self) -> Option<()> {
        let is_stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        self.at += self.rest().iter().position(is_stop)?;
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
        let begin = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let is_zero = self.peek()? == b'0';
        let digits = self.pass_digits()?;
        if is_zero && digits > 1 {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.pass_digits()?;
        }
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.pass_digits()?;
        }
        let number = self.since(begin)?;
        let is_plain = !has_exponent && number.len() <= PLAIN_NUMBER;
        (is_plain || number.parse::<f64>().is_ok_and(f64::is_finite)).then_some(number)
    }

    /// Passes at least one digit: how many.
    fn pass_digits(&mut self) -> Option<usize> {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > begin).then_some(self.at - begin)
    }

    /// Passes a string, number, boolean or null.
    pub(super) fn pass_scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.pass_string().map(|_| ()),
            b'0'..=b'9' | b'-' => self.take_number().map(|_| ()),
            b't' => self.take_all(b"true"),
            b'f' => self.take_all(b"false"),
            b'n' => self.take_all(b"null"),
            _ => None,
        }
    }

    /// Passes any value in which objects and arrays lie in each other at so many `levels` at most.
    pub(super) fn pass_value(&mut self, levels: usize) -> Option<()> {
        match self.peek()? {
            b'{' => {
                let within = levels.checked_sub(1)?;
                self.pass_object(|json| json.pass_value(within))?;
                Some(())
            }
            b'[' => {
                let within = levels.checked_sub(1)?;
                self.pass_array(|json| json.pass_value(within))
            }
            _ => self.pass_scalar(),
        }
    }

    /// Passes an object, with what passes a value of it: how many properties it has.
    pub(super) fn pass_object(
        &mut self,
        mut pass_value: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<usize> {
        self.take(b'{')?;
        self.pass_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(0);
        }
        let mut properties = 0;
        loop {
            self.pass_string()?;
            self.pass_space();
            self.take(b':')?;
            self.pass_space();
            pass_value(self)?;
            properties += 1;
            self.pass_space();
            match self.next()? {
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
            self.at += 1;
            return Some(());
        }
        loop {
            pass_item(self)?;
            self.pass_space();
            match self.next()? {
                b',' => self.pass_space(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }
}

/// Which bytes of a block end the plain part of a string, a bit each.
fn stops(block: [u8; BLOCK]) -> u32 {
    let block = u8x16::from(block);
    let quote = block.simd_eq(u8x16::splat(b'"'));
    let escape = block.simd_eq(u8x16::splat(b'\\'));
    let control = block.min(u8x16::splat(0x1F)).simd_eq(block);
    (quote | escape | control).to_bitmask()
}
