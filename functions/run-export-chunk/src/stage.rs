//! Read, check, encode, stage: a chunk's data into the blocks of its file, in bounded memory.

use std::sync::Arc;

use bytes::Bytes;
use container::writer::BlobWriter;
use domain::chunk::{Chunk, ChunkSource, Output, OutputFile};
use domain::container::BlobName;
use domain::counts::Counts;
use domain::job::Job;
use domain::rules::{OnBadRecord, Rules};
use formats::encode::{ENCODERS_VERSION, EncodeOptions, Encoder};
use formats::record::{BadRecord, Shape};
use formats::records::{Found, Place, Records};
use futures::StreamExt;
use ports::container::Container;
use ports::source::Piece;
use time::{Date, Duration, OffsetDateTime};
use tracing::warn;

use crate::{ChunkError, Ports};

/// How many of a chunk's skipped records are logged one by one; all of them are counted.
const LOGGED_BAD_RECORDS: u64 = 10;

/// How often a run looks whether its chunk is still its own.
const LEASE_CHECK: Duration = Duration::seconds(5);

/// Reads the whole chunk and stages its file. Nothing becomes visible.
pub(crate) async fn stage(
    job: &Job,
    chunk: &Chunk,
    container: Arc<dyn Container>,
    ports: &Ports,
) -> Result<Output, ChunkError> {
    let request = &job.request;
    let rules = rules_of(job, ports)?;
    let day = match &chunk.source {
        ChunkSource::Objects { day, .. } => Some(*day),
        ChunkSource::Partitions(_) => None,
    };
    let name = BlobName::part(
        request.export_type(),
        job.key.id,
        day,
        chunk.key.number,
        request.format,
    );
    let shape = Shape::of(request.export_type(), request.export_user_id);
    let options = EncodeOptions {
        export_device_id: request.export_device_id,
    };
    let mut staging = Staging {
        chunk,
        on_bad_record: rules.on_bad_record,
        shape,
        day,
        encoder: Encoder::new(shape, request.format, options),
        writer: BlobWriter::new(container, name, chunk.attempt, ports.settings.writer),
        counts: Counts::default(),
        span: None,
    };
    let mut records = Records::default();
    let mut pieces = ports.sources.read(&chunk.source, &request.selection);
    let mut checked = ports.clock.now();
    while let Some(piece) = pieces.next().await {
        match piece? {
            Piece::Text { origin, text } => staging.add(origin, &mut records, text, false)?,
            Piece::End { origin } => {
                staging.add(origin, &mut records, Bytes::new(), true)?;
                records = Records::default();
            }
            Piece::Unreadable { error, .. } => return Err(error.into()),
        }
        staging.writer.flush_full_blocks().await?;
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
fn rules_of(job: &Job, ports: &Ports) -> Result<Rules, ChunkError> {
    let rules = job.rules.unwrap_or(Rules {
        on_bad_record: ports.settings.on_bad_record,
        encoders: ENCODERS_VERSION,
    });
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
    on_bad_record: OnBadRecord,
    shape: Shape,
    day: Option<Date>,
    encoder: Encoder,
    writer: BlobWriter,
    counts: Counts,
    /// The earliest and the latest moment of a row.
    span: Option<(OffsetDateTime, OffsetDateTime)>,
}

impl Staging<'_> {
    /// Takes the next piece of a part's text.
    fn add(
        &mut self,
        origin: usize,
        records: &mut Records,
        piece: Bytes,
        is_last: bool,
    ) -> Result<(), ChunkError> {
        let text = records.join(piece);
        let mut walk = records.walk(&text, is_last);
        while let Some(found) = walk.next() {
            let (place, taken) = match found {
                Found::Record { place, text } => (place, self.take(text)?),
                Found::TooLong { place, .. } => {
                    self.counts.read += 1;
                    self.bad_record(origin, place, &"longer than a record may be")?;
                    continue;
                }
            };
            match taken {
                Err(BadRecord::NotJson) if walk.take_apart() => {}
                taken => {
                    self.counts.read += 1;
                    if let Err(bad) = taken {
                        self.bad_record(origin, place, &bad)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the row of a record, if it is one.
    fn take(&mut self, text: &[u8]) -> Result<Result<(), BadRecord>, ChunkError> {
        let record = match self.shape.parse(text, self.day) {
            Ok(record) => record,
            Err(bad) => return Ok(Err(bad)),
        };
        self.encoder.push(&record, self.writer.buffer())?;
        self.counts.rows += 1;
        self.note_moment(record.time);
        Ok(Ok(()))
    }

    fn note_moment(&mut self, moment: Option<OffsetDateTime>) {
        let Some(moment) = moment else { return };
        let (earliest, latest) = self.span.unwrap_or((moment, moment));
        self.span = Some((earliest.min(moment), latest.max(moment)));
    }

    /// Says where and why, never what the record holds.
    fn bad_record(
        &mut self,
        origin: usize,
        place: Place,
        reason: &dyn std::fmt::Display,
    ) -> Result<(), ChunkError> {
        let object = match &self.chunk.source {
            ChunkSource::Objects { objects, .. } => {
                objects.get(origin).map(|object| object.path.as_str())
            }
            ChunkSource::Partitions(partitions) => partitions.get(origin).map(String::as_str),
        };
        let object = object.unwrap_or("an unknown object");
        if self.on_bad_record == OnBadRecord::Fail {
            return Err(ChunkError::fail(format!("{object}, {place}: {reason}")));
        }
        self.counts.bad_records += 1;
        let key = &self.chunk.key;
        if self.counts.bad_records <= LOGGED_BAD_RECORDS {
            warn!(job.id = %key.job.id, chunk.id = key.number, object, %place, %reason, "a malformed record was skipped");
        }
        Ok(())
    }

    /// A file without rows is not written: the contract's schema has no empty array.
    async fn finish(mut self) -> Result<Output, ChunkError> {
        let mut files = Vec::new();
        if self.counts.rows > 0 {
            self.encoder.finish(self.writer.buffer())?;
            let prepared = self.writer.finish().await?;
            self.counts.bytes = prepared.size_bytes;
            files.push(OutputFile {
                prepared,
                counts: self.counts,
                earliest: self.span.map(|(earliest, _)| earliest),
                latest: self.span.map(|(_, latest)| latest),
            });
        }
        Ok(Output {
            counts: self.counts,
            files,
        })
    }
}
