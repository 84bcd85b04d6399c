//! One pass over a record: its grammar, its fields and their values at once.
//!
//! A field is found by the first letters of its key; nothing is learned from other records. What it reads
//! is as [`Shape::parse_slowly`] would have read it. What is wrong or most unusual it leaves to that one, which
//! names the fault.

mod json;
mod key;
mod values;

use std::borrow::Cow;

use time::OffsetDateTime;

use crate::record::normalise::{Normal, normalise};
use crate::record::{Field, Kind, Presence, Record, Shape, Text, value};

pub(super) use key::Key;

use json::Json;
use key::{Ahead, Places};
use values::Value;

/// How deep an unknown field's value is walked.
const MAX_UNKNOWN_LEVELS: usize = 16;

/// What is known of a shape's fields before any record is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guide {
    places: Places,
    /// The fields that every record has, a bit each.
    required: u8,
    /// The fields whose values are strings of letters, digits and `-:.`, a bit each.
    bare: u8,
}

impl Guide {
    pub(super) const fn of(fields: &[Field]) -> Self {
        let (mut required, mut bare, mut bit) = (0, 0, 1_u8);
        let mut rest = fields;
        while let [field, behind @ ..] = rest {
            if matches!(field.presence, Presence::Required) {
                required |= bit;
            }
            if matches!(field.kind, Kind::Id | Kind::Timestamp | Kind::RecordTime) {
                bare |= bit;
            }
            bit <<= 1;
            rest = behind;
        }
        Self {
            places: Places::of(fields),
            required,
            bare,
        }
    }
}

impl Shape {
    /// Reads a text as a record of this shape, when it and its values are spelled as usual; `None`
    /// says nothing of what it is.
    pub fn walk<'a>(&self, text: &'a [u8]) -> Option<Record<'a>> {
        let mut record = Record::default();
        self.walk_into(Text::Bytes(text), &mut record)?;
        Some(record)
    }

    /// Reads a text as [`Shape::walk`] does, into a record of which nothing is known yet.
    pub(super) fn walk_into<'a>(&self, text: Text<'a>, record: &mut Record<'a>) -> Option<()> {
        let text = text.as_utf8()?;
        let mut json = Json::new(text);
        json.pass_space();
        let begin = json.at();
        json.take(b'{')?;
        let mut members = Members::new(self, record);
        loop {
            members.walk_next(&mut json)?;
            match json.next_token()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        members.is_in_form &= json.is_compact_since(begin);
        let line = json.since(begin)?;
        json.pass_space();
        json.is_at_end().then_some(())?;
        members.end(line)
    }
}

/// What a member is of.
enum Member {
    /// The field at this place of the shape.
    Field(usize),
    /// No field of the shape.
    Unknown,
}

/// The members of an object that are walked so far.
struct Members<'s, 'a> {
    shape: &'s Shape,
    record: &'s mut Record<'a>,
    /// Which fields have a member, a bit each.
    seen: u8,
    /// Which of them are there, with a value other than null.
    present: u8,
    /// The first field that has not been passed by in the order of the shape.
    next: usize,
    /// Whether the members are those that a row has, in their order.
    is_in_form: bool,
}

impl<'s, 'a> Members<'s, 'a> {
    fn new(shape: &'s Shape, record: &'s mut Record<'a>) -> Self {
        Self {
            shape,
            record,
            seen: 0,
            present: 0,
            next: 0,
            is_in_form: true,
        }
    }

    fn walk_next(&mut self, json: &mut Json<'a>) -> Option<()> {
        let Member::Field(place) = self.pass_key(json)? else {
            self.is_in_form = false;
            return Some(());
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
        self.present |= bit;
        let begin = *json;
        let Some(value) = Value::walk(field.kind, json) else {
            return self.walk_unusual_moment(place, begin, json);
        };
        self.record.spelling.compact |= u8::from(value.is_compact) << place;
        self.put(place, Cow::Borrowed(value.raw), value.moment)
    }

    /// Walks over a timestamp that is exported in another form than it has.
    #[inline]
    fn walk_unusual_moment(
        &mut self,
        place: usize,
        begin: Json<'a>,
        json: &mut Json<'a>,
    ) -> Option<()> {
        let kind = self.shape.fields.get(place)?.kind;
        let (value, behind) = behind_unusual_moment(kind, begin)?;
        json.go_to(behind);
        self.is_in_form = false;
        self.record.spelling.compact |= 1 << place;
        self.put(place, value.raw, value.moment)
    }

    fn put(
        &mut self,
        place: usize,
        raw: Cow<'a, str>,
        moment: Option<OffsetDateTime>,
    ) -> Option<()> {
        if moment.is_some() && self.shape.fields.get(place)?.kind == Kind::RecordTime {
            self.record.time = moment;
        }
        *self.record.values.get_mut(place)? = Some(raw);
        Some(())
    }

    /// Passes the next key with its colon: the place of its field. If it is no field's, its value is
    /// passed, too.
    fn pass_key(&mut self, json: &mut Json<'a>) -> Option<Member> {
        let shape = self.shape;
        if let Some(ahead) = json.ahead().copied().map(Ahead::of) {
            let place = shape.guide.places.likely(ahead);
            let field = shape.fields.get(place);
            if let Some(field) = field.filter(|field| field.key.begins(ahead)) {
                json.pass(field.key.len());
                return Some(Member::Field(place));
            }
        }
        let key = behind_unusual_key(shape.fields, *json)?;
        json.go_to(key.behind);
        self.is_in_form &= !key.is_escaped;
        Some(key.place.map_or(Member::Unknown, Member::Field))
    }

    fn end(self, line: &'a str) -> Option<()> {
        let guide = self.shape.guide;
        (self.present & guide.required == guide.required).then_some(())?;
        let spelling = &mut self.record.spelling;
        spelling.bare = self.present & guide.bare;
        spelling.line = self.is_in_form.then_some(line);
        spelling.is_compact = spelling.compact == self.present;
        Some(())
    }
}

/// A key that is not spelled as usual, or of no field.
struct UnusualKey<'a> {
    /// The place of its field, if it is any field's.
    place: Option<usize>,
    is_escaped: bool,
    /// What is behind its colon; if it is no field's, behind its value.
    behind: Json<'a>,
}

#[cold]
fn behind_unusual_key<'a>(fields: &[Field], mut json: Json<'a>) -> Option<UnusualKey<'a>> {
    json.pass_space();
    let begin = json.at();
    let is_escaped = json.pass_string()?;
    let name = value::text(json.since(begin)?)?;
    let place = fields.iter().position(|field| field.name == name);
    (json.next_token()? == b':').then_some(())?;
    if place.is_none() {
        json.pass_space();
        json.pass_value(MAX_UNKNOWN_LEVELS)?;
    }
    Some(UnusualKey {
        place,
        is_escaped,
        behind: json,
    })
}

/// A timestamp in the form in which it is exported, and what is behind it as it is spelled.
#[cold]
fn behind_unusual_moment(kind: Kind, mut json: Json<'_>) -> Option<(Normal<'_>, Json<'_>)> {
    let begin = json.at();
    json.pass_string()?;
    let value = normalise(kind, json.since(begin)?);
    value.moment.is_some().then_some((value, json))
}

#[cfg(test)]
mod tests;
