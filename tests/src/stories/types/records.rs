//! Records of the lake, spelled in every way that JSON leaves open.

use domain::selection::ExportType;

/// A day and its neighbours.
pub(super) struct Day {
    pub(super) before: &'static str,
    pub(super) this: &'static str,
    pub(super) after: &'static str,
}

const INFO: &str = r#""0123456789ABCDEF0123456789abcdef""#;
const SESSION: &str = r#""01234567-89ab-cdef-ABCD-EF0123456789""#;
const LOCATION: &str = r#""\u0030123456789abcdef0123456789abcdef""#;

const NAMES: [&str; 11] = [
    r#""""#,
    r#""a \"quoted\" one, with comma; and 'more'""#,
    r#""lines\nand\r\nmore\rlines\tand \" tabs""#,
    r#""caf\u00e9 \uD83D\uDE00 \u0041""#,
    r#""café 日本語 😀 שלום e\u0301""#,
    r#""\/slash \\back\\slash \b\f""#,
    r#""=SUM(A1) <b>&amp;</b> -- '; {0} %s $(x)""#,
    r#""\u0000\u001f\u007f\u2028\ufeff""#,
    r#""  leading and trailing  ""#,
    r#""null""#,
    r#""😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀""#,
];

const EXTRAS: [&str; 6] = [
    "{}",
    r#"{ "huge" : 1e308,"tiny":-1E-400,	"zero" :-0, "price": 0.1000 ,"long":12345678901234567890,"one":1.0 }"#,
    r#"{"yes":true,"no":false,"none":null,"é\u00e9":"\u0001 \" , : { [ ] } \\","":""}"#,
    r#"{"half a pair":"\ud800 and \udc00","\udfff":1,"whole":"\ud83d\ude00 😀"}"#,
    r#"{"twice":1,"twice":2,"digits":3.141592653589793238462643383279,"+":1E+05}"#,
    r#"{"csv":"a,\"b\"\r\nc","text":"2026-01-05T10:00:00Z"}"#,
];

const NESTED: &str = r#"{ "deep" : {"er":[ 1 , [2.50,{"x":[ ]}],"}{ \" ]["],"e":{ }}, "n":0.10 }"#;

/// The line of a record. `owner` is the device's id; an activity's session has the same.
pub(super) fn line(kind: ExportType, number: usize, owner: &str, day: &Day) -> String {
    let owner = Some(format!("\"{owner}\""));
    let id = Some(format!("\"{number:032X}\""));
    let name = NAMES
        .get(number % NAMES.len())
        .map(|name| (*name).to_owned());
    let (time, end) = (
        Some(time(number, day)),
        Some(format!("\"{} 01:02:03.25-11:30\"", day.after)),
    );
    let some = |raw: &str, one_in: usize| number.is_multiple_of(one_in).then(|| raw.to_owned());
    let (info, session, location) = (some(INFO, 2), some(SESSION, 2), some(LOCATION, 4));
    let extras = (number % 7 != 6).then(|| extras(kind, number));
    let fields = match kind {
        ExportType::Activity => {
            let device = some(INFO, 3);
            vec![
                ("sessionId", owner),
                ("deviceId", device),
                ("name", name),
                ("timestamp", time),
                ("extras", extras),
            ]
        }
        ExportType::Job => vec![
            ("jobId", id),
            ("name", name),
            ("deviceId", owner),
            ("infoId", Some(INFO.to_owned())),
            ("start", time.filter(|_| number % 5 != 4)),
            ("end", end.filter(|_| number.is_multiple_of(2))),
            ("extras", extras),
        ],
        ExportType::Session => vec![
            ("sessionId", id),
            ("deviceId", owner),
            ("start", time.filter(|_| number % 5 != 4)),
            ("end", end.filter(|_| number.is_multiple_of(2))),
            ("infoId", info),
            ("locationId", location),
        ],
        ExportType::Crash => vec![
            ("crashId", id),
            ("deviceId", owner),
            ("timestamp", time),
            ("infoId", info),
            ("sessionId", session),
            ("name", name),
            ("stackTrace", Some(stack_trace(number))),
        ],
        ExportType::Event
        | ExportType::Error
        | ExportType::Tag
        | ExportType::Token
        | ExportType::Push
        | ExportType::Device => vec![
            ("deviceId", owner),
            ("name", name),
            ("timestamp", time),
            ("infoId", info),
            ("sessionId", session),
            ("locationId", location),
            ("extras", extras),
        ],
    };
    spell(number, fields)
}

/// A moment of the day, spelled in one of the ways that are read.
fn time(
    number: usize,
    Day {
        before,
        this,
        after,
    }: &Day,
) -> String {
    match number % 12 {
        0 => format!("\"{this}T00:00:00Z\""),
        1 => format!("\"{this} 23:59:59.999999999Z\""),
        2 => format!("\"{this}\""),
        3 => format!("\"{this}T12:00:00.1\""),
        4 => format!("\"{after}T00:30:00+01:00\""),
        5 => format!("\"{before}T23:30:00.000-02:00\""),
        6 => format!("\"{this}T\""),
        7 => format!("\"{this}T08:00:00.Z\""),
        8 => format!("\"{this}T08:00:00.100000+00:00\""),
        9 => format!("\"{this}T10:00:00\\u005a\""),
        10 => format!("\"{this} +00:00\""),
        _ => format!("\"{this}T11:22:33.456Z\""),
    }
}

fn extras(kind: ExportType, number: usize) -> String {
    let many = |properties: usize| {
        let properties: Vec<String> = (0..properties)
            .map(|property| format!("\"p{property}\":{property}.0"))
            .collect();
        format!("{{{}}}", properties.join(", "))
    };
    match (number, kind) {
        (1_000.., _) => format!("{{\"n\":{number}.50}}"),
        (0 | 50 | 100, ExportType::Activity) => many(201),
        (0 | 50 | 100, _) => many(200),
        (_, ExportType::Activity) if number.is_multiple_of(2) => NESTED.to_owned(),
        _ => EXTRAS
            .get(number % EXTRAS.len())
            .copied()
            .unwrap_or_default()
            .to_owned(),
    }
}

fn stack_trace(number: usize) -> String {
    match number % 3 {
        0 => r#""Exception in thread \"main\"\n\tat a.b(C.java:7)\r\n\tat <init>, …""#.to_owned(),
        1 => format!("\"{number}\""),
        _ if number < 100 => format!("\"{}\"", "é".repeat(4_096)),
        _ => r#""""#.to_owned(),
    }
}

/// Spells a record: in order or not, with white space or not, with nulls and unknown fields or not.
fn spell(number: usize, mut fields: Vec<(&str, Option<String>)>) -> String {
    if number % 4 == 1 {
        fields.reverse();
    }
    if number % 4 == 2 {
        fields.insert(1, ("unknown", Some(r#"{"deviceId":[1,"}"]}"#.to_owned())));
        fields.push(("Name", Some("7".to_owned())));
    }
    let member = |(name, raw): (&str, Option<String>)| match (raw, number % 4) {
        (Some(raw), 1) => Some(format!("\t\"{name}\" : {raw} ")),
        (Some(raw), _) => Some(format!("\"{name}\":{raw}")),
        (None, 2) => Some(format!("\"{name}\":null")),
        (None, _) => None,
    };
    let members: Vec<String> = fields.into_iter().filter_map(member).collect();
    format!("{{{}}}", members.join(","))
}
