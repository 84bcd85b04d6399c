//! A body of JSON. What nobody asks for need not be a number that fits or a text that UTF-8 can
//! hold: JSON allows both (<https://www.rfc-editor.org/rfc/rfc8259#section-8.2>).

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::fields::{Entry, SPREAD, Unreadable};
use super::{SEND_OBJECT, invalid};
use crate::error::ApiError;

/// The properties of the object, and those of its options under their own names.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, ApiError> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(text, &error))?;
    let Some(properties) = properties(text) else {
        return Err(invalid(
            format!("is JSON, but {} and not an object", kind(text)),
            SEND_OBJECT,
        ));
    };
    Ok(properties
        .into_iter()
        .flat_map(|(name, raw)| spread_options(name, raw.get()))
        .collect())
}

/// Says where the JSON ends to be JSON. The parser's own words may repeat what the body holds.
fn not_json(text: &str, error: &serde_json::Error) -> ApiError {
    let place = format!("line {}, column {}", error.line(), error.column());
    if looks_like_form(text) {
        let fix =
            "send a form with `Content-Type: application/x-www-form-urlencoded`, or send JSON";
        return invalid("looks like a form, and its content type says JSON", fix);
    }
    match error.classify() {
        Category::Eof => invalid(
            format!("is not JSON: it ends too early, at {place}"),
            "send it whole, with every quote, bracket and brace closed",
        ),
        Category::Syntax | Category::Io | Category::Data => {
            invalid(format!("is not JSON, at {place}"), SEND_OBJECT)
        }
    }
}

fn looks_like_form(text: &str) -> bool {
    let name = text.split_once('=').map_or("", |(name, _)| name);
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte))
}

fn kind(json: &str) -> &'static str {
    match json.trim_start().as_bytes().first() {
        Some(b'[') => "an array",
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

fn spread_options(name: String, raw: &str) -> Vec<Entry> {
    let object = SPREAD
        .iter()
        .find(|object| name.eq_ignore_ascii_case(object));
    let spread = object.and_then(|object| Some((object, properties(raw)?)));
    match spread {
        None => vec![Entry {
            name,
            value: value(raw),
        }],
        Some((object, properties)) => properties
            .into_iter()
            .flat_map(|(property, raw)| spread_options(format!("{object}.{property}"), raw.get()))
            .collect(),
    }
}

/// The value, unless it is one that only JSON can hold.
fn value(raw: &str) -> Result<Value, Unreadable> {
    serde_json::from_str(raw).map_err(|error| {
        let reason = error.to_string();
        let is_text = ["surrogate", "escape", "unicode"]
            .iter()
            .any(|word| reason.contains(word));
        match (reason.contains("number"), is_text) {
            (true, _) => Unreadable::Number,
            (false, true) => Unreadable::Text,
            (false, false) => Unreadable::Nesting,
        }
    })
}

/// The properties of an object as they stand, repeats included; `None` when it is none.
fn properties(json: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str::<Properties<'_>>(json)
        .ok()
        .map(|Properties(properties)| properties)
}

struct Properties<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Properties<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PropertiesVisitor)
    }
}

struct PropertiesVisitor;

impl<'de> Visitor<'de> for PropertiesVisitor {
    type Value = Properties<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut properties = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            properties.push((text_of_name(name), value));
        }
        Ok(Properties(properties))
    }
}

/// A property's name. One that UTF-8 cannot hold is no known one: it keeps its escapes.
fn text_of_name(raw: &RawValue) -> String {
    serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Vec<(String, Result<Value, Unreadable>)> {
        entries(text)
            .unwrap()
            .into_iter()
            .map(|Entry { name, value }| (name, value))
            .collect()
    }

    #[test]
    fn what_only_json_can_hold_is_kept_for_who_asks() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let text = format!(
            r#"{{"a":1e400,"b":["\ud800"],"c":"\udc00\ud800x","d":{deep},"\ud800":2,"exportOptions":{{"e":-1e999,"f":true}}}}"#
        );
        let expected = [
            ("a", Err(Unreadable::Number)),
            ("b", Err(Unreadable::Text)),
            ("c", Err(Unreadable::Text)),
            ("d", Err(Unreadable::Nesting)),
            (r"\ud800", Ok(json!(2))),
            ("exportOptions.e", Err(Unreadable::Number)),
            ("exportOptions.f", Ok(json!(true))),
        ];
        assert_eq!(
            read(&text),
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }

    #[test]
    fn options_that_are_no_object_stay_one_entry() {
        assert_eq!(
            read(r#"{"exportOptions":[1]}"#),
            [("exportOptions".to_owned(), Ok(json!([1])))]
        );
    }
}
