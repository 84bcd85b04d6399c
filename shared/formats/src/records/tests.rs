use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

/// What a walk through a text finds when it comes in pieces: the place and text of each record, or
/// the length of what is too long. Whole lines that are JSON objects are taken as they are.
fn walk(text: &[u8], piece_bytes: usize) -> Vec<(String, String)> {
    let mut records = Records::default();
    let mut found = Vec::new();
    let mut pieces: Vec<&[u8]> = text.chunks(piece_bytes).collect();
    pieces.push(&[]);
    let last = pieces.len() - 1;
    for (number, piece) in pieces.into_iter().enumerate() {
        let text = records.join(Bytes::copy_from_slice(piece));
        let mut walk = records.walk(&text, number == last);
        while let Some(next) = walk.next() {
            match next {
                Found::Record { place, text } => {
                    let text = text.as_bytes();
                    if !is_object(text) && walk.take_apart() {
                        continue;
                    }
                    found.push((place.to_string(), String::from_utf8(text.to_vec()).unwrap()));
                }
                Found::TooLong { place, head, bytes } => {
                    assert!(head.len() <= HEAD_BYTES);
                    found.push((place.to_string(), format!("{bytes} bytes")));
                }
            }
        }
    }
    found
}

fn is_object(text: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(text).is_ok_and(|value| value.get().starts_with('{'))
}

fn assert_found(text: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(place, text)| ((*place).to_owned(), (*text).to_owned()))
        .collect();
    for piece_bytes in 1..text.len() + 2 {
        assert_eq!(
            walk(text.as_bytes(), piece_bytes),
            expected,
            "{text:?} in {piece_bytes}s"
        );
    }
}

#[test]
fn the_lines_of_a_piece_are_known_to_be_utf8_when_the_whole_piece_is() {
    let texts = |piece: &'static [u8]| {
        let (piece, mut records) = (Bytes::from_static(piece), Records::default());
        let mut walk = records.walk(&piece, true);
        let mut found = Vec::new();
        while let Some(Found::Record { text, .. }) = walk.next() {
            found.push((text.as_bytes().to_vec(), matches!(text, Text::Utf8(_))));
        }
        found
    };
    let line = |line: &[u8], is_utf8| (line.to_vec(), is_utf8);
    let (one, other) = ("{\"a\":\"é\"}".as_bytes(), b"{\"b\":1}".as_slice());
    assert_eq!(
        texts(" {\"a\":\"é\"} \r\n\n{\"b\":1}".as_bytes()),
        [line(one, true), line(other, true)]
    );
    assert_eq!(
        texts(b"{\"a\":\"\xC3\xA9\"}\n{\"b\":1}\n\xFF"),
        [line(one, false), line(other, false), line(b"\xFF", false)]
    );
}

#[test]
fn a_record_ends_wherever_its_object_ends() {
    assert_found("", &[]);
    assert_found(" \n\r\n", &[]);
    let lines = [("line 1", r#"{"a":1}"#), ("line 2", r#"{"b":2}"#)];
    assert_found("{\"a\":1}\n{\"b\":2}\n", &lines);
    assert_found("{\"a\":1} \r\n {\"b\":2}", &lines);
    assert_found(
        "\n{\"a\":\"}{\"}{\"b\":{}} \t{}\n{\"c\":3}",
        &[
            ("line 2", r#"{"a":"}{"}"#),
            ("line 2, offset 11", r#"{"b":{}}"#),
            ("line 2, offset 21", "{}"),
            ("line 3", r#"{"c":3}"#),
        ],
    );
}

#[test]
fn an_object_may_go_over_several_lines() {
    assert_found(
        "{\n \"a\": [\n1]\n}{\"b\":\n2}\n{}",
        &[
            ("line 1", "{\n \"a\": [\n1]\n}"),
            ("line 4, offset 14", "{\"b\":\n2}"),
            ("line 6", "{}"),
        ],
    );
}

#[test]
fn what_is_malformed_ends_at_its_line_end() {
    assert_found(
        "{\"a\":\n{\"b\":2}\nnull\n{}x {}\n[]\n{\"c\":\"\n{}\n{",
        &[
            ("line 1", "{\"a\":"),
            ("line 2", r#"{"b":2}"#),
            ("line 3", "null"),
            ("line 4", "{}"),
            ("line 4, offset 21", "x {}"),
            ("line 5", "[]"),
            ("line 6", "{\"c\":\""),
            ("line 7", "{}"),
            ("line 8", "{"),
        ],
    );
}

#[test]
fn the_longest_record_is_whole_and_a_longer_one_is_told_by_its_length() {
    let record = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let longest = record(MAX_RECORD_BYTES);
    let longer = record(MAX_RECORD_BYTES + 1);
    let malformed = "y".repeat(MAX_RECORD_BYTES + 7);
    let text = format!("{longest}\n{longer}\n{malformed}\n{{}}\n{longest}{longest}\n{malformed}");
    let too_long = |bytes: usize| format!("{} bytes", MAX_RECORD_BYTES + bytes);
    for piece_bytes in [10_000, 512 << 10, 3 << 20, text.len()] {
        let found = walk(text.as_bytes(), piece_bytes);
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        let (longer, malformed) = (too_long(1), too_long(7));
        let expected = [
            &longest, &longer, &malformed, "{}", &longest, &longest, &malformed,
        ];
        assert!(texts == expected, "in {piece_bytes}s");
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places[3..5], ["line 4", "line 5"]);
        assert_eq!(places[6], "line 6");
    }
}

#[test]
fn a_record_that_is_too_long_ends_where_its_object_ends() {
    let longer = format!("{{\"a\":[\"}}{}\"]}}", "x".repeat(3 << 20));
    let text = format!("{{}}{longer}{{\"b\":1}} {longer}\n{{\"c\":2}}");
    let long = format!("{} bytes", longer.len());
    for piece_bytes in [1 << 10, 512 << 10, 3 << 20, text.len()] {
        let found = walk(text.as_bytes(), piece_bytes);
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        let expected = ["{}", &long, "{\"b\":1}", &long, "{\"c\":2}"];
        assert_eq!(texts, expected, "in {piece_bytes}s");
        assert_eq!(found[2].0, format!("line 1, offset {}", longer.len() + 2));
    }
}

#[test]
fn a_byte_order_mark_before_a_record_is_white_space() {
    assert_found(
        "\u{feff}{}\u{feff} {\"a\":1}\u{feff}\n\u{feff}{\"b\":\"\u{feff}\"}",
        &[
            ("line 1", "{}"),
            ("line 1, offset 9", r#"{"a":1}"#),
            ("line 2", "{\"b\":\"\u{feff}\"}"),
        ],
    );
}

#[test]
fn objects_without_end_are_lines_and_those_behind_them_are_found_in_time() {
    // Looked through to the end for each of its lines, this would take hours.
    let endless = "{\"a\":\n".repeat(20_000);
    let text = format!("{endless}{{\"b\":1}}{{\"c\":2}}\n{{\n}}");
    let found = walk(text.as_bytes(), text.len());
    assert_eq!(found.len(), 20_003);
    assert_eq!(found[19_999].1, "{\"a\":");
    let last: Vec<&str> = found[20_000..].iter().map(|it| it.1.as_str()).collect();
    assert_eq!(last, ["{\"b\":1}", "{\"c\":2}", "{\n}"]);
}

/// Takes a text apart the slow way: an object, or a line.
fn naive(text: &str) -> Vec<String> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let object = (1..=rest.len())
            .filter(|end| rest.is_char_boundary(*end))
            .find(|end| is_object(&rest.as_bytes()[..*end]));
        let end = object.unwrap_or_else(|| rest.find('\n').unwrap_or(rest.len()));
        found.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    found
}

proptest! {
    #[test]
    fn any_text_in_any_pieces_is_taken_apart_alike(
        parts in proptest::collection::vec(
            prop::sample::select(vec!["{", "}", "\"", "\\", "\n", " ", "[", "]", ",", ":", "a", "1", "{}", "{\"a\":1}", "\"a\":", "\r\n", "é"]),
            0..24,
        ),
        piece_bytes in 1..40_usize,
    ) {
        let text = parts.concat();
        let found: Vec<String> = walk(text.as_bytes(), piece_bytes).into_iter().map(|(_, text)| text).collect();
        prop_assert_eq!(found, naive(&text));
    }
}
