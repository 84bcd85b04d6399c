//! Which phases a job came through, how long it was at work, and when it may end.

use time::Duration;

use super::*;
use crate::job::history::MOST_STAGES;
use crate::tally::Tally;

const MINUTE: Duration = Duration::MINUTE;

fn stages(job: &Job) -> Vec<(PhaseName, i64)> {
    let minutes = |stage: &Stage| (stage.since.unwrap() - NOW).whole_minutes();
    let stages = job.history.iter();
    stages.map(|stage| (stage.phase, minutes(stage))).collect()
}

/// A job that ran for a minute, waited for ten, ran for two, failed, and was resumed an hour later.
fn resumed() -> Job {
    let at = |minutes| NOW + MINUTE * minutes;
    let job = queued()
        .written(at(7))
        .begin_planning()
        .unwrap()
        .written(NOW);
    let job = job.complete_plan(8, NOW).unwrap().written(NOW);
    let job = job.await_credential(at(1), String::new()).unwrap();
    let job = job.written(at(2)).resume().unwrap().written(at(11));
    let job = job.begin_planning().unwrap().written(at(11));
    let job = job.resume_running().unwrap().written(at(11));
    let mut job = failed(job);
    if let Phase::Ended { at: ended, .. } = &mut job.0.phase {
        *ended = at(13);
    }
    job.written(at(14)).resume().unwrap().written(at(73))
}

#[test]
fn each_move_is_written_down_with_its_moment_or_the_one_that_the_phase_says() {
    let job = resumed();
    let expected = [
        (PhaseName::Queued, 0),
        (PhaseName::Planning, 0),
        (PhaseName::Running, 0),
        (PhaseName::AwaitingCredential, 1),
        (PhaseName::Resuming, 11),
        (PhaseName::Planning, 11),
        (PhaseName::Running, 11),
        (PhaseName::Failed, 13),
        (PhaseName::Resuming, 73),
    ];
    assert_eq!(stages(&job), expected);
    let again = job
        .clone()
        .add_chunks(1)
        .unwrap()
        .written(NOW + Duration::DAY);
    assert_eq!(again.history, job.history, "it is in the same phase");
}

#[test]
fn the_last_fifty_moves_are_kept() {
    let mut job = queued().written(NOW);
    for minute in 1..=60 {
        let job_then = job.begin_planning().unwrap().written(NOW + MINUTE * minute);
        job = job_then
            .hand_over_planning()
            .unwrap()
            .written(NOW + MINUTE * minute);
    }
    let kept = stages(&job);
    assert_eq!(kept.len(), MOST_STAGES);
    assert_eq!(kept[0], (PhaseName::Planning, 36));
    assert_eq!(kept[MOST_STAGES - 1], (PhaseName::Queued, 60));
}

#[test]
fn a_job_is_not_at_work_while_it_waits_or_has_ended() {
    let job = resumed();
    assert_eq!(job.worked(NOW + MINUTE * 74), MINUTE * 4);
    assert_eq!(job.last_begun(), NOW + MINUTE * 73);
    let mut unknown = job;
    unknown.0.history.clear();
    assert_eq!(unknown.worked(NOW + MINUTE * 74), MINUTE * 74);
    assert_eq!(unknown.worked(NOW - MINUTE), Duration::ZERO);
    assert_eq!(unknown.last_begun(), NOW);
}

#[test]
fn a_job_is_expected_to_end_when_its_open_chunks_take_as_long_as_the_others() {
    let job = running().written(NOW);
    let tally = |recorded, open| Tally {
        open,
        recorded,
        ..Tally::default()
    };
    let at = NOW + MINUTE * 6;
    assert_eq!(job.expected_end(&tally(3, 5), at), Some(at + MINUTE * 10));
    assert_eq!(job.expected_end(&tally(0, 5), at), None);
    let unplanned = queued().begin_planning().unwrap();
    assert_eq!(unplanned.expected_end(&tally(3, 5), at), None);
    let waiting = job.await_credential(NOW, String::new()).unwrap();
    assert_eq!(waiting.expected_end(&tally(3, 5), at), None);
}

#[test]
fn what_a_job_came_to_is_forgotten_when_it_goes_on() {
    let totals = Tally {
        recorded: 7,
        ..Tally::default()
    };
    let job = failed(running()).total(totals);
    assert_eq!(job.totals, Some(totals));
    assert_eq!(job.resume().unwrap().totals, None);
}
