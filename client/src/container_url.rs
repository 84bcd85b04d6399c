//! How a container's URL with its signature comes to the command: never on the command line, which
//! everybody on a machine can read (<https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html>).

use std::ffi::OsStr;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use domain::secret::Secret;

use crate::environment::{CONTAINER_URL, Lookup, OLD_READ_URL, READ_URL, Variable};
use crate::failure::Failure;
use crate::terminal;

/// The longest URL that is read from a file.
const MAX_URL_BYTES: u64 = 64 * 1024;

/// Where the container's URL is read from. Without a file it is in the environment, or asked for at
/// the terminal.
#[derive(Debug, Clone, Default, Args)]
pub struct UrlFlags {
    /// A file with the container's URL and its signature; `-` is the standard input. Without it:
    /// a variable of the environment, else a prompt.
    #[arg(long, value_name = "FILE")]
    container_url_file: Option<PathBuf>,
}

/// What the signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The service writes the files of an export.
    Write,
    /// This command reads them.
    Read,
}

impl Purpose {
    fn variables(self) -> &'static [&'static Variable] {
        match self {
            Self::Write => &[&CONTAINER_URL],
            Self::Read => &[&READ_URL, &OLD_READ_URL],
        }
    }

    fn question(self) -> &'static str {
        match self {
            Self::Write => "URL of the container, its signature may write (not shown): ",
            Self::Read => "URL of the container, its signature may read (not shown): ",
        }
    }
}

impl UrlFlags {
    /// The URL: of the file, else of the environment, else of who sits at the terminal.
    ///
    /// # Errors
    /// What keeps it from being read, or that there is none. Never the URL.
    pub async fn url(&self, purpose: Purpose, environment: Lookup<'_>) -> Result<Secret, Failure> {
        if let Some(path) = self.container_url_file.clone() {
            let reading = tokio::task::spawn_blocking(move || read_url(&path));
            return reading.await.map_err(|_| interrupted())?;
        }
        for variable in purpose.variables() {
            if let Some(url) = environment(variable)? {
                return Ok(Secret::new(url.trim()));
            }
        }
        if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
            return ask(purpose.question()).await;
        }
        let variable = purpose.variables().first().map_or("", |it| it.name);
        Err(Failure::usage(format!(
            "give the container's URL in {variable}, or in a file: --container-url-file"
        )))
    }
}

fn interrupted() -> Failure {
    Failure::unknown("the container's URL could not be read")
}

/// The URL that is the first line of a file, or of the standard input.
///
/// # Errors
/// What keeps it from being read. Never the URL.
pub fn read_url(path: &Path) -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin()
            .take(MAX_URL_BYTES)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_URL_BYTES).read_to_string(&mut text))
    };
    let place = path.display();
    read.map_err(|error| {
        Failure::unknown(format!(
            "the container's URL cannot be read from {place}: {error}"
        ))
    })?;
    match text.trim().lines().next() {
        Some(url) => Ok(Secret::new(url.trim())),
        None => Err(Failure::unknown(format!(
            "there is no container URL in {place}"
        ))),
    }
}

async fn ask(question: &'static str) -> Result<Secret, Failure> {
    let asking = tokio::task::spawn_blocking(move || terminal::ask_secretly(question));
    match asking.await {
        Ok(Ok(url)) if !url.trim().is_empty() => Ok(Secret::new(url.trim())),
        Ok(Ok(_)) => Err(Failure::usage("no URL of the container was given")),
        Ok(Err(error)) => Err(Failure::unknown(format!(
            "the terminal cannot be asked: {error}"
        ))),
        Err(_) => Err(interrupted()),
    }
}

/// Refuses a command line that holds a signature.
///
/// # Errors
/// Why, and how the URL is given instead.
pub(crate) fn refuse_signature<'a>(
    arguments: impl IntoIterator<Item = &'a OsStr>,
) -> Result<(), Failure> {
    let mut arguments = arguments.into_iter();
    if !arguments.any(|it| it.to_string_lossy().to_ascii_lowercase().contains("sig=")) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the command line holds a signature, and everybody on this machine can read command lines: give the URL in a \
         file (--container-url-file FILE, `-` is the standard input), in {} or {}, or at the prompt; think of making \
         a new signature, this one stands in your shell's history",
        CONTAINER_URL.name, READ_URL.name
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ending::Ending;

    fn file(text: &str) -> (tempfile::TempDir, UrlFlags) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, text).unwrap();
        let flags = UrlFlags {
            container_url_file: Some(path),
        };
        (folder, flags)
    }

    #[tokio::test]
    async fn a_file_wins_over_the_environment_and_only_its_first_line_counts() {
        let (_folder, flags) = file("\n https://a/b?sig=x \nmore\n");
        let environment = |_: &Variable| Ok(Some("https://other".to_owned()));
        let url = flags.url(Purpose::Write, &environment).await.unwrap();
        assert_eq!(url.reveal(), "https://a/b?sig=x");
        let without = UrlFlags::default();
        let url = without.url(Purpose::Read, &environment).await.unwrap();
        assert_eq!(url.reveal(), "https://other");
    }

    #[tokio::test]
    async fn what_reads_is_never_taken_for_what_writes() {
        let environment = |variable: &Variable| {
            let is_read = variable.name == READ_URL.name || variable.name == OLD_READ_URL.name;
            Ok(is_read.then(|| "https://reads".to_owned()))
        };
        let flags = UrlFlags::default();
        assert!(flags.url(Purpose::Read, &environment).await.is_ok());
        let failure = flags.url(Purpose::Write, &environment).await.unwrap_err();
        assert_eq!(failure.ending, Ending::Usage);
        assert!(failure.message.contains(CONTAINER_URL.name), "{failure}");
    }

    #[tokio::test]
    async fn a_file_without_a_url_is_said_to_be_empty() {
        let (_folder, flags) = file(" \n");
        let failure = flags.url(Purpose::Write, &|_| Ok(None)).await.unwrap_err();
        assert!(failure.message.contains("there is no container URL in"));
    }

    #[test]
    fn a_signature_on_the_command_line_is_refused_wherever_it_stands_and_not_repeated() {
        let refused =
            |argument: &str| refuse_signature([OsStr::new("watch"), OsStr::new(argument)]);
        for argument in ["https://a/b?sv=1&sig=abc", "--job=x?SIG=abc"] {
            let failure = refused(argument).unwrap_err();
            assert_eq!(failure.ending, Ending::Usage);
            assert!(!failure.message.contains("abc"), "{failure}");
        }
        assert!(refused("https://a/b/manifest.json").is_ok());
    }
}
