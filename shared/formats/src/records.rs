//! Takes the records off the text of an object, by the grammar of JSON: a record is an object,
//! wherever it ends. Another may follow on the next line, behind white space, or right behind it.
//!
//! Most texts have one record a line, so a line is first taken for one, without looking into it. When
//! that turns out to be wrong, [`Walk::take_apart`] finds where the record really ends. What is no
//! JSON ends at the next line end; what is too long, there or where its outermost brace is closed. A
//! byte order mark before a record, as joined files have it, is white space.

mod nesting;

use std::fmt;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr_iter};
use serde::de::IgnoredAny;

use nesting::Nesting;

use crate::record::Text;

/// The most bytes of a record.
pub(crate) const MAX_RECORD_BYTES: usize = 1 << 20;

/// How many objects in a row may turn out to have no end, which costs a look at all that follows them.
/// After that many, an object has to end on its line.
const MOST_ENDLESS: u32 = 8;

/// The byte order mark of UTF-8 (<https://www.rfc-editor.org/rfc/rfc3629#section-6>).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How many bytes are kept of what is longer than a record may be.
pub const HEAD_BYTES: usize = 4 << 10;

/// Where a record begins in the text of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number of the line, from 1.
    pub line: u64,
    /// How many bytes of the text lie before the record, when another stands before it on its line.
    pub offset: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        match self.offset {
            Some(offset) => write!(f, ", offset {offset}"),
            None => Ok(()),
        }
    }
}

/// What stands where a record begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// A record, or a line that is to be one.
    Record {
        /// Its line, and its offset when another record stands before it there.
        place: Place,
        /// The whole of it, without white space around it.
        text: Text<'a>,
    },
    /// What is longer than a record may be.
    TooLong {
        /// Its line, and its offset when another record stands before it there.
        place: Place,
        /// Its first [`HEAD_BYTES`], which may end within a character.
        head: Vec<u8>,
        /// How long it is.
        bytes: u64,
    },
}

/// Where one object's text has been read up to. Holds at most what a record may have.
#[derive(Debug)]
pub struct Records {
    /// What is read and may be the beginning of a record.
    carry: BytesMut,
    /// How many bytes of the text lie before what is to be read next.
    offset: u64,
    /// The line that it is on, from 1.
    line: u64,
    /// Whether a record stands before it on that line.
    is_glued: bool,
    /// How many objects in a row had no end.
    endless: u32,
    /// What is being passed over up to its end: longer than a record may be.
    long: Option<Long>,
}

#[derive(Debug)]
struct Long {
    place: Place,
    head: Vec<u8>,
    bytes: u64,
    /// How deep it is nested where it was read up to; `None` when it is no object.
    nesting: Option<Nesting>,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            carry: BytesMut::new(),
            offset: 0,
            line: 1,
            is_glued: false,
            endless: 0,
            long: None,
        }
    }
}

impl Records {
    /// The next piece of the text, behind what is left of the one before: to be walked at once.
    pub fn join(&mut self, piece: Bytes) -> Bytes {
        if self.carry.is_empty() {
            return piece;
        }
        self.carry.extend_from_slice(&piece);
        self.carry.split().freeze()
    }

    /// Walks through what [`Records::join`] gave. `is_last` says that the text ends with it; what
    /// is not whole at the end of any other is kept for the next.
    pub fn walk<'a>(&'a mut self, text: &'a Bytes, is_last: bool) -> Walk<'a> {
        Walk {
            records: self,
            // At one go: to look at each record alone takes twice as long.
            piece: simdutf8::basic::from_utf8(text).ok(),
            rest: text,
            guess: None,
            is_guess_wrong: false,
            is_last,
        }
    }

    fn count_lines(&mut self, passed: &[u8]) {
        let lines = memchr_iter(b'\n', passed).count() as u64;
        self.line += lines;
        self.is_glued &= lines == 0;
    }

    fn place(&self) -> Place {
        Place {
            line: self.line,
            offset: self.is_glued.then_some(self.offset),
        }
    }
}

/// A walk through a piece of an object's text.
#[derive(Debug)]
pub struct Walk<'a> {
    records: &'a mut Records,
    /// The whole piece, when it is UTF-8.
    piece: Option<&'a str>,
    rest: &'a [u8],
    /// The line that was taken for a record just now.
    guess: Option<&'a [u8]>,
    /// Whether the line that comes next is no record.
    is_guess_wrong: bool,
    is_last: bool,
}

/// What the grammar says of a text that begins with something.
enum Grammar {
    /// An object of so many bytes.
    Object(usize),
    /// The beginning of an object.
    Beginning,
    /// Neither an object nor the beginning of one.
    Malformed,
}

impl<'a> Walk<'a> {
    /// The next record, or what stands in the place of one; `None` when the piece is walked through.
    #[expect(
        clippy::should_implement_trait,
        reason = "what it gives may have to be taken apart before the next"
    )]
    pub fn next(&mut self) -> Option<Found<'a>> {
        if let Some(line) = self.guess.take() {
            self.advance_in_line(line.len());
        }
        if self.records.long.is_some() {
            return self.pass_long();
        }
        self.skip_blanks();
        if self.rest.is_empty() {
            return None;
        }
        let is_guessed = !self.records.is_glued && !std::mem::take(&mut self.is_guess_wrong);
        match self
            .line()
            .filter(|line| is_guessed && line.len() <= MAX_RECORD_BYTES)
        {
            Some(line) => {
                self.guess = Some(line);
                let place = self.records.place();
                let text = self.text(line);
                Some(Found::Record { place, text })
            }
            None => self.by_grammar(),
        }
    }

    /// Looks closer at the line that was taken for a record and is none. Whether that changes
    /// anything: then the next record is the first one that begins there.
    pub fn take_apart(&mut self) -> bool {
        let Some(guess) = self.guess.take() else {
            return false;
        };
        self.is_guess_wrong = match self.grammar() {
            Grammar::Object(bytes) => bytes != guess.len(),
            Grammar::Beginning => true,
            Grammar::Malformed => false,
        };
        if !self.is_guess_wrong {
            self.guess = Some(guess);
        }
        self.is_guess_wrong
    }

    /// The text of the line that the rest begins with.
    fn text(&self, line: &'a [u8]) -> Text<'a> {
        let utf8 = self.piece.and_then(|piece| {
            let begin = piece.len() - self.rest.len();
            piece.get(begin..begin + line.len())
        });
        utf8.map_or(Text::Bytes(line), Text::Utf8)
    }

    /// The rest of the line, if its end is known; without white space at the end.
    fn line(&self) -> Option<&'a [u8]> {
        let end = self.line_end()?;
        self.rest.get(..end).map(<[u8]>::trim_ascii_end)
    }

    fn line_end(&self) -> Option<usize> {
        memchr(b'\n', self.rest).or(self.is_last.then_some(self.rest.len()))
    }

    /// What stands at the beginning of the rest, by the grammar.
    fn by_grammar(&mut self) -> Option<Found<'a>> {
        let place = self.records.place();
        match self.grammar() {
            Grammar::Object(bytes) => {
                let text = self.advance(bytes);
                self.records.is_glued = true;
                Some(bounded(place, text))
            }
            Grammar::Beginning => self.keep(Some(Nesting::default())),
            Grammar::Malformed => match self.line_end() {
                Some(end) => Some(bounded(place, self.advance_in_line(end).trim_ascii_end())),
                None => self.keep(None),
            },
        }
    }

    /// What the grammar says of the beginning of the rest.
    fn grammar(&mut self) -> Grammar {
        let is_bounded = self.records.endless >= MOST_ENDLESS;
        let line_end = is_bounded.then(|| self.line_end()).flatten();
        let text = line_end.and_then(|end| self.rest.get(..end));
        let is_all = text.is_some() || self.is_last;
        let found = grammar(text.unwrap_or(self.rest));
        match found {
            Grammar::Object(_) => self.records.endless = 0,
            Grammar::Beginning if is_all => {
                self.records.endless += 1;
                return Grammar::Malformed;
            }
            Grammar::Beginning | Grammar::Malformed => {}
        }
        found
    }

    /// Keeps the rest for the next piece; passes over it instead when it is too long by now.
    fn keep(&mut self, mut nesting: Option<Nesting>) -> Option<Found<'a>> {
        if self.rest.len() <= MAX_RECORD_BYTES {
            self.records.carry = std::mem::take(&mut self.rest).into();
            return None;
        }
        let place = self.records.place();
        let passed = self.advance(self.rest.len());
        if let Some(nesting) = &mut nesting {
            nesting.pass(passed);
        }
        self.records.long = Some(Long {
            place,
            head: head(passed),
            bytes: passed.len() as u64,
            nesting,
        });
        None
    }

    /// Goes on passing over what is too long, to its line end, or to its own end before.
    fn pass_long(&mut self) -> Option<Found<'a>> {
        let mut long = self.records.long.take()?;
        let line_end = memchr(b'\n', self.rest);
        let line = self.rest.get(..line_end.unwrap_or(self.rest.len()));
        let own_end = long.nesting.as_mut().and_then(|it| it.pass(line?));
        self.records.is_glued |= own_end.is_some();
        let end = own_end.or(line_end);
        let passed = self.advance_in_line(end.unwrap_or(self.rest.len()));
        long.bytes += passed.len() as u64;
        if end.is_none() && !self.is_last {
            self.records.long = Some(long);
            return None;
        }
        Some(Found::TooLong {
            place: long.place,
            head: long.head,
            bytes: long.bytes,
        })
    }

    fn skip_blanks(&mut self) {
        loop {
            let blanks = self.rest.len() - self.rest.trim_ascii_start().len();
            self.advance(blanks);
            if !self.rest.starts_with(BYTE_ORDER_MARK) {
                return;
            }
            self.advance_in_line(BYTE_ORDER_MARK.len());
        }
    }

    fn advance(&mut self, bytes: usize) -> &'a [u8] {
        let passed = self.advance_in_line(bytes);
        self.records.count_lines(passed);
        passed
    }

    /// Advances over what has no line end.
    fn advance_in_line(&mut self, bytes: usize) -> &'a [u8] {
        let (passed, rest) = self
            .rest
            .split_at_checked(bytes)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.records.offset += passed.len() as u64;
        passed
    }
}

/// What is found where a text of known length stands.
fn bounded(place: Place, text: &[u8]) -> Found<'_> {
    if text.len() <= MAX_RECORD_BYTES {
        let text = Text::Bytes(text);
        return Found::Record { place, text };
    }
    Found::TooLong {
        place,
        head: head(text),
        bytes: text.len() as u64,
    }
}

fn head(text: &[u8]) -> Vec<u8> {
    text.get(..HEAD_BYTES).unwrap_or(text).to_vec()
}

fn grammar(text: &[u8]) -> Grammar {
    if text.first() != Some(&b'{') {
        return Grammar::Malformed;
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(IgnoredAny)) => Grammar::Object(values.byte_offset()),
        Some(Err(error)) if error.is_eof() => Grammar::Beginning,
        Some(Err(_)) | None => Grammar::Malformed,
    }
}

#[cfg(test)]
mod tests;
