//! Rows in a form that can be compared: whatever wrote them, in whatever order, escapes and format.
//!
//! This shares no code with the encoders: what reads the files back must not have their mistakes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use domain::selection::{ExportFormat, Spelling};
use formats::read::{Collect, Fields, Value};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::source::MOMENTS;

/// What a spreadsheet takes for the beginning of a formula.
pub(super) const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What of a value a format keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All of it: `"1"` and `1` differ.
    Json,
    /// Its text: `"1"` and `1` look alike.
    Text,
    /// The same, with an apostrophe before a text that a spreadsheet would take for a formula.
    EscapedText,
    /// Its text, also an empty one, and of moments the microseconds.
    Typed,
}

impl Form {
    /// What a format keeps.
    pub fn of(format: ExportFormat) -> Self {
        match format.spelling() {
            Spelling::Json => Self::Json,
            Spelling::Text => Self::Text,
            Spelling::Typed => Self::Typed,
        }
    }
}

/// A multiset of rows. A row is kept as half of its SHA-256.
#[derive(Debug, Default)]
pub struct RowSet {
    counts: HashMap<[u8; 16], i64>,
    rows: u64,
}

/// How two multisets differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Rows that should be there and are not.
    pub missing: u64,
    /// Rows that are there and should not be, or not so often.
    pub surplus: u64,
}

impl RowSet {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds the rows of another set.
    pub(crate) fn extend(&mut self, other: Self) {
        self.rows += other.rows;
        for (row, count) in other.counts {
            *self.counts.entry(row).or_default() += count;
        }
    }

    /// Adds a row of JSON fields; one that is `null` counts as absent.
    pub fn add(&mut self, fields: &Fields<'_>, form: Form) -> Result<(), serde_json::Error> {
        let mut text = String::new();
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            let value = match form {
                Form::Json => canonical(raw.get())?,
                Form::Typed if MOMENTS.contains(&name.as_str()) => cut(&text_of(raw)?),
                Form::EscapedText if is_formula(raw)? => format!("'{}", text_of(raw)?),
                Form::Text | Form::EscapedText | Form::Typed => cell(&text_of(raw)?),
            };
            push_field(&mut text, name, &value);
        }
        self.add_text(&text);
        Ok(())
    }

    fn add_text(&mut self, text: &str) {
        *self.counts.entry(half_digest(text)).or_default() += 1;
        self.rows += 1;
    }

    /// How `found` differs from this set; `None` when it does not.
    pub fn difference(&self, found: &Self) -> Option<Difference> {
        let mut difference = Difference {
            missing: 0,
            surplus: 0,
        };
        for (row, count) in &self.counts {
            let found = found.counts.get(row).copied().unwrap_or_default();
            difference.missing += (count - found).max(0).unsigned_abs();
        }
        for (row, count) in &found.counts {
            let expected = self.counts.get(row).copied().unwrap_or_default();
            difference.surplus += (count - expected).max(0).unsigned_abs();
        }
        (difference.missing + difference.surplus > 0).then_some(difference)
    }
}

impl Collect for RowSet {
    fn add_fields(&mut self, fields: &Fields<'_>) -> Result<(), serde_json::Error> {
        self.add(fields, Form::Json)
    }

    fn add_cells<'a>(&mut self, cells: impl Iterator<Item = (&'a str, &'a str)>) {
        let filled = cells
            .filter(|(_, value)| !value.is_empty())
            .collect::<BTreeMap<_, _>>();
        let mut text = String::new();
        for (name, value) in filled {
            push_field(&mut text, name, &cell(value));
        }
        self.add_text(&text);
    }

    fn add_values<'a>(&mut self, values: impl Iterator<Item = (&'a str, Value<'a>)>) {
        let values: BTreeMap<_, _> = values.collect();
        let mut text = String::new();
        for (name, value) in values {
            let value = match value {
                Value::Text(value) => cell(value),
                Value::Integer(value) => value.to_string(),
                Value::Micros(value) => moment(value),
            };
            push_field(&mut text, name, &value);
        }
        self.add_text(&text);
    }

    fn rows(&self) -> u64 {
        self.rows
    }
}

/// Whether it is a text that a spreadsheet would take for a formula. A number is no text.
fn is_formula(raw: &RawValue) -> Result<bool, serde_json::Error> {
    let is_text = raw.get().starts_with('"');
    Ok(is_text && text_of(raw)?.starts_with(FORMULA))
}

/// The text of a string; anything else as it is spelled.
pub(super) fn text_of(raw: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    if raw.get().starts_with('"') {
        return serde_json::from_str(raw.get()).map(Cow::Owned);
    }
    Ok(Cow::Borrowed(raw.get()))
}

/// A moment as exported, with six digits of its fraction, whatever it had.
fn cut(moment: &str) -> String {
    let seconds = moment.strip_suffix('Z').unwrap_or(moment);
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let fraction = fraction.get(..6).unwrap_or(fraction);
    format!("{seconds}.{fraction:0<6}Z")
}

/// So many microseconds since 1970 in the same form.
fn moment(micros: i64) -> String {
    let nanos = i128::from(micros) * 1_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok());
    moment.map_or_else(|| format!("{micros} microseconds"), |text| cut(&text))
}

/// Half of a text's SHA-256: enough to distinguish texts.
pub(crate) fn half_digest(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    for (byte, hashed) in half
        .iter_mut()
        .zip(digest(&SHA256, text.as_bytes()).as_ref())
    {
        *byte = *hashed;
    }
    half
}

fn push_field(text: &mut String, name: &str, value: &str) {
    // The lengths keep one field from running into the next.
    let written = write!(text, "{}:{name}{}:{value}", name.len(), value.len());
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
}

/// The text of a CSV cell; one that holds an object or an array in the one spelling of it. An empty
/// text has no cell of its own.
fn cell(text: &str) -> String {
    let nested = text
        .starts_with(['{', '['])
        .then(|| canonical(text).ok())
        .flatten();
    nested.unwrap_or_else(|| text.to_owned())
}

/// The value with sorted keys, without blanks, each text escaped in one way. Numbers stay as they
/// are spelled: `1e-7` and twenty digits must survive an export as they are.
fn canonical(raw: &str) -> Result<String, serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'{') => {
            let fields = serde_json::from_str::<Fields<'_>>(raw)?;
            let field = |(name, value): (&String, &&RawValue)| {
                Ok(format!(
                    "{}:{}",
                    serde_json::to_string(name)?,
                    canonical(value.get())?
                ))
            };
            let fields = fields
                .iter()
                .map(field)
                .collect::<Result<Vec<_>, serde_json::Error>>()?;
            Ok(format!("{{{}}}", fields.join(",")))
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(raw)?;
            let items = items
                .iter()
                .map(|item| canonical(item.get()))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(",")))
        }
        Some(b'"') => serde_json::to_string(&serde_json::from_str::<String>(raw)?),
        Some(_) | None => Ok(raw.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_one_and_numbers_keep_theirs() {
        let one = r#"{ "b" : [1e-7, "\u00e9"], "a": {"x": null} }"#;
        assert_eq!(
            canonical(one).unwrap(),
            r#"{"a":{"x":null},"b":[1e-7,"é"]}"#
        );
        assert_ne!(canonical("1e-7").unwrap(), canonical("0.0000001").unwrap());
        assert_ne!(
            canonical("12345678901234567890").unwrap(),
            canonical("12345678901234567000").unwrap()
        );
    }

    #[test]
    fn a_text_that_would_be_a_formula_is_expected_with_an_apostrophe_when_it_is_escaped() {
        let fields = serde_json::from_str(r#"{"n":"=1","t":"a","k":-1,"e":{"=":1}}"#).unwrap();
        let (mut json, mut csv) = (RowSet::default(), RowSet::default());
        json.add(&fields, Form::EscapedText).unwrap();
        let cells = [("n", "'=1"), ("t", "a"), ("k", "-1"), ("e", r#"{"=":1}"#)];
        csv.add_cells(cells.into_iter());
        assert_eq!(json.difference(&csv), None);
    }

    #[test]
    fn a_json_row_and_its_csv_row_are_alike() {
        let fields =
            serde_json::from_str(r#"{"n":"a,\"b\"","e":{"y":1, "x":2},"k":7,"none":null}"#)
                .unwrap();
        let (mut json, mut csv) = (RowSet::default(), RowSet::default());
        json.add(&fields, Form::Text).unwrap();
        csv.add_cells(
            [
                ("e", r#"{"x":2,"y":1}"#),
                ("k", "7"),
                ("n", "a,\"b\""),
                ("none", ""),
            ]
            .into_iter(),
        );
        assert_eq!(json.difference(&csv), None);
    }
}
