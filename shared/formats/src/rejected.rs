//! The lines of a file of rejects: what cannot be exported, where it lies, and why.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::encode::EncodeError;
use crate::read::{Budget, Unreadable};
use crate::record::BadRecord;
use crate::records::{MAX_RECORD_BYTES, Place};

/// How much of a rejected record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it, at most 1 MiB.
    Whole,
    /// Its beginning: it is longer than a record may be.
    Beginning,
}

/// What cannot be exported.
#[derive(Debug, Clone, Copy)]
pub struct Reject<'a> {
    place: Place,
    text: &'a [u8],
    /// How long it is.
    bytes: u64,
    /// Why; absent when it is too long.
    bad: Option<BadRecord>,
    /// How much of it `text` is.
    pub kept: Kept,
}

/// A line, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    object: &'a str,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    code: &'a str,
    reason: String,
    /// How long the record is, when only its beginning is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_base64: Option<String>,
}

/// What a record's code is when it is too long.
const TOO_LONG: &str = "TooLong";

impl<'a> Reject<'a> {
    /// A record that is bad.
    pub fn record(place: Place, text: &'a [u8], bad: BadRecord) -> Self {
        Self {
            place,
            text,
            bytes: text.len() as u64,
            bad: Some(bad),
            kept: Kept::Whole,
        }
    }

    /// What is longer than a record may be, by its beginning and its length.
    pub fn too_long(place: Place, head: &'a [u8], bytes: u64) -> Self {
        Self {
            place,
            text: head,
            bytes,
            bad: None,
            kept: Kept::Beginning,
        }
    }

    /// What of it is kept.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Whether it may be a good record in the folder of another day.
    pub fn is_of_another_day(&self) -> bool {
        matches!(self.bad, Some(BadRecord::WrongDay { .. }))
    }

    /// Whether it is no JSON object, or one that lacks what is required: no record of its type.
    pub fn is_no_record(&self) -> bool {
        self.bad.is_none_or(BadRecord::is_no_record)
    }

    /// Appends its line, of an object or partition.
    ///
    /// # Errors
    /// None in practice: the line always serializes.
    pub fn write(&self, object: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let text = self.utf8();
        let line = Written {
            object,
            line: self.place.line,
            offset: self.place.offset,
            code: self.bad.map_or(TOO_LONG, BadRecord::code),
            reason: self.reason(),
            bytes: (self.kept == Kept::Beginning).then_some(self.bytes),
            record_base64: text.is_none().then(|| STANDARD.encode(self.text)),
            record: text.map(Cow::Borrowed),
        };
        serde_json::to_writer(&mut *out, &line).map_err(|error| EncodeError {
            reason: error.to_string(),
        })?;
        out.push(b'\n');
        Ok(())
    }

    fn reason(&self) -> String {
        match self.bad {
            Some(bad) => bad.to_string(),
            None => format!(
                "longer than a record may be: {} bytes, expected are {MAX_RECORD_BYTES} at most",
                self.bytes
            ),
        }
    }

    /// The text, if it is UTF-8; without a character that the cut took the end of.
    fn utf8(&self) -> Option<&'a str> {
        let is_cut = |error: &std::str::Utf8Error| {
            self.kept == Kept::Beginning && error.error_len().is_none()
        };
        match std::str::from_utf8(self.text) {
            Ok(text) => Some(text),
            Err(error) if is_cut(&error) => {
                std::str::from_utf8(self.text.get(..error.valid_up_to())?).ok()
            }
            Err(_) => None,
        }
    }
}

/// Where and why, never what it holds.
impl fmt::Display for Reject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason())
    }
}

/// What of a line is looked at when a file is read back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "that it is there is all that matters")]
struct ReadLine {
    object: IgnoredAny,
    line: IgnoredAny,
    code: IgnoredAny,
    reason: IgnoredAny,
    #[serde(alias = "recordBase64")]
    record: IgnoredAny,
}

/// Counts the lines of a file of rejects, each of which must be whole.
///
/// # Errors
/// [`Unreadable`] when one is not.
pub fn count(input: impl Read, budget: &Budget) -> Result<u64, Unreadable> {
    let mut lines = serde_json::Deserializer::from_reader(input).into_iter::<ReadLine>();
    let mut count = 0;
    while lines.next().transpose()?.is_some() {
        budget.renew();
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        line: 3,
        offset: None,
    };

    fn line(reject: &Reject<'_>) -> String {
        let mut out = Vec::new();
        reject.write("a", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_kept_as_it_is() {
        let reject = Reject::record(PLACE, b"{\"\\ud83d\":\"\xc3\xa9\n\"", BadRecord::NotJson);
        assert_eq!(
            line(&reject),
            format!(
                "{{\"object\":\"a\",\"line\":3,\"code\":\"NotJson\",\"reason\":\"{}\",\"record\":\"{{\\\"\\\\ud83d\\\":\\\"é\\n\\\"\"}}\n",
                BadRecord::NotJson
            )
        );
        let glued = Place {
            offset: Some(77),
            ..PLACE
        };
        let reject = Reject::record(glued, b"\xff\0", BadRecord::NotUtf8);
        assert_eq!(
            line(&reject),
            format!(
                "{{\"object\":\"a\",\"line\":3,\"offset\":77,\"code\":\"NotUtf8\",\"reason\":\"{}\",\"recordBase64\":\"/wA=\"}}\n",
                BadRecord::NotUtf8
            )
        );
    }

    #[test]
    fn of_one_that_is_too_long_the_beginning_and_the_length_are_kept() {
        let reason = "longer than a record may be: 2000000 bytes, expected are 1048576 at most";
        let reject = Reject::too_long(PLACE, b"{\xc3\xa9\xc3", 2_000_000);
        assert_eq!(
            line(&reject),
            format!(
                "{{\"object\":\"a\",\"line\":3,\"code\":\"TooLong\",\"reason\":\"{reason}\",\"bytes\":2000000,\"record\":\"{{é\"}}\n"
            )
        );
        let reject = Reject::too_long(PLACE, b"{\xff\xc3", 2_000_000);
        assert!(line(&reject).contains(r#""recordBase64":"e//D""#));
        assert_eq!(reject.to_string(), format!("line 3: {reason}"));
    }

    #[test]
    fn the_lines_are_counted_when_all_are_whole() {
        let mut text = line(&Reject::record(PLACE, b"x", BadRecord::NotJson));
        text += &line(&Reject::record(PLACE, b"\xff", BadRecord::NotUtf8));
        let counted = |text: &str| count(text.as_bytes(), &Budget::of(1 << 20)).ok();
        assert_eq!(counted(""), Some(0));
        assert_eq!(counted(&text), Some(2));
        assert_eq!(counted(&text[..text.len() - 3]), None);
        assert_eq!(counted(&text.replace("recordBase64", "other")), None);
    }
}
