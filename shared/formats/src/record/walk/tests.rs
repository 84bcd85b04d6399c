use domain::selection::ExportType;
use proptest::collection::vec;
use proptest::prelude::*;
use time::macros::datetime;

use crate::record::value::{text, write_compact};
use crate::record::{Kind, MAX_FIELDS, Record, Shape};

const ID: &str = "\"0123456789abcdefABCDEF0123456789\"";

/// What a value of a kind may look like: the first few as usual, then unusual ones, then wrong ones.
fn texts(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Id => &[
            ID,
            r#""01234567-89ab-cdef-ABCD-EF0123456789""#,
            r#""\u0030123456789abcdefABCDEF0123456789""#,
            r#""0123456789abcdefABCDEF012345678g""#,
            r#""01234567-89ab-cdef-ABCD-EF012345678-""#,
            r#""0123456789abcdefABCDEF012345678901234""#,
        ],
        Kind::Timestamp | Kind::RecordTime => &[
            r#""2026-02-01T12:00:00Z""#,
            r#""2024-02-29T23:59:59.123456789Z""#,
            r#""0000-01-01T00:00:00.0Z""#,
            r#""2026-02-01""#,
            r#""2026-02-01 12:00:00Z""#,
            r#""2026-02-01T12:00:00+01:00""#,
            r#""2026-02-01T12:00:00.Z""#,
            r#""2026-02-01T12:00:00\u005a""#,
            r#""2026-02-30T12:00:00Z""#,
            r#""2026-02-01T24:00:00Z""#,
            r#""2026-02-01T12:00:60Z""#,
            r#""2026-02-01T12:00:00.1234567890Z""#,
        ],
        Kind::Text | Kind::ShortText(_) => &[
            r#""""#,
            r#""level one""#,
            r#""Zo\u00eb \"Zoë\" \ud83d\ude00 \\ \/ \n""#,
            r#""half \ud83d""#,
            r#""half \ude00 \ud83d\ud83d\ude00""#,
            "\"tab\t\"",
            r#""\x""#,
            r#""\u12g4""#,
        ],
        Kind::Extras | Kind::Object => &[
            "{}",
            r#"{"a":1,"b":"x","c":-2.50,"d":true,"e":false,"f":null}"#,
            r#"{"\u00e9":"\ud83d\ude00","größe":"12×34","last":"0123456789abcdef0"}"#,
            r#"{ "a" : 1 , "b c":" d " }"#,
            r#"{"a":1e3,"b":1.5E-7,"c":0.0e+0}"#,
            r#"{"a":{"b":[1,{"c":[]}]}}"#,
            r#"{"a":"\ud83d","�":1}"#,
            r#"{"\ud83d":1,"�":2}"#,
            r#"{"a":1e400}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            "[]",
        ],
        Kind::Integer => &[
            "0",
            "-1",
            "9223372036854775807",
            "-0",
            "9223372036854775808",
            "1.0",
            "1e3",
            "01",
            "\"1\"",
        ],
        Kind::CampaignType => &[
            "\"Announcement\"",
            "\"DataPush\"",
            "\"Data\\u0050ush\"",
            "\"datapush\"",
        ],
        Kind::Status => &[
            "[]",
            r#"["Queued","ContentExited"]"#,
            r#"[ "None" , "Queued" ]"#,
            r#"["Queue\u0064"]"#,
            r#"["Queued","Queued"]"#,
            r#"["queued"]"#,
            "[1]",
        ],
    }
}

/// These, and long ones.
fn spellings(kind: Kind) -> Vec<String> {
    let mut texts: Vec<_> = texts(kind).iter().map(|text| (*text).to_owned()).collect();
    if let Kind::ShortText(most) = kind {
        texts.extend([most, most + 1].map(|count| format!("\"{}\"", "ü".repeat(count))));
        texts.extend([most, most + 1].map(|count| format!("\"{}\"", "\\n".repeat(count))));
    }
    if let Kind::Extras | Kind::Object = kind {
        let few = |count| format!("{{{}}}", vec!["\"a\":1"; count].join(","));
        texts.extend([few(200), few(201)]);
        let deep = |levels| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        texts.extend([deep(30), deep(31), deep(40)]);
        texts.extend([308, 309].map(|digits| format!("{{\"a\":{}}}", "9".repeat(digits))));
    }
    texts
}

/// What is put into a text to see what becomes of it.
const PARTS: [&[u8]; 44] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b" ",
    b"\t",
    b"\n",
    b"\r",
    b"0",
    b"9",
    b"-",
    b".",
    b"e",
    b"E",
    b"+",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"null",
    b"true",
    b"false",
    b"1e400",
    b"01",
    b"1.",
    b"\xff",
    b"\xc3\xa9",
    b"\xc3",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"Z",
    b"+01:00",
    b"T",
    b"\"deviceId\":",
    b",\"name\":\"x\"",
    b"\"a\":{}",
    b"24",
    b"60",
    b"g",
    b"\xef\xbb\xbf",
];

/// Decides by what a test is given, and by zeros when that is used up.
struct Dice<'a>(std::slice::Iter<'a, u16>);

impl Dice<'_> {
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % end
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// A value, usual ones more often than others.
    fn value(&mut self, kind: Kind) -> String {
        let all = spellings(kind);
        let end = if self.one_in(4) { all.len() } else { 2 };
        self.pick(&all[..end])
    }

    /// A record, or nearly one.
    fn line(&mut self, shape: &Shape) -> Vec<u8> {
        let mut members = Vec::new();
        for field in shape.fields {
            if self.one_in(12) {
                continue;
            }
            let value = match self.below(12) {
                11 => "null".to_owned(),
                _ => self.value(field.kind),
            };
            let name = match self.below(24) {
                23 => format!("\\u{:04x}{}", field.name.as_bytes()[0], &field.name[1..]),
                _ => field.name.to_owned(),
            };
            members.push((name, value));
        }
        while self.one_in(4) {
            let unknown = ["x", "deviceID", "", "\\ud800", "events"];
            members.push((self.pick(&unknown).to_owned(), self.value(Kind::Object)));
        }
        while self.one_in(5) && !members.is_empty() {
            let (one, other) = (self.below(members.len()), self.below(members.len()));
            members.swap(one, other);
        }
        let space = if self.one_in(4) { " \n" } else { "" };
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("{space}\"{name}\"{space}:{space}{value}{space}"))
            .collect();
        format!("{space}{{{}}}{space}", members.join(",")).into_bytes()
    }

    fn mutate(&mut self, line: &mut Vec<u8>) {
        let at = self.below(line.len().max(1)).min(line.len());
        match self.below(5) {
            0 => drop(line.splice(at..(at + 1).min(line.len()), [])),
            1 => drop(line.splice(at..at, self.pick(&PARTS).iter().copied())),
            2 => {
                let part = self.pick(&PARTS);
                let end = (at + part.len()).min(line.len());
                line.splice(at..end, part.iter().copied());
            }
            3 => {
                let byte = u8::try_from(self.below(256)).unwrap();
                line.splice(at..(at + 1).min(line.len()), [byte]);
            }
            _ => {
                let end = (at + 1 + self.below(40)).min(line.len());
                let part = line[at..end].to_vec();
                line.splice(at..at, part);
            }
        }
    }
}

/// Whatever the walk takes, the slow way reads as the same; and what it knows of it is so.
fn assert_same(shape: &Shape, line: &[u8]) -> Result<(), TestCaseError> {
    let Some(record) = shape.walk(line) else {
        return Ok(());
    };
    let shown = String::from_utf8_lossy(line);
    let slowly = shape.parse_slowly(line);
    prop_assert_eq!(Ok(&record), slowly.as_ref(), "{}", shown);
    let values: Vec<_> = (0..MAX_FIELDS)
        .filter_map(|place| record.spelled(place))
        .collect();
    for value in &values {
        if value.is_compact {
            let mut compact = Vec::new();
            write_compact(value.raw, &mut compact);
            prop_assert_eq!(value.raw.as_bytes(), compact, "{}", shown);
        }
        if let Some(bare) = value.bare() {
            prop_assert_eq!(Some(bare.into()), text(value.raw), "{}", shown);
            let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte);
            prop_assert!(bare.bytes().all(is_bare), "{}", shown);
        }
    }
    prop_assert_eq!(
        record.is_compact(),
        values.iter().all(|value| value.is_compact)
    );
    if let Some(line) = record.spelling.line {
        prop_assert_eq!(line, &written(shape, &record), "{}", shown);
    }
    Ok(())
}

/// The plain way: the fields that are there, in their order.
fn written(shape: &Shape, record: &Record<'_>) -> String {
    let fields = shape.fields.iter().zip(record.values());
    let members = fields.filter_map(|(field, raw)| Some((field.name, raw?.to_owned())));
    joined(&members.collect::<Vec<_>>())
}

/// A record of every type with all of its fields.
fn usual(shape: &Shape) -> Vec<(&'static str, String)> {
    let fields = shape.fields.iter();
    fields
        .map(|field| (field.name, spellings(field.kind)[1].clone()))
        .collect()
}

fn joined(members: &[(&str, String)]) -> String {
    let members = members.iter();
    let members: Vec<_> = members
        .map(|(name, raw)| format!("\"{name}\":{raw}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn a_record_that_is_spelled_as_usual_is_walked_whatever_its_type() {
    for &kind in ExportType::ALL {
        let shape = Shape::of(kind, true);
        let mut members = usual(&shape);
        let line = joined(&members);
        let record = shape.walk(line.as_bytes());
        let record = record.unwrap_or_else(|| panic!("{kind}: {line}"));
        assert_eq!(record.spelling.line, Some(&*line), "{kind}");
        assert!(
            (0..members.len()).all(|place| record.spelled(place).is_some_and(|it| it.is_compact))
        );
        members.reverse();
        members.push(("sdk", "{\"version\":[4,17]}".to_owned()));
        let other = format!(" {} ", joined(&members).replace(',', " , "));
        let other = shape.walk(other.as_bytes());
        assert_eq!(other.map(|it| it.spelling.line), Some(None), "{kind}");
    }
}

#[test]
fn a_line_as_it_would_be_written_has_no_space_no_null_no_other_field_and_the_fields_in_order() {
    let shape = Shape::of(ExportType::Token, false);
    let line = |line: &str| {
        let line = line.replace("ID", ID);
        shape.walk(line.as_bytes()).unwrap().spelling.line.is_some()
    };
    assert!(line(r#"{"deviceId":ID,"token":"t","type":"GCM"}"#));
    assert!(line(
        " {\"deviceId\":ID,\"token\":\"t\",\"type\":\"GCM\"}\r\n"
    ));
    assert!(!line(r#"{"deviceId":ID,"token":"t","type":"GCM"  }"#));
    assert!(!line(r#"{ "deviceId":ID,"token":"t","type":"GCM"}"#));
    assert!(!line(r#"{"deviceId":ID,"token":"t","type" :"GCM"}"#));
    assert!(!line(r#"{"deviceId":ID,"token": "t","type":"GCM"}"#));
    assert!(!line(r#"{"deviceId":ID,"type":"GCM","token":"t"}"#));
    assert!(!line(r#"{"deviceId":ID,"token":"t","type":"GCM","x":1}"#));
    let shape = Shape::of(ExportType::Activity, false);
    let line = format!(
        r#"{{"sessionId":{ID},"deviceId":null,"name":"n","timestamp":"2026-02-01T12:00:00Z","extras":{{ }}}}"#
    );
    let record = shape.walk(line.as_bytes()).unwrap();
    assert_eq!(record.spelling.line, None);
    let compact: Vec<_> = (0..5)
        .map(|place| record.spelled(place).is_some_and(|it| it.is_compact))
        .collect();
    assert_eq!(compact, [true, false, true, true, false]);
}

#[test]
fn what_is_unusual_is_left_to_the_slow_way() {
    let shape = Shape::of(ExportType::Event, false);
    let event = |more: &str| format!(r#"{{"deviceId":{ID},"name":"n"{more}}}"#);
    let timestamp = r#","timestamp":"2026-02-01T12:00:00Z""#;
    for line in [
        event(""),
        event(r#","timestamp":"2026-02-01T12:00""#),
        event(&format!(r#"{timestamp},"timestamp":"2026-02-01""#)),
        event(&format!(r#"{timestamp},"n\u0061me":"m""#)),
        event(&format!(r#"{timestamp},"\ud83d":1"#)),
        event(&format!(r#"{timestamp},"infoId":null,"infoId":null"#)),
        event(&format!(r#"{timestamp},"x":1e400"#)),
    ] {
        assert_eq!(shape.walk(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn a_moment_in_another_form_and_a_key_with_escapes_are_walked_and_not_as_they_would_be_written() {
    let shape = Shape::of(ExportType::Event, false);
    for (key, moment) in [
        ("timestamp", "2026-02-01T13:00:00+01:00"),
        ("timestamp", "2026-02-01 12:00:00"),
        ("timest\\u0061mp", "2026-02-01T12:00:00Z"),
    ] {
        let line = format!(r#"{{"deviceId":{ID},"name":"n","{key}":"{moment}"}}"#);
        let record = shape.walk(line.as_bytes()).unwrap();
        assert_eq!(record.value(2), Some("\"2026-02-01T12:00:00Z\""), "{line}");
        assert_eq!(record.time, Some(datetime!(2026-02-01 12:00 UTC)), "{line}");
        assert_eq!(record.spelling.line, None, "{line}");
    }
}

#[test]
fn a_text_that_ends_anywhere_is_no_record() {
    for &kind in ExportType::ALL {
        let shape = Shape::of(kind, true);
        let line = joined(&usual(&shape));
        for end in 0..line.len() {
            assert_eq!(shape.walk(&line.as_bytes()[..end]), None, "{kind} {end}");
        }
    }
}

proptest! {
    // Of few lines that are made so much is right: there must be many.
    #![proptest_config(ProptestConfig {
        cases: 4_096.max(ProptestConfig::default().cases),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_walked_is_what_the_slow_way_reads(
        kind in proptest::sample::select(ExportType::ALL),
        dice in vec(any::<u16>(), 0..80),
    ) {
        let shape = Shape::of(kind, true);
        let mut dice = Dice(dice.iter());
        let mut line = dice.line(&shape);
        assert_same(&shape, &line)?;
        for _ in 0..3 {
            dice.mutate(&mut line);
            assert_same(&shape, &line)?;
        }
    }
}
