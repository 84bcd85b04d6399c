//! What an export should hold, read from the source without any of the service's code.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use client::verify::{Form, Mismatch, RowSet, as_exported};
use domain::selection::{ExportFormat, HistoryType};
use flate2::read::MultiGzDecoder;
use serde_json::json;
use serde_json::value::RawValue;

use crate::sample::{DAYS, Sample, SampleApp, folder};

/// The rows that the lake holds of a type and an app, on all days of the sample.
///
/// # Errors
/// [`Mismatch::Unreadable`] when a file cannot be read.
pub(super) fn lake_rows(
    lake: &Path,
    of: HistoryType,
    app: &SampleApp,
    format: ExportFormat,
) -> Result<RowSet, Mismatch> {
    // The JSON array of activities names no devices unless asked to.
    let left_out =
        (of == HistoryType::Activity && format == ExportFormat::JsonBlob).then_some("deviceId");
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
            add_file(&mut rows, &path, left_out, Form::of(format))
                .map_err(|error| Mismatch::unreadable(&path, &*error))?;
        }
    }
    Ok(rows)
}

fn add_file(
    rows: &mut RowSet,
    path: &Path,
    left_out: Option<&str>,
    form: Form,
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
        fields.retain(|name, _| left_out != Some(name.as_str()));
        let fields = fields.iter().map(|(name, raw)| (name.clone(), &**raw));
        rows.add(&fields.collect(), form)?;
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
    format: ExportFormat,
) -> Result<RowSet, Mismatch> {
    let mut rows = RowSet::default();
    let unreadable = |error: serde_json::Error| Mismatch::unreadable(Path::new("registry"), &error);
    for device in sample.device_list(app).map(|sample| sample.device) {
        let row = json!({
            "deviceId": device.id, "meta": device.meta, "info": device.info, "location": device.location,
            "appInfo": device.app_info,
        });
        let row = RawValue::from_string(row.to_string()).map_err(unreadable)?;
        rows.add(
            &serde_json::from_str(row.get()).map_err(unreadable)?,
            Form::of(format),
        )
        .map_err(unreadable)?;
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
        lake_rows(lake.path(), HistoryType::Activity, &APPS[0], format).unwrap()
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
