//! Read, check, encode, compress, stage: a chunk's data into the blocks of its files, in bounded memory.

mod part;
mod rejects;
mod rows;
mod stored;
mod taker;

use std::sync::Arc;

use bytes::Bytes;
use domain::chunk::{Chunk, ChunkSource, Lease, MissingParts, Output};
use domain::container::BlobName;
use domain::counts::Counts;
use domain::job::Job;
use domain::rules::{OnBadRecord, Rules};
use formats::encode::ENCODERS_VERSION;
use formats::filter::RecordFilter;
use formats::record::{BadRecord, Record, Shape, Text};
use formats::records::{Found, Place as RecordPlace, Records};
use formats::rejected::Reject;
use futures::StreamExt;
use ports::container::Container;
use ports::source::Piece;
use time::Duration;

use crate::{ChunkError, Ports};
use part::PartCounts;
use rejects::Rejects;
use rows::{Place, RowsFiles};
use stored::StoredFile;
use taker::{Taken, Taker};

/// How often a run looks whether its chunk is still its own.
const LEASE_CHECK: Duration = Duration::seconds(5);

/// What a run made of its chunk's data.
pub(crate) enum Staged {
    /// Its files are staged.
    Whole(Output),
    /// What is staged holds rows of parts that cannot be exported after all; these, and those that
    /// were known before.
    Spoiled(MissingParts),
    /// What is staged are stored bytes that are not what would be written after all.
    Unlike,
}

/// What a run makes files of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Of the objects' bytes as they are stored, if these are just what it would write.
    AsStored,
    /// Of the records.
    Encoded,
}

/// Reads the whole chunk, without what is known to be missing, and stages its files. Nothing
/// becomes visible.
pub(crate) async fn stage(
    job: &Job,
    lease: &Lease,
    container: Arc<dyn Container>,
    ports: &Ports,
    way: Way,
) -> Result<Staged, ChunkError> {
    let (chunk, mut missing) = (lease.chunk(), lease.missing());
    missing.extend(part::too_large(&chunk.source, ports.settings.time_limit));
    let places = chunk.source.places_without(&missing);
    let (source, _) = chunk.source.clone().split(&missing);
    let mut staging = Staging::begin(job, chunk, missing, container, ports)?;
    if way == Way::AsStored {
        let file = StoredFile::of(staging.rows.place(), &source, staging.shape);
        staging.stored = file.map(Box::new);
    }
    let mut pieces = ports.sources.read(&source, &job.request.selection);
    let mut records = Records::default();
    let mut checked = ports.clock.now();
    while let Some(piece) = pieces.next().await {
        staging.take(piece?, &places, &mut records)?;
        if staging.is_unlike() {
            return Ok(Staged::Unlike);
        }
        staging.flush().await?;
        if ports.clock.now() - checked > LEASE_CHECK {
            check_lease(chunk, ports).await?;
            checked = ports.clock.now();
        }
    }
    staging.finish().await
}

/// What the job's runs keep to.
///
/// # Errors
/// [`ChunkError::Fail`] when this version's encoders are not those that the job was planned with: its
/// files would not be of one kind.
fn rules_of(job: &Job) -> Result<Rules, ChunkError> {
    let rules = job.rules.unwrap_or(Rules::unless_planned(ENCODERS_VERSION));
    if rules.encoders == ENCODERS_VERSION {
        return Ok(rules);
    }
    Err(ChunkError::fail(format!(
        "the job was planned for files of encoders {}, and this version of the service has encoders \
         {ENCODERS_VERSION}: create the export again",
        rules.encoders
    )))
}

/// Stops a run whose chunk was cancelled or taken over, before it stages more in vain.
async fn check_lease(chunk: &Chunk, ports: &Ports) -> Result<(), ChunkError> {
    let stored = ports.chunks.chunk(&chunk.key).await?;
    let is_ours = stored.is_some_and(|stored| stored.revision == chunk.revision);
    if is_ours {
        Ok(())
    } else {
        Err(ChunkError::Superseded)
    }
}

struct Staging<'a> {
    chunk: &'a Chunk,
    rules: Rules,
    shape: Shape,
    taker: Taker,
    filter: RecordFilter,
    rows: RowsFiles,
    /// What takes the rows instead while they are what is stored.
    stored: Option<Box<StoredFile>>,
    rejects: Rejects,
    /// What was counted of all parts but those that are missing, beside what is in files.
    counts: Counts,
    /// What was counted of the part that is read now.
    part: PartCounts,
    missing: MissingParts,
    /// Whether rows of a missing part are staged: then nothing more is, and the rest of the chunk is
    /// only looked through for others of the kind.
    is_spoiled: bool,
}

impl<'a> Staging<'a> {
    fn begin(
        job: &Job,
        chunk: &'a Chunk,
        missing: MissingParts,
        container: Arc<dyn Container>,
        ports: &Ports,
    ) -> Result<Self, ChunkError> {
        let (request, number) = (&job.request, chunk.key.number);
        let export_type = request.export_type();
        let rules = rules_of(job)?;
        let taker = Taker::of(&chunk.source, rules.late_days);
        let rejects = BlobName::rejected(export_type, job.key.id, number);
        let shape = Shape::of(export_type, request.export_user_id);
        let settings = ports.settings.writer;
        let place = Place {
            container: Arc::clone(&container),
            request: request.clone(),
            job: job.key.id,
            day: taker.day(),
            chunk: number,
            attempt: chunk.attempt,
            settings,
        };
        Ok(Self {
            chunk,
            rules,
            shape,
            taker,
            filter: RecordFilter::new(&request.filter, shape),
            rejects: Rejects::new(container, rejects, chunk, settings),
            rows: RowsFiles::new(place, shape, ports.settings.row_group_bytes),
            stored: None,
            counts: Counts::default(),
            part: PartCounts::default(),
            missing,
            is_spoiled: false,
        })
    }

    /// Takes the next piece, of the part at the place that `places` has for it.
    fn take(
        &mut self,
        piece: Piece,
        places: &[usize],
        records: &mut Records,
    ) -> Result<(), ChunkError> {
        let place = |origin: usize| places.get(origin).copied().unwrap_or_default();
        match piece {
            Piece::Text { origin, text } => {
                if let Some(file) = &mut self.stored {
                    file.note_text(&text);
                }
                self.take_text(place(origin), records, text, false)
            }
            Piece::Stored {
                compression, bytes, ..
            } => {
                if let Some(file) = self.stored.as_mut().filter(|_| !self.is_spoiled) {
                    file.add_stored(compression, &bytes);
                }
                Ok(())
            }
            Piece::End { origin } => {
                self.take_text(place(origin), records, Bytes::new(), true)?;
                *records = Records::default();
                self.end_part(place(origin));
                Ok(())
            }
            Piece::Unreadable { origin, error } => {
                if matches!(self.chunk.source, ChunkSource::Partitions(_)) {
                    return Err(error.into());
                }
                *records = Records::default();
                self.lose_part(place(origin), &error.problem());
                Ok(())
            }
        }
    }

    fn take_text(
        &mut self,
        place: usize,
        records: &mut Records,
        piece: Bytes,
        is_last: bool,
    ) -> Result<(), ChunkError> {
        let text = records.join(piece);
        let mut walk = records.walk(&text, is_last);
        while let Some(found) = walk.next() {
            match found {
                Found::Record { place: at, text } => match self.take_record(at, text)? {
                    Ok(()) => {}
                    Err(BadRecord::NotJson | BadRecord::NotUtf8) if walk.take_apart() => {}
                    Err(bad) => self.reject(place, Reject::record(at, text.as_bytes(), bad))?,
                },
                Found::TooLong {
                    place: at,
                    head,
                    bytes,
                } => self.reject(place, Reject::too_long(at, &head, bytes))?,
            }
        }
        Ok(())
    }

    /// Writes the row of a record, if it is one that this chunk is to export.
    fn take_record(
        &mut self,
        at: RecordPlace,
        text: Text<'_>,
    ) -> Result<Result<(), BadRecord>, ChunkError> {
        let mut record = Record::default();
        if let Err(bad) = self.shape.parse_into(text, &mut record) {
            return Ok(Err(bad));
        }
        match self.taker.take(&self.shape, record.time) {
            Taken::Here => {}
            Taken::Nowhere(bad) => return Ok(Err(bad)),
            Taken::Elsewhere => {
                self.leave();
                return Ok(Ok(()));
            }
        }
        self.part.records += 1;
        self.part.good += 1;
        if !self.filter.wants(&record) {
            self.counts.read += 1;
            self.counts.excluded += 1;
            return Ok(Ok(()));
        }
        match &mut self.stored {
            _ if self.is_spoiled => {}
            Some(file) => file.push(&record, at),
            None => self.rows.push(&record)?,
        }
        Ok(Ok(()))
    }

    /// Leaves a record to the export of another day.
    fn leave(&mut self) {
        if let Some(file) = &mut self.stored {
            file.leave_out();
        }
        self.part.others += 1;
        self.counts.read += 1;
        self.counts.filtered += 1;
    }

    fn reject(&mut self, place: usize, reject: Reject<'_>) -> Result<(), ChunkError> {
        if self.taker.leaves(&self.shape, reject.text()) {
            self.leave();
            return Ok(());
        }
        let name = self.chunk.source.name_of(place);
        if self.rules.on_bad_record == OnBadRecord::Fail {
            return Err(ChunkError::fail(format!("{name}, {reject}")));
        }
        self.part.note(&reject);
        match &mut self.stored {
            _ if self.is_spoiled => {}
            Some(file) => file.leave_out(),
            None => self.rejects.add(name, &reject)?,
        }
        Ok(())
    }

    /// Judges a part that was read to its end.
    fn end_part(&mut self, place: usize) {
        if let Some(file) = self.stored.as_mut().filter(|_| !self.is_spoiled) {
            file.end_object(self.chunk.source.stored_bytes_of(place));
        }
        let is_object = matches!(self.chunk.source, ChunkSource::Objects { .. });
        match self.part.problem(self.rules.misread) {
            Some(problem) if is_object => self.lose_part(place, &problem),
            Some(_) | None => self.part = PartCounts::default(),
        }
    }

    /// A part is missing by name. What was staged of it is of no use.
    fn lose_part(&mut self, place: usize, reason: &str) {
        self.missing.insert(place, part::bounded(reason));
        let stored = self.stored.as_mut();
        let is_in_file = stored.is_some_and(|file| file.lose_object());
        self.is_spoiled |= self.part.is_begun() || is_in_file;
        self.part = PartCounts::default();
    }

    /// Whether the stored bytes that are staged are not what would be written.
    fn is_unlike(&self) -> bool {
        !self.is_spoiled && self.stored.as_ref().is_some_and(|file| file.is_unlike())
    }

    async fn flush(&mut self) -> Result<(), ChunkError> {
        match &mut self.stored {
            _ if self.is_spoiled => Ok(()),
            Some(file) => file.flush().await,
            None => {
                self.rows.flush().await?;
                self.rejects.flush().await
            }
        }
    }

    /// A file without rows is not written: the contract's schema has no empty array.
    async fn finish(self) -> Result<Staged, ChunkError> {
        if self.is_spoiled {
            return Ok(Staged::Spoiled(self.missing));
        }
        let mut files = match self.stored {
            Some(file) => file.finish().await?,
            None => self.rows.finish().await?,
        };
        files.extend(self.rejects.finish().await?);
        let in_files: Counts = files.iter().map(|file| file.counts).sum();
        Ok(Staged::Whole(Output {
            counts: self.counts + in_files,
            files,
            missing: self.missing,
        }))
    }
}
