//! What was asked for, as a task repeats it.

use domain::filter::{DeviceId, Filter, Names};
use domain::job::Asking;
use domain::selection::{ExportRequest, FileOptions, Selection, Snapshot};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::exact;
use crate::export_request::OPTIONS;

/// The most names or device ids of a filter that a list repeats of each task.
const MOST_VALUES: usize = 10;

/// How much of a filter is repeated: it may hold a quarter of a megabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// The first [`MOST_VALUES`] of its names and of its device ids, and how many there are more.
    First,
}

/// The fields of the request that made the job, under the names that they were sent by.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    export_format: &'static str,
    #[serde(flatten)]
    selection: Selected,
    options: Options,
}

/// The options of an export.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Options {
    /// Those that the client sent, with what they came to.
    asked: Map<String, Value>,
    /// All that hold.
    resolved: Map<String, Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Selected {
    Days {
        start_date: String,
        end_date: String,
    },
    Devices {},
    Campaigns {
        campaign_type: &'static str,
        campaign_ids: Vec<i64>,
    },
    ActiveCampaigns {
        campaign_type: &'static str,
        campaign_window_start: String,
        campaign_window_end: String,
    },
}

impl Asked {
    pub(super) fn of(request: &ExportRequest, asking: &Asking, extent: Extent) -> Self {
        Self {
            export_format: request.format.name(),
            selection: Selected::of(&request.selection),
            options: Options::of(request, asking, extent),
        }
    }
}

impl Selected {
    fn of(selection: &Selection) -> Self {
        match selection {
            Selection::History(history) => Self::Days {
                start_date: history.days.start.to_string(),
                end_date: history.days.end.to_string(),
            },
            Selection::Snapshot(Snapshot::Devices(_)) => Self::Devices {},
            Selection::Snapshot(Snapshot::Campaigns { campaign_type, ids }) => Self::Campaigns {
                campaign_type: campaign_type.name(),
                campaign_ids: ids.clone(),
            },
            Selection::Snapshot(Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            }) => Self::ActiveCampaigns {
                campaign_type: campaign_type.name(),
                campaign_window_start: exact(*start),
                campaign_window_end: exact(*end),
            },
        }
    }
}

impl Options {
    /// The options of a request, with all of a long filter.
    pub(crate) fn whole(request: &ExportRequest, asking: &Asking) -> Self {
        Self::of(request, asking, Extent::Whole)
    }

    pub(super) fn of(request: &ExportRequest, asking: &Asking, extent: Extent) -> Self {
        let usual = values(&usual(request), extent);
        let resolved = values(request, extent);
        let is_asked = |name: &str| match &asking.options {
            Some(names) => names.iter().any(|asked| asked == name),
            // An older version did not keep which were sent: those that differ must have been.
            None => resolved.get(name) != usual.get(name),
        };
        let asked = resolved.iter().filter(|(name, _)| is_asked(name));
        Self {
            asked: asked
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            resolved,
        }
    }
}

/// The same request without a word about options.
fn usual(request: &ExportRequest) -> ExportRequest {
    ExportRequest::usual(request.selection.clone(), request.format)
}

/// Every option that holds, by its name in a request.
fn values(request: &ExportRequest, extent: Extent) -> Map<String, Value> {
    let FileOptions {
        columns: _,
        byte_order_mark,
        escape_formulas,
        max_file_bytes,
    } = &request.files;
    let named = OPTIONS.into_iter().zip([
        Some(json!(request.compression.name())),
        request.columns().map(|names| json!(names)),
        Some(json!(byte_order_mark)),
        Some(json!(escape_formulas)),
        filter(&request.filter, extent),
        max_file_bytes.map(|bytes| json!(bytes)),
        Some(json!(request.export_user_id)),
        Some(json!(request.export_device_id)),
    ]);
    named
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn filter(filter: &Filter, extent: Extent) -> Option<Value> {
    let mut parts = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        parts.extend(value.map(|value| (name.to_owned(), value)));
    };
    let mut more = 0;
    let mut cut = |values: Vec<String>| match extent {
        Extent::Whole => json!(values),
        Extent::First => {
            more += values.len().saturating_sub(MOST_VALUES);
            json!(values.into_iter().take(MOST_VALUES).collect::<Vec<_>>())
        }
    };
    let names = filter.names.as_ref().map(|names| {
        let all = cut(names.all().iter().cloned().collect());
        match names {
            Names::In(_) => json!({ "in": all }),
            Names::NotIn(_) => json!({ "notIn": all }),
        }
    });
    let ids = filter.device_ids.as_ref();
    let ids = ids.map(|ids| cut(ids.iter().map(DeviceId::to_string).collect()));
    put("names", names);
    put("deviceIds", ids);
    put(
        "session",
        filter.session.map(|session| json!(session.name())),
    );
    put("from", filter.from.map(|from| json!(exact(from))));
    put("to", filter.to.map(|to| json!(exact(to))));
    put("more", (more > 0).then(|| json!(more)));
    (!parts.is_empty()).then_some(Value::Object(parts))
}
