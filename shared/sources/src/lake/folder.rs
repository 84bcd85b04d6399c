//! A lake in a folder of a file system: what its failures mean, and what lies there that is no file.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use ports::source::SourceError;

/// How `LocalFileSystem` calls itself in its errors
/// (<https://docs.rs/object_store/latest/object_store/enum.Error.html#variant.Generic>).
pub(super) const STORE: &str = "LocalFileSystem";

/// What the system says when links lead in a circle: `ELOOP` on Linux and on macOS.
const LINKS_IN_A_CIRCLE: [i32; 2] = [40, 62];

/// What a failure of a folder means: only what may pass by itself is worth a repeat. Where the system
/// says nothing, links lead in a circle.
pub(super) fn error(object: String, error: object_store::Error) -> SourceError {
    let kind = kind_of(&error);
    let cause = error.into();
    match kind {
        Kind::Denied => SourceError::Denied { object },
        Kind::Wrong => SourceError::Corrupt { object, cause },
        Kind::Passing => SourceError::Unavailable { object, cause },
    }
}

enum Kind {
    Denied,
    Wrong,
    Passing,
}

fn kind_of(error: &(dyn Error + 'static)) -> Kind {
    let mut causes = std::iter::successors(Some(error), |cause| (*cause).source());
    let Some(system) = causes.find_map(|cause| cause.downcast_ref::<io::Error>()) else {
        return Kind::Wrong;
    };
    let is_circle = system
        .raw_os_error()
        .is_some_and(|code| LINKS_IN_A_CIRCLE.contains(&code));
    let is_wrong = matches!(
        system.kind(),
        ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput
    );
    if system.kind() == ErrorKind::PermissionDenied {
        Kind::Denied
    } else if is_wrong || is_circle {
        Kind::Wrong
    } else {
        Kind::Passing
    }
}

/// The paths below a folder of what is neither file nor folder, which the store passes over: links
/// that lead nowhere, pipes, sockets.
///
/// # Errors
/// The folder itself is a link that leads nowhere, or something in it cannot be looked at.
pub(super) fn no_files(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => look_through(entries, "", &mut found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if folder.symlink_metadata().is_ok() {
                return Err(io::Error::new(
                    ErrorKind::NotFound,
                    "it is a link that leads nowhere",
                ));
            }
        }
        Err(error) => return Err(error),
    }
    Ok(found)
}

fn look_through(entries: fs::ReadDir, above: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in entries {
        let entry = entry?;
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        match fs::metadata(entry.path()) {
            Ok(what) if what.is_file() => {}
            Ok(what) if what.is_dir() => {
                look_through(fs::read_dir(entry.path())?, &format!("{name}/"), found)?;
            }
            Ok(_) => found.push(name),
            Err(error) if error.kind() == ErrorKind::NotFound => found.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(system: Option<io::Error>) -> SourceError {
        let source: Box<dyn Error + Send + Sync> = match system {
            Some(system) => Box::new(system),
            None => "a circle".into(),
        };
        let failure = object_store::Error::Generic {
            store: STORE,
            source,
        };
        crate::lake::source_error("o", failure)
    }

    #[test]
    fn only_what_may_pass_by_itself_is_worth_a_repeat() {
        let of = |kind: ErrorKind| failed(Some(kind.into()));
        let denied = of(ErrorKind::PermissionDenied);
        assert!(matches!(denied, SourceError::Denied { .. }), "{denied:?}");
        for kind in [ErrorKind::NotADirectory, ErrorKind::InvalidInput] {
            let wrong = of(kind);
            assert!(matches!(wrong, SourceError::Corrupt { .. }), "{wrong:?}");
        }
        for circle in [Some(io::Error::from_raw_os_error(40)), None] {
            let circle = failed(circle);
            assert!(matches!(circle, SourceError::Corrupt { .. }), "{circle:?}");
        }
        assert!(of(ErrorKind::TimedOut).is_transient());
        assert!(failed(Some(io::Error::other("odd"))).is_transient());
    }
}
