//! Grants in the exports table.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::app::AppScope;
use ports::store::{Grant, GrantBook, GrantText, Grants, Role, StoreError, StoredGrant};

use super::{Condition, DynamoStore, Item, corrupt, key_attributes, newer, own_key, store_error};
use crate::items::{GrantItem, VERSION};
use crate::keys::{self, ItemKey};

#[async_trait]
impl Grants for DynamoStore {
    async fn role(&self, subject: &str, scope: &AppScope) -> Result<Option<Role>, StoreError> {
        let mut best = None;
        for grant in self.grants(subject).await? {
            let key = keys::grant_at(subject, &grant.key);
            // What it says could have been anything: nobody guesses what a subject may do.
            let says = grant.says.map_err(|reason| corrupt(&key, reason))?;
            if scope.is_within(&says.path) {
                best = best.max(Role::from_name(&says.role));
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
        items.map(|item| stored_grant(&partition, &item)).collect()
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
            grants.push(stored_grant(&everybody, &item)?);
        }
        grants.sort_by(|one, other| (&one.subject, &one.key).cmp(&(&other.subject, &other.key)));
        Ok(grants)
    }

    async fn remove_grant(&self, subject: &str, key: &str) -> Result<bool, StoreError> {
        let key = keys::grant_at(subject, key);
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
fn stored_grant(partition: &ItemKey, item: &Item) -> Result<StoredGrant, StoreError> {
    let key = own_key(item).ok_or_else(|| corrupt(partition, "its keys are no texts"))?;
    newer(&key, item)?;
    let subject = keys::subject_of(&key.pk).map(str::to_owned);
    Ok(StoredGrant {
        subject: subject.ok_or_else(|| corrupt(&key, "it is no key of a grant"))?,
        key: key.sk,
        says: says(item),
    })
}

/// What a grant says. Grants were written by hand once: an attribute that is missing, or is no text, is
/// named.
fn says(item: &Item) -> Result<GrantText, String> {
    let text = |name: &str| match item.get(name) {
        None => Err(format!("its attribute `{name}` is missing")),
        Some(AttributeValue::S(text)) => Ok(text.clone()),
        Some(_) => Err(format!("its attribute `{name}` is no text")),
    };
    text("kind")?;
    Ok(GrantText {
        path: text("path")?,
        role: text("role")?,
    })
}
