//! From a line to a checked record.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use time::{Date, OffsetDateTime};

use crate::record::value::text;
use crate::record::{BadRecord, Field, Kind, MAX_FIELDS, Presence, Record, Shape, timestamp};

impl Shape {
    /// Reads a line as a record of this shape; unknown fields are ignored. With a `day`, a record
    /// that says when it happened must have happened on that UTC day.
    ///
    /// # Errors
    /// [`BadRecord`], which names the first fault found.
    pub fn parse<'a>(&self, line: &'a [u8], day: Option<Date>) -> Result<Record<'a>, BadRecord> {
        let line = std::str::from_utf8(line).map_err(|_| BadRecord::NotUtf8)?;
        let found = read_object(self.fields, line).ok_or_else(|| fault_of(line))?;
        if let Some(field) = found.repeated {
            return Err(BadRecord::Repeated { field });
        }
        let mut record = Record {
            values: found.values,
            time: None,
        };
        for (field, slot) in self.fields.iter().zip(&mut record.values) {
            *slot = slot.filter(|raw| *raw != "null");
            if let Some(time) = check(field, *slot, day)? {
                record.time = Some(time);
            }
        }
        Ok(record)
    }
}

/// Checks one field's value; the moment that it says, if it dates the record.
fn check(
    field: &Field,
    value: Option<&str>,
    day: Option<Date>,
) -> Result<Option<OffsetDateTime>, BadRecord> {
    match value {
        None if field.presence == Presence::Required => {
            Err(BadRecord::Missing { field: field.name })
        }
        None => Ok(None),
        Some(raw) if field.kind == Kind::RecordTime => record_time(field, raw, day).map(Some),
        Some(raw) if field.kind.admits(raw) => Ok(None),
        Some(_) => Err(BadRecord::Wrong {
            field: field.name,
            expected: field.kind.in_words(),
        }),
    }
}

fn record_time(field: &Field, raw: &str, day: Option<Date>) -> Result<OffsetDateTime, BadRecord> {
    let time = text(raw).and_then(|text| timestamp::parse(&text));
    let time = time.ok_or(BadRecord::Wrong {
        field: field.name,
        expected: field.kind.in_words(),
    })?;
    match day {
        Some(day) if time.date() != day => Err(BadRecord::WrongDay {
            field: field.name,
            day,
        }),
        Some(_) | None => Ok(time),
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

impl<'de> DeserializeSeed<'de> for FieldName {
    type Value = Option<(usize, &'static Field)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName {
    type Value = Option<(usize, &'static Field)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self
            .0
            .iter()
            .enumerate()
            .find(|(_, field)| field.name == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::selection::ExportType;
    use time::macros::{date, datetime};

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn event(rest: &str) -> String {
        format!(r#"{{"deviceId":"{ID}","name":"n"{rest}}}"#)
    }

    fn parse_event(line: &str) -> Result<Option<OffsetDateTime>, BadRecord> {
        let day = Some(date!(2026 - 11 - 21));
        Shape::of(ExportType::Event, false)
            .parse(line.as_bytes(), day)
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
            r#","timestamp":"2026-11-21","extras":{ "n" : 1e400, "s":"\u00e9\ud800" },"infoId":null"#,
        );
        let record = Shape::of(ExportType::Event, false)
            .parse(line.as_bytes(), None)
            .unwrap();
        assert_eq!(
            record.values()[6],
            Some(r#"{ "n" : 1e400, "s":"\u00e9\ud800" }"#)
        );
        assert_eq!(record.values()[3], None, "null is absent");
    }

    #[test]
    fn unknown_fields_are_ignored_even_twice() {
        let line = event(r#","timestamp":"2026-11-21","x":[1,{"deviceId":2}],"x":1"#);
        assert!(parse_event(&line).is_ok());
    }

    #[test]
    fn a_session_need_not_say_when_it_began() {
        let line = format!(r#"{{"sessionId":"{ID}","deviceId":"{ID}","end":"2026-11-25"}}"#);
        let day = Some(date!(2026 - 11 - 21));
        let record = Shape::of(ExportType::Session, false)
            .parse(line.as_bytes(), day)
            .unwrap();
        assert_eq!(record.time, None);
    }

    #[test]
    fn every_fault_has_its_own_words() {
        let cases = [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("{} x", "not JSON"),
            (r#"{"a":01}"#, "not JSON"),
            ("[1]", "not an object"),
            (" 7", "not an object"),
            ("{}", "missing required field `deviceId`"),
            (r#"{"deviceId":null}"#, "missing required field `deviceId`"),
            (
                r#"{"deviceId":null,"deviceId":1}"#,
                "field `deviceId` occurs more than once",
            ),
            (
                r#"{"deviceId":"secret"}"#,
                "field `deviceId` is not an id (32 hex digits or a dashed GUID)",
            ),
            (&event(""), "missing required field `timestamp`"),
            (
                &event(r#","timestamp":"secret""#),
                "field `timestamp` is not a timestamp",
            ),
            (
                &event(r#","timestamp":"2026-11-22T00:00:00Z""#),
                "wrong day: `timestamp` is not on 2026-11-21 (UTC)",
            ),
            (
                &event(r#","timestamp":"2026-11-21","extras":{"secret":{}}"#),
                "field `extras` is not a flat object of at most 200 properties",
            ),
        ];
        for (line, words) in cases {
            let fault = parse_event(line).unwrap_err();
            assert_eq!(fault.to_string(), words, "{line}");
            assert!(!format!("{fault} {fault:?}").contains("secret"));
        }
    }

    #[test]
    fn a_line_that_is_not_utf8_is_refused_wherever_the_fault_is() {
        let line = b"{\"unknown\":\"\xff\"}";
        assert_eq!(
            Shape::of(ExportType::Event, false).parse(line, None),
            Err(BadRecord::NotUtf8)
        );
    }
}
