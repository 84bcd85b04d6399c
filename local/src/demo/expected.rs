//! What an export should hold, read from the source without any of the service's code.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use client::verify::{Form, Mismatch, RowSet, as_exported};
use domain::selection::{ExportFormat, HistoryType};
use flate2::read::MultiGzDecoder;
use formats::read::Fields;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::sample::{DAYS, Sample, SampleApp, folder};

/// A record, by its fields.
type Record = BTreeMap<String, Box<RawValue>>;

/// How rows are to be written.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) format: ExportFormat,
    /// `exportOptions`, as they were sent.
    pub(super) options: &'a Value,
}

impl Asked<'_> {
    fn form(self) -> Form {
        if self.options["escapeFormulas"] == true {
            return Form::EscapedText;
        }
        Form::of(self.format)
    }

    /// Whether a record happened when it was asked for. Moments are in one form, so their texts sort.
    fn wants(self, record: &Record) -> bool {
        let moment = ["timestamp", "start"]
            .iter()
            .find_map(|name| record.get(*name));
        let moment = moment.map(|raw| raw.get().trim_matches(['"', 'Z']));
        let filter = self.options.get("filter");
        let bound = |name: &str| Some(filter?.get(name)?.as_str()?.trim_end_matches('Z'));
        let (from, to) = (bound("from"), bound("to"));
        from.is_none_or(|from| moment.is_some_and(|moment| moment >= from))
            && to.is_none_or(|to| moment.is_some_and(|moment| moment < to))
    }

    fn has_column(self, name: &str) -> bool {
        let columns = self.options["columns"].as_array();
        columns.is_none_or(|columns| columns.iter().any(|column| column == name))
    }
}

/// The rows that the lake holds of a type and an app, on all days of the sample.
///
/// # Errors
/// [`Mismatch::Unreadable`] when a file cannot be read.
pub(super) fn lake_rows(
    lake: &Path,
    of: HistoryType,
    app: &SampleApp,
    asked: Asked<'_>,
) -> Result<RowSet, Mismatch> {
    // The JSON array of activities names no devices unless asked to.
    let without_device = of == HistoryType::Activity && asked.format == ExportFormat::JsonBlob;
    let has = |name: &str| asked.has_column(name) && !(without_device && name == "deviceId");
    let mut rows = RowSet::default();
    for day in DAYS
        .into_iter()
        .map(|day| lake.join(folder(of, app, day)))
        .filter(|day| day.is_dir())
    {
        for entry in day
            .read_dir()
            .map_err(|error| Mismatch::unreadable(&day, &error))?
        {
            let path = entry
                .map_err(|error| Mismatch::unreadable(&day, &error))?
                .path();
            add_file(&mut rows, &path, has, asked)
                .map_err(|error| Mismatch::unreadable(&path, &*error))?;
        }
    }
    Ok(rows)
}

fn add_file(
    rows: &mut RowSet,
    path: &Path,
    has: impl Fn(&str) -> bool,
    asked: Asked<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    let file = BufReader::new(File::open(path)?);
    let text: Box<dyn Read> = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file)?),
        Some(_) | None => Box::new(file),
    };
    for line in BufReader::new(text).lines() {
        let line = line?;
        let mut fields = as_exported(&line)?;
        if !asked.wants(&fields) {
            continue;
        }
        fields.retain(|name, _| has(name));
        let fields = fields.iter().map(|(name, raw)| (name.clone(), &**raw));
        rows.add(&fields.collect(), asked.form())?;
    }
    Ok(())
}

/// The rows that an export of the app's devices should hold.
///
/// # Errors
/// [`Mismatch::Unreadable`] when a made-up value is no JSON.
pub(super) fn device_rows(
    sample: &Sample,
    app: &SampleApp,
    asked: Asked<'_>,
) -> Result<RowSet, Mismatch> {
    let mut rows = RowSet::default();
    let unreadable = |error: serde_json::Error| Mismatch::unreadable(Path::new("registry"), &error);
    for device in sample.device_list(app).map(|sample| sample.device) {
        let row = json!({
            "deviceId": device.id, "meta": device.meta, "info": device.info, "location": device.location,
            "appInfo": device.app_info,
        });
        let row = row.to_string();
        let mut fields: Fields<'_> = serde_json::from_str(&row).map_err(unreadable)?;
        fields.retain(|name, _| asked.has_column(name));
        rows.add(&fields, asked.form()).map_err(unreadable)?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::APPS;

    /// The rows of a lake that holds one activity.
    fn rows(line: &str, format: ExportFormat) -> RowSet {
        let lake = tempfile::tempdir().unwrap();
        let day = lake
            .path()
            .join(folder(HistoryType::Activity, &APPS[0], DAYS[0]));
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("part.ndjson"), line).unwrap();
        let asked = Asked {
            format,
            options: &json!({}),
        };
        lake_rows(lake.path(), HistoryType::Activity, &APPS[0], asked).unwrap()
    }

    #[test]
    fn devices_are_expected_of_activities_in_all_but_a_json_array() {
        let [ada, bob, nobody] = [
            r#"{"deviceId":"ada","name":"home"}"#,
            r#"{"deviceId":"bob","name":"home"}"#,
            r#"{"name":"home"}"#,
        ];
        let differ =
            |format, one, other| rows(one, format).difference(&rows(other, format)).is_some();
        assert!(differ(ExportFormat::CsvBlob, ada, bob));
        assert!(differ(ExportFormat::JsonLinesBlob, ada, nobody));
        assert!(
            !differ(ExportFormat::JsonBlob, ada, bob)
                && !differ(ExportFormat::JsonBlob, ada, nobody)
        );
    }
}
