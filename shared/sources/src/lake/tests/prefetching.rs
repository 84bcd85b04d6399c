//! How long reading waits for the store, under a clock that stands still while there is work.

use std::time::Duration;

use tokio::time::Instant;

use super::*;

const DAY: time::Date = date!(2026 - 11 - 02);

/// What a store takes for a call.
const CALL: Duration = Duration::from_millis(30);

/// The time that it takes to read so many objects of so many bytes.
async fn time_to_read(count: usize, bytes: usize, prefetch_bytes: u64) -> Duration {
    let memory = in_memory();
    for number in 0..count {
        let body = vec![b'\n'; bytes];
        put(&memory, DAY, &format!("{number:03}.ndjson"), body).await;
    }
    let slow: Arc<dyn ObjectStore> = Arc::new(Faulty {
        answers_after: CALL,
        ..Faulty::over(memory)
    });
    let lake = lake(&slow, 64 << 20).prefetching(prefetch_bytes);
    let [chunk] = plan(&lake, 64).await.try_into().unwrap();
    let begun = Instant::now();
    let texts = texts(&lake, &chunk).await.unwrap();
    assert_eq!(texts.iter().map(String::len).sum::<usize>(), count * bytes);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn many_small_objects_are_read_in_hardly_more_time_than_one_of_their_size() {
    let default = PREFETCH_BYTES.default;
    let one = time_to_read(1, 500 * 100_000, default).await;
    let many = time_to_read(500, 100_000, default).await;
    assert!(
        many <= one * 3 / 2,
        "{many:?} for 500 objects, {one:?} for one"
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_is_fetched_ahead_than_may_be_held() {
    for (prefetch_bytes, waits) in [(1, 8), (1_000, 8), (2_500, 4), (8_000, 1), (1 << 20, 1)] {
        let time = time_to_read(8, 1_000, prefetch_bytes).await;
        assert_eq!(time, CALL * waits, "{prefetch_bytes} bytes");
    }
}
