//! The variables of the environment that the command reads, each named once.

use crate::failure::Failure;

/// A variable of the environment.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds, for the docs.
    pub meaning: &'static str,
}

macro_rules! variables {
    ($($name:ident = $text:literal, $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub const $name: Variable = Variable { name: $text, meaning: $meaning };
        )+

        /// Every variable that is the command's own.
        pub const VARIABLES: &[Variable] = &[$($name),+];
    };
}

variables! {
    PROFILE = "ENGAGEMENT_EXPORT_PROFILE", "the profile, as `--profile`";
    CONFIG = "ENGAGEMENT_EXPORT_CONFIG", "the file of the profiles, as `--config`";
    API = "ENGAGEMENT_EXPORT_API", "the base of the API's URLs, as `--api`";
    APP = "ENGAGEMENT_EXPORT_APP", "the app's path, as `--app`";
    TOKEN = "ENGAGEMENT_EXPORT_TOKEN", "the token itself";
    TOKEN_FILE = "ENGAGEMENT_EXPORT_TOKEN_FILE", "a file that holds the token, as `--token-file`";
    TOKEN_COMMAND = "ENGAGEMENT_EXPORT_TOKEN_COMMAND", "a command that prints the token, as `--token-command`";
    CONTAINER_URL = "ENGAGEMENT_EXPORT_CONTAINER_URL", "the container's URL with a signature that may write: of `create`, `check` and `renew`";
    READ_URL = "ENGAGEMENT_EXPORT_READ_URL", "the container's URL with a signature that may read: of `download` and `verify`";
    OLD_READ_URL = "VERIFY_CONTAINER_URL", "what `ENGAGEMENT_EXPORT_READ_URL` was called first, still read when that is not set";
}

/// Where variables are looked up: in tests not in the process's environment.
pub type Lookup<'a> = &'a dyn Fn(&Variable) -> Result<Option<String>, Failure>;

/// What the process's environment says; what is empty is absent.
///
/// # Errors
/// When it is no text.
#[expect(
    clippy::disallowed_methods,
    reason = "the functions' settings are wiring's, which brings an AWS SDK; these are the command's own"
)]
pub fn of_process(variable: &Variable) -> Result<Option<String>, Failure> {
    match std::env::var(variable.name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format!(
            "{} is no text in UTF-8: set it anew",
            variable.name
        ))),
    }
}

/// The folder in which programs keep what a person configures
/// (<https://specifications.freedesktop.org/basedir-spec/latest/>, on Windows
/// <https://learn.microsoft.com/en-us/windows/win32/shell/knownfolderid>).
#[expect(
    clippy::disallowed_methods,
    reason = "these variables are the system's, not settings of the service"
)]
pub(crate) fn config_folder() -> Option<std::path::PathBuf> {
    let folder = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(std::path::PathBuf::from)
    };
    if cfg!(windows) {
        return folder("APPDATA");
    }
    let own = folder("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    own.or_else(|| Some(folder("HOME")?.join(".config")))
}
