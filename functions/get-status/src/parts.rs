//! The chunks and files of one task.

use api::Call;
use api::answer::Answer;
use api::error::ApiError;
use api::parts::{ChunkRow, PartsList, PartsPage, Place};
use api::query::Query;
use api::route::{Parts, Route};
use domain::chunk::Chunk;
use domain::job::Job;
use domain::manifest::AnyFile;
use serde::Serialize;

use crate::Ports;

/// Answers a page of what the table knows of a job, before its end and after it.
pub(crate) async fn list(
    call: Call<'_>,
    route: &Route,
    query: &Query<'_>,
    job: &Job,
    which: Parts,
    ports: &Ports,
) -> Result<Answer, ApiError> {
    let from = query.place()?.or(Place::first(job));
    let base = call.base(ports.settings.public_url.as_deref());
    let link = |next: Place| route.parts_url(&base, job.key.id, which, &next.token());
    match which {
        Parts::Chunks => page(job, from, ChunkRow::rows, link, ports).await,
        Parts::Files => page(job, from, AnyFile::of, link, ports).await,
    }
}

async fn page<T: Serialize + Send>(
    job: &Job,
    from: Option<Place>,
    rows: fn(&Chunk) -> Vec<T>,
    link: impl Fn(Place) -> String,
    ports: &Ports,
) -> Result<Answer, ApiError> {
    let mut page = PartsPage::new(from);
    while let Some(at) = page.reads_at() {
        let chunks = ports.chunks.chunks(&job.key, at.shard(), at.after());
        page.take(job, &chunks.await?, rows);
    }
    let (value, next) = page.finish();
    let next_link = next.map(link);
    Answer::ok(&PartsList { value, next_link })
}
