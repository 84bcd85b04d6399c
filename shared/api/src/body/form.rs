//! A body that is a form. Every value of a form is a text.

use serde_json::Value;

use super::fields::Entry;
use super::invalid;
use crate::error::ApiError;

/// The fields of the form, decoded.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, ApiError> {
    if text.trim_start().starts_with(['{', '[']) {
        // What curl sends with `-d` and no header of its own.
        let reason = "looks like JSON, and its content type says that it is a form";
        return Err(invalid(
            reason,
            "send JSON with `Content-Type: application/json`",
        ));
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    Ok(pairs
        .map(|(name, value)| Entry {
            name: name.into_owned(),
            value: Ok(Value::String(value.into_owned())),
        })
        .collect())
}
