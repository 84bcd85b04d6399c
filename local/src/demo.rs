//! `make run`: an export in each format, one of them into a folder and one in parts, of what happened and of what is known now, from the POST to
//! the verified files, through the real API.

mod caller;
mod expected;
mod exports;

use std::path::Path;
use std::time::{Duration, Instant};

use client::blobs::{BlobEntry, BlobsError, ContainerView};
use client::console::{counted, say};
use client::verify::{
    ContainerPlace, Export as WrittenExport, Finding, JobName, MANIFEST_NAME, Manifest, Mismatch,
    PlaceError, RowSet, Verdict,
};
use domain::secret::Secret;
use domain::selection::HistoryType;
use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};
use ports::source::SourceError;
use thiserror::Error;

use self::caller::{Client, ClientError, Task};
use self::expected::{Asked, device_rows, lake_rows};
use self::exports::{Export, exports, write_long_crashes};
use crate::dynamodb::registry;
use crate::sample::{APPS, DAYS, Sample, SampleApp};
use crate::stack::{Stack, StackError, StackSettings};
use crate::token::TokenError;

/// How often the task is asked for.
const POLL: Duration = Duration::from_millis(150);

/// How long an export of the demonstration may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Data files that are named one by one.
const LISTED_FILES: usize = 4;

/// Why the demonstration did not succeed.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The stack does not start.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The lake cannot be written.
    #[error("the sample cannot be written")]
    Sample(#[from] std::io::Error),
    /// The registry cannot be written.
    #[error(transparent)]
    Registry(#[from] SourceError),
    /// No token can be made for the API.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The API does not answer, or not as it should.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The container cannot be opened or listed.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// The files cannot be read.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The files are not as the manifest says, or their rows are not the source's.
    #[error("the {what} are not exact: {mismatch}")]
    Mismatch {
        /// What was exported: `events`, `activities` or `devices`.
        what: &'static str,
        /// The first that was found.
        mismatch: Mismatch,
    },
    /// The export has ended, and not as `Succeeded`.
    #[error("the export of {what} ended as {state}: {details}")]
    Failed {
        /// What was exported: `events`, `activities` or `devices`.
        what: &'static str,
        /// The state of the task: `Failed`.
        state: String,
        /// The task's own words.
        details: String,
    },
    /// The export did not end.
    #[error("the export of {what} did not end within {} minutes", PATIENCE.as_secs() / 60)]
    Endless {
        /// What was exported: `events`, `activities` or `devices`.
        what: &'static str,
    },
}

/// Runs the demonstration in a folder.
///
/// # Errors
/// [`DemoError`]: the first thing that is not as it should be.
pub async fn run(folder: &Path, sample: Sample) -> Result<(), DemoError> {
    say("Engagement Export, end to end on this machine\n");
    let started = Instant::now();
    let settings = StackSettings::in_folder(folder);
    let stack = Stack::start(&settings).await?;
    let up = HumanDuration(started.elapsed());
    say(format_args!(
        "✓ stack      DynamoDB, Azurite, event pump and {} up in {up}",
        stack.api_url()
    ));
    make_sample(&stack, sample).await?;
    let [app, ..] = APPS;
    write_long_crashes(&stack.places.lake(), &app)?;
    let demo = Demo {
        client: Client::new(stack.token(Duration::from_hours(1))?)?,
        view: ContainerView::open(&stack.container_url("rl"))?,
        stack: &stack,
        sample,
        app,
    };
    for export in exports() {
        demo.export(&export).await?;
    }
    say(format_args!(
        "\nEvery row arrived, once, in {} altogether.",
        HumanDuration(started.elapsed())
    ));
    Ok(())
}

/// A stack with sample data.
///
/// # Errors
/// [`DemoError`] when it does not start, or when its lake or registry cannot be written.
pub async fn with_sample(settings: &StackSettings, sample: Sample) -> Result<Stack, DemoError> {
    let stack = Stack::start(settings).await?;
    make_sample(&stack, sample).await?;
    Ok(stack)
}

/// Makes the sample data and says how much.
///
/// # Errors
/// [`DemoError`] when lake or registry cannot be written.
pub async fn make_sample(stack: &Stack, sample: Sample) -> Result<(), DemoError> {
    let started = Instant::now();
    let lake = stack.places.lake();
    let writing = tokio::task::spawn_blocking(move || sample.write_lake(&lake));
    stack
        .dynamodb
        .set_bulk_loading(true)
        .map_err(StackError::from)?;
    let registered = sample.load_registry(&registry(&stack.config)).await?;
    stack
        .dynamodb
        .set_bulk_loading(false)
        .map_err(StackError::from)?;
    let written = writing.await.map_err(std::io::Error::other)??;
    let rows = counted(written.values().chain(registered.values()).sum(), "row");
    let (days, time) = (DAYS.len(), HumanDuration(started.elapsed()));
    say(format_args!(
        "✓ sample     {rows} of {} apps over {days} days, made in {time}",
        APPS.len()
    ));
    Ok(())
}

struct Demo<'a> {
    client: Client,
    view: ContainerView,
    stack: &'a Stack,
    sample: Sample,
    app: SampleApp,
}

impl Demo<'_> {
    async fn export(&self, export: &Export) -> Result<(), DemoError> {
        let started = Instant::now();
        let url = format!(
            "{}{}/{}",
            self.stack.api_url(),
            self.app.exports_path(),
            export.what
        );
        let mut body = export.body.clone();
        // Write permission and nothing else: all that a client has to give.
        body.insert(
            "containerUrl".to_owned(),
            self.url_of(export, "w").reveal().into(),
        );
        body.insert("exportFormat".to_owned(), export.format.name().into());
        body.insert("exportOptions".to_owned(), export.options.clone());
        let location = self
            .client
            .create(&format!("{url}?api-version=2014-12-01"), &body.into())
            .await?;
        let task = self.wait(export.what, &location).await?;
        let exported = HumanDuration(started.elapsed());
        let verified = self.verify(export, &task.id).await?;
        say(format_args!(
            "✓ {:<10} {} in {}, {}, exported in {exported}, verified row by row",
            export.what,
            counted(verified.rows, "row"),
            counted(verified.files, "file"),
            DecimalBytes(verified.bytes)
        ));
        self.list(export, &task.id).await
    }

    /// The URL of the place of an export, with a signature.
    fn url_of(&self, export: &Export, permissions: &str) -> Secret {
        let url = self.stack.container_url(permissions);
        let query = format!("{}?", export.folder);
        Secret::new(url.reveal().replacen('?', &query, 1))
    }

    /// Shows the progress until the job has ended.
    async fn wait(&self, what: &'static str, location: &str) -> Result<Task, DemoError> {
        let bar = ProgressBar::new(100).with_prefix(what);
        if let Ok(style) =
            ProgressStyle::with_template("  {prefix:<10} {bar:32} {percent:>3} %  {msg}")
        {
            bar.set_style(style);
        }
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let task = self.client.task(location).await?;
            if let Some(progress) = task.progress {
                bar.set_position(progress.percent);
                bar.set_message(format!("{}, {}", counted(progress.rows, "row"), task.phase));
            }
            match task.state.as_str() {
                "Queued" | "Started" => tokio::time::sleep(POLL).await,
                "Succeeded" => {
                    bar.finish_and_clear();
                    return Ok(task);
                }
                _ => {
                    let details = task.error_details.unwrap_or_default();
                    return Err(DemoError::Failed {
                        what,
                        state: task.state,
                        details,
                    });
                }
            }
        }
        Err(DemoError::Endless { what })
    }

    /// Verifies the files as anybody can, and every row against the source.
    async fn verify(&self, export: &Export, job: &str) -> Result<Verdict, DemoError> {
        let mismatch = |mismatch| DemoError::Mismatch {
            what: export.what,
            mismatch,
        };
        let name = JobName::parse(&format!("{}/{job}", export.of))
            .map_err(|reason| PlaceError::Refused { reason })?;
        let (place, opened) = ContainerPlace::open(&self.url_of(export, "rl"), name).await?;
        let manifest = Manifest::read(opened).await?;
        let mut first = None;
        let mut tell = |finding: &Finding| {
            first.get_or_insert_with(|| finding.clone());
        };
        let written = WrittenExport {
            manifest: &manifest,
            place: &place,
            keep_rows: true,
        };
        let verdict = written.verify(&mut tell, &|_| {}).await?;
        match first {
            Some(Finding::Wrong(found)) => return Err(mismatch(found)),
            Some(Finding::Unknown { reason, .. }) => {
                return Err(PlaceError::Unavailable { reason }.into());
            }
            None if !verdict.complete => return Err(mismatch(Mismatch::Incomplete)),
            None => {}
        }
        let expected = self.expected(export).map_err(mismatch)?;
        match expected.difference(&verdict.found) {
            Some(difference) => Err(mismatch(Mismatch::Rows(difference))),
            None => Ok(verdict),
        }
    }

    fn expected(&self, export: &Export) -> Result<RowSet, Mismatch> {
        let asked = Asked {
            format: export.format,
            options: &export.options,
        };
        match HistoryType::of(export.of) {
            None => device_rows(&self.sample, &self.app, asked),
            Some(of) => lake_rows(&self.stack.places.lake(), of, &self.app, asked),
        }
    }

    /// Names the first data files, as many as there are beside them, and the manifest.
    async fn list(&self, export: &Export, job: &str) -> Result<(), DemoError> {
        let folder = export.folder.trim_start_matches('/');
        let folder = Path::new(folder).join(export.of.name()).join(job);
        let prefix = format!("{}/", folder.display());
        let name = format!("{prefix}{MANIFEST_NAME}");
        let blobs = self.view.list().await?;
        let (manifest, files): (Vec<_>, Vec<_>) = blobs
            .into_iter()
            .filter(|blob| blob.name.starts_with(&prefix))
            .partition(|blob| blob.name == name);
        files.iter().take(LISTED_FILES).for_each(say_blob);
        let others = files.len().saturating_sub(LISTED_FILES);
        if others > 0 {
            say(format_args!("    … and {others} more"));
        }
        manifest.iter().for_each(say_blob);
        Ok(())
    }
}

fn say_blob(blob: &BlobEntry) {
    say(format_args!(
        "    {}  {}",
        blob.name,
        DecimalBytes(blob.size_bytes)
    ));
}
