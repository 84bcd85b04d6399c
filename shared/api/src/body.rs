//! The body of a request, from bytes to named fields.

mod fields;
mod form;
mod json;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::operation::Operation;

pub use self::fields::Fields;
use super::Call;
use super::error::{ApiError, MAX_BODY_BYTES};

/// What every gzip file begins with (<https://www.rfc-editor.org/rfc/rfc1952#page-6>).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What to send in place of a body that is none.
const SEND_OBJECT: &str = "send one object with the fields of the export";

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
    /// [`ApiError`] when its content type is not read here, when it is compressed or too large, or
    /// not the base64 that it should be.
    pub fn receive(call: Call<'_>) -> Result<Self, ApiError> {
        let content_type = call.header("content-type");
        let unsupported = || ApiError::UnsupportedMediaType {
            given: content_type.as_deref().map(str::to_owned),
        };
        let encoding = content_type
            .as_deref()
            .and_then(encoding)
            .ok_or_else(unsupported)?;
        if let Some(coding) = call
            .header("content-encoding")
            .filter(|coding| !is(coding, "identity"))
        {
            return Err(ApiError::CompressedBody {
                coding: coding.into_owned(),
            });
        }
        let bytes = match call.raw_body() {
            (text, false) => text.as_bytes().to_vec(),
            (text, true) => STANDARD
                .decode(text)
                .map_err(|_| invalid("is not the base64 that it is said to be", SEND_OBJECT))?,
        };
        if bytes.starts_with(&GZIP) {
            return Err(ApiError::CompressedBody {
                coding: "gzip".to_owned(),
            });
        }
        if bytes.len() > MAX_BODY_BYTES {
            return Err(ApiError::BodyTooLarge {
                size_bytes: bytes.len(),
            });
        }
        Ok(Self { encoding, bytes })
    }

    /// Reads the fields of a request whose body may be left out: no bytes are no fields, whatever
    /// their content type.
    ///
    /// # Errors
    /// As [`Body::receive`] and [`Body::fields`].
    pub fn optional_fields(call: Call<'_>) -> Result<Fields, ApiError> {
        match call.raw_body() {
            ("", _) => Ok(Fields::new(Encoding::Json, Vec::new())),
            _ => Self::receive(call)?.fields(),
        }
    }

    /// What distinguishes this request from another one under the same key: the SHA-256, in
    /// lower-case hex, of operation, encoding and bytes.
    pub fn hash(&self, operation: &Operation) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(
            format!(
                "{} {} {:?}\n",
                operation.export_type(),
                operation.selection.name(),
                self.encoding
            )
            .as_bytes(),
        );
        context.update(&self.bytes);
        hex::encode(context.finish())
    }

    /// Reads the fields.
    ///
    /// # Errors
    /// [`ApiError::InvalidBody`] when the body is not UTF-8, not what its content type says, or not
    /// an object.
    pub fn fields(&self) -> Result<Fields, ApiError> {
        let text =
            std::str::from_utf8(&self.bytes).map_err(|_| invalid("is not UTF-8", SEND_OBJECT))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(invalid("is empty", SEND_OBJECT));
        }
        let entries = match self.encoding {
            Encoding::Form => form::entries(text)?,
            Encoding::Json => json::entries(text)?,
        };
        Ok(Fields::new(self.encoding, entries))
    }
}

fn encoding(content_type: &str) -> Option<Encoding> {
    let mut parts = content_type.split(';').map(str::trim);
    let encoding = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => Encoding::Json,
        "application/x-www-form-urlencoded" => Encoding::Form,
        _ => return None,
    };
    let charsets = parts
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| is(name, "charset"));
    let mut charsets = charsets.map(|(_, value)| value.trim().trim_matches('"'));
    charsets
        .all(|charset| {
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| is(charset, known))
        })
        .then_some(encoding)
}

fn is(text: &str, known: &str) -> bool {
    text.trim().eq_ignore_ascii_case(known)
}

fn invalid(reason: impl Into<String>, fix: &'static str) -> ApiError {
    ApiError::InvalidBody {
        reason: reason.into(),
        fix,
    }
}
