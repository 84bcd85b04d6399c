//! Grants in the exports table.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::AppScope;
use ports::store::{Grant, Grants, Role, StoreError};

use super::{Condition, DynamoStore, read_item, store_error};
use crate::items::{GrantItem, VERSION};
use crate::keys::{self, ItemKey};

#[async_trait]
impl Grants for DynamoStore {
    async fn role(&self, subject: &str, scope: &AppScope) -> Result<Option<Role>, StoreError> {
        let partition = ItemKey {
            pk: keys::principal_partition(subject),
            sk: String::new(),
        };
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true);
        let query = query.key_condition_expression("pk = :pk");
        let query =
            query.expression_attribute_values(":pk", AttributeValue::S(partition.pk.clone()));
        let mut items = query.into_paginator().items().send();
        let mut best = None;
        while let Some(item) = items
            .try_next()
            .await
            .map_err(|error| store_error(&partition, error))?
        {
            let grant: GrantItem = read_item(&partition, item)?;
            if scope.is_within(&grant.path) {
                best = best.max(role_named(&grant.role));
            }
        }
        Ok(best)
    }

    async fn put_grant(&self, grant: &Grant) -> Result<(), StoreError> {
        let item = GrantItem {
            kind: "grant".to_owned(),
            v: VERSION,
            path: grant.path.clone(),
            role: grant.role.name().to_owned(),
        };
        let key = keys::grant(&grant.subject, &grant.path);
        self.put(self.write(key, item, Condition::Always)?).await
    }
}

/// Reads a role's name; one that this version does not know allows nothing.
fn role_named(name: &str) -> Option<Role> {
    [Role::Reader, Role::Contributor]
        .into_iter()
        .find(|role| role.name() == name)
}
