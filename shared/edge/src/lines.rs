//! How a line of the log is written: one JSON object, with what its span says, and with what makes
//! `CloudWatch` read metrics out of it.

use std::fmt;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// A number in lines of the log that `CloudWatch` makes a metric of, under the field's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The field.
    pub field: &'static str,
    /// Its unit, as `CloudWatch` names it
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>).
    pub unit: &'static str,
    /// The field whose values the metric is kept apart by.
    pub by: Option<&'static str>,
}

const fn metric(field: &'static str, unit: &'static str) -> Metric {
    Metric {
        field,
        unit,
        by: None,
    }
}

/// Every metric. The dashboard of the template shows each; a test compares them.
pub const METRICS: [Metric; 7] = [
    metric("chunk.seconds", "Seconds"),
    metric("chunk.records", "Count"),
    metric("chunk.rows", "Count"),
    metric("chunk.rejects", "Count"),
    metric("chunk.bytes_in", "Bytes"),
    metric("chunk.bytes_out", "Bytes"),
    Metric {
        field: "storage.errors",
        unit: "Count",
        by: Some("storage.host"),
    },
];

/// Writes lines.
#[derive(Debug)]
pub struct Lines {
    json: Format<Json>,
    namespace: Option<String>,
}

impl Lines {
    /// Lines whose metrics are in a namespace; without one there are none.
    pub fn new(namespace: Option<String>) -> Self {
        let json = tracing_subscriber::fmt::format().json();
        Self {
            json: json
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false),
            namespace,
        }
    }

    /// A line with the fields of the spans that it does not have itself, and its metrics.
    fn completed(&self, line: &str, of_spans: Map<String, Value>) -> Option<String> {
        let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
            return None;
        };
        for (name, value) in of_spans {
            fields.entry(name).or_insert(value);
        }
        if let Some(namespace) = &self.namespace
            && let Some(embedded) = embedded(namespace, &fields)
        {
            fields.insert("_aws".to_owned(), embedded);
        }
        Some(Value::Object(fields).to_string())
    }
}

impl<S> FormatEvent<S, JsonFields> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.json
            .format_event(context, Writer::new(&mut line), event)?;
        let spans = context.event_scope().into_iter().flatten();
        let mut of_spans = Map::new();
        for span in spans {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            let fields = fields.and_then(|fields| serde_json::from_str(fields.as_str()).ok());
            if let Some(Value::Object(fields)) = fields {
                // The nearest span comes first.
                for (name, value) in fields {
                    of_spans.entry(name).or_insert(value);
                }
            }
        }
        match self.completed(&line, of_spans) {
            Some(completed) => writeln!(writer, "{completed}"),
            None => writer.write_str(&line),
        }
    }
}

/// What tells `CloudWatch` which fields of a line are metrics: the embedded metric format
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
fn embedded(namespace: &str, fields: &Map<String, Value>) -> Option<Value> {
    let is_given = |metric: &&Metric| fields.get(metric.field).is_some_and(Value::is_number);
    let given: Vec<_> = METRICS.iter().filter(is_given).collect();
    let at = fields.get("timestamp")?.as_str()?;
    let at = OffsetDateTime::parse(at, &Rfc3339).ok()?;
    let directives: Vec<_> = given
        .iter()
        .map(|metric| {
            let by: Vec<_> = metric.by.into_iter().collect();
            json!({
                "Namespace": namespace,
                "Dimensions": [by],
                "Metrics": [{"Name": metric.field, "Unit": metric.unit}],
            })
        })
        .collect();
    (!directives.is_empty()).then(|| {
        json!({
            "Timestamp": at.unix_timestamp_nanos() / 1_000_000,
            "CloudWatchMetrics": directives,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::{error_span, info, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(namespace: Option<&str>, log: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .event_format(Lines::new(namespace.map(str::to_owned)))
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_has_what_its_spans_say_and_its_own_word_counts() {
        let lines = lines(None, || {
            let outer = error_span!("job", job.id = "j", chunk.id = 1);
            let _outer = outer.enter();
            let inner = error_span!("chunk", chunk.id = 2);
            let _inner = inner.enter();
            info!("within");
            info!(chunk.id = 3, "by itself");
        });
        assert_eq!(
            (&lines[0]["job.id"], &lines[0]["chunk.id"]),
            (&json!("j"), &json!(2))
        );
        assert_eq!(
            (&lines[1]["job.id"], &lines[1]["chunk.id"]),
            (&json!("j"), &json!(3))
        );
        assert_eq!(lines[0]["message"], "within");
        assert!(lines[0].get("span").is_none() && lines[0].get("spans").is_none());
    }

    #[test]
    fn numbers_of_a_line_are_metrics_of_the_namespace_and_apart_by_their_dimension() {
        let log = || {
            warn!(
                storage.host = "a.example.com",
                storage.errors = 1,
                "refused"
            );
            info!(chunk.rows = 5, chunk.seconds = 0.5, rows = 5, "recorded");
            info!(rows = 5, "ended");
        };
        let with = lines(Some("stack"), log);
        let directive = |name: &str, unit: &str, by: &[&str]| json!({"Namespace": "stack", "Dimensions": [by], "Metrics": [{"Name": name, "Unit": unit}]});
        assert_eq!(
            with[0]["_aws"]["CloudWatchMetrics"],
            json!([directive("storage.errors", "Count", &["storage.host"])])
        );
        assert_eq!(
            with[1]["_aws"]["CloudWatchMetrics"],
            json!([
                directive("chunk.seconds", "Seconds", &[]),
                directive("chunk.rows", "Count", &[])
            ])
        );
        assert!(with[1]["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
        assert_eq!(
            (&with[1]["chunk.rows"], &with[1]["chunk.seconds"]),
            (&json!(5), &json!(0.5))
        );
        assert!(with[2].get("_aws").is_none());
        assert!(
            lines(None, log)
                .iter()
                .all(|line| line.get("_aws").is_none())
        );
    }
}
