//! Where a device is found: by exports that are rehearsed with a filter of the device, an object a
//! chunk.

use std::collections::BTreeSet;

use client::console::{Output, counted};
use client::failure::Failure;
use client::verify::{shown, shown_up_to};
use domain::app::AppScope;
use domain::chunk::{Chunk, FileKind, Output as ChunkOutput};
use domain::filter::{DeviceId, Filter};
use domain::selection::{
    CampaignType, DateRange, DeviceType, ExportType, History, HistoryType, Selection, Snapshot,
};
use domain::warning::WarningCode;
use serde_json::{Value, json};
use sources::registry::entry::Loaded;
use time::Date;
use wiring::Wiring;
use wiring::config::{CHUNK_TARGET_BYTES, Environment};

use crate::checks::MOST_SHOWN;
use crate::deployment::Deployment;
use crate::failures;
use crate::registry::check::ALWAYS;
use crate::rehearsal::{Ran, Rehearsal};

/// What the plan of an export warns of where something lies in the lake that no export reads, and that
/// may hold the device all the same.
const UNREAD: [WarningCode; 2] = [WarningCode::ObjectsLeftOut, WarningCode::FoldersLeftOut];

/// A place that holds the device.
pub(super) struct Place {
    /// The object's path, or the item's keys.
    name: String,
    of: ExportType,
    /// The day; absent of the registry.
    day: Option<Date>,
    records: u64,
    /// Records that cannot be exported, and name the device.
    rejected: u64,
    /// The keys of an item, by which it can be deleted; absent of an object.
    key: Option<Value>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) places: Vec<Place>,
    /// What could not be read, and why.
    pub(super) unread: Vec<(String, String)>,
    /// The sessions in which the device was.
    pub(super) sessions: BTreeSet<String>,
}

impl Found {
    /// Whether the lake holds the device on one of these days.
    pub(super) fn holds(&self, of: ExportType, days: DateRange) -> bool {
        let is_of = |day: Date| (days.start..=days.end).contains(&day);
        let mut places = self.places.iter();
        places.any(|place| place.of == of && place.day.is_some_and(is_of))
    }

    pub(super) fn document(&self) -> Value {
        let place = |it: &Place| {
            json!({
                "place": it.name, "exportType": it.of.name(), "day": it.day.map(|day| day.to_string()),
                "records": it.records, "recordsRejected": it.rejected, "key": it.key,
            })
        };
        let unread = |(name, reason): &(String, String)| json!({"place": name, "reason": reason});
        json!({
            "places": self.places.iter().map(place).collect::<Vec<_>>(),
            "unread": self.unread.iter().map(unread).collect::<Vec<_>>(),
            "sessionIds": self.sessions,
        })
    }

    fn tell(&self, output: Output) {
        for place in &self.places {
            let (name, of) = (shown(&place.name), place.of.name());
            let records = counted(place.records + place.rejected, "record");
            // As `aws dynamodb delete-item --key` takes it.
            let key = place
                .key
                .as_ref()
                .map(|key| format!(", --key '{}'", shown_for_shell(key)));
            let key = key.unwrap_or_default();
            output.line(format_args!("! {name}: {records} ({of}){key}"));
        }
        for (name, reason) in &self.unread {
            let (name, reason) = (shown(name), shown_up_to(reason, MOST_SHOWN));
            output.line(format_args!("? {name} {reason}"));
        }
        if !self.sessions.is_empty() {
            let sessions = counted(self.sessions.len() as u64, "session");
            output.line(format_args!(
                "· it was in {sessions}, which --json names: an activity that says no device is told by its session alone"
            ));
        }
    }

    /// Counts an object whose records are rows of the device, or rejects that name it.
    fn add(
        &mut self,
        rehearsal: &Rehearsal,
        chunk: &Chunk,
        device: DeviceId,
        output: &ChunkOutput,
    ) {
        for (place, reason) in &output.missing {
            let name = chunk.source.name_of(*place).to_owned();
            self.unread.push((name, reason.clone()));
        }
        let rejects = self.lines(rehearsal, chunk, output, FileKind::Rejected);
        let rejected = rejects.iter().filter(|line| names(line, device)).count() as u64;
        if output.counts.rows + rejected > 0 {
            self.places.push(Place {
                name: chunk.source.name_of(0).to_owned(),
                of: rehearsal.job.request.export_type(),
                day: chunk.source.day(),
                records: output.counts.rows,
                rejected,
                key: None,
            });
        }
        for row in self.lines(rehearsal, chunk, output, FileKind::Rows) {
            let row: Value = serde_json::from_slice(&row).unwrap_or_default();
            let session = row.get("sessionId").and_then(Value::as_str);
            self.sessions.extend(session.map(str::to_owned));
        }
    }

    /// The lines of a chunk's files of a kind.
    fn lines(
        &mut self,
        rehearsal: &Rehearsal,
        chunk: &Chunk,
        output: &ChunkOutput,
        kind: FileKind,
    ) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for file in output.files.iter().filter(|file| file.kind == kind) {
            let content = rehearsal.content(&file.prepared.name);
            if (content.len() as u64) < file.prepared.size_bytes {
                let reason = "has more records that cannot be exported than were searched";
                let name = chunk.source.name_of(0).to_owned();
                self.unread.push((name, reason.to_owned()));
            }
            let of_file = content.split(|byte| *byte == b'\n');
            lines.extend(of_file.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
        }
        lines
    }
}

/// The objects of the lake that hold a device.
pub(super) async fn in_lake(
    deployment: &Deployment,
    app: &AppScope,
    device: DeviceId,
    days: DateRange,
    output: Output,
) -> Result<Found, Failure> {
    let wiring = an_object_a_chunk(deployment.wiring())?;
    let (mut found, mut has_folder) = (Found::default(), false);
    for of in ExportType::ALL.iter().copied().filter_map(HistoryType::of) {
        let history = History { of, days };
        let rehearsal = rehearse(&wiring, app, device, history.into(), &mut found).await?;
        let mut warnings = rehearsal.job.warnings.iter();
        has_folder |= warnings.all(|it| it.code != WarningCode::NoFolder.name());
        for chunk in &rehearsal.chunks {
            if let Some(output) = run(&rehearsal, chunk, &mut found).await? {
                found.add(&rehearsal, chunk, device, &output);
            }
        }
    }
    if !has_folder {
        let reason = "has no folder in the lake: is its path right?";
        found
            .unread
            .push((app.as_str().to_owned(), reason.to_owned()));
    }
    found.tell(output);
    Ok(found)
}

/// The items of the registry that hold a device.
pub(super) async fn in_registry(
    deployment: &Deployment,
    app: &AppScope,
    device: DeviceId,
    output: Output,
) -> Result<Found, Failure> {
    let (start, end) = ALWAYS;
    let feedback = CampaignType::ALL
        .iter()
        .map(|it| Snapshot::ActiveCampaigns {
            campaign_type: *it,
            start,
            end,
        });
    let devices = [Snapshot::Devices(DeviceType::Device)];
    let registry = deployment.registry()?;
    let (wiring, mut found) = (deployment.wiring(), Found::default());
    for snapshot in devices.into_iter().chain(feedback) {
        let (of, loaded) = match &snapshot {
            Snapshot::Devices(_) => (ExportType::Device, Loaded::Devices),
            Snapshot::Campaigns { .. } | Snapshot::ActiveCampaigns { .. } => {
                (ExportType::Push, Loaded::Feedback)
            }
        };
        let rehearsal = rehearse(wiring, app, device, snapshot.into(), &mut found).await?;
        for chunk in &rehearsal.chunks {
            let Some(output) = run(&rehearsal, chunk, &mut found).await? else {
                continue;
            };
            for row in found.lines(&rehearsal, chunk, &output, FileKind::Rows) {
                // A row is a line from which its item could be loaded: it says where the item lies.
                let entry = registry.entry(loaded, app, &row).ok();
                let place = entry.as_ref().and_then(|entry| entry.place());
                found.places.extend(place.map(|(pk, sk)| Place {
                    name: format!("{pk} {sk}"),
                    of,
                    day: None,
                    records: 1,
                    rejected: 0,
                    key: Some(json!({"pk": {"S": pk}, "sk": {"S": sk}})),
                }));
            }
        }
    }
    found.tell(output);
    Ok(found)
}

/// The deployment, but that each object is a chunk of its own.
fn an_object_a_chunk(wiring: &Wiring) -> Result<Wiring, Failure> {
    let given = wiring.env().settings();
    let given = given.map_err(|error| failures::of_setting(&error))?;
    let others = given
        .into_iter()
        .filter(|(name, _)| *name != CHUNK_TARGET_BYTES.name);
    let target = [(CHUNK_TARGET_BYTES.name, "1".to_owned())];
    let env = Environment::from_pairs(others.chain(target));
    Ok(Wiring::new(env, wiring.sdk().clone()))
}

/// Plans an export of the device alone.
async fn rehearse(
    wiring: &Wiring,
    app: &AppScope,
    device: DeviceId,
    selection: Selection,
    found: &mut Found,
) -> Result<Rehearsal, Failure> {
    let filter = Filter {
        device_ids: Some(BTreeSet::from([device])),
        ..Filter::default()
    };
    let of = selection.export_type().name();
    let rehearsal = Rehearsal::plan(wiring, app, selection, filter).await?;
    if let Some(reason) = rehearsal.plan_failure() {
        found.unread.push((of.to_owned(), reason.to_owned()));
    }
    for warning in &rehearsal.job.warnings {
        if UNREAD.iter().any(|code| code.name() == warning.code) {
            found.unread.push((of.to_owned(), warning.message.clone()));
        }
    }
    for missing in &rehearsal.job.missing_days {
        let name = format!("{of} of {}", missing.day);
        found.unread.push((name, missing.reason.clone()));
    }
    Ok(rehearsal)
}

async fn run(
    rehearsal: &Rehearsal,
    chunk: &Chunk,
    found: &mut Found,
) -> Result<Option<Box<ChunkOutput>>, Failure> {
    let reason = match rehearsal.run(chunk).await? {
        Ran::Recorded(output) => return Ok(Some(output)),
        Ran::Failed(reason) => reason,
        Ran::Unanswered => "could not be read in time".to_owned(),
    };
    let name = chunk.source.name_of(0).to_owned();
    found.unread.push((name, reason));
    Ok(None)
}

/// JSON within single quotes of a shell, of which it has none: what could be one is escaped.
fn shown_for_shell(json: &Value) -> String {
    json.to_string().replace('\'', "\\u0027")
}

/// Whether a line names the device, in either spelling and any case.
fn names(line: &[u8], device: DeviceId) -> bool {
    let plain = device.to_string();
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    line.replace('-', "").contains(&plain)
}
