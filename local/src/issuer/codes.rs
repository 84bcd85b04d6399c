//! The codes that are out: each is good once, and for a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use time::{Duration, OffsetDateTime};

use super::asked::Asked;

/// How long a code is good.
pub(super) const LIFE: Duration = Duration::MINUTE;

/// The random bytes of a code.
const CODE_BYTES: usize = 32;

#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, (OffsetDateTime, Asked)>>);

impl Codes {
    /// A new code; none when the system has no randomness.
    pub(super) fn issue(&self, asked: Asked, now: OffsetDateTime) -> Option<String> {
        let mut bytes = [0; CODE_BYTES];
        SystemRandom::new().fill(&mut bytes).ok()?;
        let code = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, (issued, _)| is_good(*issued, now));
        codes.insert(code.clone(), (now, asked));
        Some(code)
    }

    /// What a code was asked for with; the code is used then, whatever comes of it.
    pub(super) fn redeem(&self, code: &str, now: OffsetDateTime) -> Option<Asked> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (issued, asked) = codes.remove(code)?;
        is_good(issued, now).then_some(asked)
    }
}

fn is_good(issued: OffsetDateTime, now: OffsetDateTime) -> bool {
    now - issued < LIFE
}
