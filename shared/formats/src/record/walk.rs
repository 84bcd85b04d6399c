//! One pass over a record: its grammar, its fields and their values at once.
//!
//! It guesses that the next key is the shape's next field, else it looks the key up; nothing is
//! learned from other records. What it reads is as [`Shape::parse_slowly`] would have read it. What
//! is unusual or wrong it leaves to that one, which names the fault.

mod json;
mod key;
mod values;

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::record::{Kind, MAX_FIELDS, Presence, Record, Shape, Spelling};

pub(super) use key::Key;

use json::Json;
use key::Ahead;
use values::Value;

/// How deep an unknown field's value is walked.
const MAX_UNKNOWN_LEVELS: usize = 16;

impl Shape {
    /// Reads a text as a record of this shape, when it and its values are spelled as usual; `None`
    /// says nothing of what it is.
    pub fn walk<'a>(&self, text: &'a [u8]) -> Option<Record<'a>> {
        let text = simdutf8::basic::from_utf8(text).ok()?;
        let mut json = Json::new(text);
        json.pass_space();
        let begin = json.at();
        json.take(b'{')?;
        json.is_compact = true;
        let mut members = Members::new(self);
        loop {
            json.pass_space();
            members.walk_next(&mut json)?;
            json.pass_space();
            match json.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        members.is_in_form &= json.is_compact;
        let line = json.since(begin)?;
        json.pass_space();
        json.is_at_end().then_some(())?;
        members.into_record(line)
    }
}

/// The members of an object that are walked so far.
struct Members<'s, 'a> {
    shape: &'s Shape,
    /// The value of each field.
    raw: [Option<&'a str>; MAX_FIELDS],
    time: Option<OffsetDateTime>,
    spelling: Spelling<'a>,
    /// Which fields have a member, a bit each.
    seen: u8,
    /// Which of them are there, with a value other than null.
    present: u8,
    /// The field that is likely the next.
    next: usize,
    /// Whether the members are those that a row has, in their order.
    is_in_form: bool,
}

/// What a member is of.
enum Member {
    /// The field at this place of the shape.
    Field(usize),
    /// No field of the shape.
    Unknown,
}

impl<'s, 'a> Members<'s, 'a> {
    fn new(shape: &'s Shape) -> Self {
        Self {
            shape,
            raw: [None; MAX_FIELDS],
            time: None,
            spelling: Spelling::default(),
            seen: 0,
            present: 0,
            next: 0,
            is_in_form: true,
        }
    }

    fn walk_next(&mut self, json: &mut Json<'a>) -> Option<()> {
        let usual = self.walk_key(json).map(Member::Field);
        let Member::Field(place) = usual.or_else(|| self.walk_unusual_key(json))? else {
            return self.pass_unknown(json);
        };
        let (bit, field) = (1 << place, self.shape.fields.get(place)?);
        if self.seen & bit != 0 {
            return None;
        }
        self.seen |= bit;
        self.is_in_form &= place >= self.next;
        self.next = place + 1;
        json.pass_space();
        if json.peek()? == b'n' {
            self.is_in_form = false;
            return json.take_all(b"null");
        }
        let value = Value::walk(field.kind, json)?;
        self.present |= bit;
        self.put(place, value)
    }

    fn put(&mut self, place: usize, value: Value<'a>) -> Option<()> {
        let field = self.shape.fields.get(place)?;
        if field.kind == Kind::RecordTime {
            self.time = value.moment;
        }
        self.spelling.compact |= u8::from(value.is_compact) << place;
        self.spelling.bare |= u8::from(value.is_bare) << place;
        *self.raw.get_mut(place)? = Some(value.raw);
        Some(())
    }

    /// Walks on behind the colon of the next key, when it is a field's and spelled as usual: the place
    /// of the field.
    fn walk_key(&self, json: &mut Json<'a>) -> Option<usize> {
        let ahead = Ahead::of(*json.ahead()?);
        let fields = self.shape.fields;
        let likely = fields.get(self.next);
        let place = if likely.is_some_and(|field| field.key.begins(ahead)) {
            self.next
        } else {
            fields.iter().position(|field| field.key.begins(ahead))?
        };
        json.pass(fields.get(place)?.key.len());
        Some(place)
    }

    /// Walks on behind the colon of any key.
    fn walk_unusual_key(&self, json: &mut Json<'a>) -> Option<Member> {
        let name = json.take_string()?;
        json.pass_space();
        json.take(b':')?;
        // An escaped key may be that of a field.
        let name = name.unless_escaped()?;
        let mut fields = self.shape.fields.iter();
        let place = fields.position(|field| field.name == name);
        Some(place.map_or(Member::Unknown, Member::Field))
    }

    /// Passes the value of no field.
    fn pass_unknown(&mut self, json: &mut Json<'a>) -> Option<()> {
        self.is_in_form = false;
        json.pass_space();
        json.pass_value(MAX_UNKNOWN_LEVELS)
    }

    fn into_record(mut self, line: &'a str) -> Option<Record<'a>> {
        let mut fields = self.shape.fields.iter().enumerate();
        let is_whole = fields.all(|(place, field)| {
            field.presence != Presence::Required || self.present & 1 << place != 0
        });
        is_whole.then_some(())?;
        self.spelling.line = self.is_in_form.then_some(line);
        self.spelling.is_compact = self.spelling.compact == self.present;
        Some(Record {
            values: self.raw.map(|raw| raw.map(Cow::Borrowed)),
            time: self.time,
            repaired: false,
            spelling: self.spelling,
        })
    }
}

#[cfg(test)]
mod tests;
