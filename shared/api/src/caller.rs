//! Who calls, and whether they may.

use domain::app::AppScope;
use ports::store::{Grants, MOST_SUBJECT_BYTES, Role};
use wiring::config::{ConfigError, Environment, PUBLIC_URL, TOKEN_SUBJECT_CLAIM};

use super::Call;
use super::error::ApiError;

/// The settings of every function behind the API.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// The base of absolute links, without a trailing slash; by default the domain that the
    /// request came to.
    pub public_url: Option<String>,
    /// The token's claim that grants are given to.
    pub subject_claim: String,
}

impl EdgeSettings {
    /// Reads them.
    ///
    /// # Errors
    /// [`ConfigError`] when one does not fit.
    pub fn of(env: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            public_url: env.get(&PUBLIC_URL)?,
            subject_claim: env.get(&TOKEN_SUBJECT_CLAIM)?,
        })
    }
}

/// A caller who may do what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The token's subject.
    pub subject: String,
    /// The highest role that it was granted over the app.
    pub role: Role,
}

/// Lets a caller pass whose verified token names a subject (in the claim `subject_claim`) that was
/// granted the role `needed`, or a higher one, at or above the app. Everybody else is refused: no
/// token, no grant, no entry.
///
/// # Errors
/// [`ApiError::Unauthenticated`], [`ApiError::SubjectTooLong`], [`ApiError::Forbidden`], or what
/// the store answers.
pub async fn admit(
    call: Call<'_>,
    subject_claim: &str,
    grants: &dyn Grants,
    scope: &AppScope,
    needed: Role,
) -> Result<Admitted, ApiError> {
    let subject = call.claim(subject_claim).ok_or(ApiError::Unauthenticated)?;
    if subject.len() > MOST_SUBJECT_BYTES {
        return Err(ApiError::SubjectTooLong {
            size_bytes: subject.len(),
            most: MOST_SUBJECT_BYTES,
        });
    }
    let held = grants.role(subject, scope).await?;
    match held {
        Some(role) if role >= needed => Ok(Admitted {
            subject: subject.to_owned(),
            role,
        }),
        Some(_) | None => Err(ApiError::Forbidden {
            scope: scope.clone(),
            needed,
            held,
        }),
    }
}
