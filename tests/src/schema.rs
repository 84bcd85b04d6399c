//! Schemas of the files: our own, strict, for all ten types, and whichever one is published.

mod instance;
mod published;

use domain::selection::ExportType;
use jsonschema::Validator;
use serde_json::{Value, json};

pub(crate) use self::instance::instance;

const OUR_SCHEMA: &str = include_str!("../schema/export.schema.json");

/// Asserts that a file is what our schema says of its type, and, with the feature
/// `published-schema`, what the published one does.
pub(crate) fn assert_valid(kind: ExportType, file: &str) {
    let file = instance(file);
    if let Err(fault) = ours(kind).validate(&file) {
        panic!(
            "{kind}: {} {}: {fault}",
            fault.instance_path(),
            fault.instance()
        );
    }
    #[cfg(feature = "published-schema")]
    published::Published::given().assert_valid(kind, &file);
}

/// A validator of the whole files of one type.
fn ours(kind: ExportType) -> Validator {
    validator(
        serde_json::from_str(OUR_SCHEMA).unwrap(),
        &format!("#/$defs/{kind}"),
    )
}

/// A validator of a whole schema and one of its definitions. Formats are notes, as the drafts leave
/// it: patterns say what is meant.
fn validator(mut schema: Value, definition: &str) -> Validator {
    schema["allOf"] = json!([{"$ref": definition}]);
    jsonschema::options()
        .should_validate_formats(false)
        .build(&schema)
        .unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::record::{Field, Presence, Shape};

    const ID: &str = "0123456789abcdef0123456789ABCDEF";
    const TIME: &str = "2026-01-05T10:00:00Z";

    /// A good item of each type.
    fn good(kind: ExportType) -> Value {
        let happening = json!([{"name": "n", "timestamp": TIME, "infoId": ID, "sessionId": ID, "locationId": ID}]);
        match kind {
            ExportType::Activity => {
                json!({"sessionId": ID, "activities": [{"name": "n", "timestamp": TIME}]})
            }
            ExportType::Event => json!({"deviceId": ID, "events": happening}),
            ExportType::Error => json!({"deviceId": ID, "errors": happening}),
            ExportType::Job => {
                json!({"jobId": ID, "name": "n", "deviceId": ID, "infoId": ID, "extras": {"a": null}})
            }
            ExportType::Session => json!({"sessionId": ID, "deviceId": ID, "start": TIME}),
            ExportType::Crash => {
                json!({"crashId": ID, "deviceId": ID, "timestamp": TIME, "name": "n", "stackTrace": "at\nmain"})
            }
            ExportType::Tag => json!({"deviceId": ID, "tags": {"level": "1"}}),
            ExportType::Token => json!({"deviceId": ID, "token": "t", "type": "GCM"}),
            ExportType::Push => {
                json!({"deviceId": ID, "campaignType": "Poll", "campaignId": 1, "status": ["None", "ContentExited"]})
            }
            ExportType::Device => {
                json!({"deviceId": ID, "meta": {}, "info": {}, "location": {}, "appInfo": {}})
            }
        }
    }

    /// Items that neither schema may let pass, each with the place of its fault.
    fn bad_for_both() -> Vec<(ExportType, &'static str, Value)> {
        let bad = |kind, place: &'static str, value| (kind, place, with(good(kind), place, value));
        vec![
            bad(ExportType::Activity, "/sessionId", json!("0123")),
            bad(ExportType::Activity, "/activities", json!({})),
            bad(ExportType::Activity, "/activities/0/extras", json!([])),
            bad(
                ExportType::Activity,
                "/activities/0/timestamp",
                json!("2026-01-05T24:00:00Z"),
            ),
            bad(ExportType::Activity, "/activities/0", json!({"name": "n"})),
            bad(
                ExportType::Event,
                "/events/0/timestamp",
                json!("5 January 2026"),
            ),
            bad(
                ExportType::Event,
                "/events/0/timestamp",
                json!("2026-01-05T10:00:00.1234567890Z"),
            ),
            bad(ExportType::Event, "/events/0/name", json!(null)),
            bad(
                ExportType::Event,
                "/events/0/extras",
                json!({"a": {"b": 1}}),
            ),
            bad(ExportType::Event, "/events/0/extras", many(201)),
            bad(ExportType::Event, "/deviceId", json!(7)),
            bad(ExportType::Session, "/start", json!("2026-13-05")),
            bad(ExportType::Session, "/deviceId", json!(null)),
            bad(ExportType::Job, "/extras", json!({"a": []})),
            bad(ExportType::Job, "/infoId", json!("not an id")),
            bad(ExportType::Push, "/status", json!(["Queued", "Queued"])),
            bad(ExportType::Push, "/status", json!(["Sent"])),
            bad(ExportType::Push, "/campaignId", json!("1")),
            bad(ExportType::Push, "/campaignType", json!("poll")),
            bad(ExportType::Token, "/token", json!(1)),
            bad(ExportType::Token, "", json!({"deviceId": ID, "token": "t"})),
        ]
    }

    /// Items that only our schema refuses.
    fn bad_for_ours() -> Vec<(ExportType, &'static str, Value)> {
        let bad = |kind, place: &'static str, value| (kind, place, with(good(kind), place, value));
        vec![
            bad(ExportType::Activity, "/activities", json!([])),
            bad(
                ExportType::Activity,
                "/activities/0/name",
                json!("n".repeat(65)),
            ),
            bad(
                ExportType::Event,
                "",
                json!({"deviceId": ID, "events": good(ExportType::Event)["events"], "x": 1}),
            ),
            bad(ExportType::Event, "/events/0/infoId", json!(null)),
            bad(ExportType::Event, "/deviceId", json!(format!("{ID}0"))),
            bad(ExportType::Error, "/errors/0/extras", json!({"a": {}})),
            bad(ExportType::Job, "/name", json!("😀".repeat(65))),
            bad(ExportType::Crash, "/stackTrace", json!("x".repeat(4_097))),
            bad(ExportType::Tag, "/tags", json!({})),
            bad(ExportType::Tag, "/tags", json!({"no space": "1"})),
            bad(
                ExportType::Tag,
                "/tags",
                json!({"level": "é".repeat(1_025)}),
            ),
            bad(ExportType::Push, "/campaignId", json!(1.5)),
            bad(
                ExportType::Device,
                "/meta",
                json!({"firstSeen": "yesterday"}),
            ),
            bad(ExportType::Device, "/info", json!({"colour": "red"})),
            bad(
                ExportType::Device,
                "/location",
                json!({"countrycode": "Utopia"}),
            ),
        ]
    }

    fn with(mut item: Value, place: &str, value: Value) -> Value {
        if let Some(found) = item.pointer_mut(place) {
            *found = value;
        } else {
            let (parent, name) = place.rsplit_once('/').unwrap();
            item.pointer_mut(parent).unwrap()[name] = value;
        }
        item
    }

    fn many(properties: usize) -> Value {
        (0..properties)
            .map(|number| (format!("p{number}"), json!(number)))
            .collect()
    }

    /// The names that a schema of objects describes, marked where they are required, without the
    /// one that is left out.
    fn fields(schema: &Value, left_out: Option<&str>) -> Vec<String> {
        let required = schema["required"].as_array().unwrap();
        let names = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| Some(name.as_str()) != left_out);
        names
            .map(|name| {
                format!(
                    "{name}{}",
                    if required.contains(&json!(name)) {
                        "*"
                    } else {
                        ""
                    }
                )
            })
            .collect()
    }

    #[test]
    fn ours_describes_the_fields_that_the_service_writes() {
        let schema: Value = serde_json::from_str(OUR_SCHEMA).unwrap();
        for &kind in ExportType::ALL {
            let shape = Shape::of(kind, true);
            let item = &schema["$defs"][kind.name()]["items"];
            let group = shape.group.map(|group| group.items);
            let mut described = fields(item, group);
            if let Some(group) = group {
                let records = &item["properties"][group];
                let happenings = records
                    .get("$ref")
                    .map_or(records, |_| &schema["$defs"]["happenings"]);
                described.extend(fields(&happenings["items"], None));
            }
            let mark = |field: &Field| {
                if field.presence == Presence::Required {
                    "*"
                } else {
                    ""
                }
            };
            let mut written: Vec<String> = shape
                .fields
                .iter()
                .map(|it| format!("{}{}", it.name, mark(it)))
                .collect();
            described.sort_unstable();
            written.sort_unstable();
            assert_eq!(described, written, "{kind}");
        }
    }

    #[test]
    fn a_good_file_is_of_its_own_type_and_of_no_other() {
        for &kind in ExportType::ALL {
            let file = json!([good(kind), good(kind)]);
            let types = ExportType::ALL
                .iter()
                .copied()
                .filter(|other| ours(*other).is_valid(&file));
            assert_eq!(types.collect::<Vec<_>>(), [kind]);
            #[cfg(feature = "published-schema")]
            published::Published::given().assert_valid(kind, &file);
        }
    }

    #[test]
    fn a_file_without_items_is_of_no_type() {
        for &kind in ExportType::ALL {
            assert!(!ours(kind).is_valid(&json!([])), "{kind}");
        }
    }

    #[test]
    fn what_the_published_schema_refuses_ours_refuses_behind_the_first_item_too() {
        for (kind, place, item) in bad_for_both() {
            let file = json!([good(kind), item]);
            assert!(!ours(kind).is_valid(&file), "{kind}{place}: {item}");
            #[cfg(feature = "published-schema")]
            assert!(
                !published::Published::given().is_valid(kind, &file),
                "the published schema: {kind}{place}: {item}"
            );
        }
    }

    #[test]
    fn ours_refuses_what_the_contract_does_not_name() {
        for (kind, place, item) in bad_for_ours() {
            assert!(
                !ours(kind).is_valid(&json!([good(kind), item])),
                "{kind}{place}: {item}"
            );
        }
    }

    #[test]
    fn extras_may_have_200_properties_and_nested_ones_only_on_activities() {
        let nested = with(
            good(ExportType::Activity),
            "/activities/0/extras",
            json!({"a": {"b": [many(201)]}}),
        );
        assert!(ours(ExportType::Activity).is_valid(&json!([nested])));
        for (kind, place) in [
            (ExportType::Event, "/events/0/extras"),
            (ExportType::Job, "/extras"),
        ] {
            assert!(
                ours(kind).is_valid(&json!([with(good(kind), place, many(200))])),
                "{kind}"
            );
        }
    }
}
