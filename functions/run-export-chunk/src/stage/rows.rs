//! The files of a chunk's rows: encoded, compressed when that is asked for, sent block by block. There
//! is one, or parts of at most the size that was asked for.

mod file;

use std::sync::Arc;

use container::writer::{BlobWriter, WriterSettings};
use domain::chunk::{MOST_FILES_OF_ROWS, OutputFile};
use domain::container::BlobName;
use domain::job::JobId;
use domain::selection::ExportRequest;
use formats::encode::EncodeOptions;
use formats::record::{Record, Shape};
use ports::container::Container;
use time::Date;

use crate::ChunkError;
use file::RowsFile;

pub(super) use file::CountedFile;

pub(super) struct RowsFiles {
    place: Place,
    shape: Shape,
    options: EncodeOptions,
    /// The file that rows are written to: begun with the first of them.
    open: Option<RowsFile>,
    /// Files that are full, whose last blocks are to be sent.
    closed: Vec<CountedFile>,
    finished: Vec<OutputFile>,
}

/// Where the files go.
pub(super) struct Place {
    pub(super) container: Arc<dyn Container>,
    pub(super) request: ExportRequest,
    pub(super) job: JobId,
    /// The day of the rows; absent of a snapshot.
    pub(super) day: Option<Date>,
    pub(super) chunk: u32,
    pub(super) attempt: u32,
    pub(super) settings: WriterSettings,
}

impl Place {
    /// The writer of the file at a place among those of the chunk's rows.
    pub(super) fn writer(&self, part: usize) -> BlobWriter {
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        let name = BlobName::part(&self.request, self.job, self.day, self.chunk, part);
        BlobWriter::new(
            Arc::clone(&self.container),
            name,
            self.attempt,
            self.settings,
        )
    }
}

impl RowsFiles {
    pub(super) fn new(place: Place, shape: Shape, row_group_bytes: usize) -> Self {
        Self {
            options: EncodeOptions::of(&place.request, row_group_bytes),
            place,
            shape,
            open: None,
            closed: Vec::new(),
            finished: Vec::new(),
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Writes a row, into another file when it might not fit into the open one. At most a piece of
    /// what is not compressed yet is held beside the blocks.
    pub(super) fn push(&mut self, record: &Record<'_>) -> Result<(), ChunkError> {
        let most_bytes = self.place.request.files.max_file_bytes;
        let begun = self.finished.len() + self.closed.len() + usize::from(self.open.is_some());
        let is_full =
            |file: &mut RowsFile| most_bytes.is_some_and(|most| !file.has_room(record, most));
        // The last takes the rest.
        if begun < MOST_FILES_OF_ROWS
            && let Some(file) = self.open.take_if(is_full)
        {
            self.closed.push(file.close()?);
        }
        if self.open.is_none() {
            let writer = self.place.writer(self.finished.len() + self.closed.len());
            let file = RowsFile::new(&self.place.request, self.shape, &self.options, writer)?;
            self.open = Some(file);
        }
        let open = self.open.as_mut();
        open.map_or(Ok(()), |file| file.push(record))
    }

    /// Sends what is whole: the full files, whose blocks are all sent before those of the open one,
    /// and the whole blocks of that.
    pub(super) async fn flush(&mut self) -> Result<(), ChunkError> {
        for file in std::mem::take(&mut self.closed) {
            let file = file.finish(self.place.request.files.max_file_bytes).await?;
            self.finished.push(file);
        }
        match &mut self.open {
            Some(file) => file.flush().await,
            None => Ok(()),
        }
    }

    /// Closes the files; none when there was no row.
    pub(super) async fn finish(mut self) -> Result<Vec<OutputFile>, ChunkError> {
        if let Some(file) = self.open.take() {
            self.closed.push(file.close()?);
        }
        self.flush().await?;
        Ok(self.finished)
    }
}
