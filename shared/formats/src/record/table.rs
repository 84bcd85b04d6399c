//! The table: every export type's fields.

use domain::selection::ExportType;

use crate::record::walk::{Guide, Key};
use crate::record::{Field, Group, Kind, MAX_NAME_CHARS, MAX_STACK_TRACE_CHARS, Presence, Shape};

const fn required(name: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field {
        name,
        kind,
        presence: Presence::Required,
        meaning,
        key: Key::of(name),
    }
}

const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field {
        presence: Presence::Optional,
        ..required(name, kind, meaning)
    }
}

const fn shape(of: ExportType, fields: &'static [Field], group: Option<Group>) -> Shape {
    Shape {
        of,
        fields,
        group,
        guide: Guide::of(fields),
    }
}

const NAME: Field = required(
    "name",
    Kind::ShortText(MAX_NAME_CHARS),
    "what it is called in the app",
);
const TIMESTAMP: Field = required("timestamp", Kind::RecordTime, "when it happened");
const DEVICE_ID: Field = required("deviceId", Kind::Id, "the device");
const INFO_ID: Field = optional(
    "infoId",
    Kind::Id,
    "the technical data that the device had then",
);
const SESSION_ID: Field = optional(
    "sessionId",
    Kind::Id,
    "the use of the app in which it happened; null outside of any",
);
const LOCATION_ID: Field = optional(
    "locationId",
    Kind::Id,
    "the place where the device was then",
);
const START: Field = optional("start", Kind::RecordTime, "when it began");
const END: Field = optional("end", Kind::Timestamp, "when it ended");
const EXTRAS: Field = optional("extras", Kind::Extras, "what the app added");

const ACTIVITY: Shape = shape(
    ExportType::Activity,
    &[
        required("sessionId", Kind::Id, "the use of the app"),
        Field {
            presence: Presence::InKeyOnRequest,
            ..DEVICE_ID
        },
        NAME,
        TIMESTAMP,
        optional("extras", Kind::Object, EXTRAS.meaning),
    ],
    Some(Group {
        key_fields: 2,
        items: "activities",
    }),
);

const HAPPENINGS: &[Field] = &[
    DEVICE_ID,
    NAME,
    TIMESTAMP,
    INFO_ID,
    SESSION_ID,
    LOCATION_ID,
    EXTRAS,
];

const EVENT: Shape = shape(
    ExportType::Event,
    HAPPENINGS,
    Some(Group {
        key_fields: 1,
        items: "events",
    }),
);

const ERROR: Shape = shape(
    ExportType::Error,
    HAPPENINGS,
    Some(Group {
        key_fields: 1,
        items: "errors",
    }),
);

const JOB: Shape = shape(
    ExportType::Job,
    &[
        required("jobId", Kind::Id, "the job, a task with a duration"),
        NAME,
        DEVICE_ID,
        required("infoId", Kind::Id, INFO_ID.meaning),
        START,
        END,
        EXTRAS,
    ],
    None,
);

const SESSION: Shape = shape(
    ExportType::Session,
    &[
        required("sessionId", Kind::Id, "the use of the app"),
        DEVICE_ID,
        START,
        END,
        INFO_ID,
        LOCATION_ID,
    ],
    None,
);

const CRASH: Shape = shape(
    ExportType::Crash,
    &[
        required("crashId", Kind::Id, "the crash"),
        DEVICE_ID,
        TIMESTAMP,
        INFO_ID,
        SESSION_ID,
        NAME,
        required(
            "stackTrace",
            Kind::ShortText(MAX_STACK_TRACE_CHARS),
            "where in the app's code it crashed",
        ),
    ],
    None,
);

const TAG: Shape = shape(
    ExportType::Tag,
    &[
        DEVICE_ID,
        required("tags", Kind::Object, "the device's tags by name"),
    ],
    None,
);

const TOKEN: Shape = shape(
    ExportType::Token,
    &[
        DEVICE_ID,
        required(
            "token",
            Kind::Text,
            "where notifications to the device are sent",
        ),
        required("type", Kind::Text, "the push service that gave the token"),
    ],
    None,
);

const PUSH: Shape = shape(
    ExportType::Push,
    &[
        DEVICE_ID,
        required(
            "campaignType",
            Kind::CampaignType,
            "the type of the campaign",
        ),
        required("campaignId", Kind::Integer, "the campaign"),
        required("status", Kind::Status, "what became of it on the device"),
        Field {
            presence: Presence::OnRequest,
            ..required("userId", Kind::Text, "the user, as the app names it")
        },
    ],
    None,
);

const DEVICE: Shape = shape(
    ExportType::Device,
    &[
        DEVICE_ID,
        required(
            "meta",
            Kind::Object,
            "when the device was seen, and whether it takes notifications",
        ),
        required("info", Kind::Object, "the device's technical data"),
        required("location", Kind::Object, "where the device was last"),
        required("appInfo", Kind::Object, "the device's tags by name"),
    ],
    None,
);

impl Shape {
    /// The shape of a type's records, with the user id only when it is asked for.
    pub fn of(export_type: ExportType, with_user_id: bool) -> Self {
        let shape = match export_type {
            ExportType::Activity => ACTIVITY,
            ExportType::Event => EVENT,
            ExportType::Job => JOB,
            ExportType::Error => ERROR,
            ExportType::Session => SESSION,
            ExportType::Crash => CRASH,
            ExportType::Tag => TAG,
            ExportType::Token => TOKEN,
            ExportType::Push => PUSH,
            ExportType::Device => DEVICE,
        };
        match shape.fields.split_last() {
            Some((last, fields)) if last.presence == Presence::OnRequest && !with_user_id => {
                Self { fields, ..shape }
            }
            Some(_) | None => shape,
        }
    }
}

/// What a line has from which an item of the registry is loaded. The names are those of the exports:
/// what a device's export and its token's export say of it, in one line.
const LOADED_DEVICE: Shape = shape(
    ExportType::Device,
    &[
        DEVICE_ID,
        optional("meta", Kind::Object, "as a device's record has it"),
        optional("info", Kind::Object, "as a device's record has it"),
        optional("location", Kind::Object, "as a device's record has it"),
        optional("appInfo", Kind::Object, "as a device's record has it"),
    ],
    None,
);

const LOADED_ADDRESS: Shape = shape(
    ExportType::Token,
    &[
        DEVICE_ID,
        optional("token", Kind::Text, "as a token's record has it"),
        optional("type", Kind::Text, "as a token's record has it"),
        optional("userId", Kind::Text, "the user, as the app names it"),
    ],
    None,
);

const LOADED_CAMPAIGN: Shape = shape(
    ExportType::Push,
    &[
        required(
            "campaignType",
            Kind::CampaignType,
            "the type of the campaign",
        ),
        required("campaignId", Kind::Integer, "the campaign"),
        required("activeFrom", Kind::Timestamp, "when it began"),
        optional("activeTo", Kind::Timestamp, "when it ended"),
    ],
    None,
);

/// The shapes that a line of a loader's file is read by: each of its fields is in one of them, but
/// for the device's id.
#[derive(Debug, Clone, Copy)]
pub struct LoadedShapes;

impl LoadedShapes {
    /// A device: what is known of it, and where notifications to it are sent.
    pub const DEVICE: [Shape; 2] = [LOADED_DEVICE, LOADED_ADDRESS];

    /// A campaign.
    pub const CAMPAIGN: [Shape; 1] = [LOADED_CAMPAIGN];

    /// What became of a campaign on a device: a record as it is exported, with the user.
    pub const FEEDBACK: [Shape; 1] = [PUSH];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::MAX_FIELDS;

    #[test]
    fn no_shape_has_more_fields_than_a_record_has_room_for() {
        let most = ExportType::ALL
            .iter()
            .map(|kind| Shape::of(*kind, true).fields.len())
            .max();
        assert_eq!(most, Some(MAX_FIELDS));
    }

    #[test]
    fn only_push_feedback_may_carry_the_user_id_and_only_when_asked() {
        for &kind in ExportType::ALL {
            let has_it = |with_user_id| {
                Shape::of(kind, with_user_id)
                    .fields
                    .iter()
                    .any(|field| field.name == "userId")
            };
            assert!(!has_it(false), "{kind}");
            assert_eq!(has_it(true), kind == ExportType::Push, "{kind}");
        }
    }

    #[test]
    fn the_columns_that_a_client_may_choose_are_the_fields() {
        for &kind in ExportType::ALL {
            for with_user_id in [false, true] {
                let fields = Shape::of(kind, with_user_id).fields.iter();
                let names: Vec<&str> = fields.map(|field| field.name).collect();
                assert_eq!(names, kind.columns(with_user_id), "{kind}");
            }
        }
    }

    #[test]
    fn the_documentation_lists_the_same_fields() {
        let page = include_str!("../../../../docs/DATA_MODEL.md");
        for &kind in ExportType::ALL {
            let row = page
                .lines()
                .find_map(|line| line.strip_prefix(&format!("| {kind} | ")));
            let documented = row
                .and_then(|row| row.split_once(" |"))
                .map(|(columns, _)| columns);
            let field = |field: &Field| {
                let mark = if field.presence == Presence::Required {
                    "\\*"
                } else {
                    ""
                };
                format!("`{}`{mark}", field.name)
            };
            let fields: Vec<String> = Shape::of(kind, true).fields.iter().map(field).collect();
            assert_eq!(documented, Some(fields.join(" ").as_str()), "{kind}");
        }
    }
}
