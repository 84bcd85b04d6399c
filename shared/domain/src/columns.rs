//! The columns of flat rows: what each type has, and those that a client chose of them.

use thiserror::Error;

use crate::selection::ExportType;

/// What events and errors have.
const OF_HAPPENINGS: &[&str] = &[
    "deviceId",
    "name",
    "timestamp",
    "infoId",
    "sessionId",
    "locationId",
    "extras",
];

impl ExportType {
    /// The columns of its rows, in their usual order; the user id only when it is asked for. They are
    /// the fields of its records (`formats::record::Shape`, which a test compares with this).
    pub fn columns(self, with_user_id: bool) -> &'static [&'static str] {
        match self {
            Self::Activity => &["sessionId", "deviceId", "name", "timestamp", "extras"],
            Self::Event | Self::Error => OF_HAPPENINGS,
            Self::Job => &[
                "jobId", "name", "deviceId", "infoId", "start", "end", "extras",
            ],
            Self::Session => &[
                "sessionId",
                "deviceId",
                "start",
                "end",
                "infoId",
                "locationId",
            ],
            Self::Crash => &[
                "crashId",
                "deviceId",
                "timestamp",
                "infoId",
                "sessionId",
                "name",
                "stackTrace",
            ],
            Self::Tag => &["deviceId", "tags"],
            Self::Token => &["deviceId", "token", "type"],
            Self::Push if with_user_id => {
                &["deviceId", "campaignType", "campaignId", "status", "userId"]
            }
            Self::Push => &["deviceId", "campaignType", "campaignId", "status"],
            Self::Device => &["deviceId", "meta", "info", "location", "appInfo"],
        }
    }
}

/// Columns that a client chose, in its order: some of a type's, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<&'static str>);

/// Why names are no choice of columns.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoColumns {
    /// There is none.
    #[error("there is no column")]
    Empty,
    /// The type has no such column.
    #[error("\"{name}\" is no column of the type")]
    Unknown {
        /// The name as it was given.
        name: String,
    },
    /// A column stands twice.
    #[error("the column `{name}` stands twice")]
    Repeated {
        /// The column's name, as it is written.
        name: &'static str,
    },
}

impl Columns {
    /// Chooses among the columns of a type, by their names in any case.
    ///
    /// # Errors
    /// [`NoColumns`], for the first name that is wrong.
    pub fn choose<'a>(
        all: &[&'static str],
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, NoColumns> {
        let mut chosen = Vec::new();
        for given in names {
            let known = all.iter().find(|name| name.eq_ignore_ascii_case(given));
            let name = *known.ok_or_else(|| NoColumns::Unknown {
                name: given.to_owned(),
            })?;
            if chosen.contains(&name) {
                return Err(NoColumns::Repeated { name });
            }
            chosen.push(name);
        }
        if chosen.is_empty() {
            return Err(NoColumns::Empty);
        }
        Ok(Self(chosen))
    }

    /// Their names as they are written, in the order of the file.
    pub fn names(&self) -> &[&'static str] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &[&str]) -> Result<Vec<&'static str>, NoColumns> {
        let all = ExportType::Token.columns(false);
        let chosen = Columns::choose(all, names.iter().copied());
        chosen.map(|columns| columns.names().to_vec())
    }

    #[test]
    fn columns_are_chosen_by_their_names_in_any_case_and_order() {
        assert_eq!(choose(&["TYPE", "deviceid"]), Ok(vec!["type", "deviceId"]));
    }

    #[test]
    fn what_is_no_choice_is_named() {
        assert_eq!(choose(&[]), Err(NoColumns::Empty));
        let repeated = NoColumns::Repeated { name: "type" };
        assert_eq!(choose(&["type", "token", "Type"]), Err(repeated));
        let unknown = NoColumns::Unknown {
            name: "tags".to_owned(),
        };
        assert_eq!(choose(&["type", "tags"]), Err(unknown));
    }
}
