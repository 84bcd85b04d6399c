//! What decides which rows and files a job has, beside what its owner asked for.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// What becomes of a malformed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum OnBadRecord {
    /// It ends its chunk.
    Fail,
    /// It is left out and counted.
    Skip,
}

impl OnBadRecord {
    /// Both.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its word, as set and as stored.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Reads [`OnBadRecord::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

/// The operator's settings and the code's version as they were when a job was planned. Every run of
/// its chunks keeps to them, so that each attempt writes the same rows into the same files, whatever
/// was set or deployed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What becomes of a malformed record.
    pub on_bad_record: OnBadRecord,
    /// The version of what the encoders make of a record.
    pub encoders: u32,
}
