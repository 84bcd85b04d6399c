//! Lists an app's folders: a day's objects by path, and what is no day.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use domain::cause::in_one_line;
use domain::chunk::ObjectRef;
use domain::listing::Listing;
use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStoreExt};
use ports::source::{SourceError, Unanswered};
use time::Date;
use tracing::warn;

use crate::lake::layout::{AppFolder, Position, Spelling, is_day, is_hidden};
use crate::lake::names::NameKind;
use crate::lake::{Lake, source_error};

/// An object of a day, by its path within the lake.
pub(super) enum Listed {
    /// It is read.
    Read {
        /// The spelling of the app's folder that it lies in.
        spelling: Spelling,
        object: ObjectRef,
        /// Whether its name is not one of those that files of records usually have.
        is_odd: bool,
    },
    /// It is not read.
    LeftOut {
        path: String,
        /// Its size as stored.
        size_bytes: u64,
    },
}

impl Listed {
    fn path(&self) -> &str {
        match self {
            Self::Read { object, .. } => &object.path,
            Self::LeftOut { path, .. } => path,
        }
    }
}

/// The objects in the folder of a day, from a position on, by path: those of one folder of the app
/// after those of the other.
pub(super) async fn list_folder(
    lake: &Lake,
    folders: &[AppFolder],
    day: Date,
    position: &Position,
) -> Result<BoxStream<'static, Result<Listed, SourceError>>, SourceError> {
    let mut objects = stream::empty().boxed();
    let mut first: Option<String> = None;
    for folder in folders {
        let day = folder.of_day(day);
        if let Some(first) = &first
            && shows_the_same(lake, first, &day).await?
        {
            continue;
        }
        if folder.spelling >= position.spelling {
            let after = if folder.spelling == position.spelling {
                position.after.as_str()
            } else {
                ""
            };
            objects = objects
                .chain(list(lake, folder.spelling, &day, after).await?)
                .boxed();
        }
        first = first.or(Some(day));
    }
    Ok(objects)
}

/// Whether two spellings are one folder, as on a file system that ignores case. There, an object's
/// `ETag` is made of its inode, size and last change
/// (<https://docs.rs/object_store/latest/object_store/local/struct.LocalFileSystem.html>); in a bucket, which never
/// ignores case, it may be of the content alone.
async fn shows_the_same(lake: &Lake, one: &str, other: &str) -> Result<bool, SourceError> {
    if lake.folder.is_none() {
        return Ok(false);
    }
    let prefix = lake.full_path(other)?;
    let any = lake
        .store
        .list(Some(&prefix))
        .try_next()
        .await
        .map_err(|error| source_error(other, error))?;
    let Some((any, below)) = any
        .as_ref()
        .and_then(|any| Some((any, below(any, prefix.as_ref())?)))
    else {
        return Ok(false);
    };
    match lake
        .store
        .head(&lake.full_path(&format!("{one}/{below}"))?)
        .await
    {
        Ok(same) => Ok(same.e_tag == any.e_tag),
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(source_error(one, error)),
    }
}

/// The objects of a day's folder, after one of them, by path.
async fn list(
    lake: &Lake,
    spelling: Spelling,
    folder: &str,
    after: &str,
) -> Result<BoxStream<'static, Result<Listed, SourceError>>, SourceError> {
    let prefix = lake.full_path(folder)?;
    let listing = if after.is_empty() {
        lake.store.list(Some(&prefix))
    } else {
        lake.store.list_with_offset(
            Some(&prefix),
            &lake.full_path(&format!("{folder}/{after}"))?,
        )
    };
    let others = no_files(lake, folder, after).await?;
    let folder = folder.to_owned();
    let failed_at = folder.clone();
    let names = lake.names.clone();
    let listed = listing
        .map_err(move |error| source_error(&failed_at, error))
        .try_filter_map(move |meta| {
            // The marker of the folder itself, as consoles make it, is nothing.
            let below = below(&meta, prefix.as_ref());
            ready(
                below
                    .map(|below| look_at(&meta, spelling, &folder, below, names.kind(below)))
                    .transpose(),
            )
        });
    if lake.lists_in_order {
        Ok(in_order(listed).boxed())
    } else {
        sorted(stream::iter(others.into_iter().map(Ok)).chain(listed)).await
    }
}

/// What lies in a folder of a file system, after one of its paths, and is neither file nor folder:
/// nobody reads it.
async fn no_files(lake: &Lake, folder: &str, after: &str) -> Result<Vec<Listed>, SourceError> {
    let Some(root) = &lake.folder else {
        return Ok(Vec::new());
    };
    let place = root.join(lake.full_path(folder)?.as_ref());
    let found = tokio::task::spawn_blocking(move || super::folder::no_files(&place)).await;
    // What cannot be looked at, the store's own listing says, but for a link that leads nowhere.
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {
            return Err(SourceError::Corrupt {
                object: folder.to_owned(),
                cause: error.into(),
            });
        }
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let left_out = |below: String| Listed::LeftOut {
        path: format!("{folder}/{below}"),
        size_bytes: 0,
    };
    let rest = found.into_iter().filter(|below| below.as_str() > after);
    Ok(rest.map(left_out).collect())
}

/// The part of an object's path below a folder.
fn below<'a>(meta: &'a ObjectMeta, folder: &str) -> Option<&'a str> {
    meta.location
        .as_ref()
        .strip_prefix(folder)?
        .strip_prefix('/')
}

fn look_at(
    meta: &ObjectMeta,
    spelling: Spelling,
    folder: &str,
    below: &str,
    kind: NameKind,
) -> Result<Listed, SourceError> {
    let path = format!("{folder}/{below}");
    if meta.size == 0 || kind == NameKind::Ignored {
        return Ok(Listed::LeftOut {
            path,
            size_bytes: meta.size,
        });
    }
    match &meta.e_tag {
        Some(etag) => Ok(Listed::Read {
            spelling,
            object: ObjectRef {
                path,
                etag: etag.clone(),
                size_bytes: meta.size,
            },
            is_odd: kind == NameKind::Odd,
        }),
        None => Err(SourceError::Corrupt {
            object: path,
            cause: "the store gives it no ETag".into(),
        }),
    }
}

/// Passes on what comes in the order of paths. A store that breaks the order would make planning
/// lose objects, so that is an error.
fn in_order<S>(objects: S) -> impl Stream<Item = Result<Listed, SourceError>> + Send + use<S>
where
    S: Stream<Item = Result<Listed, SourceError>> + Send,
{
    let mut last = String::new();
    objects.and_then(move |listed| {
        let Listed::Read { object, .. } = &listed else {
            return ready(Ok(listed));
        };
        if object.path <= last {
            return ready(Err(SourceError::Unordered {
                object: object.path.clone(),
                before: last.clone(),
            }));
        }
        last.clone_from(&object.path);
        ready(Ok(listed))
    })
}

/// Puts in order what comes in none, as from a file system. One day's listing is held in memory.
async fn sorted(
    objects: impl Stream<Item = Result<Listed, SourceError>>,
) -> Result<BoxStream<'static, Result<Listed, SourceError>>, SourceError> {
    let mut objects: Vec<Listed> = objects.try_collect().await?;
    objects.sort_unstable_by(|one, other| one.path().cmp(other.path()));
    Ok(stream::iter(objects.into_iter().map(Ok)).boxed())
}

/// What lies in the app's folders beside the days', and whether there is anything at all. Names
/// that are hidden from readers are passed over.
pub(super) async fn look_around(
    lake: &Lake,
    folders: &[AppFolder],
    unanswered: Unanswered,
) -> Result<Listing, SourceError> {
    let (mut names, mut found) = (BTreeSet::new(), Listing::default());
    let mut is_absent = true;
    for folder in folders {
        let prefix = lake.full_path(&folder.path)?;
        let listed = match lake.store.list_with_delimiter(Some(&prefix)).await {
            Ok(listed) => listed,
            Err(error) => return unknown(source_error(&folder.path, error), unanswered),
        };
        is_absent &= listed.common_prefixes.is_empty() && listed.objects.is_empty();
        let name_of = |path: &str| {
            Some(
                path.strip_prefix(prefix.as_ref())?
                    .strip_prefix('/')?
                    .to_owned(),
            )
        };
        let days = listed
            .common_prefixes
            .iter()
            .filter_map(|path| name_of(path.as_ref()));
        names.extend(days.filter(|name| !is_day(name)).map(|name| name + "/"));
        names.extend(
            listed
                .objects
                .iter()
                .filter_map(|meta| name_of(meta.location.as_ref())),
        );
    }
    for name in names.iter().filter(|name| !is_hidden(name)) {
        found.no_days.add(name);
    }
    if let Some(folder) = folders.first().filter(|_| is_absent) {
        found.note_absent_folder(&folder.path);
    }
    Ok(found)
}

/// A look that will never succeed, or not in time, costs no export: it only finds what else there
/// is.
fn unknown(error: SourceError, unanswered: Unanswered) -> Result<Listing, SourceError> {
    if error.is_transient() && unanswered == Unanswered::IsRetried {
        return Err(error);
    }
    warn!(
        error = in_one_line(&error),
        "what lies beside the days cannot be listed"
    );
    Ok(Listing::default())
}
