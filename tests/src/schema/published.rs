//! A published schema of six of the types, which is not part of this repository.
//!
//! Build with the feature `published-schema` and `PUBLISHED_SCHEMA` set to the file's absolute
//! path: `make published-schema SCHEMA=path`. Three things stand between it and our files:
//! - Its `items: [X]` checks the first element of an array only: rewritten into `items: X`, which
//!   checks each.
//! - It demands `infoId`, `sessionId` and `locationId` of every event, and apps send events outside
//!   of any session: an event that has all three is checked as it stands, any other with those
//!   three demands lifted.
//! - Its root wants exactly one of the six definitions to fit, and activities with their device's
//!   id, which clients may ask for, fit the sessions' too: such a file is checked against its own
//!   definition only, all others against the root as well.

use serde_json::Value;

/// Turns every array's rule for its first element into one for all of them.
fn check_every_element(schema: &mut Value) {
    if let Some(rule) = schema.get_mut("items")
        && let Some([only]) = rule.as_array_mut().map(Vec::as_mut_slice)
    {
        *rule = only.take();
    }
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(check_every_element),
        Value::Object(parts) => parts.values_mut().for_each(check_every_element),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(feature = "published-schema")]
pub(super) use self::given::Published;

#[cfg(feature = "published-schema")]
mod given {
    use domain::selection::ExportType;
    use jsonschema::Validator;
    use serde_json::{Value, json};

    use super::check_every_element;
    use crate::schema::validator;

    /// What events outside of any session lack.
    const OF_A_SESSION: [&str; 3] = ["infoId", "sessionId", "locationId"];

    /// The published schema, rewritten.
    pub(in crate::schema) struct Published {
        every_element: Value,
        lifted: Value,
    }

    impl Published {
        /// Reads the file at `PUBLISHED_SCHEMA`, as it was set at build time.
        pub(in crate::schema) fn given() -> Self {
            let Some(path) = option_env!("PUBLISHED_SCHEMA") else {
                panic!("the feature published-schema wants PUBLISHED_SCHEMA, the schema's path");
            };
            let text =
                std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
            let mut every_element: Value = serde_json::from_str(&text).unwrap();
            check_every_element(&mut every_element);
            let mut lifted = every_element.clone();
            let required = lifted
                .pointer_mut("/definitions/event/required")
                .and_then(Value::as_array_mut);
            required
                .unwrap()
                .retain(|name| !OF_A_SESSION.iter().any(|lifted| name == lifted));
            Self {
                every_element,
                lifted,
            }
        }

        /// Asserts that a file of one of the six types is as the schema says; of the other four it
        /// says nothing.
        pub(in crate::schema) fn assert_valid(&self, kind: ExportType, file: &Value) {
            for (validator, part) in self.parts(kind, file) {
                if let Err(fault) = validator.validate(&part) {
                    panic!(
                        "{kind}: {} {}: {fault}",
                        fault.instance_path(),
                        fault.instance()
                    );
                }
            }
        }

        /// Whether [`Self::assert_valid`] would pass.
        pub(in crate::schema) fn is_valid(&self, kind: ExportType, file: &Value) -> bool {
            self.parts(kind, file)
                .iter()
                .all(|(validator, part)| validator.is_valid(part))
        }

        /// What is to be checked, and with what.
        fn parts(&self, kind: ExportType, file: &Value) -> Vec<(Validator, Value)> {
            let Some(definition) = definition(kind) else {
                return Vec::new();
            };
            let rule = |schema: &Value| {
                let mut schema = schema.clone();
                if kind == ExportType::Activity && names_devices(file) {
                    schema.as_object_mut().unwrap().remove("oneOf");
                }
                validator(schema, definition)
            };
            if kind != ExportType::Event {
                return vec![(rule(&self.every_element), file.clone())];
            }
            let whole = events_of_sessions(file);
            let whole = (whole != json!([])).then(|| (rule(&self.every_element), whole));
            whole
                .into_iter()
                .chain([(rule(&self.lifted), file.clone())])
                .collect()
        }
    }

    /// Whether any group says of which device it is.
    fn names_devices(file: &Value) -> bool {
        file.as_array()
            .unwrap()
            .iter()
            .any(|group| group.get("deviceId").is_some())
    }

    fn definition(kind: ExportType) -> Option<&'static str> {
        match kind {
            ExportType::Activity => Some("#/definitions/activityExport"),
            ExportType::Event => Some("#/definitions/eventExport"),
            ExportType::Session => Some("#/definitions/sessionExport"),
            ExportType::Job => Some("#/definitions/jobExport"),
            ExportType::Push => Some("#/definitions/pushExport"),
            ExportType::Token => Some("#/definitions/tokenExport"),
            ExportType::Error | ExportType::Crash | ExportType::Tag | ExportType::Device => None,
        }
    }

    /// The file without the events that lack anything of a session.
    fn events_of_sessions(file: &Value) -> Value {
        let group = |group: &Value| {
            let events = group["events"].as_array()?.iter();
            let events =
                events.filter(|event| OF_A_SESSION.iter().all(|name| event.get(name).is_some()));
            let events: Vec<&Value> = events.collect();
            (!events.is_empty()).then(|| json!({"deviceId": group["deviceId"], "events": events}))
        };
        file.as_array().unwrap().iter().filter_map(group).collect()
    }

    #[test]
    fn its_root_refuses_activities_that_name_their_device() {
        let id = "0123456789abcdef0123456789abcdef";
        let activities = json!([{"name": "n", "timestamp": "2026-01-05"}]);
        let named = json!([{"sessionId": id, "deviceId": id, "activities": activities}]);
        let unnamed = json!([{"sessionId": id, "activities": activities}]);
        let published = Published::given();
        assert!(
            published.is_valid(ExportType::Activity, &named),
            "its definition of activities"
        );
        assert!(
            published.is_valid(ExportType::Activity, &unnamed),
            "its root too"
        );
        let root = validator(published.every_element, "#/definitions/activityExport");
        assert!(
            root.is_valid(&unnamed) && !root.is_valid(&named),
            "its root"
        );
    }

    #[test]
    fn an_event_of_a_session_is_checked_as_the_schema_stands() {
        let id = "0123456789abcdef0123456789abcdef";
        let standalone = json!({"name": "n", "timestamp": "2026-01-05"});
        let of_a_session = |location: Value| {
            let mut event = standalone.clone();
            (event["infoId"], event["sessionId"], event["locationId"]) =
                (json!(id), json!(id), location);
            json!([{"deviceId": id, "events": [standalone, event]}])
        };
        assert!(Published::given().is_valid(ExportType::Event, &of_a_session(json!(id))));
        assert!(!Published::given().is_valid(ExportType::Event, &of_a_session(json!(null))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_for_the_first_element_becomes_one_for_every_element() {
        let mut schema = json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "definitions": {"row": {"type": "array", "items": [{"type": "array", "items": [{"type": "integer"}]}]}},
            "oneOf": [{"$ref": "#/definitions/row"}],
        });
        let (good, bad) = (
            json!([[1], [2, 3]]),
            [json!([[1], [2, "3"]]), json!([[1], 2])],
        );
        assert!(
            bad.iter().all(|bad| jsonschema::is_valid(&schema, bad)),
            "the rule as it stands"
        );
        check_every_element(&mut schema);
        assert!(jsonschema::is_valid(&schema, &good));
        assert!(!bad.iter().any(|bad| jsonschema::is_valid(&schema, bad)));
    }

    #[test]
    fn a_rule_for_several_elements_and_one_for_all_stay_as_they_are() {
        for schema in [
            json!({"items": [{}, {}]}),
            json!({"items": {"type": "string"}}),
            json!({"items": []}),
        ] {
            let mut rewritten = schema.clone();
            check_every_element(&mut rewritten);
            assert_eq!(rewritten, schema);
        }
    }
}
