//! The README says what is true of the code.

use wiring::config::variables;

const README: &str = include_str!("../../README.md");

#[test]
fn the_table_of_settings_is_the_codes() {
    let expected: Vec<String> = variables()
        .into_iter()
        .map(|variable| {
            let default = match variable.default.as_deref() {
                None => "required".to_owned(),
                Some("") => "–".to_owned(),
                Some(default) => format!("`{default}`"),
            };
            format!(
                "| `{}` | {default} | {} | {} |",
                variable.name, variable.fits, variable.meaning
            )
        })
        .collect();
    let shown: Vec<&str> = README
        .split("## Settings")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .map(|table| {
            table
                .lines()
                .filter(|line| line.starts_with("| `"))
                .collect()
        })
        .unwrap_or_default();
    assert_eq!(shown, expected);
}
