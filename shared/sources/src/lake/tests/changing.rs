//! Files of a folder that somebody changes while they are read.

use std::fs::{self, FileTimes, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

use object_store::local::LocalFileSystem;
use tempfile::TempDir;

use super::*;

/// A lake with a file of several parts, as many as are read at once.
struct Folder {
    root: TempDir,
    store: Arc<dyn ObjectStore>,
    chunk: ChunkSource,
    text: String,
}

impl Folder {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        let text = "{\"deviceId\":\"one\"}\n".repeat(250_000);
        let chunk = only_chunk(&store, "a.ndjson", text.clone().into_bytes()).await;
        let new = Self {
            root: folder,
            store,
            chunk,
            text,
        };
        // It was written a while ago: no clock is too coarse to tell that it is written to again.
        let file = OpenOptions::new().write(true).open(new.path()).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        file.set_times(FileTimes::new().set_modified(then)).unwrap();
        let chunk = plan(&lake(&new.store, 1 << 20), 64).await.pop().unwrap();
        Self { chunk, ..new }
    }

    fn path(&self) -> PathBuf {
        let [object] = objects(&self.chunk) else {
            panic!("{:?}", self.chunk)
        };
        self.root.path().join("raw").join(&object.path)
    }

    /// What is read of the file, in which `change` happens behind its first piece.
    async fn read(&self, change: impl FnOnce(PathBuf)) -> Result<String, SourceError> {
        let mut pieces = lake(&self.store, 1).read(objects(&self.chunk), &selected());
        let (mut text, mut change) = (String::new(), Some(change));
        while let Some(piece) = pieces.try_next().await? {
            match piece {
                Piece::Text { text: piece, .. } => {
                    text.push_str(std::str::from_utf8(&piece).unwrap());
                    if let Some(change) = change.take() {
                        change(self.path());
                    }
                }
                Piece::Stored { .. } => {}
                Piece::End { .. } => return Ok(text),
                Piece::Unreadable { error, .. } => return Err(error),
            }
        }
        panic!("the file has no end")
    }

    /// What the next run finds.
    async fn is_another_version(&self) -> bool {
        let error = self.read(|_| {}).await;
        matches!(error, Err(SourceError::Changed { .. }))
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_while_it_is_read_is_tried_again_and_is_another_version_then() {
    let folder = Folder::new().await;
    assert_eq!(folder.read(|_| {}).await.unwrap(), folder.text);
    for len in [3 << 20, 10, 0] {
        let folder = Folder::new().await;
        let cut = |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(len).unwrap();
        };
        let error = folder.read(cut).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(folder.is_another_version().await);
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_is_read_as_it_was_or_not_at_all() {
    let folder = Folder::new().await;
    let other = folder.text.replace("one", "two");
    let moved = |path: PathBuf| {
        let beside = path.with_extension("new");
        fs::write(&beside, &other).unwrap();
        fs::rename(beside, path).unwrap();
    };
    assert_eq!(folder.read(moved).await.unwrap(), folder.text);
    assert!(folder.is_another_version().await);

    let folder = Folder::new().await;
    let written_over = |path| {
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(other.as_bytes()).unwrap();
    };
    let error = folder.read(written_over).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(folder.is_another_version().await);
}
