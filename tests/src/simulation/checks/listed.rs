//! What must be true of all that a manifest lists.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use domain::container::BlobName;
use domain::manifest::{FileEntry, Manifest, SourceEntry};
use serde_json::Value;
use time::Date;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{MOST_SKEW, address, sha256};
use crate::simulation::data::Data;
use crate::world::World;

/// What was read to its end.
#[derive(Default)]
struct Exported {
    /// The sources, each for the export of a day or for that of a snapshot.
    sources: BTreeSet<(String, Option<Date>)>,
    /// How many of their records are left to other days.
    filtered: u64,
    /// How many of them the filter does not want.
    excluded: u64,
}

impl Exported {
    /// Adds sources of the export of a day; their rows.
    fn add(
        &mut self,
        data: &Data,
        sources: &[SourceEntry],
        day: Option<Date>,
    ) -> Result<Vec<String>> {
        let mut rows = Vec::new();
        for (source, etag) in named(sources) {
            ensure!(
                self.sources.insert((source.to_owned(), day)),
                "{source} is exported twice"
            );
            let Some(held) = data.held(source, etag) else {
                // A partition of the registry may have no items.
                ensure!(day.is_none(), "{source} holds no records");
                continue;
            };
            rows.extend(held.rows.get(&day).into_iter().flatten().cloned());
            self.filtered += held.filtered.get(&day).copied().unwrap_or_default();
        }
        rows.sort_unstable();
        let (all, rows) = (rows.len(), data.wanted(rows));
        self.excluded += (all - rows.len()) as u64;
        Ok(rows)
    }
}

/// Every file of the manifest is whole, and holds the rows of its sources and no others, or their
/// rejects; what is missing is; a complete manifest has all rows and rejects of all sources.
pub(super) fn check(world: &World, data: &Data, manifest: &Manifest) -> Result<()> {
    let mut exported = Exported::default();
    for file in &manifest.files {
        check_file(world, data, file, &mut exported)?;
    }
    for read in &manifest.without_rows {
        let rows = exported.add(data, &read.sources, read.day)?;
        ensure!(
            rows.is_empty(),
            "without rows are {:?}, with {rows:?}",
            read.sources
        );
    }
    check_chunks(manifest)?;
    let rejected = rejects(world, manifest)?;
    let counts = manifest.head.totals.counts;
    let in_files: usize = rejected.values().map(Vec::len).sum();
    ensure!(
        counts.add_up()
            && counts.rejected == in_files as u64
            && counts.filtered == exported.filtered
            && counts.excluded == exported.excluded,
        "{counts:?}, with {in_files} rejects in files, {} records of other days and {} that are not wanted",
        exported.filtered,
        exported.excluded
    );
    check_rejected(data, &rejected, &exported)?;
    check_missing(data, manifest)?;
    if manifest.head.complete {
        check_complete(data, manifest, &exported, &rejected)?;
    }
    Ok(())
}

/// Every planned chunk stands in a list, whatever became of it.
fn check_chunks(manifest: &Manifest) -> Result<()> {
    let files = manifest.files.iter().map(|it| it.chunk);
    let without_rows = manifest.without_rows.iter().map(|it| it.chunk);
    let missing = manifest.missing.iter().filter_map(|it| it.chunk);
    let listed: BTreeSet<u32> = files.chain(without_rows).chain(missing).collect();
    let chunks = manifest.head.totals.chunks;
    ensure!(
        listed.iter().map(|it| u64::from(*it)).eq(0..chunks),
        "of {chunks} chunks are listed {listed:?}"
    );
    Ok(())
}

/// The bytes of a listed file, which is as listed.
fn read(world: &World, name: &str, bytes: u64, hash: &str) -> Result<Vec<u8>> {
    let blob = world
        .containers
        .read(&address(), &BlobName::from_stored(name));
    let data = blob
        .with_context(|| format!("{name} is listed and not there"))?
        .data;
    ensure!(
        data.len() as u64 == bytes && sha256(&data) == hash,
        "{name} is not as listed"
    );
    Ok(data)
}

fn check_file(world: &World, data: &Data, file: &FileEntry, exported: &mut Exported) -> Result<()> {
    let name = &file.name;
    let bytes = read(world, name, file.counts.bytes, &file.sha256)?;
    let expected = exported.add(data, &file.sources, file.day)?;
    ensure!(
        file.counts.rows == expected.len() as u64,
        "{name} counts {} rows",
        file.counts.rows
    );
    ensure!(
        data.rows_of_file(&bytes) == data.as_asked(expected),
        "{name} does not hold the rows of its sources"
    );
    Ok(())
}

/// The paths of objects, within the lake, with their `ETag`s, or partitions.
fn named(sources: &[SourceEntry]) -> impl Iterator<Item = (&str, &str)> {
    sources.iter().map(|source| match source {
        SourceEntry::Object { object, etag, .. } => (within_lake(object), etag.as_str()),
        SourceEntry::Partition { partition } => (partition.as_str(), ""),
    })
}

fn within_lake(path: &str) -> &str {
    path.strip_prefix("lake/").unwrap_or(path)
}

/// The records in the files of rejects, by object.
fn rejects(world: &World, manifest: &Manifest) -> Result<BTreeMap<String, Vec<String>>> {
    let mut rejected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &manifest.rejected {
        let bytes = read(world, &file.name, file.bytes, &file.sha256)?;
        for line in String::from_utf8(bytes)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let object = within_lake(&text("object")).to_owned();
            rejected.entry(object).or_default().push(text("record"));
        }
    }
    for records in rejected.values_mut() {
        records.sort_unstable();
    }
    Ok(rejected)
}

/// What is rejected of an object is all that has to be, once; and it is, when its rows are exported.
fn check_rejected(
    data: &Data,
    rejected: &BTreeMap<String, Vec<String>>,
    exported: &Exported,
) -> Result<()> {
    for (path, records) in rejected {
        let expected = data.held.get(path).map(|held| &held.rejects);
        ensure!(
            expected == Some(records),
            "of {path} {records:?} are rejected, not {expected:?}"
        );
    }
    for (path, day) in &exported.sources {
        let Some(held) = data.held.get(path) else {
            continue;
        };
        let is_of_folder = day.is_none_or(|day| path.contains(&format!("date={day}/")));
        ensure!(
            !is_of_folder || held.rejects.is_empty() || rejected.contains_key(path),
            "of {path} nothing is rejected"
        );
    }
    Ok(())
}

/// What is missing by name is no file of records, archived, replaced, or the day that cannot be
/// listed; and is so once in the export of a day.
fn check_missing(data: &Data, manifest: &Manifest) -> Result<()> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for missing in &manifest.missing {
        if let Some(day) = missing.day {
            ensure!(
                data.is_broken(day),
                "{day} is missing, and its folders can be listed"
            );
            *names.entry(day.to_string()).or_default() += 1;
        }
        let Some(object) = missing.object.as_deref() else {
            continue;
        };
        let path = within_lake(object);
        *names.entry(path.to_owned()).or_default() += 1;
        let reason = missing.reason.as_str();
        let is_so = if reason.contains("is archived") {
            data.archived.contains(path)
        } else if reason.contains("was replaced") {
            data.is_replaced(path)
        } else {
            data.no_records.iter().any(|it| it == path)
        };
        ensure!(
            is_so,
            "{path} is missing, and nothing is wrong with it: {reason}"
        );
    }
    let most = data.folders_of_a_day();
    let too_often = names.iter().find(|(_, times)| **times > most);
    ensure!(too_often.is_none(), "missing too often: {too_often:?}");
    Ok(())
}

fn check_complete(
    data: &Data,
    manifest: &Manifest,
    exported: &Exported,
    rejected: &BTreeMap<String, Vec<String>>,
) -> Result<()> {
    ensure!(
        data.no_records.is_empty(),
        "a complete manifest does not say that {:?} are missing",
        data.no_records
    );
    let read_up_to = manifest.head.read_up_to.as_deref();
    let read_up_to = read_up_to
        .map(|text| OffsetDateTime::parse(text, &Rfc3339))
        .transpose()?;
    let is_due = |path: &String| {
        data.late
            .get(path)
            .is_none_or(|at| read_up_to.is_some_and(|read| *at < read - MOST_SKEW))
    };
    let as_planned = |path: &String| is_due(path) && !data.is_replaced(path);
    for (path, held) in data.held.iter().filter(|(path, _)| as_planned(path)) {
        let is_lost = |day: &Option<Date>| !exported.sources.contains(&(path.clone(), *day));
        let lost = held.readers.iter().find(|day| is_lost(day));
        ensure!(
            lost.is_none(),
            "a complete manifest leaves out what {path} has of {lost:?}"
        );
        ensure!(
            held.rejects.is_empty() || rejected.contains_key(path),
            "a complete manifest leaves out the rejects of {path}"
        );
    }
    Ok(())
}
