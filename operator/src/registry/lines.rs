//! The records of a loader's file, read by the lake's own code: compressed by whatever is told by its
//! first bytes, a record a line or one behind the other.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use client::failure::Failure;
use domain::cause::in_one_line;
use domain::chunk::ObjectRef;
use domain::selection::{DateRange, History, HistoryType};
use formats::records::{Found, Place, Records};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use ports::source::{Piece, Source, SourceError};
use serde::de::IgnoredAny;
use sources::lake::{ExpansionLimit, Lake};
use time::Date;

use super::input::{Input, unreadable};

/// A file of one's own is no bomb.
const NO_LIMIT: ExpansionLimit = ExpansionLimit {
    ratio: u64::MAX,
    always_bytes: u64::MAX,
};

/// A record, or what stands in the place of one.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) text: Bytes,
    /// How long it is, when that is more than a record may be and `text` is its beginning.
    pub(super) too_long: Option<u64>,
}

/// The records of a file, in their order.
pub(super) struct Lines {
    name: String,
    pieces: BoxStream<'static, Result<Piece, SourceError>>,
    records: Records,
    ready: VecDeque<Line>,
    /// Which version of the file it is: another one has another.
    pub(super) version: String,
    /// Whether no later reading of this version goes any further.
    pub(super) is_damaged: bool,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn open(input: &Input) -> Result<Self, Failure> {
        let location = StorePath::from_absolute_path(&input.absolute);
        let location = location.map_err(|error| unreadable(&input.name, &in_one_line(&error)))?;
        let store = Arc::new(LocalFileSystem::new());
        let meta = store.head(&location).await;
        let meta = meta.map_err(|error| unreadable(&input.name, &in_one_line(&error)))?;
        let version = meta.e_tag.unwrap_or_default();
        let object = ObjectRef {
            path: location.to_string(),
            etag: version.clone(),
            size_bytes: meta.size,
        };
        let lake = Lake::new(store as Arc<dyn ObjectStore>, StorePath::default(), 0);
        let lake = lake.with_expansion_limit(NO_LIMIT);
        let pieces = Source::read(&lake, &[object], &anything());
        Ok(Self {
            name: input.name.clone(),
            pieces,
            records: Records::default(),
            ready: VecDeque::new(),
            version,
            is_damaged: false,
        })
    }

    /// The next record; `None` at the end of the file.
    ///
    /// # Errors
    /// When it cannot be read any further.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            let Some(piece) = self.pieces.next().await else {
                return Ok(None);
            };
            match piece {
                Ok(Piece::Text { text, .. }) => self.walk(text, false),
                Ok(Piece::End { .. }) => self.walk(Bytes::new(), true),
                Ok(Piece::Stored { .. }) => {}
                Ok(Piece::Unreadable { error, .. }) | Err(error) => {
                    let (name, problem) = (&self.name, error.problem());
                    self.is_damaged = !error.is_transient();
                    let advice = if self.is_damaged {
                        "what is in front of that is done; load a whole copy of the file, which begins anew and changes \
                         nothing that is there"
                    } else {
                        "what is in front of that is done, and the same command goes on there"
                    };
                    return Err(Failure::unknown(format!(
                        "the rest of {name} {problem}; {advice}"
                    )));
                }
            }
        }
    }

    fn walk(&mut self, piece: Bytes, is_last: bool) {
        let text = self.records.join(piece);
        let mut walk = self.records.walk(&text, is_last);
        while let Some(found) = walk.next() {
            let line = match found {
                // Two records on a line, or one over several.
                Found::Record { text, .. } if !is_json(text.as_bytes()) && walk.take_apart() => {
                    continue;
                }
                Found::Record {
                    place,
                    text: record,
                } => Line {
                    place,
                    text: text.slice_ref(record.as_bytes()),
                    too_long: None,
                },
                Found::TooLong { place, head, bytes } => Line {
                    place,
                    text: head.into(),
                    too_long: Some(bytes),
                },
            };
            self.ready.push_back(line);
        }
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// What is read does not depend on what it is read for.
fn anything() -> History {
    History {
        of: HistoryType::Event,
        days: DateRange {
            start: Date::MIN,
            end: Date::MIN,
        },
    }
}
