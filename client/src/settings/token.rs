//! The token of the caller. It is asked for anew in every run, and kept in memory alone.

use std::path::PathBuf;
use std::process::Stdio;

use domain::secret::Secret;
use tokio::process::Command;

use crate::failure::Failure;

/// The most bytes of a token: more than any gateway takes in a header.
const MOST_BYTES: usize = 64 * 1024;

/// Where the token comes from.
#[derive(Debug)]
pub enum Token {
    /// The environment has it.
    Given(Secret),
    /// A file holds it.
    File(PathBuf),
    /// A command of the shell prints it.
    Command(String),
}

impl Token {
    pub(super) fn given(text: &str) -> Self {
        Self::Given(Secret::new(text.trim()))
    }

    /// Whether another may come when it is asked for again.
    pub(crate) fn may_change(&self) -> bool {
        match self {
            Self::Given(_) => false,
            Self::File(_) | Self::Command(_) => true,
        }
    }

    /// Asks for the token.
    ///
    /// # Errors
    /// What keeps it from being had, or from being sent. Never the token.
    pub(crate) async fn read(&self) -> Result<Secret, Failure> {
        let text = match self {
            Self::Given(token) => return usable(token.reveal(), "the environment's token"),
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!(
                    "the token file {} cannot be read: {error}",
                    path.display()
                ))
            })?,
            Self::Command(command) => printed_by(command).await?,
        };
        let whose = match self {
            Self::Given(_) | Self::File(_) => "the token file's text",
            Self::Command(_) => "what the token command prints",
        };
        usable(text.trim(), whose)
    }
}

/// What a command prints. It may ask a person on the standard error, as `az` does.
async fn printed_by(command: &str) -> Result<String, Failure> {
    let failed = |what: String| Failure::usage(format!("the token command {what}"));
    let mut shell = if cfg!(windows) {
        let mut shell = Command::new("cmd");
        shell.arg("/C");
        shell
    } else {
        let mut shell = Command::new("sh");
        shell.arg("-c");
        shell
    };
    let output = shell
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!(
            "ended with {}: run it by itself to see why",
            output.status
        )));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("printed no text in UTF-8".to_owned()))
}

/// A token that a header can hold.
fn usable(text: &str, whose: &str) -> Result<Secret, Failure> {
    let refused = |why: &str| Err(Failure::usage(format!("{whose} is no token: {why}")));
    match text {
        "" => refused("it is empty"),
        json if json.starts_with(['{', '"', '[']) => refused(
            "it is JSON; let the command print the token alone, as `az … --query accessToken --output tsv` does",
        ),
        text if text.len() > MOST_BYTES => refused("it is too long"),
        text if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            refused("it has blanks, line ends or characters that are not ASCII")
        }
        text => Ok(Secret::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(result: Result<Secret, Failure>) -> String {
        result.unwrap_err().message
    }

    #[tokio::test]
    async fn a_token_is_what_a_command_prints_without_the_line_end() {
        let token = Token::Command("echo abc.def".to_owned());
        assert_eq!(token.read().await.unwrap().reveal(), "abc.def");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_refused_with_its_exit() {
        let said = said(Token::Command("exit 3".to_owned()).read().await);
        assert!(
            said.starts_with("the token command ended with exit status: 3"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused_and_never_shown() {
        for (text, why) in [
            ("", "it is empty"),
            ("{\"accessToken\": \"secret\"}", "it is JSON"),
            ("secret secret", "it has blanks"),
            ("secr\u{e9}t", "characters that are not ASCII"),
        ] {
            let said = said(Token::given(text).read().await);
            assert!(said.contains(why) && !said.contains("secr"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_file_holds_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(said(Token::File(path.clone()).read().await).contains("cannot be read"));
        std::fs::write(&path, "abc\n").unwrap();
        assert_eq!(Token::File(path).read().await.unwrap().reveal(), "abc");
    }
}
