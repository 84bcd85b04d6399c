//! Each function by itself, through its ports: what it answers, writes and leaves alone. A folder or file is
//! named as the function's library; `make test-function NAME=create-job` runs it.

mod cancel_job;
mod create_job;
mod expire_jobs;
mod fail_chunk;
mod finish_export;
mod get_page;
mod get_status;
mod plan_export;
mod resume_job;
mod run_export_chunk;

use std::collections::BTreeSet;

#[test]
fn every_function_has_tests_of_its_own() {
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/../functions");
    let crates = std::fs::read_dir(crates).unwrap().map(|it| it.unwrap());
    let names = crates.map(|it| it.file_name().to_str().unwrap().replace('-', "_"));
    let here = include_str!("functions.rs").lines();
    let here = here.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(
        here.map(str::to_owned).collect::<BTreeSet<_>>(),
        names.collect()
    );
}
