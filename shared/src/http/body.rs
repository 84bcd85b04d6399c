//! The body of a request, from bytes to named fields.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use super::Call;
use super::code::ErrorCode;
use super::error::{ApiError, FieldError, MAX_BODY_BYTES};
use super::route::Operation;

/// The field whose properties are read as fields of their own, `exportOptions.{name}`.
const OPTIONS: &str = "exportOptions";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Json,
    Form,
}

/// The bytes of a body and how they are to be read.
pub struct Body {
    encoding: Encoding,
    bytes: Vec<u8>,
}

impl Body {
    /// Takes the body out of a request.
    ///
    /// # Errors
    /// [`ApiError`] when its content type is not read here, when it is too large, or not the base64 that it should be.
    pub fn receive(call: Call<'_>) -> Result<Self, ApiError> {
        let content_type = call.header("content-type");
        let unsupported = || ApiError::UnsupportedMediaType { given: content_type.as_deref().map(str::to_owned) };
        let encoding = content_type.as_deref().and_then(encoding).ok_or_else(unsupported)?;
        let bytes = match call.raw_body() {
            (text, false) => text.as_bytes().to_vec(),
            (text, true) => STANDARD.decode(text).map_err(|_| invalid("is not the base64 that it is said to be"))?,
        };
        if bytes.len() > MAX_BODY_BYTES {
            return Err(ApiError::BodyTooLarge { size_bytes: bytes.len() });
        }
        Ok(Self { encoding, bytes })
    }

    /// Reads the fields of a request whose body may be left out: no bytes are no fields, whatever their content type.
    ///
    /// # Errors
    /// As [`Body::receive`] and [`Body::fields`].
    pub fn optional_fields(call: Call<'_>) -> Result<Fields, ApiError> {
        match call.raw_body() {
            ("", _) => Ok(Fields { encoding: Encoding::Json, entries: Vec::new() }),
            _ => Self::receive(call)?.fields(),
        }
    }

    /// What tells this request from another one under the same key: the SHA-256, in lower-case hex, of operation,
    /// encoding and bytes.
    pub fn hash(&self, operation: &Operation) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(format!("{} {:?} {:?}\n", operation.export_type, operation.selection, self.encoding).as_bytes());
        context.update(&self.bytes);
        hex::encode(context.finish())
    }

    /// Reads the fields.
    ///
    /// # Errors
    /// [`ApiError::InvalidBody`] when the body is not UTF-8, not JSON, or not an object.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        let text = std::str::from_utf8(&self.bytes).map_err(|_| invalid("is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match self.encoding {
            Encoding::Form => Ok(Fields { encoding: self.encoding, entries: form_entries(text) }),
            Encoding::Json => {
                let Entries(entries) = serde_json::from_str(text).map_err(|error| not_an_object(&error))?;
                Ok(Fields { encoding: self.encoding, entries: entries.into_iter().flat_map(spread_options).collect() })
            }
        }
    }
}

fn encoding(content_type: &str) -> Option<Encoding> {
    let mut parts = content_type.split(';').map(str::trim);
    let encoding = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Encoding::Json,
        "application/x-www-form-urlencoded" => Encoding::Form,
        _ => return None,
    };
    let charsets = parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| is(name, "charset"));
    let mut charsets = charsets.map(|(_, value)| value.trim().trim_matches('"'));
    charsets.all(|charset| ["utf-8", "utf8", "us-ascii"].iter().any(|known| is(charset, known))).then_some(encoding)
}

fn is(text: &str, known: &str) -> bool {
    text.trim().eq_ignore_ascii_case(known)
}

fn invalid(reason: &str) -> ApiError {
    ApiError::InvalidBody { reason: reason.to_owned() }
}

/// Says where the JSON ends to be JSON. The parser's own words may repeat what the body holds.
fn not_an_object(error: &serde_json::Error) -> ApiError {
    let reason = match error.classify() {
        Category::Data => "is JSON, but not an object".to_owned(),
        Category::Eof => "is not JSON: it ends too early".to_owned(),
        Category::Syntax | Category::Io => {
            format!("is not JSON, at line {}, column {}", error.line(), error.column())
        }
    };
    ApiError::InvalidBody { reason }
}

fn form_entries(text: &str) -> Vec<(String, Value)> {
    let pairs = form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

fn spread_options((name, mut value): (String, Value)) -> Vec<(String, Value)> {
    let Some(options) = value.as_object_mut().filter(|_| name.eq_ignore_ascii_case(OPTIONS)) else {
        return vec![(name, value)];
    };
    std::mem::take(options).into_iter().map(|(option, value)| (format!("{OPTIONS}.{option}"), value)).collect()
}

/// An object's properties as they stand, repeats included.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// The fields of a body. Names ignore case; `null` is as good as absent; what nobody asks for is ignored.
pub struct Fields {
    encoding: Encoding,
    entries: Vec<(String, Value)>,
}

impl Fields {
    /// The one value of a field.
    ///
    /// # Errors
    /// [`FieldError`] when it stands twice.
    pub fn one(&self, field: &'static str) -> Result<Option<&Value>, FieldError> {
        match self.all(field).collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            several => Err(FieldError {
                code: ErrorCode::DuplicateField,
                field,
                problem: format!("stands {} times, counting spellings that differ in case", several.len()),
                mend: "send it once".to_owned(),
            }),
        }
    }

    /// The elements of a field that is a list: a JSON array; in a form, repeats and commas.
    ///
    /// # Errors
    /// [`FieldError`] when it is no list, or stands twice as one.
    pub fn list(&self, field: &'static str, mend: &str) -> Result<Option<Vec<Value>>, FieldError> {
        if self.encoding == Encoding::Form {
            let texts = self.all(field).filter_map(Value::as_str).flat_map(|text| text.split(','));
            let list: Vec<Value> = texts.map(|text| Value::String(text.trim().to_owned())).collect();
            return Ok(Some(list).filter(|list| !list.is_empty()));
        }
        match self.one(field)? {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list.clone())),
            Some(_) => Err(FieldError {
                code: ErrorCode::InvalidField,
                field,
                problem: "is not an array".to_owned(),
                mend: mend.to_owned(),
            }),
        }
    }

    fn all(&self, field: &'static str) -> impl Iterator<Item = &Value> {
        self.entries
            .iter()
            .filter(move |(name, value)| name.eq_ignore_ascii_case(field) && !value.is_null())
            .map(|(_, value)| value)
    }
}
