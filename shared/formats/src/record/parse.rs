//! From a line to a checked record.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::record::check::check;
use crate::record::normalise::{Normal, normalise};
use crate::record::value::text;
use crate::record::{BadRecord, Field, Kind, MAX_FIELDS, Presence, Record, Shape, Text};

impl Shape {
    /// Reads a text as a record of this shape, its values in the form in which they are exported
    /// (`normalise`); unknown fields are ignored.
    ///
    /// # Errors
    /// [`BadRecord`], which names the first fault found.
    pub fn parse<'a>(&self, text: &'a [u8]) -> Result<Record<'a>, BadRecord> {
        let mut record = Record::default();
        self.parse_into(Text::Bytes(text), &mut record)?;
        Ok(record)
    }

    /// Reads a text as [`Shape::parse`] does, into a record that is new: a record is large, and this does not move
    /// it.
    ///
    /// # Errors
    /// [`BadRecord`], which names the first fault found. The record is then of no use.
    pub fn parse_into<'a>(&self, text: Text<'a>, record: &mut Record<'a>) -> Result<(), BadRecord> {
        if self.walk_into(text, record).is_none() {
            *record = self.parse_slowly(text.as_bytes())?;
        }
        Ok(())
    }

    /// Reads a text as [`Shape::parse`] does, whatever its spelling.
    ///
    /// # Errors
    /// [`BadRecord`], which names the first fault found.
    #[cold]
    pub fn parse_slowly<'a>(&self, text: &'a [u8]) -> Result<Record<'a>, BadRecord> {
        let text = std::str::from_utf8(text).map_err(|_| BadRecord::NotUtf8)?;
        let found = read_object(self.fields, text).ok_or_else(|| fault_of(text))?;
        if let Some(field) = found.repeated {
            return Err(BadRecord::Repeated { field });
        }
        let mut record = Record::default();
        for ((field, raw), slot) in self.fields.iter().zip(found.values).zip(&mut record.values) {
            let Some(value) = value(field, raw)? else {
                continue;
            };
            if field.kind == Kind::RecordTime {
                record.time = value.moment;
            }
            record.repaired |= value.repaired;
            *slot = Some(value.raw);
        }
        Ok(record)
    }

    /// When something happened that is no record of this shape, as far as it says.
    pub fn time_of(&self, text: &[u8]) -> Option<OffsetDateTime> {
        let found = read_object(self.fields, std::str::from_utf8(text).ok()?)?;
        let mut fields = self.fields.iter().zip(found.values);
        let (field, raw) = fields.find(|(field, _)| field.kind == Kind::RecordTime)?;
        value(field, raw).ok()??.moment
    }

    /// The name of the field that says when a record happened.
    pub fn time_field(&self) -> Option<&'static str> {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.kind == Kind::RecordTime)?;
        Some(field.name)
    }
}

/// The checked value of a field in its normal form; `None` when it may be absent, and is.
fn value<'a>(field: &Field, raw: Option<&'a str>) -> Result<Option<Normal<'a>>, BadRecord> {
    match raw.filter(|raw| *raw != "null") {
        None if field.presence == Presence::Required => {
            Err(BadRecord::Missing { field: field.name })
        }
        None => Ok(None),
        Some(raw) => {
            let value = normalise(field.kind, raw);
            check(field, raw, &value)?;
            Ok(Some(value))
        }
    }
}

/// What is wrong with a line that is not a JSON object.
fn fault_of(line: &str) -> BadRecord {
    match serde_json::from_str::<IgnoredAny>(line) {
        Ok(_) => BadRecord::NotAnObject,
        Err(_) => BadRecord::NotJson,
    }
}

/// The raw values of the known fields of an object.
#[derive(Default)]
struct Found<'a> {
    values: [Option<&'a str>; MAX_FIELDS],
    repeated: Option<&'static str>,
}

fn read_object<'a>(fields: &'static [Field], line: &'a str) -> Option<Found<'a>> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let found = deserializer.deserialize_map(Fields(fields)).ok()?;
    deserializer.end().ok()?;
    Some(found)
}

struct Fields(&'static [Field]);

impl<'de> Visitor<'de> for Fields {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::default();
        while let Some(known) = map.next_key_seed(FieldName(self.0))? {
            let Some((place, field)) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: &RawValue = map.next_value()?;
            let Some(slot) = found.values.get_mut(place) else {
                continue;
            };
            if slot.replace(value.get()).is_some() {
                found.repeated = Some(field.name);
            }
        }
        Ok(found)
    }
}

/// Reads a name as one of these fields and its place, if it is one.
struct FieldName(&'static [Field]);

impl FieldName {
    /// The field of a raw name. Most are spelled without escapes, and need no look at what they say.
    fn find(&self, raw: &str) -> Option<(usize, &'static Field)> {
        let quoted = raw.get(1..raw.len().saturating_sub(1))?;
        self.find_text(quoted)
            .or_else(|| self.find_text(&text(raw)?))
    }

    fn find_text(&self, name: &str) -> Option<(usize, &'static Field)> {
        let mut fields = self.0.iter().enumerate();
        fields.find(|(_, field)| field.name == name)
    }
}

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Option<(usize, &'static Field)>;

    /// Takes the raw name: decoded as a text, one with half a surrogate pair would not be JSON;
    /// decoded as bytes, `serde_json` lets control characters pass.
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(self.find(raw))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use domain::selection::ExportType;
    use time::macros::datetime;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn event(rest: &str) -> String {
        format!(r#"{{"deviceId":"{ID}","name":"n"{rest}}}"#)
    }

    fn parse_event(line: &str) -> Result<Option<OffsetDateTime>, BadRecord> {
        Shape::of(ExportType::Event, false)
            .parse(line.as_bytes())
            .map(|record| record.time)
    }

    #[test]
    fn a_record_says_when_it_happened() {
        let line = event(r#","timestamp":"2026-11-22T00:30:00+01:00""#);
        assert_eq!(
            parse_event(&line),
            Ok(Some(datetime!(2026-11-21 23:30 UTC)))
        );
    }

    #[test]
    fn raw_values_are_kept_as_they_are() {
        let line = event(
            r#","timestamp":"2026-11-21T00:00:00Z","extras":{ "n" : 1.50e+3, "s":"\u00e9\ud83d\ude00" },"infoId":null"#,
        );
        let record = Shape::of(ExportType::Event, false)
            .parse(line.as_bytes())
            .unwrap();
        let values: Vec<_> = record.values().collect();
        assert_eq!(
            values[6],
            Some(r#"{ "n" : 1.50e+3, "s":"\u00e9\ud83d\ude00" }"#)
        );
        assert_eq!(values[3], None, "null is absent");
        assert!(!record.repaired);
        let mut borrowed = record.values.iter().flatten();
        assert!(borrowed.all(|value| matches!(value, Cow::Borrowed(_))));
    }

    #[test]
    fn unknown_fields_are_ignored_even_twice() {
        let line = event(r#","timestamp":"2026-11-21","x":[1,{"deviceId":2}],"x":1"#);
        assert!(parse_event(&line).is_ok());
    }

    #[test]
    fn a_name_may_be_escaped_and_hold_what_is_no_character() {
        let rest =
            r#","\u0074imestam\u0070":"2026-11-21","\ud800":1,"timestamp\uDC00":{"\udfff":2}"#;
        assert!(parse_event(&event(rest)).is_ok_and(|time| time.is_some()));
        let twice = event(r#","timestamp":"2026-11-21","time\u0073tamp":"2026-11-21""#);
        assert!(matches!(
            parse_event(&twice),
            Err(BadRecord::Repeated { field: "timestamp" })
        ));
    }

    #[test]
    fn a_session_need_not_say_when_it_began() {
        let line = format!(r#"{{"sessionId":"{ID}","deviceId":"{ID}","end":"2026-11-25"}}"#);
        let record = Shape::of(ExportType::Session, false)
            .parse(line.as_bytes())
            .unwrap();
        assert_eq!(record.time, None);
    }

    #[test]
    fn a_line_that_is_not_utf8_is_refused_wherever_the_fault_is() {
        let line = b"{\"unknown\":\"\xff\"}";
        assert_eq!(
            Shape::of(ExportType::Event, false).parse(line),
            Err(BadRecord::NotUtf8)
        );
    }
}
