use proptest::prelude::*;
use time::Duration;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

use super::*;

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

#[test]
fn a_timestamp_is_written_in_one_form() {
    for (text, expected) in [
        ("2026-02-28", "2026-02-28T00:00:00Z"),
        ("2026-02-28T", "2026-02-28T00:00:00Z"),
        ("2026-02-28 Z", "2026-02-28T00:00:00Z"),
        ("2026-02-28TZ", "2026-02-28T00:00:00Z"),
        ("2026-02-28T-00:30", "2026-02-28T00:30:00Z"),
        ("2026-02-28 12:00:00", "2026-02-28T12:00:00Z"),
        ("2026-02-28 12:00:00Z", "2026-02-28T12:00:00Z"),
        ("2026-02-28T12:00:00", "2026-02-28T12:00:00Z"),
        ("2026-02-28T12:00:00.", "2026-02-28T12:00:00Z"),
        ("2026-02-28T12:00:00.Z", "2026-02-28T12:00:00Z"),
        ("2026-02-28T12:00:00.+01:00", "2026-02-28T11:00:00Z"),
        ("2026-02-28T12:00:00.5", "2026-02-28T12:00:00.5Z"),
        ("2026-02-28T12:00:00.120-00:00", "2026-02-28T12:00:00.120Z"),
        ("2026-02-28T23:30:00.000+11:30", "2026-02-28T12:00:00.000Z"),
        (
            "2026-02-28T23:30:00.123456789-11:30",
            "2026-03-01T11:00:00.123456789Z",
        ),
        ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"),
        ("0000-01-01T01:00:00+01:00", "0000-01-01T00:00:00Z"),
        ("0007-01-01", "0007-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.9+00:01", "9999-12-31T23:58:59.9Z"),
    ] {
        let normal = normalise(Kind::Timestamp, &quoted(text)).raw.into_owned();
        assert_eq!(normal, quoted(expected), "{text}");
        let again = normalise(Kind::RecordTime, &normal);
        assert!(matches!(again.raw, Cow::Borrowed(_)), "{normal}");
    }
    let escaped = normalise(Kind::Timestamp, r#""2026-02-28T12:00:00\u005a""#);
    assert_eq!(escaped.raw, quoted("2026-02-28T12:00:00Z"));
    assert!(!escaped.repaired);
}

#[test]
fn a_timestamp_in_its_form_is_borrowed() {
    for text in [
        "2026-02-28T12:00:00Z",
        "2026-02-28T12:00:00.0Z",
        "2026-02-28T12:00:00.120Z",
    ] {
        let raw = quoted(text);
        let normal = normalise(Kind::Timestamp, &raw);
        assert!(
            matches!(normal.raw, Cow::Borrowed(same) if same == raw),
            "{text}"
        );
        assert_eq!(
            normal.moment.map(OffsetDateTime::date),
            Some(time::macros::date!(2026 - 02 - 28))
        );
    }
}

#[test]
fn a_moment_before_the_year_0000_or_after_9999_is_none() {
    for text in [
        "0000-01-01T00:00:00+00:01",
        "0000-01-01T23:58:59.9+23:59",
        "9999-12-31T23:59:59-00:01",
    ] {
        assert_eq!(
            normalise(Kind::Timestamp, &quoted(text)).moment,
            None,
            "{text}"
        );
    }
}

#[test]
fn only_texts_and_objects_are_repaired() {
    let half = r#""\ud83d""#;
    for kind in [Kind::Text, Kind::ShortText(1), Kind::Extras, Kind::Object] {
        let normal = normalise(kind, half);
        assert_eq!(
            (normal.raw.as_ref(), normal.repaired),
            ("\"�\"", true),
            "{kind:?}"
        );
    }
    for kind in [
        Kind::Id,
        Kind::Timestamp,
        Kind::RecordTime,
        Kind::Integer,
        Kind::CampaignType,
        Kind::Status,
    ] {
        let normal = normalise(kind, half);
        assert_eq!(
            (normal.raw.as_ref(), normal.repaired),
            (half, false),
            "{kind:?}"
        );
        assert!(!kind.admits(&normal), "{kind:?}");
    }
}

proptest! {
    #[test]
    fn a_timestamp_of_another_parser_stays_the_same_moment(
        seconds in 0..315_500_000_000_i64,
        nanos in prop_oneof![
            Just(0),
            0..1_000_000_000_i64,
            (0..1000_i64).prop_map(|it| it * 1_000_000)
        ],
        offset in -1439..1440_i32,
    ) {
        let start = datetime!(0000-01-02 0:00 UTC);
        let moment = start + Duration::seconds(seconds) + Duration::nanoseconds(nanos);
        let zone = time::UtcOffset::from_whole_seconds(offset * 60).unwrap();
        let local = moment.checked_to_offset(zone);
        prop_assume!(local.is_some_and(|it| (0..=9999).contains(&it.year())));
        let given = quoted(&local.unwrap().format(&Rfc3339).unwrap());
        let normal = normalise(Kind::Timestamp, &given);
        let text = normal.raw.trim_matches('"');
        prop_assert_eq!(OffsetDateTime::parse(text, &Rfc3339).unwrap(), moment);
        prop_assert_eq!(normal.moment, Some(moment));
        prop_assert!(text.ends_with('Z') && text.get(10..11) == Some("T"), "{}", text);
        prop_assert_eq!(moment.format(&Rfc3339).unwrap(), text);
        prop_assert!(matches!(normalise(Kind::Timestamp, &normal.raw).raw, Cow::Borrowed(_)));
    }

    #[test]
    fn whatever_is_read_as_a_timestamp_is_one_for_another_parser(
        text in r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])([T ](([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{0,9})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?",
    ) {
        let given = quoted(&text);
        let normal = normalise(Kind::Timestamp, &given);
        if let Some(moment) = normal.moment {
            let written = normal.raw.trim_matches('"');
            prop_assert_eq!(OffsetDateTime::parse(written, &Rfc3339).unwrap(), moment);
            let digits = |text: &str| {
                let (_, after) = text.split_once('.')?;
                let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
                (!digits.is_empty()).then_some(digits)
            };
            prop_assert_eq!(digits(written), digits(&text));
            let is_borrowed = matches!(normal.raw, Cow::Borrowed(_));
            prop_assert_eq!(is_borrowed, written == text);
        }
    }
}
