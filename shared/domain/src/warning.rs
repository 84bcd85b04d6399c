//! What a job's owner should know although nothing is refused: what was ignored, left out or
//! defaulted.

use serde::{Deserialize, Serialize};

/// A warning, as clients read it in a task, in a list of tasks and in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about; stable, documented one by one in `docs/ERRORS.md`.
    pub code: String,
    /// The counts and names, and what to do about it, in words. Never a signature.
    pub message: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a [`Warning`] is about; clients may rely on it, while messages may change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum WarningCode {
            $($(#[$doc])* $name,)*
        }

        impl WarningCode {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it stands in an answer and in the manifest.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

codes! {
    /// The signature of the container expires before the job is expected to end.
    SignatureExpires,
    /// The request has properties that no operation knows.
    UnknownProperties,
    /// The plan found no object of the lake in the selected days.
    NoObjects,
    /// Some of the selected days have no object that is read.
    DaysWithoutObjects,
    /// The lake has no folder of the app and type.
    NoFolder,
    /// Objects in the folders that are read are left out, because of their names or because they are empty.
    ObjectsLeftOut,
    /// Objects are likely to be too large for one run.
    LargeObjects,
    /// Some of the selected days are not over: late records of them may still come.
    LateRecordsMayCome,
    /// Objects with unusual names are read together, more than have a chunk of their own.
    UnusualNames,
    /// Folders of the app and type are named otherwise than a day.
    FoldersLeftOut,
    /// Records that cannot be exported are in files of their own.
    RecordsRejected,
    /// Files are larger than was asked for, because their chunks may have no more of them.
    FilesOversized,
    /// The export is complete and has no rows, for another reason than that there was nothing to read.
    NoRows,
}

impl Warning {
    /// A warning of this code; the message holds no signature.
    pub fn new(code: WarningCode, message: impl Into<String>) -> Self {
        Self {
            code: code.name().to_owned(),
            message: message.into(),
        }
    }
}
