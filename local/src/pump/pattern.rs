//! Event patterns, as far as the pipes' filters and the bus's rules use them.

use serde_json::Value;

/// A pattern: an object of patterns, or the list of the texts that fit
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>).
#[derive(Debug, Clone)]
pub struct Pattern(Value);

impl From<Value> for Pattern {
    fn from(pattern: Value) -> Self {
        Self(pattern)
    }
}

impl Pattern {
    /// Whether the event has everything that the pattern names.
    pub fn matches(&self, event: &Value) -> bool {
        fits(&self.0, event)
    }
}

fn fits(pattern: &Value, event: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields
            .iter()
            .all(|(name, pattern)| event.get(name).is_some_and(|value| fits(pattern, value))),
        Value::Array(texts) => texts.contains(event),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &str, event: &Value) -> bool {
        Pattern(serde_json::from_str(pattern).unwrap()).matches(event)
    }

    #[test]
    fn every_field_of_a_pattern_must_fit_one_of_its_texts() {
        let pattern = r#"{"source":["a"],"detail":{"phase":["queued","running"]}}"#;
        assert!(matches(
            pattern,
            &json!({"source": "a", "detail": {"phase": "running", "job": "j"}, "id": "1"})
        ));
        assert!(!matches(
            pattern,
            &json!({"source": "b", "detail": {"phase": "running"}})
        ));
        assert!(!matches(
            pattern,
            &json!({"source": "a", "detail": {"phase": "ended"}})
        ));
        assert!(!matches(
            pattern,
            &json!({"source": "a", "detail": "running"})
        ));
        assert!(!matches(pattern, &json!({"source": "a"})));
    }

    #[test]
    fn texts_fit_exactly_and_a_number_is_no_text() {
        assert!(!matches(r#"{"open":["0"]}"#, &json!({"open": 0})));
        assert!(!matches(
            r#"{"state":["pend"]}"#,
            &json!({"state": "pending"})
        ));
    }
}
