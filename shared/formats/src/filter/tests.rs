use std::collections::BTreeSet;

use domain::selection::{ExportType, HistoryType};
use time::macros::datetime;

use super::*;
use crate::record::{Kind, Presence};

const A: &str = "0123456789abcdef0123456789abcdea";
const A_DASHED: &str = "01234567-89AB-CDEF-0123-456789ABCDEA";
const B: &str = "0123456789abcdef0123456789abcdeb";

fn event(device: &str, name: &str, rest: &str) -> String {
    format!(
        r#"{{"deviceId":"{device}","name":"{name}","timestamp":"2026-11-21T10:00:00.5Z"{rest}}}"#
    )
}

fn wants(filter: &Filter, of: ExportType, record: &str) -> bool {
    let shape = Shape::of(of, false);
    let record = shape.parse(record.as_bytes()).unwrap();
    RecordFilter::new(filter, shape).wants(&record)
}

fn wants_event(filter: &Filter, record: &str) -> bool {
    wants(filter, ExportType::Event, record)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_filter_that_asks_for_nothing_wants_every_record() {
    let session = format!(r#"{{"sessionId":"{A}","deviceId":"{B}"}}"#);
    let filter = Filter::default();
    assert!(wants(&filter, ExportType::Session, &session));
    assert!(wants_event(&filter, &event(A, "", "")));
}

#[test]
fn names_are_compared_as_they_are_decoded() {
    let listed = names(&["é", "U+1F600 is 😀", "\u{fffd}", ""]);
    for (name, is_listed) in [
        ("é", true),
        (r"\u00e9", true),
        (r"\u0055+1F600 is \ud83d\ude00", true),
        // Half of a pair is exported as this.
        (r"\ud83d", true),
        ("", true),
        ("É", false),
        ("é ", false),
    ] {
        let record = event(A, name, "");
        for (names, expected) in [
            (Names::In(listed.clone()), is_listed),
            (Names::NotIn(listed.clone()), !is_listed),
        ] {
            let filter = Filter {
                names: Some(names),
                ..Filter::default()
            };
            assert_eq!(wants_event(&filter, &record), expected, "{name}");
        }
    }
}

#[test]
fn device_ids_are_compared_as_ids() {
    let filter = Filter {
        device_ids: Some([DeviceId::parse(A_DASHED).unwrap()].into()),
        ..Filter::default()
    };
    for (device, expected) in [
        (A, true),
        (A_DASHED, true),
        (&*A.to_uppercase(), true),
        (r"\u0030123456789abcdef0123456789abcdea", true),
        (B, false),
    ] {
        assert_eq!(
            wants_event(&filter, &event(device, "n", "")),
            expected,
            "{device}"
        );
    }
    let of_none = format!(r#"{{"sessionId":"{A}","name":"n","timestamp":"2026-11-21"}}"#);
    assert!(!wants(&filter, ExportType::Activity, &of_none));
}

#[test]
fn a_session_is_present_when_its_id_is() {
    let filter = |session| Filter {
        session: Some(session),
        ..Filter::default()
    };
    for (rest, is_present) in [
        (format!(r#","sessionId":"{A}""#), true),
        (r#","sessionId":null"#.to_owned(), false),
        (String::new(), false),
    ] {
        let record = event(A, "n", &rest);
        assert_eq!(wants_event(&filter(Session::Present), &record), is_present);
        assert_eq!(wants_event(&filter(Session::Absent), &record), !is_present);
    }
}

#[test]
fn the_first_moment_is_wanted_and_the_last_is_not() {
    let at = datetime!(2026-11-21 10:00:00.5 UTC);
    let just = time::Duration::nanoseconds(1);
    let record = event(A, "n", "");
    for (from, to, expected) in [
        (Some(at), None, true),
        (Some(at + just), None, false),
        (None, Some(at), false),
        (None, Some(at + just), true),
        (Some(at), Some(at + just), true),
    ] {
        let filter = Filter {
            from,
            to,
            ..Filter::default()
        };
        assert_eq!(wants_event(&filter, &record), expected, "{from:?} {to:?}");
    }
}

#[test]
fn what_does_not_say_when_it_happened_is_within_no_time() {
    let session = format!(r#"{{"sessionId":"{A}","deviceId":"{B}","end":"2026-11-21"}}"#);
    let at = Some(datetime!(2026-11-21 0:00 UTC));
    for (from, to) in [(at, None), (None, at)] {
        let filter = Filter {
            from,
            to,
            ..Filter::default()
        };
        assert!(!wants(&filter, ExportType::Session, &session));
    }
}

#[test]
fn each_condition_must_hold() {
    let filter = Filter {
        names: Some(Names::In(names(&["n"]))),
        device_ids: Some([DeviceId::parse(A).unwrap()].into()),
        session: Some(Session::Absent),
        from: Some(datetime!(2026-11-21 10:00 UTC)),
        to: Some(datetime!(2026-11-21 11:00 UTC)),
    };
    assert!(wants_event(&filter, &event(A, "n", "")));
    let in_a_session = format!(r#","sessionId":"{A}""#);
    for record in [
        event(A, "m", ""),
        event(B, "n", ""),
        event(A, "n", &in_a_session),
        event(A, "n", "").replace("T10:", "T09:"),
        event(A, "n", "").replace("T10:", "T11:"),
    ] {
        assert!(!wants_event(&filter, &record), "{record}");
    }
}

/// What a filter can have is what the records say.
#[test]
fn every_type_has_the_fields_that_its_filters_go_by() {
    use domain::filter::FilterPart;
    for &of in ExportType::ALL {
        let shape = Shape::of(of, false);
        let field = |name: &str| shape.fields.iter().find(|field| field.name == name);
        let parts: Vec<_> = FilterPart::of(of).collect();
        let has = |part| parts.contains(&part);
        assert_eq!(has(FilterPart::Names), field("name").is_some(), "{of}");
        assert_eq!(has(FilterPart::DeviceIds), field("deviceId").is_some());
        let session = field("sessionId").map(|field| field.presence);
        assert_eq!(
            has(FilterPart::Session),
            session == Some(Presence::Optional),
            "{of}"
        );
        let is_timed = shape.fields.iter().any(|it| it.kind == Kind::RecordTime);
        assert_eq!(is_timed, HistoryType::of(of).is_some());
        assert_eq!(
            (has(FilterPart::From), has(FilterPart::To)),
            (is_timed, is_timed)
        );
    }
}
