//! Which service, which app, and who asks: flags over the environment, that over a profile.

mod file;
mod token;

use std::path::PathBuf;

use clap::Args;
use domain::app::APP_SEGMENTS;
use reqwest::Url;

use self::file::Profile;
pub use self::token::Token;
use crate::blobs::is_loopback;
use crate::environment::{API, APP, CONFIG, Lookup, PROFILE, TOKEN, TOKEN_COMMAND, TOKEN_FILE};
use crate::failure::Failure;

/// What the path of an app's exports ends with.
const TASKS: &str = "/devices/exportTasks";

/// Which service is asked, about which app, by whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Service")]
pub struct ServiceFlags {
    /// The profile of the config file to take the service from.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The config file, instead of the usual one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The base of the API's URLs.
    #[arg(long, global = true, value_name = "URL")]
    api: Option<String>,
    /// The app's path: /subscriptions/…/apps/NAME.
    #[arg(long, global = true, value_name = "PATH")]
    app: Option<String>,
    /// A file that holds the token.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "token_command"
    )]
    token_file: Option<PathBuf>,
    /// A command of the shell that prints the token.
    #[arg(long, global = true, value_name = "COMMAND")]
    token_command: Option<String>,
}

/// What a command needs to ask the service.
#[derive(Debug)]
pub struct Service {
    /// The list of the app's tasks: what all of the API's URLs begin with.
    pub tasks: Url,
    /// Who asks.
    pub token: Token,
}

impl ServiceFlags {
    /// The service as these flags, the environment and the config file say.
    ///
    /// # Errors
    /// What none of them says, or what one of them says wrong.
    pub fn resolve(self, environment: Lookup) -> Result<Service, Failure> {
        let (profile, place) = self.profile(environment)?;
        let of = |flag: Option<String>, variable, of_profile: Option<String>| {
            Ok::<_, Failure>(match flag {
                Some(value) => Some(value),
                None => environment(variable)?.or(of_profile),
            })
        };
        let lacking = |what: &str, flag: &str, variable: &str| {
            Failure::usage(format!(
                "{what} is not known: give it by --{flag}, in {variable}, or as `{flag}` of a profile in {place}"
            ))
        };
        let api = of(self.api.clone(), &API, profile.api.clone())?
            .ok_or_else(|| lacking("the service", "api", API.name))?;
        let app = of(self.app.clone(), &APP, profile.app.clone())?
            .ok_or_else(|| lacking("the app", "app", APP.name))?;
        let token = self.token(environment, profile)?.ok_or_else(|| {
            let message = format!(
                "no token is known: give it in {}, by --token-file or --token-command, or as `token-command` of a profile in {place}",
                TOKEN.name
            );
            Failure::usage(message)
        })?;
        Ok(Service {
            tasks: tasks_url(&api, &app)?,
            token,
        })
    }

    /// The profile that is meant, and the file in which it stands or could.
    fn profile(&self, environment: Lookup) -> Result<(Profile, String), Failure> {
        let asked_path = match &self.config {
            Some(path) => Some(path.clone()),
            None => environment(&CONFIG)?.map(PathBuf::from),
        };
        let name = match &self.profile {
            Some(name) => Some(name.clone()),
            None => environment(&PROFILE)?,
        };
        file::profile(asked_path, name)
    }

    fn token(&self, environment: Lookup, profile: Profile) -> Result<Option<Token>, Failure> {
        let by_flag = self.token_file.clone().map(Token::File);
        let by_flag = by_flag.or_else(|| self.token_command.clone().map(Token::Command));
        if by_flag.is_some() {
            return Ok(by_flag);
        }
        if let Some(token) = environment(&TOKEN)? {
            return Ok(Some(Token::given(&token)));
        }
        if let Some(path) = environment(&TOKEN_FILE)? {
            return Ok(Some(Token::File(path.into())));
        }
        if let Some(command) = environment(&TOKEN_COMMAND)? {
            return Ok(Some(Token::Command(command)));
        }
        let file = profile.token_file.map(Token::File);
        Ok(file.or_else(|| profile.token_command.map(Token::Command)))
    }
}

/// The URL of the app's tasks.
fn tasks_url(api: &str, app: &str) -> Result<Url, Failure> {
    let base = Url::parse(api.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let mut url = base.ok_or_else(|| {
        Failure::usage(format!(
            "the API's URL {api} is none: give one such as https://exports.example.com"
        ))
    })?;
    if url.scheme() != "https" && !is_loopback(&url) {
        let message = "the API's URL must be https, because requests carry a token: give another";
        return Err(Failure::usage(message));
    }
    let app = app.trim().trim_end_matches('/');
    let app = app.strip_suffix(TASKS).unwrap_or(app);
    let is_path = app.starts_with('/') && app.split('/').count() == APP_SEGMENTS + 1;
    if !is_path || app.split('/').skip(1).any(str::is_empty) {
        return Err(Failure::usage(format!(
            "the app's path {app} is none: give /subscriptions/…/resourceGroups/…/providers/\
             Microsoft.MobileEngagement/appcollections/…/apps/…"
        )));
    }
    let path = format!("{}{app}{TASKS}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(None);
    Ok(url)
}

#[cfg(test)]
mod tests;
