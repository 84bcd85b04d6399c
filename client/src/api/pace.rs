//! How long to wait before a request is repeated.

use std::time::Duration;

use super::ApiFailure;

/// The waits between the tries of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    /// How often a request is sent at most.
    pub(crate) tries: u32,
    /// The wait after the first try; each later one is twice as long.
    pub(crate) first: Duration,
    /// The longest wait, whatever the service asks for: a person sits in front of it.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// Four tries within some seconds, unless the service asks for more time.
    pub(crate) const fn usual() -> Self {
        Self {
            tries: 4,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
        }
    }

    /// How long to wait after so many tries; `None` when it is of no use.
    pub(super) fn wait(&self, tries: u32, failure: &ApiFailure) -> Option<Duration> {
        if tries >= self.tries || !failure.is_transient() {
            return None;
        }
        let own = self.after(tries);
        let asked = match failure {
            ApiFailure::Refused { retry_after, .. } => *retry_after,
            ApiFailure::NoAnswer { .. } | ApiFailure::Strange { .. } | ApiFailure::NoToken(_) => {
                None
            }
        };
        Some(asked.unwrap_or(own).min(self.longest))
    }

    /// The wait after so many tries, when nobody says otherwise.
    pub(crate) fn after(&self, tries: u32) -> Duration {
        let doubled = 1_u32
            .checked_shl(tries.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, retry_after: Option<u64>) -> ApiFailure {
        ApiFailure::Refused {
            status,
            code: String::new(),
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
            tries: 1,
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let backoff = Backoff::usual();
        let failure = refused(503, None);
        let waits = (1..=4).map(|tries| backoff.wait(tries, &failure));
        let seconds: Vec<_> = waits.map(|wait| wait.map(|it| it.as_secs())).collect();
        assert_eq!(seconds, [Some(1), Some(2), Some(4), None]);
        assert_eq!(backoff.after(80), backoff.longest);
    }

    #[test]
    fn the_service_may_ask_for_another_wait_within_bounds() {
        let backoff = Backoff::usual();
        let wait = |seconds| backoff.wait(1, &refused(429, Some(seconds)));
        assert_eq!(wait(5), Some(Duration::from_secs(5)));
        assert_eq!(wait(3_600), Some(backoff.longest));
    }

    #[test]
    fn what_a_repeat_does_not_change_is_not_repeated() {
        for (status, is_repeated) in [
            (400, false),
            (401, false),
            (404, false),
            (408, true),
            (409, false),
            (500, true),
        ] {
            let wait = Backoff::usual().wait(1, &refused(status, None));
            assert_eq!(wait.is_some(), is_repeated, "{status}");
        }
    }
}
