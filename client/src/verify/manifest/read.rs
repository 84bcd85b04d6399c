//! The manifest's JSON, read as a stream: of each file only what is compared is kept, of its
//! sources a digest.

use std::collections::HashSet;
use std::fmt;
use std::io::{BufReader, Read};

use domain::manifest::Filtered;
use domain::warning::Warning;
use formats::read::Kind;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Holds, ManifestFile, MissingPart, Totals};
use crate::verify::mismatch::{Mismatch, shown};
use crate::verify::row::half_digest;
use crate::verify::wanted::Wanted;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) manifest_version: u32,
    pub(super) job_id: String,
    pub(super) export_type: String,
    pub(super) format: String,
    pub(super) compression: Option<String>,
    pub(super) columns: Option<Vec<String>>,
    #[serde(default)]
    pub(super) byte_order_mark: bool,
    #[serde(default)]
    pub(super) escape_formulas: bool,
    pub(super) max_file_bytes: Option<u64>,
    pub(super) filter: Option<FilterEntry>,
    pub(super) read_up_to: Option<String>,
    pub(super) complete: bool,
    #[serde(default)]
    pub(super) warnings: Vec<Warning>,
    pub(super) totals: Totals,
    pub(super) schema: Option<SchemaEntry>,
    pub(super) files: Files,
    #[serde(default)]
    pub(super) without_rows: Vec<WithoutRows>,
    #[serde(default)]
    pub(super) rejected: Vec<RejectsEntry>,
    pub(super) missing: Vec<MissingPart>,
    #[serde(default)]
    pub(super) leftovers: Vec<String>,
}

impl Document {
    pub(super) fn read(input: impl Read, limit: u64) -> serde_json::Result<Self> {
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(input.take(limit)));
        let document = Self::deserialize(&mut json)?;
        json.end()?;
        Ok(document)
    }
}

/// The filter, and parts of it that are not known.
#[derive(Debug, Deserialize)]
pub(super) struct FilterEntry {
    #[serde(flatten)]
    known: Filtered,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl FilterEntry {
    /// The rows of a kind that it wants.
    ///
    /// # Errors
    /// What of it is not understood: what it would choose is not known.
    pub(super) fn wanted(self, kind: &Kind) -> Result<Wanted, String> {
        match self.others.keys().next() {
            Some(other) => Err(format!("its filter's `{}` is unknown", shown(other))),
            None => Wanted::of(self.known, kind),
        }
    }
}

/// The files, and what is wrong with their sources.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) entries: Vec<ManifestFile>,
    pub(super) twice: Vec<Mismatch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    chunk: u32,
    #[serde(default)]
    part: u32,
    /// An object may be read for several days, each of which takes other records of it.
    day: Option<String>,
    rows: u64,
    bytes: u64,
    sha256: String,
    crc64: String,
    sources: Vec<Source>,
}

/// A chunk that was read and has no rows.
#[derive(Debug, Deserialize)]
pub(super) struct WithoutRows {
    pub(super) chunk: u32,
}

/// A file of rejects.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RejectsEntry {
    name: String,
    chunk: u32,
    records_rejected: u64,
    bytes: u64,
    sha256: String,
    crc64: String,
}

impl From<RejectsEntry> for ManifestFile {
    fn from(entry: RejectsEntry) -> Self {
        Self {
            name: entry.name,
            rows: entry.records_rejected,
            bytes: entry.bytes,
            chunk: entry.chunk,
            part: 0,
            sha256: entry.sha256,
            crc64: entry.crc64,
            holds: Holds::Rejects,
        }
    }
}

/// The file of the schema.
#[derive(Debug, Deserialize)]
pub(super) struct SchemaEntry {
    name: String,
    bytes: u64,
    sha256: String,
    crc64: String,
}

impl From<SchemaEntry> for ManifestFile {
    fn from(entry: SchemaEntry) -> Self {
        Self {
            name: entry.name,
            rows: 0,
            bytes: entry.bytes,
            chunk: 0,
            part: 0,
            sha256: entry.sha256,
            crc64: entry.crc64,
            holds: Holds::Schema,
        }
    }
}

#[derive(Deserialize)]
struct Source {
    object: Option<String>,
    partition: Option<String>,
}

impl Source {
    fn told(&self) -> (&'static str, &str) {
        match (&self.object, &self.partition) {
            (Some(object), _) => ("object", object),
            (None, partition) => ("partition", partition.as_deref().unwrap_or_default()),
        }
    }
}

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(files: D) -> Result<Self, D::Error> {
        files.deserialize_seq(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Files;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<Files, A::Error> {
        let (mut read, mut seen) = (Files::default(), HashSet::new());
        while let Some(entry) = files.next_element::<Entry>()? {
            let day = entry.day.as_deref().unwrap_or_default();
            for source in &entry.sources {
                let (kind, name) = source.told();
                if !seen.insert(half_digest(&format!("{day}\n{kind}\n{name}"))) {
                    read.twice.push(Mismatch::Twice {
                        what: format!("the {kind} {}", shown(name)),
                    });
                }
            }
            read.entries.push(ManifestFile {
                name: entry.name,
                rows: entry.rows,
                bytes: entry.bytes,
                chunk: entry.chunk,
                part: entry.part,
                sha256: entry.sha256,
                crc64: entry.crc64,
                holds: Holds::Rows,
            });
        }
        Ok(read)
    }
}
