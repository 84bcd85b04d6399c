//! The config file: profiles by name.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::environment::config_folder;
use crate::failure::Failure;

/// The file within the folder of a person's configuration.
const NAME: &str = "engagement-export/config.toml";

/// One service and app. No token stands in it: a file of settings is copied and shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) api: Option<String>,
    pub(super) app: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) token_command: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Profiles {
    /// The profile of who names none.
    default_profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// The profile of that name, or the file's default one, and the file's path. Without a file, or
/// without a default, nothing is set; but what is named must be there.
pub(super) fn profile(
    asked: Option<PathBuf>,
    name: Option<String>,
) -> Result<(Profile, String), Failure> {
    let usual = || config_folder().map(|folder| folder.join(NAME));
    let must_exist = asked.is_some() || name.is_some();
    let Some(path) = asked.or_else(usual) else {
        return Ok((Profile::default(), NAME.to_owned()));
    };
    let place = path.display().to_string();
    let profiles = match std::fs::read_to_string(&path) {
        Ok(text) => read(&path, &text)?,
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => Profiles::default(),
        Err(error) => {
            return Err(Failure::usage(format!(
                "the config file {place} cannot be read: {error}"
            )));
        }
    };
    Ok((choose(profiles, name, &place)?, place))
}

fn read(path: &Path, text: &str) -> Result<Profiles, Failure> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        let what = error.message().lines().collect::<Vec<_>>().join(" ");
        Failure::usage(format!(
            "the config file {} is wrong in line {line}: {what}",
            path.display()
        ))
    })
}

fn choose(profiles: Profiles, name: Option<String>, place: &str) -> Result<Profile, Failure> {
    let Profiles {
        default_profile,
        mut profiles,
    } = profiles;
    let Some(name) = name.or(default_profile) else {
        return Ok(Profile::default());
    };
    profiles.remove(&name).ok_or_else(|| {
        let known: Vec<&str> = profiles.keys().map(String::as_str).collect();
        let known = match known.as_slice() {
            [] => "it has none".to_owned(),
            known => format!("it has {}", known.join(", ")),
        };
        Failure::usage(format!("{place} has no profile `{name}`: {known}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        default-profile = "prod"

        [profiles.prod]
        api = "https://exports.example.com"
        token-command = "az account get-access-token"

        [profiles.test]
        api = "http://127.0.0.1:8080"
        "#;

    fn chosen(text: &str, name: Option<&str>) -> Result<Profile, Failure> {
        let profiles = read(Path::new("f.toml"), text)?;
        choose(profiles, name.map(str::to_owned), "f.toml")
    }

    #[test]
    fn a_profile_is_found_by_its_name_and_without_one_it_is_the_default() {
        let api = |name| chosen(FILE, name).unwrap().api.unwrap();
        assert_eq!(api(None), "https://exports.example.com");
        assert_eq!(api(Some("test")), "http://127.0.0.1:8080");
        assert_eq!(chosen("", None), Ok(Profile::default()));
    }

    #[test]
    fn the_config_file_of_the_docs_is_read() {
        let docs = include_str!("../../../docs/COMMAND.md");
        let (_, file) = docs.split_once("```toml\n").unwrap();
        let (file, _) = file.split_once("```").unwrap();
        for name in ["production", "here"] {
            let profile = chosen(file, Some(name)).unwrap();
            assert!(
                profile.api.is_some() && profile.app.is_some() && profile.token_command.is_some()
            );
        }
    }

    #[test]
    fn a_profile_that_is_not_there_is_refused_with_those_that_are() {
        let said = chosen(FILE, Some("stage")).unwrap_err().message;
        assert_eq!(said, "f.toml has no profile `stage`: it has prod, test");
    }

    #[test]
    fn what_is_no_setting_is_refused_with_its_line() {
        let said = chosen("[profiles.a]\ntoken = \"t\"\n", None)
            .unwrap_err()
            .message;
        assert!(
            said.starts_with("the config file f.toml is wrong in line 2: unknown field `token`"),
            "{said}"
        );
        assert!(!said.contains('\n'), "{said}");
    }

    #[test]
    fn a_file_that_is_named_must_be_there_and_the_usual_one_need_not() {
        let missing = PathBuf::from("/does/not/exist.toml");
        let said = profile(Some(missing), None).unwrap_err().message;
        assert!(
            said.contains("/does/not/exist.toml cannot be read"),
            "{said}"
        );
    }
}
