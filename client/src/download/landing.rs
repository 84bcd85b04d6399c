//! Files on their way from the container to a folder: read there once, and written here while they
//! are verified.
//!
//! A file that is not whole lies beside its place, as `{name}.{entity tag in hex}.partial`. To go on
//! with it, its bytes are read from the disk, so that they are hashed with the others, and the rest
//! is asked for under that entity tag (`If-Match`,
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations>).
//! It gets its name when it is exactly as the manifest says.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::PARTIAL;
use crate::blobs::{BlobStream, BlobsError};
use crate::failure::Failure;
use crate::verify::{
    ContainerPlace, Manifest, Opened, Pieces, Place, PlaceError, Reading, Strays, of_blobs,
    open_file,
};

/// How much is read from a disk at once.
const PIECE_BYTES: usize = 256 * 1024;

/// How a file came here.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    /// It lay there under its name.
    Whole,
    /// A part of it lay there, and the rest was downloaded.
    InParts(PathBuf),
    /// All of it was downloaded now.
    Fresh(PathBuf),
}

/// What lies in the folder of a file that is not whole.
#[derive(Debug, Clone)]
struct Begun {
    etag: String,
    path: PathBuf,
    bytes: u64,
}

/// The files of an export, on their way.
pub(super) struct Landing<'a> {
    container: &'a ContainerPlace,
    root: &'a Path,
    /// The sizes of the files that are to be here, by name.
    sizes: HashMap<&'a str, u64>,
    begun: Mutex<HashMap<String, Begun>>,
    came: Mutex<HashMap<String, Came>>,
}

impl<'a> Landing<'a> {
    /// Looks what of the files lies there.
    pub(super) fn new(
        container: &'a ContainerPlace,
        root: &'a Path,
        manifest: &'a Manifest,
        reading: Reading,
    ) -> Result<Self, Failure> {
        let files = reading.files(manifest);
        let sizes: HashMap<&str, u64> = files.map(|it| (it.name.as_str(), it.bytes)).collect();
        let mut begun = HashMap::new();
        let folder = root.join(container.prefix());
        find_begun(root, &folder, &mut begun)
            .map_err(|error| super::unwritable(&folder, &error))?;
        Ok(Self {
            container,
            root,
            sizes,
            begun: Mutex::new(begun),
            came: Mutex::default(),
        })
    }

    /// How many bytes are to be written.
    pub(super) fn bytes_to_come(&self) -> u64 {
        let begun = locked(&self.begun);
        let left = self.sizes.iter().map(|(name, size)| {
            let here = if self.is_whole(name) {
                *size
            } else {
                begun.get(*name).map_or(0, |begun| begun.bytes)
            };
            size.saturating_sub(here)
        });
        left.fold(0, u64::saturating_add)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Whether a file of the right size lies there under its name.
    fn is_whole(&self, name: &str) -> bool {
        let size = self.path(name).symlink_metadata();
        size.is_ok_and(|it| it.is_file() && Some(it.len()) == self.sizes.get(name).copied())
    }

    /// The rest of a file of which a part lies there; `None` when it is of no use.
    async fn go_on(&self, name: &str, begun: &Begun) -> Result<Option<Opened>, PlaceError> {
        let size = self.sizes.get(name).copied().unwrap_or_default();
        if begun.bytes >= size {
            return Ok(None);
        }
        let view = self.container.view();
        let rest = match view.stream_rest(name, begun.bytes, &begun.etag).await {
            Ok(rest) => rest,
            Err(BlobsError::Changed { .. } | BlobsError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(of_blobs(&error)),
        };
        if rest.size_bytes != size {
            return Ok(None);
        }
        let here = File::open(&begun.path).await;
        let here = here.map_err(|error| unwritable(&begun.path, &error))?;
        let here = ReaderStream::with_capacity(here.take(begun.bytes), PIECE_BYTES);
        let path = begun.path.clone();
        let here = here.map_err(move |error| unwritable(&path, &error));
        let file = OpenOptions::new().append(true).open(&begun.path).await;
        let file = file.map_err(|error| unwritable(&begun.path, &error))?;
        self.note(name, Came::InParts(begun.path.clone()));
        Ok(Some(Opened {
            size,
            pieces: here.chain(written(file, begun.path.clone(), rest)).boxed(),
        }))
    }

    async fn begin(&self, name: &str) -> Result<Option<Opened>, PlaceError> {
        let blob = match self.container.view().stream(name).await {
            Ok(blob) => blob,
            Err(BlobsError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(of_blobs(&error)),
        };
        let size = blob.size_bytes;
        let etag = blob.etag.clone().unwrap_or_default();
        let path = self.path(&format!("{name}.{}{PARTIAL}", hex::encode(&etag)));
        let file = create(&path)
            .await
            .map_err(|error| unwritable(&path, &error))?;
        let begun = Begun {
            etag,
            path: path.clone(),
            bytes: 0,
        };
        locked(&self.begun).insert(name.to_owned(), begun);
        self.note(name, Came::Fresh(path.clone()));
        Ok(Some(Opened {
            size,
            pieces: written(file, path, blob),
        }))
    }

    fn note(&self, name: &str, came: Came) {
        locked(&self.came).insert(name.to_owned(), came);
    }
}

/// Finds the files that are not whole, by the names that they are to have.
fn find_begun(root: &Path, folder: &Path, begun: &mut HashMap<String, Begun>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            find_begun(root, &entry.path(), begun)?;
        } else if kind.is_file()
            && let Some((name, etag)) = of_partial(root, &entry.path())
        {
            let (path, bytes) = (entry.path(), entry.metadata()?.len());
            begun.insert(name, Begun { etag, path, bytes });
        }
    }
    Ok(())
}

/// The blob's name and entity tag that the path of a file says which is not whole.
fn of_partial(root: &Path, path: &Path) -> Option<(String, String)> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    let name = parts?.join("/");
    let (name, etag) = name.strip_suffix(PARTIAL)?.rsplit_once('.')?;
    let etag = String::from_utf8(hex::decode(etag).ok()?).ok()?;
    Some((name.to_owned(), etag))
}

async fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    File::create(path).await
}

fn unwritable(path: &Path, error: &io::Error) -> PlaceError {
    PlaceError::Unwritable {
        reason: format!("{} cannot be written: {error}", path.display()),
    }
}

/// The bytes of a blob, each of which is written before it is passed on.
fn written(file: File, path: PathBuf, blob: BlobStream) -> Pieces {
    let body = blob.body.map_err(|error| of_blobs(&error)).boxed();
    let pieces = stream::try_unfold((file, body), move |(mut file, mut body)| {
        let path = path.clone();
        async move {
            let next: Option<Bytes> = body.try_next().await?;
            let written = match &next {
                Some(piece) => file.write_all(piece).await,
                // Before it gets its name, it is on the disk.
                None => match file.flush().await {
                    Ok(()) => file.sync_data().await,
                    failed => failed,
                },
            };
            written.map_err(|error| unwritable(&path, &error))?;
            Ok(next.map(|piece| (piece, (file, body))))
        }
    });
    pieces.boxed()
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it holds the lock.
    shared
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[async_trait]
impl Place for Landing<'_> {
    async fn open(&self, name: &str) -> Result<Option<Opened>, PlaceError> {
        if self.is_whole(name) {
            self.note(name, Came::Whole);
            return open_file(&self.path(name)).await.map(Some);
        }
        let begun = locked(&self.begun).get(name).cloned();
        if let Some(mut begun) = begun {
            begun.bytes = begun.path.metadata().map_or(0, |it| it.len());
            if let Some(opened) = self.go_on(name, &begun).await? {
                return Ok(Some(opened));
            }
            // It is a part of another version, or none.
            drop(tokio::fs::remove_file(&begun.path).await);
        }
        self.begin(name).await
    }

    async fn settle(&self, name: &str, is_right: bool) -> Result<bool, PlaceError> {
        let came = locked(&self.came).remove(name);
        let (path, may_change) = match came {
            None => return Ok(false),
            Some(Came::Whole) if is_right => return Ok(false),
            Some(Came::Whole) => (self.path(name), true),
            Some(Came::InParts(path)) => (path, true),
            Some(Came::Fresh(path)) => (path, false),
        };
        locked(&self.begun).remove(name);
        let (place, settled) = if is_right {
            let place = self.path(name);
            let settled = tokio::fs::rename(&path, &place).await;
            (place, settled)
        } else {
            let settled = tokio::fs::remove_file(&path).await;
            (path, settled)
        };
        settled.map_err(|error| unwritable(&place, &error))?;
        Ok(may_change && !is_right)
    }

    async fn strays(&self, _: &HashSet<&str>) -> Result<Strays, PlaceError> {
        Ok(Strays::NotLooked("only what it lists was downloaded"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_that_is_not_whole_says_which_it_is_and_of_which_version() {
        let etag = "\"0x8DB\"";
        let path = format!("/r/Event/j/part-0.json.gz.{}{PARTIAL}", hex::encode(etag));
        let found = of_partial(Path::new("/r"), Path::new(&path)).unwrap();
        assert_eq!(
            found,
            ("Event/j/part-0.json.gz".to_owned(), etag.to_owned())
        );
        for none in ["/r/Event/j/part-0.json", "/r/Event/j/manifest.json.partial"] {
            assert_eq!(of_partial(Path::new("/r"), Path::new(none)), None);
        }
    }
}
