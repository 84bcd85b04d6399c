//! A clock that a story moves.

use std::sync::Mutex;

use ports::clock::Clock;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::faults::skew;

/// A clock that stands still until the story moves it.
pub(crate) struct StoryClock(Mutex<(OffsetDateTime, u128)>);

impl StoryClock {
    pub(super) fn new() -> Self {
        Self(Mutex::new((datetime!(2026-02-01 00:00 UTC), 0)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.lock().unwrap().0 += by;
    }
}

impl Clock for StoryClock {
    fn now(&self) -> OffsetDateTime {
        self.0.lock().unwrap().0 + skew()
    }

    fn fresh_id(&self) -> Uuid {
        let mut clock = self.0.lock().unwrap();
        clock.1 += 1;
        let millis = u64::try_from(clock.0.unix_timestamp_nanos() / 1_000_000).unwrap();
        let mut random = [0; 10];
        random[2..].copy_from_slice(&u64::try_from(clock.1).unwrap().to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
