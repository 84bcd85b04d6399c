//! One suite of behaviours that the store shows over every DynamoDB: the embedded engine of the
//! local stack, `ministack`, and, as an opt-in (`--features dynamodb-local`), the official DynamoDB
//! Local. What none of the engines ever does, injected answers show in [`answers`].

mod answers;
mod chunks;
mod engine;
mod grants;
mod jobs;
mod lists;
mod plans;
mod samples;
mod waiting;

use std::path::Path;

use regex::Regex;

use self::engine::World;
use crate::documents::root;

/// Runs every behaviour over every engine.
macro_rules! behaviours {
    ($($subject:ident: $($behaviour:ident),+;)+) => {
        mod embedded {
            use super::World;
            $($(#[tokio::test] async fn $behaviour() {
                super::$subject::$behaviour(&World::embedded().await).await;
            })+)+
        }
        mod second_engine {
            use super::World;
            $($(#[tokio::test] async fn $behaviour() {
                super::$subject::$behaviour(&World::ministack().await).await;
            })+)+
        }
        #[cfg(feature = "dynamodb-local")]
        mod official_engine {
            use super::World;
            $($(#[tokio::test] async fn $behaviour() {
                super::$subject::$behaviour(&World::dynamodb_local().await).await;
            })+)+
        }
    };
}

behaviours! {
    jobs:
        every_job_reads_back_as_it_was_written,
        a_job_is_created_together_with_its_request_id,
        a_request_id_used_before_answers_with_the_first_job,
        of_two_creations_with_one_request_id_one_is_stored,
        an_expired_request_id_can_be_used_again,
        a_clients_id_stands_for_a_request_only_together_with_what_is_asked,
        a_stale_write_of_a_job_is_a_conflict_and_changes_nothing,
        a_write_whose_answer_was_lost_is_sent_again_and_succeeds,
        a_job_whose_retention_is_over_is_neither_read_nor_listed,
        an_unreadable_job_is_named_with_what_is_wrong,
        a_missing_table_and_a_refused_request_name_the_code;
    waiting:
        a_job_of_any_path_is_listed_until_it_waits_no_longer,
        entries_of_version_1_are_listed_and_struck;
    lists:
        a_list_is_in_every_order_and_in_pages,
        a_list_holds_the_jobs_of_its_app_only;
    chunks:
        every_chunk_reads_back_as_it_was_written,
        a_stale_move_of_a_chunk_is_a_conflict_and_counts_nothing,
        a_move_whose_answer_was_lost_counts_once,
        tallies_add_up_under_concurrent_records,
        chunks_are_listed_in_order_over_many_pages;
    plans:
        a_page_of_a_plan_is_stored_with_its_job_and_tallies,
        a_page_that_meets_a_conflict_leaves_nothing,
        of_two_planners_one_wins,
        chunks_are_reopened_together_and_only_while_nobody_moves_their_job,
        the_largest_page_fits_a_transaction;
    grants:
        the_best_role_along_the_path_wins,
        a_grant_is_replaced_by_the_next_one,
        an_unknown_role_allows_nothing;
}

/// A file of the suite, as it is written, without its comments.
fn part(path: impl AsRef<Path>) -> String {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Every file beside this one's modules.
fn suite() -> Vec<String> {
    let files = root().join("tests/src/store_contract").read_dir().unwrap();
    files.map(|file| part(file.unwrap().path())).collect()
}

#[test]
fn every_method_of_the_ports_is_called_by_the_suite() {
    let ports = part("shared/ports/src/store.rs");
    let method = Regex::new(r"(?m)^\s+async fn (\w+)").unwrap();
    let methods: Vec<_> = method
        .captures_iter(&ports)
        .map(|found| found[1].to_owned())
        .collect();
    assert!(methods.len() > 10, "{methods:?}");
    let suite = suite();
    for method in methods {
        let call = Regex::new(&format!(r"\bstore\s*\.{method}\(")).unwrap();
        assert!(
            suite.iter().any(|part| call.is_match(part)),
            "the suite never calls {method}"
        );
    }
}

#[test]
fn every_behaviour_runs_over_every_engine() {
    let page = part("tests/src/store_contract.rs");
    let behaviour =
        Regex::new(r"(?m)^pub\(super\) async fn (\w+)\(\s*world: &World,?\s*\) \{").unwrap();
    let suite = suite();
    let behaviours: Vec<_> = suite
        .iter()
        .flat_map(|part| behaviour.captures_iter(part))
        .collect();
    assert!(behaviours.len() > 20, "{behaviours:?}");
    for behaviour in behaviours {
        let listed = Regex::new(&format!(r"(?m)^ +{}[,;]$", &behaviour[1])).unwrap();
        assert!(
            listed.is_match(&page),
            "{} runs over no engine",
            &behaviour[1]
        );
    }
}
