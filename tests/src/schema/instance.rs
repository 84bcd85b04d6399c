//! Files as values that a schema can be asked about.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Reads JSON that may hold what [`Value`] cannot, and no schema of ours asks about: a number
/// beyond a double becomes the greatest one, half a surrogate pair the replacement character.
pub(crate) fn instance(json: &str) -> Value {
    let json = json.trim();
    match json.as_bytes().first() {
        Some(b'[') => parse::<Vec<&RawValue>>(json)
            .into_iter()
            .map(|item| instance(item.get()))
            .collect(),
        Some(b'{') => {
            let members = parse::<BTreeMap<Text, &RawValue>>(json).into_iter();
            members
                .map(|(name, value)| (name.0, instance(value.get())))
                .collect()
        }
        Some(b'"') => Value::String(parse::<Text>(json).0),
        _ => serde_json::from_str(json).unwrap_or_else(|_| number(json)),
    }
}

fn parse<'de, T: Deserialize<'de>>(json: &'de str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn number(json: &str) -> Value {
    parse::<&RawValue>(json);
    Value::from(if json.starts_with('-') {
        f64::MIN
    } else {
        f64::MAX
    })
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    /// Half a surrogate pair comes as the three bytes that UTF-8 would give it.
    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_value_can_hold_is_read_as_it_is() {
        let json = r#" [1, -0.5, "é\n\u00e9", {"a": null, "b": [true, {}]}] "#;
        assert_eq!(instance(json), serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn what_a_value_cannot_hold_is_read_as_something_of_its_type() {
        let read = instance(r#"{"\ud800": "a\udfff", "n": 1e400, "m": -1E+400}"#);
        assert_eq!(read["n"], json!(f64::MAX));
        assert_eq!(read["m"], json!(f64::MIN));
        assert_eq!(read.as_object().unwrap().len(), 3);
        assert!(
            read.as_object()
                .unwrap()
                .values()
                .any(|value| value.as_str().is_some_and(|it| it.starts_with('a')))
        );
    }

    #[test]
    #[should_panic(expected = "nonsense")]
    fn what_is_not_json_is_refused() {
        instance("[nonsense]");
    }
}
