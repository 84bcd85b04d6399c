//! What a plan was read up to, and what is said of it.

use time::Duration;

use super::*;
use crate::counts::Counts;
use crate::listing::Listing;
use crate::selection::{CampaignType, DateRange, History, HistoryType, Snapshot};
use crate::tally::Tally;
use crate::warning::{Warning, WarningCode};

fn of_days() -> Job {
    let mut job = queued();
    let day = |day| time::Date::from_calendar_date(2026, time::Month::February, day).unwrap();
    let (of, start, end) = (HistoryType::Event, day(1), day(3));
    let days = DateRange { start, end };
    job.0.request.selection = History { of, days }.into();
    job.begin_planning().unwrap()
}

/// A page that came upon an object and a folder that are not read.
fn a_page(name: &str) -> Listing {
    let mut found = Listing::default();
    found.leave_out(name, 100);
    found.no_days.add("date=2026-2-1/");
    found
}

fn codes(job: &Job) -> Vec<&str> {
    job.warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect()
}

#[test]
fn a_plan_was_read_up_to_the_moment_before_its_first_page() {
    let [first, second] = [NOW + Duration::minutes(5), NOW + Duration::days(5)];
    let one_page = queued()
        .begin_planning()
        .unwrap()
        .list_page(first, Listing::default())
        .complete_plan(1, first);
    assert_eq!(one_page.unwrap().plan, Plan::Complete { read_up_to: first });

    let open = queued()
        .begin_planning()
        .unwrap()
        .list_page(first, Listing::default())
        .plan_page(64, cursor())
        .unwrap();
    let handed_over = open
        .clone()
        .hand_over_planning()
        .unwrap()
        .begin_planning()
        .unwrap();
    let failed = failed(open.fail_plan("denied".to_owned()).unwrap());
    let resumed = failed.resume().unwrap().begin_planning().unwrap();
    for job in [handed_over, resumed] {
        let job = job
            .list_page(second, Listing::default())
            .complete_plan(1, second)
            .unwrap();
        assert_eq!(job.plan, Plan::Complete { read_up_to: first });
    }
}

#[test]
fn a_plan_that_fails_before_its_first_page_is_listed_afresh() {
    let later = NOW + Duration::days(5);
    let failed = queued()
        .begin_planning()
        .unwrap()
        .fail_plan("denied".to_owned())
        .unwrap();
    let job = self::failed(failed).resume().unwrap();
    let job = job
        .begin_planning()
        .unwrap()
        .list_page(later, Listing::default())
        .complete_plan(1, later)
        .unwrap();
    assert_eq!(job.plan, Plan::Complete { read_up_to: later });
}

#[test]
fn a_plan_that_version_1_began_was_read_up_to_when_its_job_was_created() {
    let mut job = queued()
        .begin_planning()
        .unwrap()
        .plan_page(64, cursor())
        .unwrap();
    job.0.listing = Listing::default();
    let job = job
        .list_page(NOW + Duration::hours(1), Listing::default())
        .complete_plan(1, NOW)
        .unwrap();
    assert_eq!(
        job.plan,
        Plan::Complete {
            read_up_to: job.created
        }
    );
}

#[test]
fn what_all_pages_left_out_is_said_once_though_the_plan_failed_in_between() {
    let mut job = of_days();
    job.0
        .warnings
        .push(Warning::new(WarningCode::UnknownProperties, "x"));
    let job = job
        .list_page(NOW, a_page("a.json"))
        .plan_page(64, cursor())
        .unwrap();
    assert_eq!(codes(&job), ["UnknownProperties"], "not before it is known");
    let failed = job.fail_plan("denied".to_owned()).unwrap();
    assert_eq!(
        codes(&failed),
        ["UnknownProperties", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let resumed = self::failed(failed).resume().unwrap();
    let mut found = Listing::default();
    found.leave_out("b.json", 1);
    let job = resumed
        .begin_planning()
        .unwrap()
        .list_page(NOW, found)
        .complete_plan(1, NOW)
        .unwrap();
    assert_eq!(
        codes(&job),
        ["UnknownProperties", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let message = &job.warnings[1].message;
    assert!(
        message.contains("2 objects in the folders that are read (101 bytes): `a.json`, `b.json`."),
        "{message}"
    );
    let message = &job.warnings[2].message;
    assert!(
        message.contains("1 name in the app's folder: `date=2026-2-1/`."),
        "{message}"
    );
    let ignored = job.listing.ignored().unwrap();
    assert_eq!((ignored.objects, ignored.bytes), (2, 101));
    assert_eq!(ignored.first, ["a.json", "b.json"]);
}

#[test]
fn a_job_that_is_cancelled_says_what_its_plan_left_out_so_far_and_keeps_what_it_said() {
    let cancelled = |job: Job| job.cancel(Cancellation::Asked).unwrap();
    let listed = || of_days().list_page(NOW, a_page("a.json"));
    let names = ["ObjectsLeftOut", "FoldersLeftOut"];
    let planning = cancelled(listed().plan_page(64, cursor()).unwrap());
    assert_eq!(codes(&planning), names);
    let running = cancelled(listed().complete_plan(1, NOW).unwrap());
    assert_eq!(codes(&running), names);
}

#[test]
fn days_without_objects_are_told_where_other_days_have_some() {
    let plan = |chunks| {
        let mut found = Listing::default();
        found.empty_days.add("2026-02-02");
        let job = of_days().list_page(NOW, found).complete_plan(chunks, NOW);
        job.unwrap()
    };
    let job = plan(2);
    assert_eq!(codes(&job), ["DaysWithoutObjects"]);
    let message = &job.warnings[0].message;
    let words = "no object with records of type Event on 1 of the selected days: `2026-02-02`.";
    assert!(message.contains(words), "{message}");
    assert_eq!(codes(&plan(0)), ["NoObjects"], "which says it of all days");
}

#[test]
fn a_plan_without_chunks_says_why() {
    let mut absent = Listing::default();
    absent.note_absent_folder("events/app=a");
    let planned = |found: Listing| {
        of_days()
            .list_page(NOW, found)
            .complete_plan(0, NOW)
            .unwrap()
    };
    let job = planned(absent.clone());
    assert_eq!(codes(&job), ["NoFolder"]);
    assert!(
        job.warnings[0].message.contains("`events/app=a`"),
        "{:?}",
        job.warnings
    );
    let job = planned(Listing::default());
    assert_eq!(codes(&job), ["NoObjects"]);
    assert!(
        job.warnings[0]
            .message
            .contains("Event from 2026-02-01 to 2026-02-03"),
        "{:?}",
        job.warnings
    );
    assert_eq!(
        codes(&planned(a_page("a.json"))),
        ["NoObjects", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let with_chunks = of_days()
        .list_page(NOW, absent)
        .complete_plan(1, NOW)
        .unwrap();
    assert!(
        with_chunks.warnings.is_empty(),
        "the folder was made in between: {:?}",
        with_chunks.warnings
    );
}

#[test]
fn an_export_without_rows_says_so_once_and_only_when_it_is_complete() {
    let done = Tally {
        planned: 4,
        recorded: 4,
        counts: Counts {
            read: 2,
            rejected: 2,
            ..Counts::default()
        },
        ..Tally::default()
    };
    let job = running().warn_of_rows(&done).warn_of_rows(&done);
    assert_eq!(codes(&job), ["NoRows", "RecordsRejected"]);
    let message = "The registry has no row of type Tag for this app, beside 2 rejected records: the export has no rows.";
    assert_eq!(job.warnings[0].message, message);
    assert!(
        job.warnings[1]
            .message
            .starts_with("2 records could not be exported"),
        "{:?}",
        job.warnings
    );
    let with_a_row = Tally {
        counts: Counts {
            rows: 1,
            ..done.counts
        },
        ..done
    };
    let incomplete = Tally {
        recorded: 3,
        failed: 1,
        ..done
    };
    for other in [with_a_row, incomplete] {
        let job = job.clone().warn_of_rows(&other);
        assert_eq!(codes(&job), ["RecordsRejected"], "{other:?}");
    }
    let none = Tally {
        counts: Counts::default(),
        ..with_a_row
    };
    let rejected_no_more = Tally {
        counts: Counts {
            rows: 1,
            ..none.counts
        },
        ..none
    };
    assert!(job.warn_of_rows(&rejected_no_more).warnings.is_empty());
    let empty = of_days()
        .complete_plan(0, NOW)
        .unwrap()
        .warn_of_rows(&Tally::default());
    assert_eq!(codes(&empty), ["NoObjects"], "which says it already");

    let mut job = running();
    job.0.request.selection = Snapshot::Campaigns {
        campaign_type: CampaignType::Poll,
        ids: (1..=12).collect(),
    }
    .into();
    let message = &job.warn_of_rows(&done).warnings[0].message;
    assert!(
        message.contains("of type Poll with the ids 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"),
        "{message}"
    );
}
