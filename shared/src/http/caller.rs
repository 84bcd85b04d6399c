//! Who calls, and whether they may.

use super::Call;
use super::error::ApiError;
use crate::app::AppScope;
use crate::store::{Grants, Role};

/// Lets a caller pass whose verified token names a subject (in the claim `subject_claim`) that was granted the role
/// `needed`, or a higher one, at or above the app. Everybody else is refused: no token, no grant, no entry.
///
/// # Errors
/// [`ApiError::Unauthenticated`], [`ApiError::Forbidden`], or what the store answers.
pub async fn admit(
    call: Call<'_>,
    subject_claim: &str,
    grants: &dyn Grants,
    scope: &AppScope,
    needed: Role,
) -> Result<(), ApiError> {
    let subject = call.claim(subject_claim).ok_or(ApiError::Unauthenticated)?;
    let held = grants.role(subject, scope).await?;
    if held.is_some_and(|held| held >= needed) {
        return Ok(());
    }
    Err(ApiError::Forbidden { scope: scope.clone(), needed, held })
}
