//! How long a page of a list takes that no key orders, in the embedded engine: of an app with many
//! jobs, for one caller and for many at once. `cargo bench -p tests --bench lists -- 5000 50` takes some
//! minutes, most of them for the jobs.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_types, reason = "a benchmark of the table")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use domain::app::AppScope;
use domain::container::ContainerAddress;
use domain::job::{Credential, Job, JobId, JobKey, SealedCredential};
use domain::selection::{DeviceType, ExportFormat, ExportRequest, Snapshot};
use exports_table::DynamoStore;
use futures::StreamExt;
use futures::stream;
use local::dynamodb::{EXPORTS_TABLE, EmbeddedDynamoDb, create_tables, scratch_dir};
use ports::clock::Clock;
use ports::store::{Act, Audit, Intake, JobLists, Page, SortKey, Wanted};
use wiring::SystemClock;

/// How many jobs are stored at once, and how often a page is asked for.
const AT_ONCE: usize = 8;
const PAGES: usize = 5;

/// A job that was never stored.
fn job(scope: &AppScope) -> Job {
    let request = ExportRequest {
        description: Some("a benchmark's".repeat(8)),
        ..ExportRequest::usual(Snapshot::Devices(DeviceType::Tag), ExportFormat::CsvBlob)
    };
    let key = JobKey {
        scope: scope.clone(),
        id: JobId::new(SystemClock.fresh_id()),
    };
    let credential = Credential {
        sealed: SealedCredential(vec![7; 400]),
        expires: None,
    };
    let address = ContainerAddress::new("https://account1.blob.core.windows.net/exports");
    let kept = time::Duration::days(90);
    Job::queued(key, request, address, credential, SystemClock.now(), kept)
}

async fn page(store: &DynamoStore, scope: &AppScope) -> Result<Duration> {
    let page = Page {
        wanted: Wanted::default(),
        sort: SortKey::Completed,
        descending: true,
        skip: 0,
        top: 20,
    };
    let begun = Instant::now();
    let listed = store.jobs(scope, page, SystemClock.now()).await?;
    anyhow::ensure!(
        listed.jobs.len() == 20,
        "a page has {} jobs",
        listed.jobs.len()
    );
    Ok(begun.elapsed())
}

async fn pages(store: &DynamoStore, scope: &AppScope, callers: usize) -> Result<String> {
    let pages = stream::iter(0..callers * PAGES).map(|_| page(store, scope));
    let taken: Vec<_> = pages.buffer_unordered(callers).collect().await;
    let mut taken = taken.into_iter().collect::<Result<Vec<_>>>()?;
    taken.sort();
    let [first, .., last] = taken.as_slice() else {
        anyhow::bail!("no page was asked for")
    };
    let median = taken.get(taken.len() / 2).unwrap_or(last);
    Ok(format!("{first:.0?} · {median:.0?} · {last:.0?}"))
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok());
    let jobs: usize = numbers.next().unwrap_or(5_000);
    let callers = numbers.next().unwrap_or(50);
    let folder = scratch_dir()?;
    let server = EmbeddedDynamoDb::start(&folder.path().join("dynamodb.sqlite")).await?;
    let sdk = server.sdk_config().await;
    create_tables(&sdk)
        .await
        .context("the tables cannot be made")?;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let store = DynamoStore::new(client, EXPORTS_TABLE, Arc::new(SystemClock));
    let scope = AppScope::from_segments(["subscriptions", "1", "apps", "chess"]);
    let creation = || Audit {
        by: "bench".to_owned(),
        act: Act::Create,
        at: SystemClock.now(),
        expires: SystemClock.now(),
    };
    let stored = stream::iter(0..jobs).map(|_| store.create(job(&scope), None, creation()));
    let stored: Vec<_> = stored.buffer_unordered(AT_ONCE).collect().await;
    for created in stored {
        created?;
    }
    println!("a page of {jobs} jobs by completion, minimum · median · maximum");
    println!("one caller: {}", pages(&store, &scope, 1).await?);
    println!(
        "{callers} callers at once: {}",
        pages(&store, &scope, callers).await?
    );
    Ok(())
}
