//! The folder within a container that a URL may name: the export's files lie below it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::problem::{ContainerUrlProblem, shown_place};
use crate::shown::holds_signature;

/// What stands for itself in a path (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>): so a
/// folder has one spelling.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The most characters of a folder: a blob's name has 1,024 at most
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names>),
/// of which the names of an export's files take about 100.
const MOST_CHARACTERS: usize = 800;

/// The most folders in each other: a hierarchical namespace has 63 at most
/// (<https://learn.microsoft.com/en-us/azure/storage/blobs/data-lake-storage-known-issues>), some of
/// which are the export's own.
const MOST_LEVELS: usize = 50;

/// What no folder that is downloaded can be called on every system, or what belongs to a signature.
const UNFIT: [char; 15] = [
    '/', '\\', ':', '*', '?', '"', '<', '>', '|', '%', '#', '&', '=', '+', ';',
];

/// The most letters and digits in a row: a signature that is pasted into the path has 43.
const MOST_IN_A_ROW: usize = 39;

/// A folder within a container.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// How many folders lie in each other; 0 is the container itself.
    pub(super) levels: usize,
    /// What stands behind the container in a URL, each folder with a slash before it.
    pub(super) path: String,
}

/// Reads what stands behind the container's name, without a slash at either end.
pub(super) fn read(path: &str) -> Result<Folder, ContainerUrlProblem> {
    let refused = |why| ContainerUrlProblem::BadFolder {
        folder: shown_place(path),
        why,
    };
    let mut folder = Folder::default();
    let mut characters = 0;
    for segment in path.split('/') {
        let decoded = percent_decode_str(segment).decode_utf8();
        let name = decoded.map_err(|_| refused("is not UTF-8"))?;
        check(&name).map_err(refused)?;
        characters += name.chars().count() + 1;
        folder.levels += 1;
        folder.path.push('/');
        folder.path.extend(utf8_percent_encode(&name, ESCAPED));
    }
    if characters > MOST_CHARACTERS || folder.levels > MOST_LEVELS {
        return Err(refused(
            "is longer than 800 characters or deeper than 50 folders",
        ));
    }
    Ok(folder)
}

fn check(name: &str) -> Result<(), &'static str> {
    let mut words = name.split(|it: char| !it.is_ascii_alphanumeric());
    if name.is_empty() {
        Err("has an empty name, between two slashes")
    } else if name.ends_with(['.', ' ']) {
        // https://learn.microsoft.com/en-us/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names
        Err("has a name that ends with a dot or a space")
    } else if name.contains(UNFIT) || name.contains(char::is_control) {
        Err("has a name with one of / \\ : * ? \" < > | % # & = + ; or a control character")
    } else if words.any(|word| word.len() > MOST_IN_A_ROW) || holds_signature(name) {
        Err("has more than 39 letters and digits in a row, as a signature has")
    } else {
        Ok(())
    }
}
