//! What was changed by whom, read back a day at a time. The functions that change something write it,
//! in the transaction of the change.

use ports::store::StoreError;
use serde::Deserialize;
use time::Date;

use super::{DynamoStore, read_item};
use crate::keys::{self, ItemKey};

/// A change of a job, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Audited {
    /// When it was asked for: RFC 3339, UTC.
    pub at: String,
    /// The subject of the token that asked.
    pub by: String,
    /// What was asked: `create`, `renew`, `resume` or `cancel`.
    pub act: String,
    /// The app's canonical path.
    pub scope: String,
    /// The job's id.
    pub job: String,
    /// The type of its rows.
    pub export_type: String,
    /// The first of its days; absent of a snapshot.
    pub from: Option<String>,
    /// The last of its days, included.
    pub to: Option<String>,
    /// Its container or folder, without the signature.
    pub container: String,
}

impl DynamoStore {
    /// What was changed on a UTC day, in the order in which it was asked for; in the place of an item that
    /// cannot be read, why: [`StoreError::Corrupt`], or [`StoreError::Newer`].
    ///
    /// # Errors
    /// [`StoreError`] when the table does not say what it has.
    pub async fn audited(&self, day: Date) -> Result<Vec<Result<Audited, StoreError>>, StoreError> {
        let partition = ItemKey {
            pk: keys::audit_partition(day),
            sk: String::new(),
        };
        let items = self.partition(&partition).await?.into_iter();
        Ok(items.map(|item| read_item(&partition, item)).collect())
    }
}
