//! What the documentation says of the files.

use domain::selection::ExportType;

const PAGE: &str = include_str!("../../../../docs/DATA_MODEL.md");

/// The fields of a type's records, which are the columns of its CSV.
pub(super) fn columns(kind: ExportType) -> Vec<String> {
    let row = PAGE
        .lines()
        .find_map(|line| line.strip_prefix(&format!("| {kind} | ")))
        .unwrap();
    let (fields, _) = row.split_once(" |").unwrap();
    fields
        .split(' ')
        .map(|field| field.trim_end_matches("\\*").trim_matches('`').to_owned())
        .collect()
}

/// The name of the array that a type's JSON groups its records in, if it does.
pub(super) fn group(kind: ExportType) -> Option<String> {
    let row = PAGE
        .lines()
        .find_map(|line| line.strip_prefix(&format!("| {kind} | ")))
        .unwrap();
    let (key, _) = row.split_once(": [{")?;
    key.rsplit(' ').next().map(str::to_owned)
}

#[test]
fn the_documentation_names_columns_and_groups() {
    assert_eq!(columns(ExportType::Token), ["deviceId", "token", "type"]);
    let groups = ExportType::ALL.iter().copied().map(group);
    assert_eq!(
        groups.flatten().collect::<Vec<_>>(),
        ["activities", "events", "errors"]
    );
}
