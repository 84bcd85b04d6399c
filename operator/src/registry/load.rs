//! `registry load`: files into the registry's table, every line checked.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use client::console::{Output, complain, counted};
use client::ending::Ending;
use client::failure::Failure;
use client::verify::shown;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use ports::source::SourceError;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sources::registry::entry::{Entry, Loaded};
use sources::registry::{BATCH_ITEMS, MOST_ITEM_BYTES, Registry};

use super::input::{Input, is_same};
use super::lines::{Line, Lines};
use super::progress::{Done, Progress, path_beside};
use super::rejects::{Fault, Rejects};
use super::{LoadArguments, LoadedName};
use crate::failures;

/// The most records that are read before they are written, and kept count of.
const WINDOW: usize = 1_000;

/// How many batches are written at once.
const BATCHES_AT_ONCE: usize = 8;

/// How many fields that are no item's are named.
const MOST_UNKNOWN: usize = 20;

/// Loads the files, one after the other. What stops amid one is told with how far all of them are.
///
/// # Errors
/// What cannot be read, or written, at all.
pub(super) async fn load(
    registry: &Registry,
    arguments: &LoadArguments,
    output: Output,
) -> Result<Ending, Failure> {
    refuse_own_file(arguments)?;
    // Before a file of rejects is made anew for them.
    let inputs = Input::all(&arguments.files)?;
    // Also where no device is loaded: a table that is not there is no fault of any record.
    if !arguments.dry_run {
        let said = registry.put_segments(&arguments.app).await;
        said.map_err(|error| failures::of_source(&error))?;
    }
    let begins = arguments.anew || arguments.dry_run;
    let kept = inputs.iter().filter(|_| !begins);
    let kept = kept.filter_map(|input| Progress::rejects_bytes(&input.path));
    let kept = kept.max().unwrap_or_default();
    let mut rejects = Rejects::open(arguments.rejects.as_deref(), kept, output)?;
    let (mut documents, mut loaded, mut stopped) = (Vec::new(), Vec::new(), None);
    let mut rejected = 0;
    for input in &inputs {
        let mut loading = Loading::of(registry, arguments, input, output);
        let done = loading.load(input, &mut rejects).await;
        loading.tell(done.is_err());
        rejected += loading.done.rejected;
        documents.push(loading.document(done.is_err()));
        match done {
            Ok(progress) => loaded.push(progress),
            Err(failure) => {
                stopped = Some(failure);
                break;
            }
        }
    }
    rejects.settle()?;
    let mut document = json!({
        "files": documents, "written": !arguments.dry_run,
        "findings": rejects.findings, "findingsCount": rejected,
    });
    let ending = if let Some(failure) = &stopped {
        complain(format_args!("✗ {failure}"));
        merge(&mut document, failure.document());
        failure.ending
    } else {
        // Not before the last file is loaded: else a run that stops amid it would load the first anew.
        if !arguments.dry_run {
            loaded.iter().try_for_each(Progress::forget)?;
        }
        let ending = if rejected > 0 {
            Ending::Incomplete
        } else {
            Ending::Done
        };
        merge(&mut document, json!({"exitCode": ending.code()}));
        ending
    };
    output.document(&document);
    Ok(ending)
}

/// Adds the members of one object to another.
fn merge(document: &mut Value, more: Value) {
    if let (Value::Object(document), Value::Object(more)) = (document, more) {
        document.extend(more);
    }
}

/// The file of rejects is made anew: it must be none of those that are loaded, nor what is kept of one.
fn refuse_own_file(arguments: &LoadArguments) -> Result<(), Failure> {
    let Some(rejects) = &arguments.rejects else {
        return Ok(());
    };
    // What does not exist is no file that could be lost.
    for file in &arguments.files {
        let what = if is_same(file, rejects) {
            "is the file"
        } else if is_same(&path_beside(file), rejects) {
            "has how far an earlier run came with the file"
        } else {
            continue;
        };
        return Err(Failure::usage(format!(
            "--rejects {} {what} {}, which is to be loaded: name another one, it is made anew",
            shown(&rejects.display().to_string()),
            shown(&file.display().to_string())
        )));
    }
    Ok(())
}

/// A file that is being loaded.
struct Loading<'a> {
    registry: &'a Registry,
    arguments: &'a LoadArguments,
    of: Loaded,
    output: Output,
    file: String,
    /// Whether a later run is to go on where this one stops.
    is_kept: bool,
    done: Done,
    /// Records that an earlier run has dealt with.
    earlier: u64,
    /// How many records have a field that no item has, by its name.
    unknown: BTreeMap<String, u64>,
    began: Instant,
    /// Items that this run has written.
    written_now: u64,
}

/// Records that are written together, by the places of their items: none has the same as another.
#[derive(Default)]
struct Window {
    entries: Vec<(Entry, Line)>,
    places: HashMap<(String, String), usize>,
}

impl<'a> Loading<'a> {
    fn of(
        registry: &'a Registry,
        arguments: &'a LoadArguments,
        input: &Input,
        output: Output,
    ) -> Self {
        Self {
            registry,
            arguments,
            of: arguments.of.into(),
            output,
            file: input.name.clone(),
            is_kept: !arguments.dry_run && input.is_file(),
            done: Done::default(),
            earlier: 0,
            unknown: BTreeMap::new(),
            began: Instant::now(),
            written_now: 0,
        }
    }

    /// Loads a file; where its progress is kept until all files are loaded.
    async fn load(&mut self, input: &Input, rejects: &mut Rejects) -> Result<Progress, Failure> {
        let mut lines = Lines::open(input).await?;
        let progress = Progress::of(&input.path, &lines.version, &self.place());
        self.go_on(&progress, rejects)?;
        let bar = self.bar();
        let mut window = Window::default();
        let (mut seen, mut read) = (0, Ok(()));
        loop {
            let line = match lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(failure) => {
                    read = Err(failure);
                    break;
                }
            };
            seen += 1;
            if seen <= self.earlier {
                continue;
            }
            self.take(line, &mut window, rejects)?;
            bar.set_position(seen);
            if window.entries.len() >= self.window() {
                self.write(&mut window, rejects).await?;
                self.keep(&progress, rejects)?;
            }
        }
        self.write(&mut window, rejects).await?;
        bar.finish_and_clear();
        // The same file would stop at the same place for ever: what lies in front of it is loaded.
        if lines.is_damaged && self.is_kept {
            rejects.settle()?;
            progress.forget()?;
        } else {
            self.keep(&progress, rejects)?;
        }
        read.map(|()| progress)
    }

    /// Begins where an earlier run has stopped.
    fn go_on(&mut self, progress: &Progress, rejects: &Rejects) -> Result<(), Failure> {
        if self.arguments.anew || !self.is_kept {
            return Ok(());
        }
        let Some(done) = progress.read()? else {
            return Ok(());
        };
        self.output.remark(format_args!(
            "· {}: goes on behind {}, where an earlier run stopped (--anew begins anew)",
            shown(&self.file),
            counted(done.records, "record")
        ));
        if let Some(name) = rejects.lacks(&done) {
            complain(format_args!(
                "! {} lacks some of what the earlier run left out, {} in all: with --anew, all is loaded again and it has them",
                shown(name),
                counted(done.rejected, "record")
            ));
        }
        self.earlier = done.records;
        self.done = done;
        Ok(())
    }

    fn keep(&mut self, progress: &Progress, rejects: &mut Rejects) -> Result<(), Failure> {
        if !self.is_kept {
            return Ok(());
        }
        self.done.rejects_bytes = rejects.settle()?;
        progress.keep(&self.done)
    }

    /// What it is loaded as, and where.
    fn place(&self) -> String {
        format!(
            "{} {:?} {}",
            self.registry.table(),
            self.of,
            self.arguments.app
        )
    }

    fn window(&self) -> usize {
        let rate = self.arguments.rate.map_or(WINDOW, |rate| rate as usize);
        rate.clamp(1, WINDOW)
    }

    /// Checks a record, and puts it into the window in the place of an earlier one of the same item.
    fn take(
        &mut self,
        line: Line,
        window: &mut Window,
        rejects: &mut Rejects,
    ) -> Result<(), Failure> {
        self.done.records += 1;
        let fault = match line.too_long {
            Some(bytes) => Fault::TooLong { bytes },
            None => match self
                .registry
                .entry(self.of, &self.arguments.app, &line.text)
            {
                Ok(entry) if entry.size_bytes() > MOST_ITEM_BYTES => Fault::TooLarge {
                    bytes: entry.size_bytes(),
                },
                Ok(entry) => {
                    let unknown = self.unknown_fields(&line);
                    let Some(kind) = self.other_kind(&line, &unknown) else {
                        self.count_unknown(unknown);
                        self.done.repeated += u64::from(window.put(entry, line));
                        return Ok(());
                    };
                    Fault::OfAnother { kind }
                }
                Err(bad) => Fault::Bad(bad),
            },
        };
        self.reject(&line, &fault, rejects)
    }

    fn reject(&mut self, line: &Line, fault: &Fault, rejects: &mut Rejects) -> Result<(), Failure> {
        self.done.rejected += 1;
        rejects.add(&self.file, line.place, &line.text, fault)
    }

    /// The fields that no item has.
    fn unknown_fields(&self, line: &Line) -> Vec<String> {
        let fields: Result<HashMap<String, &RawValue>, _> = serde_json::from_slice(&line.text);
        let names = fields.unwrap_or_default().into_keys();
        names.filter(|name| !self.of.has_field(name)).collect()
    }

    /// Which other kind it is of, when it is a line of one and has a field that all of these need.
    fn other_kind(&self, line: &Line, unknown: &[String]) -> Option<LoadedName> {
        let mut kinds = LoadedName::value_variants().iter().copied();
        kinds.find(|kind| {
            let kind = Loaded::from(*kind);
            let entry = || self.registry.entry(kind, &self.arguments.app, &line.text);
            unknown.iter().any(|name| kind.needs(name)) && entry().is_ok()
        })
    }

    /// One that is unknown is likely a misspelled one.
    fn count_unknown(&mut self, names: Vec<String>) {
        for name in names {
            if self.unknown.len() < MOST_UNKNOWN || self.unknown.contains_key(&name) {
                *self.unknown.entry(name).or_default() += 1;
            }
        }
    }

    /// Writes what is in the window, as fast as it may be.
    async fn write(&mut self, window: &mut Window, rejects: &mut Rejects) -> Result<(), Failure> {
        let window = std::mem::take(window);
        if self.arguments.dry_run {
            self.done.written += window.entries.len() as u64;
            return Ok(());
        }
        let batches = window.entries.chunks(BATCH_ITEMS).map(<[_]>::to_vec);
        let registry = self.registry;
        let refused: Vec<Vec<(Line, String)>> = stream::iter(batches)
            .map(|batch| write_batch(registry, batch))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect()
            .await?;
        let mut written = window.entries.len() as u64;
        for (line, reason) in refused.into_iter().flatten() {
            written -= 1;
            self.reject(&line, &Fault::Refused { reason }, rejects)?;
        }
        self.done.written += written;
        self.written_now += written;
        self.wait_for_rate().await;
        Ok(())
    }

    /// Waits until no more than the rate allows has been written since the beginning.
    async fn wait_for_rate(&self) {
        if let Some(rate) = self.arguments.rate {
            let due = Duration::from_millis(self.written_now * 1_000 / u64::from(rate));
            tokio::time::sleep(due.saturating_sub(self.began.elapsed())).await;
        }
    }

    fn bar(&self) -> ProgressBar {
        let bar = self.output.bar(0);
        match ProgressStyle::with_template("  {human_pos} records, {per_sec}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    fn tell(&self, is_stopped: bool) {
        let Done {
            records,
            written,
            repeated,
            rejected,
            rejects_bytes: _,
        } = self.done;
        let (mark, place) = match (is_stopped, rejected > 0) {
            (true, _) => ('✗', "stopped behind "),
            (false, true) => ('!', ""),
            // Nothing was left to be done.
            (false, false) if records > 0 && records == self.earlier => ('·', ""),
            (false, false) => ('✓', ""),
        };
        let (what, file) = (self.verb(), shown(&self.file));
        let line = format!(
            "{mark} {file}: {place}{}, {} {what}",
            counted(records, "record"),
            counted(written, "item")
        );
        let repeated = (repeated > 0)
            .then(|| format!(", {repeated} with an item that a later record has, too"));
        let rejected = (rejected > 0).then(|| format!(", {rejected} left out"));
        let earlier = (self.earlier > 0).then(|| {
            let now = counted(self.written_now, "item");
            format!("; {now} of these now, the others by an earlier run (--anew loads all again)")
        });
        let more = [repeated, rejected, earlier].into_iter().flatten();
        self.output.line(line + &more.collect::<String>());
        if !self.output.quiet {
            for (name, count) in &self.unknown {
                self.output.line(format_args!(
                    "! {file}: the field `{}` of {} is none of the registry's, and is left out",
                    shown(name),
                    counted(*count, "record")
                ));
            }
        }
    }

    fn verb(&self) -> &'static str {
        if self.arguments.dry_run {
            "would be written"
        } else {
            "written"
        }
    }

    fn document(&self, is_stopped: bool) -> Value {
        json!({
            "file": self.file, "whole": !is_stopped, "records": self.done.records, "written": self.done.written,
            "writtenNow": self.written_now, "repeated": self.done.repeated, "rejected": self.done.rejected, "unknownFields": self.unknown,
        })
    }
}

impl Window {
    /// Whether it replaces an earlier record of the same item.
    fn put(&mut self, entry: Entry, line: Line) -> bool {
        let place = entry.place();
        let place = place.map(|(pk, sk)| (pk.to_owned(), sk.to_owned()));
        let place = place.unwrap_or_default();
        let earlier = self.places.get(&place).copied();
        if let Some(slot) = earlier.and_then(|at| self.entries.get_mut(at)) {
            *slot = (entry, line);
            return true;
        }
        self.places.insert(place, self.entries.len());
        self.entries.push((entry, line));
        false
    }
}

/// Writes a batch; the records that the table refuses, which it does by the batch, and why.
async fn write_batch(
    registry: &Registry,
    batch: Vec<(Entry, Line)>,
) -> Result<Vec<(Line, String)>, Failure> {
    let entries: Vec<Entry> = batch.iter().map(|(entry, _)| entry.clone()).collect();
    match registry.put_entries(&entries).await {
        Ok(()) => return Ok(Vec::new()),
        Err(SourceError::Corrupt { .. }) if batch.len() > 1 => {}
        Err(error) => return refusal(&error, batch),
    }
    let mut refused = Vec::new();
    for (entry, line) in batch {
        if let Err(error) = registry.put_entries(std::slice::from_ref(&entry)).await {
            refused.extend(refusal(&error, vec![(entry, line)])?);
        }
    }
    Ok(refused)
}

/// One record that the table refuses is the record's fault; anything else ends the loading.
fn refusal(
    error: &SourceError,
    mut batch: Vec<(Entry, Line)>,
) -> Result<Vec<(Line, String)>, Failure> {
    let is_its_own = matches!(error, SourceError::Corrupt { .. });
    match batch.pop() {
        Some((_, line)) if is_its_own && batch.is_empty() => Ok(vec![(line, error.problem())]),
        Some(_) | None => Err(failures::of_source(error)),
    }
}
