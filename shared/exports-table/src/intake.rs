//! Creation of jobs in the exports table.

use async_trait::async_trait;
use domain::app::AppScope;
use domain::job::Job;
use ports::store::{AcceptedRequest, Audit, Created, Intake, RequestKey, StoreError};
use time::OffsetDateTime;

use super::{Condition, DynamoStore, corrupt};
use crate::items::{JobItem, RequestItem};
use crate::keys;

#[async_trait]
impl Intake for DynamoStore {
    async fn accepted(
        &self,
        scope: &AppScope,
        key: &RequestKey,
        now: OffsetDateTime,
    ) -> Result<Option<AcceptedRequest>, StoreError> {
        let item_key = keys::request(scope, key);
        let Some(item) = self.get_as::<RequestItem>(&item_key).await? else {
            return Ok(None);
        };
        let request =
            AcceptedRequest::try_from(item).map_err(|reason| corrupt(&item_key, reason))?;
        Ok(Some(request).filter(|request| now < request.expires))
    }

    async fn create(
        &self,
        job: Job,
        request: Option<AcceptedRequest>,
        audit: Audit,
    ) -> Result<Created, StoreError> {
        let now = audit.at;
        let (row, mark) = (
            self.row_write(&job)?,
            self.mark_write(&job.key.scope, now).await?,
        );
        let job = job.written(now);
        let mut writes =
            vec![self.write(keys::job(&job.key), JobItem::from(&job), Condition::Absent)?];
        writes.extend(row.into_iter().chain(mark));
        writes.push(self.audit_write(&job, &audit)?);
        if let Some(request) = &request {
            let key = keys::request(&job.key.scope, &request.key);
            writes.push(self.write(key, RequestItem::from(request), Condition::AbsentOrExpired)?);
        }
        match (self.transact(&writes, Vec::new()).await, request) {
            (Ok(()), _) => Ok(Created::New(Box::new(job))),
            (Err(StoreError::Conflict { item }), Some(request)) => {
                let accepted = self.accepted(&job.key.scope, &request.key, now).await?;
                accepted
                    .map(Created::Repeated)
                    .ok_or(StoreError::Conflict { item })
            }
            (Err(error), _) => Err(error),
        }
    }
}
