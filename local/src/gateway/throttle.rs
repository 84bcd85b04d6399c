//! How many requests the gateway takes, as API Gateway limits a stage: a bucket of tokens that
//! fills at a steady rate (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>).

use std::sync::{Mutex, PoisonError};

use time::OffsetDateTime;

/// The most requests at once; the template has the same.
pub const BURST: u32 = 200;

/// The most requests a second in the long run; the template has the same.
pub const RATE_PER_SECOND: u32 = 100;

/// The bucket of the whole gateway; each request takes one token.
#[derive(Debug)]
pub(crate) struct Throttle(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: OffsetDateTime,
}

impl Throttle {
    /// A bucket of [`BURST`] tokens.
    pub(crate) fn full(now: OffsetDateTime) -> Self {
        Self(Mutex::new(Bucket {
            tokens: f64::from(BURST),
            filled: now,
        }))
    }

    /// Whether there is room for one more request; takes its token.
    pub(crate) fn lets_in(&self, now: OffsetDateTime) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = (now - bucket.filled).as_seconds_f64().max(0.0);
        let tokens = (bucket.tokens + waited * f64::from(RATE_PER_SECOND)).min(f64::from(BURST));
        let has_room = tokens >= 1.0;
        *bucket = Bucket {
            tokens: if has_room { tokens - 1.0 } else { tokens },
            filled: now,
        };
        has_room
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_let_in_and_then_what_the_rate_allows() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let throttle = Throttle::full(start);
        let let_in = |now| (0..1_000).filter(|_| throttle.lets_in(now)).count();
        assert_eq!(let_in(start), 200);
        assert_eq!(let_in(start + Duration::milliseconds(50)), 5);
        assert_eq!(let_in(start + Duration::hours(1)), 200);
    }
}
