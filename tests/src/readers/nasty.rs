//! Activities that hold whatever a reader may stumble over: texts, times, numbers and nested values.

use std::fmt::Write;

/// The day of all of them.
pub(super) const DAY: &str = "2026-01-05";

/// So many go into each object of the lake.
pub(super) const LINES_OF_AN_OBJECT: usize = 50;

/// More than `TEXTS`, `EXTRAS` and the times, and a multiple of none of these numbers.
const RECORDS: usize = 211;

/// A record with objects in each other at 33 levels, its own included, and so with one too many.
pub(super) const REJECTED: &str = r#"{"sessionId":"00000000000000000000000000000000","name":"rejected","timestamp":"2026-01-05","extras":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}"#;

/// Names, as JSON spells them.
const TEXTS: &[&str] = &[
    // What separates and quotes.
    r#""""#,
    r#"" ""#,
    r#""  before and after\t""#,
    r#""a \"quoted\", and 'another'""#,
    r#""\"""#,
    r#""\"\"""#,
    r#""comma, semicolon; bar | and\ttab""#,
    r#""line\nline\r\nline\rline""#,
    r#""\n""#,
    r#""\r\n\"\r\n\",""#,
    r#""back\\slash \\n \\\" \/ \b\f""#,
    r##""# no comment""##,
    // What looks like something else.
    r#""null""#,
    r#""NULL""#,
    r#""None""#,
    r#""NaN""#,
    r#""nan""#,
    r#""NA""#,
    r#""N/A""#,
    r#""\\N""#,
    r##""#N/A""##,
    r#""-""#,
    r#""true""#,
    r#""False""#,
    r#""007""#,
    r#""+49 30 1234""#,
    r#""1e5""#,
    r#""0x1F""#,
    r#""1,234.50""#,
    r#""-Infinity""#,
    r#""9007199254740993""#,
    r#""123456789012345678901234567890""#,
    r#""2026-01-05""#,
    r#""2026-01-05T10:00:00Z""#,
    r#""05/01/2026""#,
    r#""12:30""#,
    r#""{\"json\": [1]}""#,
    r#""[]""#,
    r#""=HYPERLINK(\"x\",1)""#,
    r#""+1+1""#,
    r#""@SUM(1)""#,
    // What is not ASCII, and what is no letter.
    r#""caf\u00e9 \uD83D\uDE00 \u0041""#,
    r#""café 日本語 שלום 😀 👩‍👩‍👧 e\u0301""#,
    r#""\u0000\u0001\u001f\u007f\u0085\u2028\ufeff""#,
    r#""half \ud83d of a pair""#,
    r#""\udc00\ud800""#,
    r#""0123456789012345678901234567890123456789012345678901234567890123""#,
    r#""😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀""#,
];

/// Extras that are short enough to be spelled here.
const EXTRAS: &[&str] = &[
    "{}",
    r#"{ "spaced" : [ 1 , 2 ] ,	"out" : { } }"#,
    r#"{"empty":"","null":null,"yes":true,"no":false,"text":"null"}"#,
    r#"{"zero":0,"minus":-1,"small":1e-7,"plus":1E+05,"tenth":0.1000,"one":1.0,"third":0.3333333333333333}"#,
    r#"{"safe":9007199254740991,"unsafe":9007199254740993,"signed":-9223372036854775808,"unsigned":18446744073709551615}"#,
    r#"{"large":18446744073709551616,"larger":123456789012345678901234567890,"negative":-123456789012345678901234567890}"#,
    r#"{"huge":1.7976931348623157e308,"least":5e-324,"vanishes":1e-400,"digits":3.141592653589793238462643383279}"#,
    r#"{"type":1}"#,
    r#"{"type":"one"}"#,
    r#"{"type":[1,"one",null,{"a":1}]}"#,
    r#"{"a.b":1,"a b":2,"a\"b":3,"a\\b":4,"":5,"$":6,"é\u00e9":7,"A":8,"a":9,"deviceId":"no id"}"#,
    r#"{"twice":1,"twice":2}"#,
    r#"{"csv":"a,\"b\"\r\nc","json":"{\"a\": [1]}","back":"\\ \\\\ \/ \b\f\n\r\t","control":"\u0000\u001f\u007f"}"#,
    r#"{"half":"\ud83d and \udc00","\udfff":"key","whole":"\ud83d\ude00 😀"}"#,
    r#"{"time":"2026-01-05T10:00:00Z","day":"2026-01-05","number":"007","nan":"NaN","formula":"=1+1"}"#,
    r#"{"deep":{"er":[1,[2.50,{"x":[]}],"}{ \" ]["],"e":{}},"list":[[],[[]],{},[{}]]}"#,
];

/// The records, a line each.
pub(super) fn lines() -> Vec<String> {
    let (times, extras) = (times(), extras());
    (0..RECORDS)
        .map(|number| {
            let mut line = format!(r#"{{"sessionId":"{:032x}""#, number / 7);
            // Absent, null and given.
            match number % 3 {
                0 => write!(line, r#","deviceId":"{number:032X}""#).unwrap(),
                1 => line.push_str(r#","deviceId":null"#),
                _ => {}
            }
            write!(line, r#","name":{}"#, TEXTS[number % TEXTS.len()]).unwrap();
            write!(line, r#","timestamp":{}"#, times[number % times.len()]).unwrap();
            if let Some(extras) = &extras[number % extras.len()] {
                write!(line, r#","extras":{extras}"#).unwrap();
            }
            line.push('}');
            line
        })
        .collect()
}

/// A moment of the day in every spelling that is read, and with every number of digits.
fn times() -> Vec<String> {
    let digits = |count: usize| format!("T23:59:59.{}Z", &"123456789"[..count]);
    let zeros = |count: usize| format!(" 00:00:00.{}1", &"000000000"[..count]);
    let spellings = [
        "",
        "T",
        " Z",
        "T+00:00",
        "T12:00:00",
        "T12:00:00Z",
        " 12:00:00Z",
        "T12:00:00+00:00",
        "T01:30:00-22:29",
        "T23:30:00.000+14:00",
        "T12:00:00.999999999",
        "T12:00:00.100000Z",
        r"T12:00:00\u005a",
    ];
    let spelled = spellings.into_iter().map(str::to_owned);
    let spelled = spelled.chain((0..=9).map(digits)).chain((0..9).map(zeros));
    spelled.map(|rest| format!("\"{DAY}{rest}\"")).collect()
}

/// The extras, with those that are long, null and absent.
fn extras() -> Vec<Option<String>> {
    let nested = |open: &str, close: &str| {
        // The record and its extras are the first two of 32 levels.
        format!("{{\"deep\":{}1{}}}", open.repeat(30), close.repeat(30))
    };
    let many: Vec<String> = (0..200)
        .map(|number| format!("\"key {number}\":{number}.50"))
        .collect();
    let long = [
        Some(nested("[", "]")),
        Some(nested("{\"a\":", "}")),
        Some(format!("{{{}}}", many.join(", "))),
        Some("null".to_owned()),
        None,
    ];
    EXTRAS
        .iter()
        .map(|it| Some((*it).to_owned()))
        .chain(long)
        .collect()
}
