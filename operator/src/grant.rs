//! `grant`: who may do what.

use std::fmt;

use clap::{Args, Subcommand, ValueEnum};
use client::console::{Output, counted};
use client::ending::Ending;
use client::failure::Failure;
use client::verify::shown;
use domain::app::{AppPath, AppScope};
use exports_table::DynamoStore;
use ports::store::{Grant, GrantBook, GrantText, Grants, MOST_SUBJECT_BYTES, Role, StoredGrant};
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::{endings, failures};

/// What is done about grants.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Gives a subject a role over every app at or below a path, or changes the role that it has
    /// there. It holds from the next request on.
    #[command(after_help = endings::help())]
    Add(AddArguments),
    /// Lists what a subject may do.
    #[command(after_help = endings::help())]
    List(ListArguments),
    /// Takes a grant away; it holds from the next request on.
    #[command(after_help = endings::help())]
    Remove(RemoveArguments),
}

/// Whom and where a grant is for.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Whom it is for: the token's `sub`, or the claim that the parameter `TokenSubjectClaim` names.
    #[arg(long, value_parser = subject)]
    subject: String,
    /// Where it holds: an app's path, or the beginning of one, in any spelling; `/` is everything.
    #[arg(long, value_parser = path)]
    path: AppPath,
}

/// A grant that is given.
#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    place: Place,
    /// What it allows.
    #[arg(long, ignore_case = true)]
    role: RoleName,
}

/// Whose grants are listed.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ListArguments {
    /// The subject whose grants are listed.
    #[arg(long, value_parser = subject)]
    subject: Option<String>,
    /// Everybody's grants; it reads the whole exports table.
    #[arg(long)]
    all: bool,
}

/// A grant that is taken away.
#[derive(Debug, Args)]
pub(crate) struct RemoveArguments {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// To see and list exports.
    Reader,
    /// To create, renew, retry and cancel them, too.
    Contributor,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Reader => Self::Reader,
            RoleName::Contributor => Self::Contributor,
        }
    }
}

/// Does what is asked, and says what the subject may do then.
///
/// # Errors
/// What the exports table refuses, or that it does not answer.
pub(crate) async fn run(
    command: GrantCommand,
    deployment: &Deployment,
    output: Output,
) -> Result<Ending, Failure> {
    let book = deployment.exports_table()?;
    match command {
        GrantCommand::Add(arguments) => add(&book, arguments, output).await,
        GrantCommand::List(arguments) => list(&book, arguments, output).await,
        GrantCommand::Remove(arguments) => remove(&book, arguments.place, output).await,
    }
}

async fn add(
    book: &DynamoStore,
    arguments: AddArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let Place { subject, path } = arguments.place;
    let grant = Grant {
        subject: subject.clone(),
        path: path.as_str().to_owned(),
        role: arguments.role.into(),
    };
    let put = Grants::put_grant(book, &grant).await;
    put.map_err(|error| failures::of_table(&error, book.table()))?;
    if !output.quiet {
        output.line(format_args!(
            "✓ {} has the role {} at {path}",
            shown(&subject),
            grant.role.name()
        ));
    }
    tell(book, &subject, output).await
}

async fn list(
    book: &DynamoStore,
    arguments: ListArguments,
    output: Output,
) -> Result<Ending, Failure> {
    let Some(subject) = arguments.subject else {
        let all = book.all_grants().await;
        return Ok(tell_all(
            &all.map_err(|error| failures::of_table(&error, book.table()))?,
            output,
        ));
    };
    tell(book, &subject, output).await
}

/// Takes away whatever grant is meant by the path, however it is spelled where it is stored.
async fn remove(book: &DynamoStore, place: Place, output: Output) -> Result<Ending, Failure> {
    let Place { subject, path } = place;
    let grants = book.grants(&subject).await;
    let grants = grants.map_err(|error| failures::of_table(&error, book.table()))?;
    // Of one that cannot be read, the path that it is stored under.
    let is_meant = |grant: &&StoredGrant| {
        let says = grant.says.as_ref();
        let said = says.map_or_else(|_| grant.stored_at(), |says| says.path.as_str());
        AppPath::parse(said).is_ok_and(|it| it == path)
    };
    let mut removed = 0;
    for grant in grants.iter().filter(is_meant) {
        let gone = book.remove_grant(&subject, &grant.key).await;
        removed += u64::from(gone.map_err(|error| failures::of_table(&error, book.table()))?);
    }
    if removed == 0 {
        let message = format!(
            "{} has no grant at {path}, and nothing was taken away: `grant list --subject` says what it has",
            shown(&subject)
        );
        return Err(Failure::new(Ending::Refused, message));
    }
    if !output.quiet {
        output.line(format_args!(
            "✓ {} at {path} is taken away from {}",
            counted(removed, "grant"),
            shown(&subject)
        ));
    }
    tell(book, &subject, output).await
}

/// Says what a subject may do now.
async fn tell(book: &DynamoStore, subject: &str, output: Output) -> Result<Ending, Failure> {
    let grants = book.grants(subject).await;
    let grants = grants.map_err(|error| failures::of_table(&error, book.table()))?;
    if grants.is_empty() {
        output.line(format_args!("· {} may do nothing", shown(subject)));
        output.document(&json!({"subject": subject, "grants": [], "unreadable": []}));
        return Ok(Ending::Done);
    }
    Ok(tell_all(&grants, output))
}

/// A line for each grant; those that allow nothing, or cannot be read, are what an operator should know
/// of.
fn tell_all(grants: &[StoredGrant], output: Output) -> Ending {
    let (mut listed, mut unreadable) = (Vec::new(), Vec::new());
    let mut all_hold = true;
    for grant in grants {
        match &grant.says {
            Ok(says) => {
                let allowed = Allowed(&grant.subject, says);
                output.line(&allowed);
                all_hold &= allowed.role().is_some();
                listed.push(allowed.document());
            }
            Err(reason) => {
                output.line(Unreadable(grant, reason));
                unreadable
                    .push(json!({"subject": grant.subject, "key": grant.key, "reason": reason}));
            }
        }
    }
    all_hold &= unreadable.is_empty();
    output.document(&json!({"grants": listed, "unreadable": unreadable}));
    if all_hold {
        Ending::Done
    } else {
        Ending::Wrong
    }
}

/// An item that is no grant although it stands where grants do, and what to do about it.
struct Unreadable<'a>(&'a StoredGrant, &'a str);

impl fmt::Display for Unreadable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(grant, reason) = self;
        let (subject, key) = (shown(&grant.subject), shown(&grant.key));
        write!(
            f,
            "✗ {subject}: the grant under the key {key} cannot be read, because {reason}; until it is mended, every call \
             of {subject} is answered with 500: "
        )?;
        match AppPath::parse(grant.stored_at()) {
            Ok(path) => write!(
                f,
                "take it away by `grant remove --subject '{subject}' --path '{path}'`, and give the right one by `grant add`"
            ),
            Err(_) => f.write_str(
                "no app has such a path; delete the item by hand, and give the right one by `grant add`",
            ),
        }
    }
}

/// What a grant allows: whom, and what it says.
struct Allowed<'a>(&'a str, &'a GrantText);

impl Allowed<'_> {
    /// The canonical path that its path should have been.
    fn canonical(&self) -> Option<AppPath> {
        AppPath::parse(&self.1.path).ok()
    }

    /// What the service makes of it.
    fn role(&self) -> Option<Role> {
        let canonical = self.canonical()?;
        let reaches = AppScope::from_canonical(canonical.as_str()).is_within(&self.1.path);
        Role::from_name(&self.1.role).filter(|_| reaches)
    }

    fn document(&self) -> Value {
        let Self(subject, GrantText { path, role }) = self;
        json!({"subject": subject, "path": path, "role": role, "holds": self.role().is_some()})
    }
}

impl fmt::Display for Allowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(subject, GrantText { path, role }) = self;
        let (subject, path, role) = (shown(subject), shown(path), shown(role));
        match (self.role(), self.canonical()) {
            (Some(role), Some(canonical)) => {
                let may = match role {
                    Role::Reader => "see and list the exports",
                    Role::Contributor => "create, see, list, renew, retry and cancel the exports",
                };
                write!(f, "· {subject} may {may} of ")?;
                match (canonical.app(), canonical.as_str()) {
                    (Some(_), path) => write!(f, "the app {path}"),
                    (None, "/") => write!(f, "every app"),
                    (None, path) => write!(f, "every app at or below {path}"),
                }?;
                write!(f, " ({})", role.name())
            }
            (None, Some(canonical)) if Role::from_name(&self.1.role).is_some() => write!(
                f,
                "✗ {subject}: the role {role} at {path} allows nothing, because the path is not canonical: take it away \
                 by `grant remove`, and give it anew by `grant add --path '{canonical}'`"
            ),
            (None, Some(_)) => write!(
                f,
                "✗ {subject}: the role {role} at {path} allows nothing, because there is no such role: give Reader or \
                 Contributor by `grant add`"
            ),
            (_, None) => write!(
                f,
                "✗ {subject}: the role {role} at {path} allows nothing, because no app has such a path: delete the item by \
                 hand, and give the right one by `grant add`"
            ),
        }
    }
}

fn path(text: &str) -> Result<AppPath, String> {
    AppPath::parse(text).map_err(|error| error.to_string())
}

fn subject(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => {
            Err("a subject is what the token's `sub` says: give one that is not empty".to_owned())
        }
        text if text.len() > MOST_SUBJECT_BYTES => Err(format!(
            "a subject has at most {MOST_SUBJECT_BYTES} bytes: the API lets in no token of a longer one"
        )),
        text => Ok(text.to_owned()),
    }
}
