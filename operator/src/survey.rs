//! What an export would read, leave out and reject: told of a rehearsal.

use std::collections::BTreeMap;

use client::console::{Output, counted};
use client::ending::Ending;
use client::failure::Failure;
use client::verify::{shown, shown_up_to};
use domain::chunk::{Chunk, FileKind, Output as ChunkOutput};
use domain::counts::Counts;
use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::Date;

use crate::rehearsal::{Ran, Rehearsal, objects_of};

/// The most characters of a message.
const MOST_SHOWN: usize = 5_000;

/// How many rejects of each kind are told by object and line.
const TOLD_REJECTS: usize = 3;

/// How many missing objects are told one by one.
const TOLD_MISSING: usize = 20;

/// How many days are told one by one.
const TOLD_DAYS: usize = 62;

/// How many chunks are run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sample {
    /// So many, spread evenly over the export.
    Chunks(usize),
    /// All of them.
    All,
}

/// What was found of an export.
pub(crate) struct Survey {
    title: String,
    rehearsal: Rehearsal,
    ran: usize,
    counts: Counts,
    missing: Vec<(String, String)>,
    failed: Vec<String>,
    unanswered: usize,
    rejects: BTreeMap<String, Rejected>,
}

/// The rejects of one kind.
#[derive(Default)]
struct Rejected {
    count: u64,
    first: Vec<RejectLine>,
}

/// A line of a file of rejects, without the record: what a person's device said is not for terminals.
#[derive(Deserialize)]
struct RejectLine {
    object: String,
    line: u64,
    code: String,
    reason: String,
}

impl Survey {
    /// Runs a sample of the chunks.
    ///
    /// # Errors
    /// As [`Rehearsal::run`].
    pub(crate) async fn of(
        title: String,
        rehearsal: Rehearsal,
        sample: Sample,
        output: Output,
    ) -> Result<Self, Failure> {
        let mut survey = Self {
            title,
            rehearsal,
            ran: 0,
            counts: Counts::default(),
            missing: Vec::new(),
            failed: Vec::new(),
            unanswered: 0,
            rejects: BTreeMap::new(),
        };
        let places = places(survey.rehearsal.chunks.len(), sample);
        let bar = bar(output, places.len() as u64);
        for place in places {
            if let Some(chunk) = survey.rehearsal.chunks.get(place).cloned() {
                survey.run(&chunk).await?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(survey)
    }

    async fn run(&mut self, chunk: &Chunk) -> Result<(), Failure> {
        self.ran += 1;
        match self.rehearsal.run(chunk).await? {
            Ran::Recorded(output) => self.add(chunk, &output),
            Ran::Failed(reason) => self.failed.push(reason),
            Ran::Unanswered => self.unanswered += 1,
        }
        Ok(())
    }

    fn add(&mut self, chunk: &Chunk, output: &ChunkOutput) {
        self.counts += output.counts;
        for (place, reason) in &output.missing {
            let name = chunk.source.name_of(*place).to_owned();
            self.missing.push((name, reason.clone()));
        }
        for file in &output.files {
            if file.kind == FileKind::Rejected {
                let lines = self.rehearsal.content(&file.prepared.name);
                self.add_rejects(&lines);
            }
        }
    }

    /// What is beyond what is kept of the file is counted by the run, and has no line here.
    fn add_rejects(&mut self, lines: &[u8]) {
        let lines = lines.split(|byte| *byte == b'\n');
        for line in lines.filter_map(|line| serde_json::from_slice::<RejectLine>(line).ok()) {
            let kind = self.rejects.entry(line.code.clone()).or_default();
            kind.count += 1;
            if kind.first.len() < TOLD_REJECTS {
                kind.first.push(line);
            }
        }
    }

    /// How many records the sample read.
    pub(crate) fn records(&self) -> u64 {
        self.counts.read
    }

    /// How an export would end, as far as the sample says.
    pub(crate) fn ending(&self) -> Ending {
        let job = &self.rehearsal.job;
        let is_wrong = self.rehearsal.plan_failure().is_some()
            || !job.missing_days.is_empty()
            || !self.missing.is_empty()
            || !self.failed.is_empty();
        let is_left_out = !job.warnings.is_empty() || self.counts.rejected > 0;
        match (is_wrong, self.unanswered > 0, is_left_out) {
            (true, ..) => Ending::Wrong,
            (false, true, _) => Ending::Unknown,
            (false, false, true) => Ending::Incomplete,
            (false, false, false) => Ending::Done,
        }
    }

    /// Tells a person.
    pub(crate) fn tell(&self, output: Output) {
        let ending = self.ending();
        let marks = [(Ending::Done, '✓'), (Ending::Incomplete, '!')];
        let mark = marks.iter().find(|(of, _)| *of == ending);
        let mark = mark.map_or('✗', |(_, mark)| *mark);
        output.line(format_args!("{mark} {}: {}", self.title, self.plan()));
        if !output.quiet {
            for (day, (objects, bytes)) in self.days().iter().take(TOLD_DAYS) {
                let size = DecimalBytes(*bytes);
                output.line(format_args!(
                    "  {day}  {:>12}  {size}",
                    counted(*objects, "object")
                ));
            }
        }
        self.tell_of_plan(output);
        if self.ran > 0 {
            self.tell_of_rows(output);
        }
    }

    fn plan(&self) -> String {
        let chunks = counted(self.rehearsal.chunks.len() as u64, "chunk");
        let (objects, bytes) = self.objects();
        if objects == 0 {
            return format!("an export would have {chunks}");
        }
        let (objects, size) = (counted(objects, "object"), DecimalBytes(bytes));
        format!("an export would read {objects}, {size}, in {chunks}")
    }

    fn objects(&self) -> (u64, u64) {
        let chunks = self.rehearsal.chunks.iter().map(objects_of);
        chunks.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// The objects of each day and their bytes.
    fn days(&self) -> BTreeMap<Date, (u64, u64)> {
        let mut days = BTreeMap::<Date, (u64, u64)>::new();
        for chunk in &self.rehearsal.chunks {
            if let Some(day) = chunk.source.day() {
                let (objects, bytes) = objects_of(chunk);
                let sum = days.entry(day).or_default();
                *sum = (sum.0 + objects, sum.1 + bytes);
            }
        }
        days
    }

    /// What the planner itself says.
    fn tell_of_plan(&self, output: Output) {
        let job = &self.rehearsal.job;
        if let Some(reason) = self.rehearsal.plan_failure() {
            let reason = shown_up_to(reason, MOST_SHOWN);
            output.line(format_args!("✗ the export would fail: {reason}"));
        }
        for missing in &job.missing_days {
            let reason = shown_up_to(&missing.reason, MOST_SHOWN);
            output.line(format_args!("✗ {} would be missing: {reason}", missing.day));
        }
        for warning in &job.warnings {
            let message = shown_up_to(&warning.message, MOST_SHOWN);
            output.line(format_args!("! {}: {message}", warning.code));
        }
    }

    fn tell_of_rows(&self, output: Output) {
        let Counts {
            read,
            rows,
            rejected,
            filtered,
            ..
        } = self.counts;
        let which = if self.ran == self.rehearsal.chunks.len() {
            "all chunks".to_owned()
        } else {
            format!("{} of {} chunks", self.ran, self.rehearsal.chunks.len())
        };
        output.line(format_args!(
            "· {which} were run: {} became {}, {} would be rejected, {} left to the exports of other days",
            counted(read, "record"),
            counted(rows, "row"),
            HumanCount(rejected),
            HumanCount(filtered)
        ));
        for reason in &self.failed {
            let reason = shown_up_to(reason, MOST_SHOWN);
            output.line(format_args!("✗ a chunk would fail: {reason}"));
        }
        for (name, reason) in self.missing.iter().take(TOLD_MISSING) {
            let reason = shown_up_to(reason, MOST_SHOWN);
            output.line(format_args!("✗ missing: {} {reason}", shown(name)));
        }
        if self.missing.len() > TOLD_MISSING {
            let others = (self.missing.len() - TOLD_MISSING) as u64;
            output.line(format_args!(
                "✗ missing: {}",
                counted(others, "more object")
            ));
        }
        for (code, rejected) in &self.rejects {
            for line in &rejected.first {
                let (object, reason) = (shown(&line.object), shown(&line.reason));
                output.line(format_args!(
                    "! {code}: {object}, line {}: {reason}",
                    line.line
                ));
            }
            let others = rejected.count.saturating_sub(rejected.first.len() as u64);
            if others > 0 {
                output.line(format_args!("! {code}: {}", counted(others, "more record")));
            }
        }
        if self.unanswered > 0 {
            let chunks = counted(self.unanswered as u64, "chunk");
            output.line(format_args!(
                "? {chunks} could not be run: the source does not answer, or not in time"
            ));
        }
    }

    /// The same as JSON.
    pub(crate) fn document(&self) -> Value {
        let job = &self.rehearsal.job;
        let (objects, bytes) = self.objects();
        let days: Vec<Value> = self
            .days()
            .iter()
            .map(|(day, (objects, bytes))| json!({"day": day.to_string(), "objects": objects, "bytes": bytes}))
            .collect();
        let missing_days: Vec<Value> = job
            .missing_days
            .iter()
            .map(|day| json!({"day": day.day.to_string(), "reason": day.reason}))
            .collect();
        let counts: Map<String, Value> = Counts::COUNTERS
            .iter()
            .map(|counter| (counter.wire.to_owned(), (counter.get)(&self.counts).into()))
            .collect();
        json!({
            "exportType": job.request.export_type().name(),
            "chunks": self.rehearsal.chunks.len(), "objects": objects, "bytes": bytes, "days": days,
            "planFailure": self.rehearsal.plan_failure(), "missingDays": missing_days, "warnings": job.warnings,
            "sample": {
                "chunks": self.ran, "counts": counts, "failed": self.failed, "unanswered": self.unanswered,
                "missing": self.missing.iter().map(|(name, reason)| json!({"object": name, "reason": reason})).collect::<Vec<_>>(),
                "rejects": self.rejects.iter().map(|(code, rejected)| json!({
                    "code": code, "count": rejected.count,
                    "first": rejected.first.iter().map(|it| json!({"object": it.object, "line": it.line, "reason": it.reason})).collect::<Vec<_>>(),
                })).collect::<Vec<_>>(),
            },
            "exitCode": self.ending().code(),
        })
    }
}

/// The places of a sample: evenly spread, the first and the last among them.
fn places(chunks: usize, sample: Sample) -> Vec<usize> {
    match sample {
        Sample::All => (0..chunks).collect(),
        Sample::Chunks(wanted) if wanted >= chunks => (0..chunks).collect(),
        Sample::Chunks(0) => Vec::new(),
        Sample::Chunks(1) => vec![chunks / 2],
        Sample::Chunks(wanted) => (0..wanted)
            .map(|number| number * (chunks - 1) / (wanted - 1))
            .collect(),
    }
}

fn bar(output: Output, chunks: u64) -> ProgressBar {
    let bar = output.bar(chunks);
    match ProgressStyle::with_template("  {bar:32} {pos} of {len} chunks, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all_chunks_and_has_none_twice() {
        assert_eq!(places(10, Sample::Chunks(4)), [0, 3, 6, 9]);
        assert_eq!(places(5, Sample::Chunks(4)), [0, 1, 2, 4]);
        assert_eq!(places(3, Sample::Chunks(4)), [0, 1, 2]);
        assert_eq!(places(9, Sample::Chunks(1)), [4]);
        assert_eq!(places(3, Sample::All), [0, 1, 2]);
        for sample in [Sample::Chunks(0), Sample::Chunks(4), Sample::All] {
            assert!(places(0, sample).is_empty());
        }
    }
}
