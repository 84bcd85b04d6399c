//! One suite of behaviours that the store shows: in memory, and over every DynamoDB, which are the
//! embedded engine of the local stack, `ministack`, and the official DynamoDB Local as an opt-in
//! (`--features dynamodb-local`). What is of DynamoDB and of no port shows in [`dynamodb`]; what
//! none of the engines ever does, injected answers show in [`answers`].

mod answers;
mod chunks;
mod dynamodb;
mod engine;
mod grants;
mod jobs;
mod lists;
mod older;
mod plans;
mod samples;
mod waiting;

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;

use crate::documents::root;

/// Runs behaviours over a store.
macro_rules! run {
    ($store:ident over $world:ident: $new:expr; $($subject:ident: $($behaviour:ident),+;)+) => {
        mod $store {
            use crate::store_contract::engine::$world;
            $($(#[tokio::test] async fn $behaviour() {
                let world = $new;
                crate::store_contract::$subject::$behaviour(&world).await;
            })+)+
        }
    };
}

/// Runs what speaks through the ports over every store, and the rest over every DynamoDB.
macro_rules! behaviours {
    (of the ports { $($port:tt)+ } of dynamodb { $($raw:tt)+ }) => {
        run! { in_memory over World: World::in_memory(); $($port)+ }
        run! { embedded over DynamoWorld: DynamoWorld::embedded().await; $($port)+ $($raw)+ }
        run! { second_engine over DynamoWorld: DynamoWorld::ministack().await; $($port)+ $($raw)+ }
        #[cfg(feature = "dynamodb-local")]
        run! {
            official_engine over DynamoWorld: DynamoWorld::dynamodb_local().await;
            $($port)+ $($raw)+
        }
    };
}

behaviours! {
    of the ports {
        jobs:
            every_job_reads_back_as_it_was_written,
            a_job_is_created_together_with_its_request_id,
            a_request_id_used_before_answers_with_the_first_job,
            of_two_creations_with_one_request_id_one_is_stored,
            an_expired_request_id_can_be_used_again,
            a_clients_id_stands_for_a_request_only_together_with_what_is_asked,
            a_stale_write_of_a_job_is_a_conflict_and_changes_nothing,
            a_change_by_a_caller_is_a_write_like_any_other,
            a_job_whose_retention_is_over_is_neither_read_nor_listed,
            moments_of_forgetting_are_kept_in_whole_seconds,
            a_move_is_written_down_with_its_moment;
        waiting:
            a_job_of_any_path_is_listed_until_it_waits_no_longer,
            however_many_jobs_wait_each_is_listed_once;
        lists:
            a_list_is_in_every_order_and_in_pages,
            a_list_holds_the_jobs_of_its_app_only,
            a_list_holds_what_is_wanted_of_it,
            errors_that_begin_alike_are_in_the_order_of_ids;
        chunks:
            every_chunk_reads_back_as_it_was_written,
            a_stale_move_of_a_chunk_is_a_conflict_and_counts_nothing,
            tallies_add_up_under_concurrent_records,
            tallies_say_when_they_were_changed,
            chunks_are_listed_in_order_over_many_pages;
        plans:
            a_page_of_a_plan_is_stored_with_its_job_and_tallies,
            a_page_that_meets_a_conflict_leaves_nothing,
            of_two_planners_one_wins,
            chunks_are_reopened_together_and_only_while_nobody_moves_their_job,
            what_a_chunk_hands_over_is_stored_with_its_move,
            the_largest_page_fits_a_transaction,
            a_page_of_too_many_chunks_or_of_one_twice_is_refused;
        grants:
            the_best_role_along_the_path_wins,
            a_grant_is_replaced_by_the_next_one,
            grants_are_listed_by_subject_and_taken_away_one_by_one;
    }
    of dynamodb {
        dynamodb:
            a_write_whose_answer_was_lost_is_sent_again_and_succeeds,
            a_change_is_stored_with_who_made_it_once_and_nobody_elses_is,
            an_unreadable_job_is_named_with_what_is_wrong,
            a_missing_table_and_a_refused_request_name_the_code,
            a_move_whose_answer_was_lost_counts_once,
            entries_of_version_1_are_listed_and_struck,
            an_unknown_role_allows_nothing;
        older:
            jobs_from_before_are_listed_until_they_have_rows_and_then_once,
            a_job_from_before_gets_its_row_with_whatever_is_written_of_it,
            jobs_that_an_older_version_stores_later_are_listed,
            a_row_is_written_only_with_a_change_of_state;
    }
}

/// A file, as it is written, without its comments.
fn part(path: impl AsRef<Path>) -> String {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Every file of the suite by its name.
fn suite() -> BTreeMap<String, String> {
    let files = root().join("tests/src/store_contract").read_dir().unwrap();
    let files = files.map(|file| file.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|path| (name(&path), part(path))).collect()
}

#[test]
fn every_method_of_the_ports_is_called_over_every_store() {
    let ports = part("shared/ports/src/store.rs");
    let method = Regex::new(r"(?m)^\s+async fn (\w+)").unwrap();
    let methods: Vec<_> = method
        .captures_iter(&ports)
        .map(|found| found[1].to_owned())
        .collect();
    assert!(methods.len() > 10, "{methods:?}");
    let mut suite = suite();
    for of_dynamodb in ["answers", "dynamodb", "older"] {
        suite.remove(of_dynamodb).unwrap();
    }
    for method in methods {
        let call = Regex::new(&format!(r"\bstore\s*\.{method}\(")).unwrap();
        assert!(
            suite.values().any(|part| call.is_match(part)),
            "the suite never calls {method}"
        );
    }
}

#[test]
fn every_behaviour_runs_over_every_store_that_can_show_it() {
    let page = part("tests/src/store_contract.rs");
    let (of_the_ports, of_dynamodb) = page.split_once("\n    of dynamodb {\n").unwrap();
    let behaviour =
        Regex::new(r"(?m)^pub\(super\) async fn (\w+)\(\s*world: &(\w+),?\s*\) \{").unwrap();
    let suite = suite();
    let behaviours: Vec<_> = suite
        .values()
        .flat_map(|part| behaviour.captures_iter(part))
        .collect();
    assert!(behaviours.len() > 20, "{behaviours:?}");
    for behaviour in behaviours {
        let list = match &behaviour[2] {
            "World" => of_the_ports,
            "DynamoWorld" => of_dynamodb,
            other => panic!("there is no list for {other}"),
        };
        let listed = Regex::new(&format!(r"(?m)^ +{}[,;]$", &behaviour[1])).unwrap();
        assert!(
            listed.is_match(list),
            "{} is not listed among what {} shows",
            &behaviour[1],
            &behaviour[2]
        );
    }
}
