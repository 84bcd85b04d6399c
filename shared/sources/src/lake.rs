//! The lake: historical data in an object store, laid out by type, app and UTC day.
//!
//! Objects are only added, never changed: a chunk reads exactly the versions that its plan pinned
//! by `ETag`.

mod content;
mod expansion;
mod folder;
pub mod layout;
mod list;
mod names;
mod plan;
mod read;
mod unpack;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::app::AppScope;
use domain::chunk::ObjectRef;
use domain::job::PlanCursor;
use domain::listing::Listing;
use domain::selection::History;
use futures::stream::BoxStream;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};
use thiserror::Error;
use url::Url;
use wiring::config::{FUNCTION_TIMEOUT_SECONDS, LAKE_IGNORE, LAKE_LATE_DAYS, PREFETCH_BYTES};

pub use self::expansion::ExpansionLimit;
pub use self::names::IgnoredNames;

/// How long S3 may be silent in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long an answer of S3 may take as a whole: longer than any run, because a chunk is read as
/// fast as it is written elsewhere. The client has no text for "no limit".
const ANSWER_TIMEOUT: Duration = Duration::from_hours(24);

/// How long a request to S3 is repeated before the run hears of it.
const RETRY_TIMEOUT: Duration = Duration::from_mins(1);

/// How many bytes of plain text a run exports in a second, by the slow end of what was measured
/// (`docs/PERFORMANCE.md`).
const PLAIN_BYTES_PER_SECOND: u64 = 250_000_000;

/// How many bytes of compressed text, of which ten are one, it exports in a second.
const COMPRESSED_BYTES_PER_SECOND: u64 = PLAIN_BYTES_PER_SECOND / 10;

/// How the names of S3's directory buckets end. Only they list in no order
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
const DIRECTORY_BUCKET: &str = "--x-s3";

/// What S3 says of an object that is archived and not restored
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_Errors>).
const ARCHIVED: &str = "InvalidObjectState";

/// An address that is no lake.
#[derive(Debug, Error)]
pub(crate) enum LakeUrlError {
    /// Not a URL at all.
    #[error("the lake's address is not a URL")]
    NotUrl(#[source] url::ParseError),
    /// A URL of another kind.
    #[error("the lake's address begins with `{0}:`, not with `s3:` or `file:`")]
    Scheme(String),
    /// `s3:` without a bucket.
    #[error("the lake's address names no bucket")]
    NoBucket,
    /// `file:` with something that is not an absolute path on this machine.
    #[error("the lake's address is not the path of a folder")]
    NotPath,
    /// The prefix cannot be part of an object's path.
    #[error("the lake's address has a prefix that no object can have")]
    Prefix(#[source] object_store::path::Error),
    /// The store cannot be opened: the folder does not exist, or the environment lacks a setting.
    #[error("the lake cannot be opened")]
    Store(#[source] object_store::Error),
}

/// A lake within an object store.
#[derive(Debug, Clone)]
pub struct Lake {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    target_bytes: u64,
    /// Whether the store lists by path, so that a listing need not be read to its end.
    lists_in_order: bool,
    /// Its folder when it is in a file system, on which two spellings may be one folder.
    folder: Option<PathBuf>,
    expansion: ExpansionLimit,
    names: IgnoredNames,
    /// How many bytes of objects, as stored, a chunk's reader may hold.
    prefetch_bytes: u64,
    /// In folders of how many later days a day's records may lie.
    late_days: u16,
    /// How long a run may take.
    time_limit: time::Duration,
}

impl Lake {
    /// The lake below `prefix`. Chunks are packed up to `target_bytes` of objects as stored; a
    /// larger object is a chunk of its own.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: Path, target_bytes: u64) -> Self {
        let expansion = ExpansionLimit::default();
        Self {
            store,
            prefix,
            target_bytes,
            lists_in_order: false,
            folder: None,
            expansion,
            names: IgnoredNames::parse(LAKE_IGNORE.default),
            prefetch_bytes: PREFETCH_BYTES.default,
            late_days: LAKE_LATE_DAYS.default,
            time_limit: FUNCTION_TIMEOUT_SECONDS.default,
        }
    }

    /// The same lake, over a folder of a file system.
    #[must_use]
    pub(crate) fn in_folder(self, folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            ..self
        }
    }

    /// The same lake, over a store that lists objects by path: planning then reads no more of a
    /// listing than it uses.
    #[must_use]
    pub fn listing_in_order(self) -> Self {
        Self {
            lists_in_order: true,
            ..self
        }
    }

    /// The same lake with another limit to how far its compressed objects may expand.
    #[must_use]
    pub fn with_expansion_limit(self, expansion: ExpansionLimit) -> Self {
        Self { expansion, ..self }
    }

    /// The same lake, of whose objects others are not read because of their names.
    #[must_use]
    pub(crate) fn ignoring(self, names: IgnoredNames) -> Self {
        Self { names, ..self }
    }

    /// The same lake, partitioned by arrival: a day's records may lie in folders of so many later
    /// days.
    #[must_use]
    pub fn with_late_days(self, late_days: u16) -> Self {
        Self { late_days, ..self }
    }

    /// The same lake, whose chunks are exported by runs that may take so long.
    #[must_use]
    pub(crate) fn for_runs_of(self, time_limit: time::Duration) -> Self {
        Self { time_limit, ..self }
    }

    /// Whether an object is likely to be too large for one run.
    fn is_large(&self, object: &ObjectRef) -> bool {
        let bytes_per_second = if names::says_compressed(&object.path) {
            COMPRESSED_BYTES_PER_SECOND
        } else {
            PLAIN_BYTES_PER_SECOND
        };
        let seconds = self.time_limit.whole_seconds().unsigned_abs();
        object.size_bytes > bytes_per_second.saturating_mul(seconds)
    }

    /// The same lake, whose reader holds so many bytes of objects as stored.
    #[must_use]
    pub(crate) fn prefetching(self, prefetch_bytes: u64) -> Self {
        Self {
            prefetch_bytes,
            ..self
        }
    }

    /// The lake at `s3://bucket/prefix` (region, credentials and endpoint come from the usual
    /// `AWS_*` environment) or `file:///path` (the folder must exist).
    ///
    /// # Errors
    /// [`LakeUrlError`], which says what is wrong with the address.
    pub(crate) fn from_url(address: &str, target_bytes: u64) -> Result<Self, LakeUrlError> {
        let url = Url::parse(address).map_err(LakeUrlError::NotUrl)?;
        match url.scheme() {
            "s3" => {
                let bucket = url
                    .host_str()
                    .filter(|host| !host.is_empty())
                    .ok_or(LakeUrlError::NoBucket)?;
                let prefix = Path::from_url_path(url.path()).map_err(LakeUrlError::Prefix)?;
                let lake = Self::new(open_bucket(bucket)?, prefix, target_bytes);
                Ok(if bucket.ends_with(DIRECTORY_BUCKET) {
                    lake
                } else {
                    lake.listing_in_order()
                })
            }
            "file" => {
                let folder = url.to_file_path().map_err(|()| LakeUrlError::NotPath)?;
                let store =
                    LocalFileSystem::new_with_prefix(&folder).map_err(LakeUrlError::Store)?;
                Ok(Self::new(Arc::new(store), Path::default(), target_bytes).in_folder(folder))
            }
            other => Err(LakeUrlError::Scheme(other.to_owned())),
        }
    }

    /// The object's path within the store.
    fn full_path(&self, path: &str) -> Result<Path, SourceError> {
        let full = if self.prefix.is_root() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.prefix)
        };
        Path::parse(full).map_err(|error| SourceError::Corrupt {
            object: path.to_owned(),
            cause: error.into(),
        })
    }
}

fn open_bucket(bucket: &str) -> Result<Arc<dyn ObjectStore>, LakeUrlError> {
    let store = patient(AmazonS3Builder::from_env().with_bucket_name(bucket))
        .build()
        .map_err(LakeUrlError::Store)?;
    Ok(Arc::new(store))
}

/// The same client, bounding silence rather than the whole answer. Its other options stay as the
/// environment has them, `AWS_ALLOW_HTTP` among them: `with_client_options` would put them all back
/// to their defaults (<https://docs.rs/object_store/latest/object_store/aws/struct.AmazonS3Builder.html#method.with_client_options>).
fn patient(builder: AmazonS3Builder) -> AmazonS3Builder {
    let retry = RetryConfig {
        retry_timeout: RETRY_TIMEOUT,
        ..RetryConfig::default()
    };
    let bounds = [
        (ClientConfigKey::Timeout, ANSWER_TIMEOUT),
        (ClientConfigKey::ReadTimeout, READ_TIMEOUT),
    ];
    bounds
        .into_iter()
        .fold(builder.with_retry(retry), |builder, (key, time)| {
            builder.with_config(
                AmazonS3ConfigKey::Client(key),
                format!("{}s", time.as_secs()),
            )
        })
}

#[async_trait]
impl Source for Lake {
    type Selected = History;
    type Part = ObjectRef;

    async fn plan(
        &self,
        scope: &AppScope,
        history: &History,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        let folders = layout::AppFolder::all(history.of, scope);
        let days = history.days;
        let (position, found) = match cursor {
            Some(cursor) => {
                let position =
                    layout::Position::parse(&cursor.0).ok_or_else(|| SourceError::Corrupt {
                        object: "the plan's cursor".to_owned(),
                        cause: "it is not one of the lake".into(),
                    })?;
                (position, Listing::default())
            }
            None => (
                layout::Position::first(days.start, self.late_days),
                list::look_around(self, &folders, unanswered).await?,
            ),
        };
        let last_day = days.end;
        plan::plan_page(self, &folders, position, last_day, found, limit, unanswered).await
    }

    fn read(
        &self,
        objects: &[ObjectRef],
        _: &History,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        read::read_objects(self.clone(), objects.to_vec())
    }
}

/// What a failure of the store means, where nothing more special is known.
fn source_error(object: &str, error: object_store::Error) -> SourceError {
    use object_store::Error;
    let object = object.to_owned();
    if matches!(error, Error::Generic { store, .. } if store == folder::STORE) {
        return folder::error(object, error);
    }
    if error.to_string().contains(ARCHIVED) {
        SourceError::Archived { object }
    } else if matches!(
        error,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. }
    ) {
        SourceError::Denied { object }
    } else if matches!(error, Error::Generic { .. } | Error::JoinError { .. }) {
        SourceError::Unavailable {
            object,
            cause: error.into(),
        }
    } else {
        SourceError::Corrupt {
            object,
            cause: error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
