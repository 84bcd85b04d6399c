//! One pass over a record: its grammar, its fields and their values at once.
//!
//! It guesses that the next key is the shape's next field, else it looks the key up; nothing is
//! learned from other records. What it reads is as [`Shape::parse_slowly`] would have read it. What
//! is unusual or wrong it leaves to that one, which names the fault.

mod json;
mod values;

use std::borrow::Cow;

use crate::record::{Kind, Presence, Record, Shape};

use json::Json;
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
    record: Record<'a>,
    /// Which fields have a member, a bit each.
    seen: u32,
    /// Which of them are there, with a value other than null.
    present: u32,
    /// The field that is likely the next.
    next: usize,
    /// Whether the members are those that a row has, in their order.
    is_in_form: bool,
}

/// What a key is of.
enum Key {
    /// The field at this place of the shape.
    Field(usize),
    /// No field of the shape.
    Unknown,
}

impl<'s, 'a> Members<'s, 'a> {
    fn new(shape: &'s Shape) -> Self {
        Self {
            shape,
            record: Record::default(),
            seen: 0,
            present: 0,
            next: 0,
            is_in_form: true,
        }
    }

    fn walk_next(&mut self, json: &mut Json<'a>) -> Option<()> {
        let Key::Field(place) = self.walk_key(json)? else {
            self.is_in_form = false;
            json.pass_space();
            return json.pass_value(MAX_UNKNOWN_LEVELS);
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
        self.record.put(place, field.kind, value)
    }

    /// What the next key says; walks on behind its colon.
    fn walk_key(&self, json: &mut Json<'a>) -> Option<Key> {
        let likely = self.shape.fields.get(self.next);
        if likely.is_some_and(|field| json.take_key(field.name)) {
            return Some(Key::Field(self.next));
        }
        let name = json.take_string()?;
        json.pass_space();
        json.take(b':')?;
        // An escaped key may be that of a field.
        let name = name.unless_escaped()?;
        let mut fields = self.shape.fields.iter();
        let place = fields.position(|field| field.name == name);
        Some(place.map_or(Key::Unknown, Key::Field))
    }

    fn into_record(mut self, line: &'a str) -> Option<Record<'a>> {
        let mut fields = self.shape.fields.iter().enumerate();
        let is_whole = fields.all(|(place, field)| {
            field.presence != Presence::Required || self.present & 1 << place != 0
        });
        self.record.spelling.line = self.is_in_form.then_some(line);
        is_whole.then_some(self.record)
    }
}

impl<'a> Record<'a> {
    fn put(&mut self, place: usize, kind: Kind, value: Value<'a>) -> Option<()> {
        if kind == Kind::RecordTime {
            self.time = value.moment;
        }
        self.spelling.compact |= u8::from(value.is_compact) << place;
        *self.values.get_mut(place)? = Some(Cow::Borrowed(value.raw));
        Some(())
    }
}

#[cfg(test)]
mod tests;
