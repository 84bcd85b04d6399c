//! Grants in the exports table.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::app::AppScope;
use ports::store::{Grant, GrantBook, Grants, Role, StoreError, StoredGrant};

use super::{Condition, DynamoStore, Item, corrupt, key_attributes, read_item, store_error};
use crate::items::{GrantItem, VERSION};
use crate::keys::{self, ItemKey};

#[async_trait]
impl Grants for DynamoStore {
    async fn role(&self, subject: &str, scope: &AppScope) -> Result<Option<Role>, StoreError> {
        let mut best = None;
        for grant in self.grants(subject).await? {
            if scope.is_within(&grant.path) {
                best = best.max(Role::from_name(&grant.role));
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

#[async_trait]
impl GrantBook for DynamoStore {
    async fn grants(&self, subject: &str) -> Result<Vec<StoredGrant>, StoreError> {
        let partition = ItemKey {
            pk: keys::principal_partition(subject),
            sk: String::new(),
        };
        let items = self.partition(&partition).await?.into_iter();
        items.map(|item| stored_grant(&partition, item)).collect()
    }

    async fn all_grants(&self) -> Result<Vec<StoredGrant>, StoreError> {
        let everybody = ItemKey {
            pk: keys::principal_partition(""),
            sk: String::new(),
        };
        let scan = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true);
        let scan = scan.filter_expression("begins_with(pk, :pk)");
        let scan = scan.expression_attribute_values(":pk", AttributeValue::S(everybody.pk.clone()));
        let mut items = scan.into_paginator().items().send();
        let mut grants = Vec::new();
        while let Some(item) = items
            .try_next()
            .await
            .map_err(|error| store_error(&everybody, error))?
        {
            grants.push(stored_grant(&everybody, item)?);
        }
        grants.sort_by(|one, other| (&one.subject, &one.key).cmp(&(&other.subject, &other.key)));
        Ok(grants)
    }

    async fn remove_grant(&self, subject: &str, key: &str) -> Result<bool, StoreError> {
        let key = keys::grant(subject, key);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key_attributes(&key)))
            .return_values(ReturnValue::AllOld);
        let deleted = delete.send().await;
        let deleted = deleted.map_err(|error| store_error(&key, error))?;
        Ok(deleted.attributes.is_some_and(|item| !item.is_empty()))
    }
}

/// Reads a grant, whose subject and key stand in the keys alone.
fn stored_grant(partition: &ItemKey, item: Item) -> Result<StoredGrant, StoreError> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    let key = text("pk").zip(text("sk"));
    let key = key.as_ref().and_then(|(pk, sk)| keys::parse_grant(pk, sk));
    let (subject, key) = key.ok_or_else(|| corrupt(partition, "it is no key of a grant"))?;
    let (subject, key) = (subject.to_owned(), key.to_owned());
    let GrantItem { path, role, .. } = read_item(partition, item)?;
    Ok(StoredGrant {
        subject,
        key,
        path,
        role,
    })
}
