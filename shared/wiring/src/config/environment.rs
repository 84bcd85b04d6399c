//! Where settings are read from.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, PoisonError};

use super::Setting;
use super::error::ConfigError;
use super::kind::Kind;

/// The memory of a function in MB, as Lambda says it: a fact, not a setting
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
const FUNCTION_MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// What fits there, as the end of the sentence "set it to …".
const MEMORY_FITS: &str = "the function's memory in MB, as Lambda does";

/// The environment that settings are read from. It remembers which were read, and so do its
/// clones together.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    given: BTreeMap<OsString, OsString>,
    read: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Environment {
    /// The variables that this process has now. One that is not UTF-8 does no harm, unless it is a
    /// setting that is read.
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars_os())
    }

    /// One made up for a test or for the local stack.
    pub fn from_pairs<K: Into<OsString>, V: Into<OsString>>(
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
    /// [`ConfigError::Missing`] when it must be given, [`ConfigError::NotUtf8`] and
    /// [`ConfigError::Invalid`] when it does not fit.
    pub fn get<K: Kind>(&self, setting: &Setting<K>) -> Result<K::Value, ConfigError> {
        self.note(setting.name);
        let Some(text) = self.given(setting.name, || setting.kind.fits())? else {
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
    ///
    /// # Errors
    /// [`ConfigError::NotUtf8`] when one of them is no text.
    pub fn settings(&self) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let mut settings = Vec::new();
        for variable in super::variables() {
            if let Some(text) = self.given(variable.name, || variable.fits)? {
                settings.push((variable.name, text.to_owned()));
            }
        }
        Ok(settings)
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
        let Some(text) = self.given(FUNCTION_MEMORY, || MEMORY_FITS.to_owned())? else {
            return Ok(None);
        };
        let number: Result<u64, _> = text.parse();
        number.map(Some).map_err(|error| {
            ConfigError::invalid(FUNCTION_MEMORY, text, MEMORY_FITS, Some(error.into()))
        })
    }

    /// What a variable is set to, unless it is empty.
    fn given(
        &self,
        name: &'static str,
        fits: impl FnOnce() -> String,
    ) -> Result<Option<&str>, ConfigError> {
        let value = self.given.get(OsStr::new(name));
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let text = value.to_str();
        let not_text = || ConfigError::NotUtf8 { name, fits: fits() };
        text.map(Some).ok_or_else(not_text)
    }

    fn note(&self, name: &'static str) {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
    }
}
