use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::app::AppScope;
use crate::container::{BlobName, PreparedFile};
use crate::counts::Counts;
use crate::job::JobId;

const NOW: OffsetDateTime = datetime!(2026-01-05 12:00 UTC);
const LEASE: Duration = Duration::minutes(15);

fn planned() -> Chunk {
    let job = JobKey {
        scope: AppScope::from_canonical("/apps/a"),
        id: JobId::new(Uuid::nil()),
    };
    let key = ChunkKey {
        job,
        shard: 0,
        number: 7,
    };
    Chunk::planned(
        key,
        ChunkSource::Partitions(vec!["p".to_owned()]),
        NOW + Duration::days(1),
    )
}

fn output() -> Output {
    let file = PreparedFile {
        name: BlobName::from_stored("Tag/j/part-00007.json"),
        attempt: 1,
        blocks: 2,
        size_bytes: 100,
        sha256: String::new(),
        crc64: String::new(),
    };
    let counts = Counts {
        read: 6,
        rows: 5,
        bytes: 100,
        rejected: 1,
        ..Counts::default()
    };
    let file = OutputFile {
        kind: FileKind::Rows,
        prepared: file,
        counts,
        earliest: None,
        latest: None,
    };
    Output {
        counts,
        files: vec![file],
        missing: MissingParts::new(),
    }
}

fn running(missing: &MissingParts) -> ChunkState {
    ChunkState::Running {
        until: NOW + LEASE,
        missing: missing.clone(),
    }
}

fn one_missing() -> MissingParts {
    MissingParts::from([(1, "gone".to_owned())])
}

fn of_objects() -> Chunk {
    let object = |name: &str| ObjectRef {
        path: name.to_owned(),
        etag: "e".to_owned(),
        size_bytes: 1,
    };
    Chunk {
        source: ChunkSource::Objects {
            day: time::macros::date!(2026 - 01 - 02),
            folder: time::macros::date!(2026 - 01 - 02),
            objects: ["a", "b", "c"].map(object).into(),
        },
        ..planned()
    }
}

fn free(claim: Claim) -> ChunkMove {
    let Claim::Free(step) = claim else {
        panic!("not free: {claim:?}")
    };
    *step
}

fn claimed() -> Lease {
    Lease::of(free(planned().claim(NOW, LEASE)).chunk).unwrap()
}

fn prepared() -> Lease {
    Lease::of(claimed().prepare(output()).unwrap().chunk).unwrap()
}

fn names(chunk: &Chunk) -> Vec<&str> {
    chunk.leftovers().map(BlobName::as_str).collect()
}

#[test]
fn what_was_prepared_and_given_up_may_be_left_until_a_recorded_file_replaces_it() {
    let left = ["Tag/j/part-00007.json"];
    let restaged = prepared().restage().unwrap().chunk;
    assert_eq!(names(&restaged), left);
    for given_up in [
        prepared().fail("why").chunk,
        prepared().chunk().clone().cancel().unwrap().chunk,
        restaged.clone().cancel().unwrap().chunk,
        free(prepared().chunk().clone().abandon(NOW + LEASE, "why")).chunk,
    ] {
        assert_eq!(names(&given_up), left);
        let again = given_up.reopen().unwrap().chunk;
        let again = Lease::of(free(again.claim(NOW, LEASE)).chunk).unwrap();
        let other = again.prepare(output()).unwrap().chunk.record().unwrap();
        assert_eq!(names(&other.chunk), [""; 0], "it is replaced");
    }
    let empty = Output {
        files: Vec::new(),
        ..output()
    };
    let again = Lease::of(restaged).unwrap().prepare(empty).unwrap();
    let recorded = again.chunk.record().unwrap().chunk;
    assert_eq!(names(&recorded), left, "nothing replaces it");
    assert_eq!(names(&claimed().fail("why").chunk), [""; 0]);
}

#[test]
fn a_claim_takes_a_new_attempt_and_counts_nothing() {
    let step = free(planned().claim(NOW, LEASE));
    assert_eq!(step.chunk.attempt, 1);
    assert_eq!(step.chunk.state, running(&MissingParts::new()));
    assert_eq!(step.tally, TallyChange::default());
}

#[test]
fn a_held_chunk_is_free_again_when_the_lease_is_over() {
    let held = claimed().chunk().clone();
    assert!(matches!(
        held.clone().claim(NOW + LEASE - Duration::SECOND, LEASE),
        Claim::Held { .. }
    ));
    assert_eq!(free(held.claim(NOW + LEASE, LEASE)).chunk.attempt, 2);
}

#[test]
fn a_released_lease_is_free_at_once_and_keeps_what_was_prepared() {
    let released = prepared().release(NOW).chunk;
    let step = free(released.claim(NOW, LEASE));
    assert_eq!(
        step.chunk.state,
        ChunkState::Prepared {
            until: NOW + LEASE,
            output: output()
        }
    );
    let released = claimed().release(NOW).chunk;
    assert!(matches!(
        free(released.claim(NOW, LEASE)).chunk.state,
        ChunkState::Running { .. }
    ));
}

#[test]
fn recording_counts_the_files_once() {
    let step = prepared().record().unwrap();
    let expected = TallyChange {
        open: -1,
        recorded: 1,
        counts: output().counts,
        ..TallyChange::default()
    };
    assert_eq!(step.tally, expected);
    assert!(matches!(step.chunk.claim(NOW, LEASE), Claim::Closed));
}

#[test]
fn only_a_prepared_file_can_be_recorded_or_restaged() {
    assert_eq!(
        claimed().record().unwrap_err().to_string(),
        "cannot record what is running"
    );
    assert_eq!(
        claimed().restage().unwrap_err().to_string(),
        "cannot restage what is running"
    );
    assert_eq!(
        prepared().prepare(output()).unwrap_err().to_string(),
        "cannot prepare what is prepared"
    );
    assert_eq!(
        Lease::of(planned()).unwrap_err().to_string(),
        "cannot hold the lease of what is pending"
    );
}

#[test]
fn restaging_takes_a_new_attempt_so_that_block_ids_differ() {
    let step = prepared().restage().unwrap();
    assert_eq!(step.chunk.attempt, 2);
    assert_eq!(step.chunk.state, running(&MissingParts::new()));
}

#[test]
fn a_failure_closes_the_chunk() {
    let step = claimed().fail("bad data");
    assert_eq!(
        step.tally,
        TallyChange {
            open: -1,
            failed: 1,
            ..TallyChange::default()
        }
    );
    assert!(matches!(step.chunk.claim(NOW, LEASE), Claim::Closed));
}

#[test]
fn a_dead_letter_ends_only_what_nobody_holds() {
    let held = claimed().chunk().clone();
    assert!(matches!(
        held.clone().abandon(NOW, "crashed"),
        Claim::Held { .. }
    ));
    let step = free(held.abandon(NOW + LEASE, "crashed"));
    assert_eq!(
        step.chunk.state,
        ChunkState::Failed {
            reason: "crashed".to_owned()
        }
    );
    assert!(matches!(
        step.chunk.abandon(NOW + LEASE, "crashed"),
        Claim::Closed
    ));
    assert!(matches!(
        prepared().record().unwrap().chunk.abandon(NOW, "crashed"),
        Claim::Closed
    ));
}

#[test]
fn a_parked_chunk_keeps_its_file_and_goes_on_with_it() {
    let parked = prepared().park().chunk;
    assert!(matches!(parked.clone().park(NOW), Claim::Closed));
    let pending = parked.reopen().unwrap();
    assert_eq!(pending.tally, TallyChange::default());
    let step = free(pending.chunk.claim(NOW, LEASE));
    assert_eq!(
        step.chunk.state,
        ChunkState::Prepared {
            until: NOW + LEASE,
            output: output()
        }
    );
}

#[test]
fn a_chunk_parked_after_its_job_went_on_can_be_claimed() {
    let parked = free(planned().park(NOW)).chunk;
    assert_eq!(parked.state, ChunkState::Parked { prepared: None });
    assert!(matches!(
        free(parked.claim(NOW, LEASE)).chunk.state,
        ChunkState::Running { .. }
    ));
}

#[test]
fn a_cancellation_takes_the_lease_from_its_holder_and_counts_once() {
    let step = claimed().chunk().clone().cancel().unwrap();
    assert_eq!(
        step.tally,
        TallyChange {
            open: -1,
            failed: 1,
            ..TallyChange::default()
        }
    );
    assert_eq!(step.chunk.cancel(), None);
    assert_eq!(prepared().record().unwrap().chunk.cancel(), None);
}

#[test]
fn only_chunks_without_a_recorded_file_are_reopened() {
    let open_again = TallyChange {
        open: 1,
        failed: -1,
        ..TallyChange::default()
    };
    assert_eq!(
        claimed().fail("bad").chunk.reopen().unwrap().tally,
        open_again
    );
    assert_eq!(
        planned().cancel().unwrap().chunk.reopen().unwrap().tally,
        open_again
    );
    for open in [
        planned(),
        claimed().chunk().clone(),
        planned().cancel().unwrap().chunk.reopen().unwrap().chunk,
    ] {
        let reopened = open.reopen().unwrap();
        assert_eq!(reopened.chunk.state, ChunkState::Pending { prepared: None });
        assert_eq!(reopened.tally, TallyChange::default());
    }
    assert_eq!(
        prepared()
            .chunk()
            .clone()
            .reopen()
            .unwrap()
            .chunk
            .prepared(),
        Some(&output())
    );
    assert_eq!(prepared().record().unwrap().chunk.reopen(), None);
}

#[test]
fn no_more_files_are_prepared_than_an_item_holds() {
    let lease = || {
        let claimed = free(planned().claim(NOW, LEASE)).chunk;
        Lease::of(claimed).unwrap()
    };
    let [file] = output().files.try_into().unwrap();
    let of_files = |count| Output {
        files: vec![file.clone(); count],
        ..output()
    };
    assert!(lease().prepare(of_files(256)).is_ok());
    assert!(lease().prepare(of_files(257)).is_err());
}

#[test]
fn what_a_run_found_missing_is_known_to_the_next_until_the_chunk_is_reopened() {
    let step = claimed().leave_out(one_missing()).unwrap();
    assert_eq!(step.chunk.attempt, 2);
    assert_eq!(step.chunk.state, running(&one_missing()));
    assert_eq!(step.tally, TallyChange::default());
    let lease = Lease::of(step.chunk).unwrap();
    assert_eq!(lease.missing(), one_missing());
    let released = lease.clone().release(NOW).chunk;
    let again = free(released.claim(NOW, LEASE)).chunk;
    assert_eq!(Lease::of(again.clone()).unwrap().missing(), one_missing());
    let reopened = free(again.reopen().unwrap().chunk.claim(NOW, LEASE)).chunk;
    assert_eq!(reopened.state, running(&MissingParts::new()));
    assert!(prepared().leave_out(one_missing()).is_err());
}

#[test]
fn what_a_recorded_chunk_could_not_export_is_handed_over_once() {
    let lease = Lease::of(free(of_objects().claim(NOW, LEASE)).chunk).unwrap();
    let partial = Output {
        missing: one_missing(),
        ..output()
    };
    let recorded = Lease::of(lease.prepare(partial).unwrap().chunk)
        .unwrap()
        .record()
        .unwrap();
    assert_eq!((recorded.tally.recorded, recorded.tally.partial), (1, 1));
    assert!(recorded.chunk.is_partial());
    let to = ChunkKey {
        number: 9,
        ..of_objects().key
    };
    let (whole, next) = recorded.chunk.hand_over(to.clone()).unwrap();
    let change = TallyChange {
        partial: -1,
        ..TallyChange::default()
    };
    assert_eq!(whole.tally, change);
    assert_eq!(whole.chunk.state, ChunkState::Recorded { output: output() });
    let names = |source: &ChunkSource| -> Vec<String> {
        (0..source.parts())
            .map(|place| source.name_of(place).to_owned())
            .collect()
    };
    assert_eq!(names(&whole.chunk.source), ["a", "c"]);
    assert_eq!(
        (names(&next.source), &next.key),
        (vec!["b".to_owned()], &to)
    );
    assert_eq!(next.state, ChunkState::Pending { prepared: None });
    assert!(whole.chunk.hand_over(to.clone()).is_none());
    assert!(claimed().chunk().clone().hand_over(to).is_none());
}
