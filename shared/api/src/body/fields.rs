//! The fields of a body, by name.

use std::cell::RefCell;
use std::collections::BTreeSet;

use domain::warning::{Warning, WarningCode};
use serde_json::Value;

use super::Encoding;
use crate::code::ErrorCode;
use crate::error::FieldError;
use crate::shown::shown;

/// The objects whose properties are read as fields of their own, `exportOptions.{name}`.
pub(super) const SPREAD: [&str; 3] = [
    "exportOptions",
    "exportOptions.filter",
    "exportOptions.filter.names",
];

/// The most names that a warning lists.
const MOST_NAMES: usize = 10;

/// A value of JSON that cannot be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A number beyond the largest of 64 bits with a point.
    Number,
    /// Half of a surrogate pair.
    Text,
    /// Arrays or objects within each other, too many of them.
    Nesting,
}

impl Unreadable {
    fn problem(self) -> &'static str {
        match self {
            Self::Number => "holds a number beyond 1.8e308",
            Self::Text => "holds half of a surrogate pair, which is no character",
            Self::Nesting => "is nested too deeply",
        }
    }
}

/// A field as it stands.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: Result<Value, Unreadable>,
}

/// The fields of a body. Names ignore case; `null` is as good as absent; what nobody asks for is
/// ignored.
pub struct Fields {
    encoding: Encoding,
    entries: Vec<Entry>,
    /// What was asked for: the fields that the operation knows.
    asked: RefCell<BTreeSet<&'static str>>,
}

impl Fields {
    pub(super) fn new(encoding: Encoding, entries: Vec<Entry>) -> Self {
        Self {
            encoding,
            entries,
            asked: RefCell::default(),
        }
    }

    /// The one value of a field. `fix` is what to send when it cannot be read.
    ///
    /// # Errors
    /// [`FieldError`] when it stands twice, or holds what only JSON can.
    pub fn one(&self, field: &'static str, fix: &str) -> Result<Option<&Value>, FieldError> {
        match self.all(field, fix)?.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            several => Err(FieldError {
                code: ErrorCode::DuplicateField,
                field,
                problem: format!(
                    "stands {} times, counting spellings that differ in case",
                    several.len()
                ),
                fix: "send it once".to_owned(),
            }),
        }
    }

    /// The elements of a field that is a list: a JSON array; in a form, repeats and commas.
    ///
    /// # Errors
    /// [`FieldError`] when it is no list, stands twice as one, or holds what only JSON can.
    pub fn list(&self, field: &'static str, fix: &str) -> Result<Option<Vec<Value>>, FieldError> {
        if self.encoding == Encoding::Form {
            let values = self.all(field, fix)?;
            let texts = values
                .into_iter()
                .filter_map(Value::as_str)
                .flat_map(|text| text.split(','));
            let list: Vec<Value> = texts
                .map(|text| Value::String(text.trim().to_owned()))
                .collect();
            return Ok(Some(list).filter(|list| !list.is_empty()));
        }
        match self.one(field, fix)? {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list.clone())),
            Some(_) => Err(invalid(field, "is not an array", fix)),
        }
    }

    /// The names of a form's fields; none of JSON.
    pub(crate) fn form_names(&self) -> impl Iterator<Item = &str> {
        let is_form = self.encoding == Encoding::Form;
        self.entries
            .iter()
            .filter(move |_| is_form)
            .map(|entry| entry.name.as_str())
    }

    /// Names what nobody has asked for, but for `known`: what other operations ask for. Values are
    /// never shown.
    pub fn unknown(&self, known: &[&str]) -> Option<Warning> {
        let asked = self.asked.borrow();
        let is_known = |name: &str| {
            asked
                .iter()
                .chain(known)
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        let names: BTreeSet<&str> = self
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .filter(|name| !is_known(name))
            .collect();
        let mut listed: Vec<String> = names
            .iter()
            .take(MOST_NAMES)
            .map(|name| shown(name))
            .collect();
        if names.len() > MOST_NAMES {
            listed.push(format!("and {} more", names.len() - MOST_NAMES));
        }
        let message = format!(
            "The request has properties that are not known and were ignored: {}. Correct their names, or leave them out.",
            listed.join(", ")
        );
        (!names.is_empty()).then(|| Warning::new(WarningCode::UnknownProperties, message))
    }

    /// Whether an object of options has a property that is not null, or one within it.
    pub(crate) fn has_within(&self, object: &str, property: &str) -> bool {
        let is_it = |name: &str| {
            let mut parts = name.split('.');
            let mut next_is = |wanted: &str| {
                parts
                    .next()
                    .is_some_and(|part| part.eq_ignore_ascii_case(wanted))
            };
            next_is(object) && next_is(property)
        };
        let mut given = self.entries.iter();
        given.any(|entry| {
            is_it(&entry.name) && entry.value.as_ref().is_ok_and(|value| !value.is_null())
        })
    }

    /// The first property of an object of options that nobody has asked for.
    pub(crate) fn unknown_within(&self, object: &str) -> Option<String> {
        let asked = self.asked.borrow();
        let within = |name: &str| {
            let (begin, rest) = name.split_at_checked(object.len())?;
            let is_within = begin.eq_ignore_ascii_case(object);
            rest.strip_prefix('.')
                .filter(|_| is_within)
                .map(str::to_owned)
        };
        let is_known = |name: &str| asked.iter().any(|known| known.eq_ignore_ascii_case(name));
        let mut unknown = self.entries.iter().filter(|entry| !is_known(&entry.name));
        unknown.find_map(|entry| within(&entry.name))
    }

    fn all(&self, field: &'static str, fix: &str) -> Result<Vec<&Value>, FieldError> {
        self.asked.borrow_mut().insert(field);
        let named = self
            .entries
            .iter()
            .filter(|entry| entry.name.eq_ignore_ascii_case(field));
        let refused = |unreadable: &Unreadable| invalid(field, unreadable.problem(), fix);
        let values = named
            .map(|entry| entry.value.as_ref().map_err(refused))
            .collect::<Result<Vec<_>, FieldError>>()?;
        Ok(values
            .into_iter()
            .filter(|value| !value.is_null())
            .collect())
    }
}

fn invalid(field: &'static str, problem: &str, fix: &str) -> FieldError {
    FieldError {
        code: ErrorCode::InvalidField,
        field,
        problem: problem.to_owned(),
        fix: fix.to_owned(),
    }
}
