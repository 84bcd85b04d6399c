//! What is stored, and how it changes. Moments of forgetting lose their fractions of a second, as
//! in the real table.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::TryFromIntError;

use domain::app::AppScope;
use domain::chunk::{Chunk, ChunkKey, ChunkMove};
use domain::job::{Job, JobId, JobKey, Outcome, Phase};
use domain::tally::{Tally, TallyChange};
use ports::store::{
    AcceptedRequest, Audit, Counted, RequestKey, Role, SortKey, StoreError, beginning,
};
use time::OffsetDateTime;

use crate::jobs::altered;

#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By subject and path.
    pub(super) grants: BTreeMap<(String, String), Role>,
    requests: HashMap<(AppScope, RequestKey), AcceptedRequest>,
    pub(super) jobs: HashMap<JobKey, Job>,
    pub(super) audits: Vec<(JobKey, Audit)>,
    pub(super) waiting: BTreeMap<JobId, JobKey>,
    pub(super) shards: HashMap<(JobId, u16), Shard>,
    pub(super) failure: Option<fn() -> StoreError>,
    /// Moves that somebody else makes just before a job is put, in order.
    pub(super) meddling: VecDeque<fn(Job) -> Job>,
}

/// A shard of a job.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// By number.
    pub(super) chunks: BTreeMap<u32, Chunk>,
    tally: TallyChange,
    changed: Option<OffsetDateTime>,
}

impl Tables {
    pub(super) fn accepted(
        &self,
        scope: &AppScope,
        key: &RequestKey,
        now: OffsetDateTime,
    ) -> Option<&AcceptedRequest> {
        let known = self.requests.get(&(scope.clone(), key.clone()));
        known.filter(|request| now < request.expires)
    }

    pub(super) fn put_request(&mut self, scope: &AppScope, request: AcceptedRequest) {
        let place = (scope.clone(), request.key.clone());
        let expires = request.expires.truncate_to_second();
        let request = AcceptedRequest { expires, ..request };
        self.requests.insert(place, request);
    }

    /// That the job is the one that was read; revision 0 is what was never stored.
    pub(super) fn check_job(&self, job: &Job) -> Result<(), StoreError> {
        let stored = self.jobs.get(&job.key);
        if stored.map_or(0, |stored| stored.revision) == job.revision {
            Ok(())
        } else {
            Err(conflict(&job.key))
        }
    }

    /// Writes a job, and lists it when it waits.
    pub(super) fn put_job(&mut self, job: Job, now: OffsetDateTime) -> Job {
        let job = job.written(now);
        if waits(&job) {
            self.waiting.insert(job.key.id, job.key.clone());
        }
        let stored = altered(job.clone(), |job| {
            job.expires = job.expires.truncate_to_second();
        });
        self.jobs.insert(job.key.clone(), stored);
        job
    }

    pub(super) fn chunk(&self, key: &ChunkKey) -> Option<&Chunk> {
        let shard = self.shards.get(&(key.job.id, key.shard))?;
        shard.chunks.get(&key.number)
    }

    /// Writes chunks and changes their tallies; nothing, when one of them is not the one that was
    /// read.
    pub(super) fn put_chunks(
        &mut self,
        steps: Vec<ChunkMove>,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        for ChunkMove { chunk, .. } in &steps {
            let stored = self.chunk(&chunk.key);
            if stored.map_or(0, |stored| stored.revision) != chunk.revision {
                let item = chunk.key.to_string();
                return Err(StoreError::Conflict { item });
            }
        }
        for ChunkMove { chunk, tally } in steps {
            let place = (chunk.key.job.id, chunk.key.shard);
            let shard = self.shards.entry(place).or_default();
            if tally != TallyChange::default() {
                shard.tally = shard.tally + tally;
                shard.changed = Some(now);
            }
            let expires = chunk.expires.truncate_to_second();
            let stored = Chunk { expires, ..chunk };
            shard.chunks.insert(stored.key.number, stored.written());
        }
        Ok(())
    }

    /// The tallies of all shards, summed, and when one was changed; an error when one is below zero.
    pub(super) fn counted(&self, job: &Job) -> Result<Counted, TryFromIntError> {
        let shards = (0..job.shards).filter_map(|shard| self.shards.get(&(job.key.id, shard)));
        Ok(Counted {
            changed: shards.clone().filter_map(|shard| shard.changed).max(),
            tally: shards
                .map(|shard| counted(&shard.tally))
                .sum::<Result<_, _>>()?,
        })
    }
}

pub(super) fn conflict(key: &JobKey) -> StoreError {
    let item = format!("job {}", key.id);
    StoreError::Conflict { item }
}

pub(super) fn waits(job: &Job) -> bool {
    matches!(job.phase, Phase::AwaitingCredential { .. })
}

fn counted(sum: &TallyChange) -> Result<Tally, TryFromIntError> {
    Ok(Tally {
        planned: sum.planned.try_into()?,
        open: sum.open.try_into()?,
        recorded: sum.recorded.try_into()?,
        failed: sum.failed.try_into()?,
        partial: sum.partial.try_into()?,
        counts: sum.counts,
    })
}

/// The order of two jobs in a list; equal ones by id, which is by creation.
pub(super) fn compare(one: &Job, other: &Job, sort: SortKey) -> Ordering {
    let order = match sort {
        SortKey::Id | SortKey::Created => Ordering::Equal,
        SortKey::State => one.phase.wire_state().cmp(other.phase.wire_state()),
        SortKey::Completed => absent_last(ended(one)).cmp(&absent_last(ended(other))),
        SortKey::ErrorDetails => absent_last(details(one)).cmp(&absent_last(details(other))),
    };
    order.then_with(|| one.key.id.cmp(&other.key.id))
}

fn absent_last<T>(value: Option<T>) -> (bool, Option<T>) {
    (value.is_none(), value)
}

fn ended(job: &Job) -> Option<OffsetDateTime> {
    let Phase::Ended { at, .. } = job.phase else {
        return None;
    };
    Some(at)
}

fn details(job: &Job) -> Option<&str> {
    ended(job)?;
    let details = job.phase.outcome().and_then(Outcome::details);
    details.map(beginning)
}
