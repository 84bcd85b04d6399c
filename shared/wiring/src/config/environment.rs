//! Where settings are read from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Setting;
use super::error::ConfigError;
use super::kind::Kind;

/// The memory of a function in MB, as Lambda says it: a fact, not a setting
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
const FUNCTION_MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// The environment that settings are read from. It remembers which were read, and so do its
/// clones together.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    given: BTreeMap<String, String>,
    read: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Environment {
    /// The variables that this process has now.
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars())
    }

    /// One made up for a test or for the local stack.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let given = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            given,
            read: Arc::default(),
        }
    }

    /// A setting's value; what it defaults to when it is not given or empty.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when it must be given, [`ConfigError::Invalid`] when it does not
    /// fit.
    pub fn get<K: Kind>(&self, setting: &Setting<K>) -> Result<K::Value, ConfigError> {
        self.note(setting.name);
        let Some(text) = self.given(setting.name) else {
            let unset = setting.kind.unset(setting.default);
            return unset.ok_or(ConfigError::Missing {
                name: setting.name,
                meaning: setting.meaning,
            });
        };
        let invalid = |cause| ConfigError::invalid(setting.name, text, setting.kind.fits(), cause);
        setting.kind.parse(text).map_err(invalid)
    }

    /// What is given of the functions' settings, and nothing else.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let given = super::variables().into_iter();
        let given = given.filter_map(|it| Some((it.name, self.given(it.name)?.to_owned())));
        given.collect()
    }

    /// The settings that were read so far, given or not: what a function that has started uses.
    pub fn read(&self) -> BTreeSet<&'static str> {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The function's memory in MB of 1,048,576 bytes; absent where no Lambda function runs.
    pub(crate) fn memory_megabytes(&self) -> Result<Option<u64>, ConfigError> {
        let Some(text) = self.given(FUNCTION_MEMORY) else {
            return Ok(None);
        };
        let number: Result<u64, _> = text.parse();
        number.map(Some).map_err(|error| {
            let fits = "the function's memory in MB, as Lambda does";
            ConfigError::invalid(FUNCTION_MEMORY, text, fits, Some(error.into()))
        })
    }

    fn given(&self, name: &str) -> Option<&str> {
        let value = self.given.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    fn note(&self, name: &'static str) {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
    }
}
