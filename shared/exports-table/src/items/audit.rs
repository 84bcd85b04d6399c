//! Who did what with a job. Nothing here is read: operators do that.

use domain::job::Job;
use domain::selection::{History, Selection};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use ports::store::Audit;
use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{VERSION, ttl};

/// An act of a caller.
#[derive(Debug, Serialize)]
pub(crate) struct AuditItem {
    kind: String,
    v: u32,
    scope: String,
    job: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    by: String,
    act: String,
    export_type: String,
    /// The days of a history, both included.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The container's URL without its signature.
    container: String,
    /// All of it in one text, where a job has its phase: the pipe `jobs` sends what is in the attributes
    /// that jobs and tallies have, and no AWS page says what it makes of one that an item lacks.
    phase: String,
    ttl: i64,
}

impl AuditItem {
    pub(crate) fn new(job: &Job, audit: &Audit) -> Self {
        let days = match &job.request.selection {
            Selection::History(History { days, .. }) => Some(*days),
            Selection::Snapshot(_) => None,
        };
        let mut item = Self {
            kind: "audit".to_owned(),
            v: VERSION,
            scope: job.key.scope.as_str().to_owned(),
            job: job.key.id.to_string(),
            at: audit.at,
            by: audit.by.clone(),
            act: audit.act.name().to_owned(),
            export_type: job.request.export_type().name().to_owned(),
            from: days.map(|days| text(days.start)),
            to: days.map(|days| text(days.end)),
            container: job.destination.as_str().to_owned(),
            phase: String::new(),
            ttl: ttl(audit.expires),
        };
        item.phase = item.in_one_text();
        item
    }

    /// What the line of the log says, as a query string.
    fn in_one_text(&self) -> String {
        let fields = [
            ("act", Some(&self.act)),
            ("by", Some(&self.by)),
            ("type", Some(&self.export_type)),
            ("from", self.from.as_ref()),
            ("to", self.to.as_ref()),
            ("container", Some(&self.container)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| {
            let value = utf8_percent_encode(value?, UNSAFE);
            Some(format!("{name}={value}"))
        });
        given.collect::<Vec<_>>().join("&")
    }
}

/// What would end a value, or the JSON text that the pipe puts it into.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'&')
    .add(b'<')
    .add(b'>')
    .add(b'\\');

fn text(day: Date) -> String {
    day.to_string()
}

#[cfg(test)]
mod tests {
    use domain::app::AppScope;
    use domain::container::ContainerAddress;
    use domain::job::{Credential, JobId, JobKey, SealedCredential};
    use domain::selection::{DeviceType, ExportFormat, ExportRequest, HistoryType, Snapshot};
    use fakes::requests::history;
    use ports::store::Act;
    use time::Duration;
    use time::macros::{date, datetime};
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-12-01 10:00 UTC);

    fn item(selection: impl Into<Selection>, by: &str) -> AuditItem {
        let key = JobKey {
            scope: AppScope::from_canonical("/apps/a"),
            id: JobId::new(Uuid::nil()),
        };
        let credential = Credential {
            sealed: SealedCredential(vec![1]),
            expires: None,
        };
        let job = Job::queued(
            key,
            ExportRequest::usual(selection, ExportFormat::CsvBlob),
            ContainerAddress::new("https://acc.blob.core.windows.net/exports/a"),
            credential,
            NOW,
            Duration::days(90),
        );
        let audit = Audit {
            by: by.to_owned(),
            act: Act::Renew,
            at: NOW,
            expires: NOW + Duration::DAY,
        };
        AuditItem::new(&job, &audit)
    }

    #[test]
    fn the_line_says_who_did_what_with_which_data_and_where_to() {
        let days = history(
            HistoryType::Event,
            date!(2026 - 01 - 05),
            date!(2026 - 01 - 11),
        );
        assert_eq!(
            item(days, "ada").phase,
            "act=renew&by=ada&type=Event&from=2026-01-05&to=2026-01-11\
             &container=https://acc.blob.core.windows.net/exports/a"
        );
        assert_eq!(
            item(Snapshot::Devices(DeviceType::Tag), "ada").phase,
            "act=renew&by=ada&type=Tag&container=https://acc.blob.core.windows.net/exports/a"
        );
    }

    #[test]
    fn no_subject_ends_its_value_or_the_text() {
        let by = "a\"b\\c&act=create\n<$.x> é%";
        let phase = item(Snapshot::Devices(DeviceType::Tag), by).phase;
        assert!(
            phase.contains("by=a%22b%5Cc%26act=create%0A%3C$.x%3E%20%C3%A9%25&type="),
            "{phase}"
        );
    }
}
