use domain::selection::ExportType;
use time::macros::date;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef";
const PUSH: &str = r#""campaignType":"Poll","campaignId":1,"status":[]"#;

fn fault(kind: ExportType, line: &str) -> BadRecord {
    let parsed = Shape::of(kind, true).parse(line.as_bytes());
    parsed.expect_err(line)
}

/// An event that is right but for what `rest` says.
fn event(rest: &str) -> String {
    format!(r#"{{"deviceId":"{ID}","name":"n"{rest}}}"#)
}

fn push(wrong: &str) -> String {
    let (name, _) = wrong.split_once(':').unwrap();
    let others = PUSH.split(',').filter(|field| !field.starts_with(name));
    let fields: Vec<&str> = others.chain([wrong]).collect();
    format!(r#"{{"deviceId":"{ID}",{}}}"#, fields.join(","))
}

#[test]
fn a_line_that_is_no_object_is_told_what_was_expected() {
    for (line, words) in [
        ("", "not JSON: expected one JSON object"),
        ("{", "not JSON: expected one JSON object"),
        ("{} x", "not JSON: expected one JSON object"),
        (r#"{"a":01}"#, "not JSON: expected one JSON object"),
        ("{\"a\u{1}\":1}", "not JSON: expected one JSON object"),
        (r#"{"\ud8":1}"#, "not JSON: expected one JSON object"),
        ("[1]", "not an object: expected one JSON object"),
        (" 7", "not an object: expected one JSON object"),
    ] {
        assert_eq!(fault(ExportType::Event, line).to_string(), words, "{line}");
    }
}

#[test]
fn a_field_that_is_absent_or_repeated_is_named() {
    let missing = "missing required field `deviceId`: expected it with a value other than null";
    for (line, words) in [
        ("{}", missing),
        (r#"{"deviceId":null}"#, missing),
        (
            r#"{"deviceId":null,"deviceId":1}"#,
            "field `deviceId` occurs more than once: expected it once",
        ),
    ] {
        assert_eq!(fault(ExportType::Event, line).to_string(), words, "{line}");
    }
}

#[test]
fn every_kind_says_how_a_right_value_looks() {
    let on_time = r#","timestamp":"2026-11-21""#;
    let long = "x".repeat(65);
    for (kind, line, words) in [
        (
            ExportType::Event,
            r#"{"deviceId":"secret"}"#,
            "field `deviceId` is not an id: expected 32 hex digits or a dashed GUID such as \
             01234567-89ab-cdef-0123-456789abcdef",
        ),
        (
            ExportType::Token,
            &format!(r#"{{"deviceId":"{ID}","token":["secret"]}}"#),
            "field `token` is not a string: expected text in double quotes",
        ),
        (
            ExportType::Event,
            &format!(r#"{{"deviceId":"{ID}","name":"{long}"}}"#),
            "field `name` is not a short string: expected at most 64 characters in double quotes",
        ),
        (
            ExportType::Event,
            &event(r#","timestamp":"secret""#),
            "field `timestamp` is not a timestamp: expected RFC 3339 such as 2026-02-01T12:00:00Z",
        ),
        (
            ExportType::Event,
            &event(&format!(r#"{on_time},"extras":{{"secret":{{}}}}"#)),
            "field `extras` is not a flat object: expected at most 200 strings, numbers, booleans \
             and nulls by name",
        ),
        (
            ExportType::Tag,
            &format!(r#"{{"deviceId":"{ID}","tags":"secret"}}"#),
            "field `tags` is not an object: expected values by name in braces",
        ),
        (
            ExportType::Push,
            &push(r#""campaignId":"secret""#),
            "field `campaignId` is not a 64-bit integer: expected digits without quotes, such as 42",
        ),
        (
            ExportType::Push,
            &push(r#""campaignType":"secret""#),
            "field `campaignType` is not a campaign type: expected one of Announcement, DataPush, \
             NativePush, Poll",
        ),
        (
            ExportType::Push,
            &push(r#""status":["secret"]"#),
            "field `status` is not an array of push status flags: expected each at most once, such \
             as [\"Queued\"]",
        ),
    ] {
        let fault = fault(kind, line);
        assert_eq!(fault.to_string(), words, "{line}");
        assert!(!format!("{fault} {fault:?}").contains("secret"));
    }
}

fn nested(open: &str, levels: usize, close: &str) -> String {
    open.repeat(levels) + &close.repeat(levels)
}

fn activity(extras: &str) -> String {
    format!(r#"{{"sessionId":"{ID}","name":"n","timestamp":"2026-11-21","extras":{extras}}}"#)
}

#[test]
fn a_record_may_have_32_levels_with_its_own() {
    let shape = Shape::of(ExportType::Activity, false);
    for (open, close) in [("[", "]"), ("{\"a\":[", "]}")] {
        let levels = |levels: usize| {
            let inner = nested(open, (levels - 2) / open.matches(['[', '{']).count(), close);
            activity(&format!(r#"{{"a":{inner}}}"#))
        };
        assert!(shape.parse(levels(32).as_bytes()).is_ok());
        let fault = fault(ExportType::Activity, &levels(34));
        let words = "field `extras` is nested too deeply: expected at most 32 levels with the \
                     record's own";
        assert_eq!(fault.to_string(), words);
    }
    let too_deep = BadRecord::TooDeep { field: "extras" };
    let just = activity(&format!(r#"{{"a":{}}}"#, nested("[", 31, "]")));
    assert_eq!(fault(ExportType::Activity, &just), too_deep);
    let far = activity(&nested("[", 100_000, "]"));
    assert_eq!(fault(ExportType::Activity, &far), too_deep);
}

#[test]
fn the_limits_hold_for_values_of_every_kind_and_not_for_unknown_fields() {
    let too_deep = nested("[", 32, "]");
    let line = |value: &str| event(&format!(r#","timestamp":{value}"#));
    let field = "timestamp";
    assert_eq!(
        fault(ExportType::Event, &line(&too_deep)),
        BadRecord::TooDeep { field }
    );
    assert_eq!(
        fault(ExportType::Event, &line("[1e400]")),
        BadRecord::NumberTooLarge { field }
    );
    let push = push(r#""campaignId":-1e400"#);
    let words = "field `campaignId` holds a number beyond a double: expected numbers up to \
                 1.7976931348623157e308";
    assert_eq!(fault(ExportType::Push, &push).to_string(), words);
    let unknown = event(&format!(
        r#","timestamp":"2026-11-21","x":{too_deep},"y":1e400"#
    ));
    assert!(
        Shape::of(ExportType::Event, false)
            .parse(unknown.as_bytes())
            .is_ok()
    );
}

#[test]
fn a_number_beyond_a_double_is_refused_and_others_keep_their_digits() {
    let shape = Shape::of(ExportType::Activity, false);
    for extras in [r#"{"a":1e400}"#, r#"{"a":[{"b":-1E+309}]}"#] {
        let field = "extras";
        let line = activity(extras);
        assert_eq!(
            fault(ExportType::Activity, &line),
            BadRecord::NumberTooLarge { field }
        );
    }
    let extras = r#"{"a":[1e-400,12345678901234567890,0.10,"1e400"]}"#;
    let line = activity(extras);
    let record = shape.parse(line.as_bytes()).unwrap();
    assert_eq!(record.values().nth(4), Some(Some(extras)));
}

#[test]
fn a_record_with_half_a_pair_is_repaired_wherever_it_stands() {
    let shape = Shape::of(ExportType::Activity, false);
    let line = format!(
        r#"{{"sessionId":"{ID}","name":"a\ud83d","timestamp":"2026-11-21","extras":{{"k\udc00":[{{"\udc00":"\ud800 \ud83d\ude00"}}]}}}}"#
    );
    let record = shape.parse(line.as_bytes()).unwrap();
    let expected = [
        Some(format!("\"{ID}\"")),
        None,
        Some("\"a\u{fffd}\"".to_owned()),
        Some("\"2026-11-21T00:00:00Z\"".to_owned()),
        Some("{\"k\u{fffd}\":[{\"\u{fffd}\":\"\u{fffd} \\ud83d\\ude00\"}]}".to_owned()),
    ];
    let values: Vec<_> = record.values().take(5).collect();
    assert_eq!(values, expected.each_ref().map(Option::as_deref));
    assert!(record.repaired);
}

#[test]
fn the_length_of_a_text_is_that_of_the_repaired_one() {
    let named =
        |name: &str| format!(r#"{{"deviceId":"{ID}","name":"{name}","timestamp":"2026-11-21"}}"#);
    let shape = Shape::of(ExportType::Event, false);
    let line = named(&r"\ud83d".repeat(64));
    assert!(shape.parse(line.as_bytes()).unwrap().repaired);
    let wrong = BadRecord::Wrong {
        field: "name",
        expected: Kind::ShortText(64),
    };
    assert_eq!(
        fault(ExportType::Event, &named(&r"\ud83d".repeat(65))),
        wrong
    );
}

#[test]
fn keys_that_the_repair_makes_equal_are_refused() {
    let line = activity(r#"{"a":{"\ud800":1,"\udfff":2}}"#);
    let words = "field `extras` has equal keys once half surrogates are U+FFFD: expected keys \
                 that differ";
    assert_eq!(fault(ExportType::Activity, &line).to_string(), words);
    let equal_before = activity(r#"{"a":{"\ud800":1,"\uD800":2}}"#);
    let shape = Shape::of(ExportType::Activity, false);
    assert!(shape.parse(equal_before.as_bytes()).unwrap().repaired);
}

#[test]
fn a_half_in_what_is_not_exported_repairs_nothing() {
    let shape = Shape::of(ExportType::Push, false);
    let line = push(r#""userId":"\ud800""#);
    assert!(!shape.parse(line.as_bytes()).unwrap().repaired);
}

#[test]
fn a_fault_has_a_code_of_its_own() {
    let field = "name";
    let expected = Kind::Text;
    let day = date!(2026 - 11 - 21);
    for (fault, code) in [
        (BadRecord::NotUtf8, "NotUtf8"),
        (BadRecord::NotJson, "NotJson"),
        (BadRecord::NotAnObject, "NotAnObject"),
        (BadRecord::Missing { field }, "MissingField"),
        (BadRecord::Repeated { field }, "RepeatedField"),
        (BadRecord::Wrong { field, expected }, "WrongValue"),
        (BadRecord::TooDeep { field }, "TooDeep"),
        (BadRecord::NumberTooLarge { field }, "NumberTooLarge"),
        (BadRecord::KeysBecomeEqual { field }, "KeysBecomeEqual"),
        (
            BadRecord::WrongDay {
                field,
                found: day,
                folder: day,
                late_days: 0,
            },
            "WrongDay",
        ),
    ] {
        assert_eq!(fault.code(), code);
    }
}

#[test]
fn a_day_that_no_export_takes_is_told_with_those_that_would_be() {
    let words = |late_days| {
        let wrong = BadRecord::WrongDay {
            field: "start",
            found: date!(2026 - 02 - 01),
            folder: date!(2026 - 02 - 09),
            late_days,
        };
        wrong.to_string()
    };
    let began = "`start` is on 2026-02-01 (UTC), and the record lies in the folder of 2026-02-09: expected that day";
    for (late_days, days) in [
        (0, "; if"),
        (1, ", or the day before; if"),
        (7, ", or one of the 7 days before; if"),
    ] {
        assert!(words(late_days).starts_with(&format!("{began}{days}")));
        assert!(words(late_days).ends_with("by LAKE_LATE_DAYS"));
    }
}

#[test]
fn what_is_no_record_may_still_say_when() {
    let shape = Shape::of(ExportType::Event, false);
    let time_of = |text: &str| shape.time_of(text.as_bytes()).map(OffsetDateTime::date);
    let day = Some(date!(2026 - 11 - 21));
    assert_eq!(time_of(r#"{"timestamp":"2026-11-22T00:30:00+01:00"}"#), day);
    assert_eq!(time_of(r#"{"timestamp":"soon"}"#), None);
    assert_eq!(time_of(r#"{"start":"2026-11-21"}"#), None);
    assert_eq!(time_of("nonsense"), None);
    assert_eq!(shape.time_field(), Some("timestamp"));
    assert_eq!(Shape::of(ExportType::Tag, false).time_field(), None);
}
