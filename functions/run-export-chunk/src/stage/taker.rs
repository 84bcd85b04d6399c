//! Which records of its source a chunk exports: those of its day. A record that arrived late lies in
//! a later day's folder, which the exports of several days read; exactly one of them takes it.

use domain::chunk::ChunkSource;
use domain::rules::Arrival;
use formats::record::{BadRecord, Shape};
use time::{Date, OffsetDateTime};

/// What takes the records of a chunk.
pub(super) struct Taker {
    /// The chunk's day and folder; absent of a snapshot.
    of_day: Option<(Date, Arrival)>,
}

/// Where a record is exported.
pub(super) enum Taken {
    /// In this chunk.
    Here,
    /// In the export of another day.
    Elsewhere,
    /// In none: it is rejected here.
    Nowhere(BadRecord),
}

impl Taker {
    pub(super) fn of(source: &ChunkSource, late_days: u16) -> Self {
        let of_day = match source {
            ChunkSource::Objects { day, folder, .. } => {
                let folder = *folder;
                Some((*day, Arrival { folder, late_days }))
            }
            ChunkSource::Partitions(_) => None,
        };
        Self { of_day }
    }

    pub(super) fn day(&self) -> Option<Date> {
        self.of_day.map(|(day, _)| day)
    }

    /// Where a record goes that says when it happened, or does not.
    pub(super) fn take(&self, shape: &Shape, time: Option<OffsetDateTime>) -> Taken {
        let Some((day, arrival)) = self.of_day else {
            return Taken::Here;
        };
        let happened = time.map(OffsetDateTime::date);
        if arrival.taken_by(happened) != day {
            return Taken::Elsewhere;
        }
        let Some(found) = happened.filter(|it| *it != day) else {
            return Taken::Here;
        };
        // Only what has a field for its time says when it happened.
        shape.time_field().map_or(Taken::Here, |field| {
            Taken::Nowhere(BadRecord::WrongDay {
                field,
                found,
                folder: arrival.folder,
                late_days: arrival.late_days,
            })
        })
    }

    /// Whether the export of another day rejects what cannot be exported.
    pub(super) fn leaves(&self, shape: &Shape, text: &[u8]) -> bool {
        let Some((day, arrival)) = self.of_day.filter(|(_, arrival)| arrival.late_days > 0) else {
            return false;
        };
        let happened = shape.time_of(text).map(OffsetDateTime::date);
        arrival.taken_by(happened) != day
    }
}
