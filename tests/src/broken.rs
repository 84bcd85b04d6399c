//! A lake's store that does not do as it should until it is healed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// How the listing of a folder breaks off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BreaksOff {
    /// How the folder's path ends.
    pub(crate) folder: String,
    /// Behind so many objects.
    pub(crate) after: usize,
    /// Whether the store does not answer, rather than that it lists what is no path.
    pub(crate) is_silent: bool,
}

#[derive(Debug, Default)]
struct Faults {
    listing: Option<BreaksOff>,
    /// How the paths of archived objects end.
    archived: BTreeSet<String>,
}

/// A store over another one, of which a listing breaks off, and objects are archived.
#[derive(Debug)]
pub(crate) struct Broken {
    inner: Arc<InMemory>,
    faults: Mutex<Faults>,
}

impl Broken {
    pub(crate) fn over(inner: &Arc<InMemory>) -> Self {
        Self {
            inner: Arc::clone(inner),
            faults: Mutex::default(),
        }
    }

    pub(crate) fn break_off(&self, listing: BreaksOff) {
        self.faults().listing = Some(listing);
    }

    pub(crate) fn archive(&self, path: &str) {
        self.faults().archived.insert(path.to_owned());
    }

    /// From now on it does as it should.
    pub(crate) fn heal(&self) {
        *self.faults() = Faults::default();
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

#[async_trait]
impl ObjectStore for Broken {
    async fn put_opts(
        &self,
        path: &Path,
        body: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(path, body, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let ends = |end: &String| path.as_ref().ends_with(end.as_str());
        if self.faults().archived.iter().any(ends) {
            return Err(Error::Generic {
                store: "S3",
                source: "<Code>InvalidObjectState</Code>".into(),
            });
        }
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.cut(prefix, self.inner.list(prefix))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

impl Broken {
    fn cut(
        &self,
        prefix: Option<&Path>,
        listing: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let faults = self.faults();
        let is_it = |it: &&BreaksOff| {
            prefix.is_some_and(|prefix| prefix.as_ref().ends_with(it.folder.as_str()))
        };
        let Some(breaks_off) = faults.listing.as_ref().filter(is_it) else {
            return listing;
        };
        let error = if breaks_off.is_silent {
            Error::Generic {
                store: "S3",
                source: "503 Slow Down".into(),
            }
        } else {
            Error::NotSupported {
                source: "the key `a//b` is none".into(),
            }
        };
        let begun = listing.take(breaks_off.after);
        begun.chain(stream::iter([Err(error)])).boxed()
    }
}
