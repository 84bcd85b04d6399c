//! Any job, in any phase.

use domain::container::ContainerAddress;
use domain::job::{
    Asking, Cancellation, Credential, Job, MAX_SHARDS, MissingDay, Outcome, Phase, PhaseName, Plan,
    PlanCursor, SealedCredential, Stage, StoredJob, Wait,
};
use domain::listing::Listing;
use domain::rules::{Misread, OnBadRecord, Rules};
use domain::tally::Tally;
use domain::warning::Warning;
use proptest::option;
use proptest::prelude::*;

use super::chunks::counts;
use super::requests::request;
use super::{day, file, job_key, moment, names, one_of, whole_second};

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Succeeded),
        any::<String>().prop_map(|details| Outcome::Incomplete { details }),
        any::<String>().prop_map(|details| Outcome::Failed { details }),
        any::<String>().prop_map(|details| Outcome::Cancelled { details }),
    ]
}

fn cancellation() -> impl Strategy<Value = Cancellation> {
    prop_oneof![
        Just(Cancellation::Asked),
        Just(Cancellation::CredentialOverdue)
    ]
}

fn credential() -> impl Strategy<Value = Credential> {
    (any::<Vec<u8>>(), proptest::option::of(moment())).prop_map(|(sealed, expires)| Credential {
        sealed: SealedCredential(sealed),
        expires,
    })
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        any::<String>().prop_map(|reason| Wait::Refused { reason }),
        Just(Wait::NotResumed)
    ]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        Just(Phase::Queued),
        Just(Phase::Planning),
        Just(Phase::Running),
        Just(Phase::Resuming),
        (moment(), wait()).prop_map(|(since, why)| Phase::AwaitingCredential { since, why }),
        cancellation().prop_map(|why| Phase::Cancelling { why }),
        (
            proptest::option::of(cancellation()),
            proptest::option::of((file(), outcome()))
        )
            .prop_map(|(cancelled, manifest)| Phase::Finishing {
                cancelled,
                manifest
            }),
        (moment(), outcome(), any::<bool>()).prop_map(|(at, outcome, is_written)| {
            let has_manifest =
                is_written || matches!(outcome, Outcome::Succeeded | Outcome::Incomplete { .. });
            Phase::Ended {
                at,
                outcome,
                has_manifest,
            }
        }),
    ]
}

/// A phase, the stages before it and this one, and what it came to.
fn came_to() -> impl Strategy<Value = (Phase, Vec<Stage>, Option<Tally>)> {
    let stage = (one_of(PhaseName::ALL), option::of(moment()))
        .prop_map(|(phase, since)| Stage { phase, since });
    let totals = (any::<[u64; 5]>(), counts()).prop_map(
        |([planned, open, recorded, failed, partial], counts)| Tally {
            planned,
            open,
            recorded,
            failed,
            partial,
            counts,
        },
    );
    let stages = proptest::collection::vec(stage, 1..4);
    (phase(), stages, option::of(totals))
}

fn asking() -> impl Strategy<Value = Asking> {
    (any::<Option<String>>(), any::<Option<Vec<String>>>())
        .prop_map(|(by, options)| Asking { by, options })
}

fn plan() -> impl Strategy<Value = Plan> {
    prop_oneof![
        proptest::option::of(any::<String>().prop_map(PlanCursor))
            .prop_map(|cursor| Plan::Open { cursor }),
        moment().prop_map(|read_up_to| Plan::Complete { read_up_to }),
        (
            any::<String>(),
            proptest::option::of(any::<String>().prop_map(PlanCursor))
        )
            .prop_map(|(reason, cursor)| Plan::Failed { reason, cursor }),
    ]
}

fn listing() -> impl Strategy<Value = Listing> {
    let since = proptest::option::of(moment());
    (
        since,
        names(),
        any::<u64>(),
        (names(), names(), names(), names()),
        any::<Option<String>>(),
    )
        .prop_map(
            |(
                since,
                left_out,
                left_out_bytes,
                (odd_names, large_objects, empty_days, no_days),
                absent_folder,
            )| {
                Listing {
                    since,
                    left_out,
                    left_out_bytes,
                    odd_names,
                    large_objects,
                    empty_days,
                    no_days,
                    absent_folder,
                }
            },
        )
}

fn warning() -> impl Strategy<Value = Warning> {
    (any::<String>(), any::<String>()).prop_map(|(code, message)| Warning { code, message })
}

fn rules() -> impl Strategy<Value = Rules> {
    (one_of(OnBadRecord::ALL), any::<(u16, u64, u64, u32)>()).prop_map(
        |(on_bad_record, (late_days, from_records, most_percent, encoders))| Rules {
            on_bad_record,
            late_days,
            misread: Misread {
                from_records,
                most_percent,
            },
            encoders,
        },
    )
}

fn missed() -> impl Strategy<Value = (Vec<MissingDay>, Vec<PlanCursor>)> {
    let cursor = || any::<String>().prop_map(PlanCursor);
    let day = (day(), any::<String>(), cursor())
        .prop_map(|(day, reason, cursor)| MissingDay::new(day, &reason, cursor));
    let days = proptest::collection::vec(day, 0..3);
    (days, proptest::collection::vec(cursor(), 0..3))
}

pub(super) fn job() -> impl Strategy<Value = Job> {
    let credential = (proptest::option::of(credential()), any::<u32>());
    let asked = (
        (job_key(), asking()),
        request(),
        any::<String>(),
        credential,
        moment(),
        whole_second(),
    );
    let warnings = proptest::collection::vec(warning(), 0..3);
    let stands = (
        came_to(),
        (plan(), listing(), proptest::option::of(rules()), missed()),
        any::<u32>(),
        1..=MAX_SHARDS,
        warnings,
        (any::<u32>(), any::<u32>()),
        any::<u64>(),
    );
    let stored = (asked, stands).prop_map(
        |(
            (
                (key, asking),
                request,
                destination,
                (credential, credentials_given),
                created,
                expires,
            ),
            (
                (phase, history, totals),
                (plan, listing, rules, (missing_days, to_plan)),
                chunks,
                shards,
                warnings,
                (failed_deliveries, finish_attempts),
                revision,
            ),
        )| StoredJob {
            key,
            request,
            asking,
            destination: ContainerAddress::new(destination),
            credential,
            credentials_given,
            created,
            expires,
            phase,
            history,
            totals,
            plan,
            missing_days,
            to_plan,
            failed_deliveries,
            listing,
            rules,
            chunks,
            shards,
            warnings,
            finish_attempts,
            has_row: true,
            revision,
        },
    );
    stored.prop_filter_map("no job can be so", |stored| Job::restore(stored).ok())
}
