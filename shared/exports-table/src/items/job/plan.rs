//! The stored form of a job's plan, and of what its runs keep to.

use domain::job::{MissingDay, Plan, PlanCursor};
use domain::rules::{Misread, OnBadRecord, Rules};
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use crate::items::unreadable;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlanAttribute {
    Open(Option<String>),
    Complete {
        #[serde(with = "time::serde::rfc3339")]
        read_up_to: OffsetDateTime,
    },
    Failed {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
}

impl From<&Plan> for PlanAttribute {
    fn from(plan: &Plan) -> Self {
        match plan {
            Plan::Open { cursor } => Self::Open(cursor.as_ref().map(|cursor| cursor.0.clone())),
            Plan::Complete { read_up_to } => Self::Complete {
                read_up_to: *read_up_to,
            },
            Plan::Failed { reason, cursor } => Self::Failed {
                reason: reason.clone(),
                cursor: cursor.as_ref().map(|cursor| cursor.0.clone()),
            },
        }
    }
}

impl From<PlanAttribute> for Plan {
    fn from(plan: PlanAttribute) -> Self {
        match plan {
            PlanAttribute::Open(cursor) => Self::Open {
                cursor: cursor.map(PlanCursor),
            },
            PlanAttribute::Complete { read_up_to } => Self::Complete { read_up_to },
            PlanAttribute::Failed { reason, cursor } => Self::Failed {
                reason,
                cursor: cursor.map(PlanCursor),
            },
        }
    }
}

/// A day of which not all could be planned.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MissingDayAttribute {
    day: Date,
    reason: String,
    cursor: String,
}

impl From<&MissingDay> for MissingDayAttribute {
    fn from(missing: &MissingDay) -> Self {
        Self {
            day: missing.day,
            reason: missing.reason.clone(),
            cursor: missing.cursor.0.clone(),
        }
    }
}

impl From<MissingDayAttribute> for MissingDay {
    fn from(missing: MissingDayAttribute) -> Self {
        Self {
            day: missing.day,
            reason: missing.reason,
            cursor: PlanCursor(missing.cursor),
        }
    }
}

/// What a job's runs keep to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RulesAttribute {
    on_bad_record: String,
    encoders: u32,
    late_days: u16,
    misread_from_records: u64,
    misread_percent: u64,
}

impl From<Rules> for RulesAttribute {
    fn from(rules: Rules) -> Self {
        Self {
            on_bad_record: rules.on_bad_record.word().to_owned(),
            encoders: rules.encoders,
            late_days: rules.late_days,
            misread_from_records: rules.misread.from_records,
            misread_percent: rules.misread.most_percent,
        }
    }
}

impl TryFrom<RulesAttribute> for Rules {
    type Error = String;

    fn try_from(attribute: RulesAttribute) -> Result<Self, String> {
        let word = &attribute.on_bad_record;
        Ok(Self {
            on_bad_record: OnBadRecord::from_word(word)
                .ok_or_else(|| unreadable("on_bad_record", word))?,
            late_days: attribute.late_days,
            misread: Misread {
                from_records: attribute.misread_from_records,
                most_percent: attribute.misread_percent,
            },
            encoders: attribute.encoders,
        })
    }
}
