//! Rows of any type that are as awkward as they may be.

use std::collections::BTreeMap;

use domain::selection::ExportType;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::value::RawValue;

use super::{A, B};
use crate::record::{Field, Kind, Presence, Shape};

/// Raw JSON values by field name.
pub(crate) type Row = BTreeMap<String, String>;

fn raw_string(max_chars: usize) -> impl Strategy<Value = String> {
    let awkward = select(vec![
        '"', '\\', '\n', '\r', ',', '\0', '\u{7f}', 'é', '\u{2028}', '\u{feff}', '😀', ':', '{',
        '[', ' ',
    ]);
    let chars = vec(prop_oneof![awkward, any::<char>()], 0..=max_chars);
    (chars, any::<bool>()).prop_map(|(chars, escaped)| {
        let text: String = chars.into_iter().collect();
        if escaped {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            format!("\"{}\"", units.collect::<String>())
        } else {
            serde_json::to_string(&text).unwrap()
        }
    })
}

fn raw_scalar() -> impl Strategy<Value = String> {
    let numbers = [
        "1e300",
        "0.1000",
        "-0",
        "12345678901234567890",
        "1E+2",
        "-1.5e-7",
        "true",
        "false",
        "null",
    ];
    prop_oneof![
        raw_string(12),
        select(numbers.to_vec()).prop_map(str::to_owned)
    ]
}

fn raw_object(nested: bool) -> BoxedStrategy<String> {
    let value = if nested {
        let inner =
            vec(raw_scalar(), 0..3).prop_map(|items| format!("[{{}}, [ {} ]]", items.join(" ,")));
        prop_oneof![raw_scalar(), inner].boxed()
    } else {
        raw_scalar().boxed()
    };
    let object = |properties: Vec<(String, String)>| {
        let properties: Vec<_> = properties
            .into_iter()
            .map(|(name, value)| format!("{name} :\t{value}"))
            .collect();
        format!("{{ {} }}", properties.join(", "))
    };
    vec((raw_string(6), value), 0..5).prop_map(object).boxed()
}

fn raw_value(kind: Kind) -> BoxedStrategy<String> {
    let times = [
        "2026-11-21T00:00:00Z",
        "2026-11-21T10:00:00.1230Z",
        "2026-11-21T23:59:59.999999999Z",
    ];
    match kind {
        Kind::Id => select(vec![format!("\"{A}\""), format!("\"{B}\"")]).boxed(),
        Kind::Text => raw_string(20).boxed(),
        Kind::ShortText(most) => raw_string(most.min(20)).boxed(),
        Kind::Timestamp | Kind::RecordTime => select(times.to_vec())
            .prop_map(|it| format!("\"{it}\""))
            .boxed(),
        Kind::Extras => raw_object(false),
        Kind::Object => raw_object(true),
        Kind::Integer => any::<i64>().prop_map(|number| number.to_string()).boxed(),
        Kind::CampaignType => Just("\"NativePush\"".to_owned()).boxed(),
        Kind::Status => select(vec!["[]", "[ \"None\" , \"Queued\" ]"])
            .prop_map(str::to_owned)
            .boxed(),
    }
}

fn raw_field(field: &Field) -> BoxedStrategy<(String, Option<String>)> {
    let name = field.name.to_owned();
    let value = raw_value(field.kind);
    match field.presence {
        Presence::Required => value.prop_map(move |raw| (name.clone(), Some(raw))).boxed(),
        Presence::Optional | Presence::OnRequest | Presence::InKeyOnRequest => {
            proptest::option::of(value)
                .prop_map(move |raw| (name.clone(), raw))
                .boxed()
        }
    }
}

fn rows(kind: ExportType) -> impl Strategy<Value = Vec<(Row, String)>> {
    let fields: Vec<_> = Shape::of(kind, true).fields.iter().map(raw_field).collect();
    let row = fields.prop_shuffle().prop_map(|fields| {
        let members: Vec<_> = fields
            .iter()
            .filter_map(|(name, raw)| Some((name, raw.as_ref()?)))
            .collect();
        let line: Vec<_> = members
            .iter()
            .map(|(name, raw)| format!("\"{name}\": {raw}"))
            .collect();
        let row = members
            .into_iter()
            .map(|(name, raw)| (name.clone(), raw.clone()))
            .collect();
        (
            row,
            format!(" {{{} , \"unknown\": [null]}}\r", line.join(" ,")),
        )
    });
    vec(row, 1..12)
}

/// A type, and rows of it, each beside its record.
pub(crate) fn any_rows() -> impl Strategy<Value = (ExportType, Vec<(Row, String)>)> {
    select(ExportType::ALL.to_vec()).prop_flat_map(|kind| (Just(kind), rows(kind)))
}

/// A value with its tokens kept and the white space between them gone, by `serde_json` alone.
pub(crate) fn tokens(raw: &str) -> String {
    if let Ok(object) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(raw) {
        format!(
            "{:?}",
            object
                .into_iter()
                .map(|(name, raw)| (name, tokens(raw.get())))
                .collect::<Vec<_>>()
        )
    } else if let Ok(array) = serde_json::from_str::<Vec<Box<RawValue>>>(raw) {
        format!(
            "{:?}",
            array
                .into_iter()
                .map(|raw| tokens(raw.get()))
                .collect::<Vec<_>>()
        )
    } else {
        raw.to_owned()
    }
}
