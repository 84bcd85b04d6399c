//! Reads a `JsonBlob` back, without the encoder's tables.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use domain::selection::ExportType;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::read::{Budget, Collect, Fields, Rows, Unreadable};

/// Reads the rows of a file to its end.
pub(crate) fn rows<C: Collect>(
    input: impl Read,
    export_type: ExportType,
    budget: &Budget,
    rows: &mut Rows<C>,
) -> Result<(), Unreadable> {
    let mut json = serde_json::Deserializer::from_reader(input);
    let items = Items {
        group: group_of(export_type),
        budget,
        rows,
    };
    json.deserialize_seq(items)?;
    Ok(json.end()?)
}

/// The array in which items of a type hold their rows, if they do.
fn group_of(export_type: ExportType) -> Option<&'static str> {
    match export_type {
        ExportType::Activity => Some("activities"),
        ExportType::Event => Some("events"),
        ExportType::Error => Some("errors"),
        ExportType::Job
        | ExportType::Session
        | ExportType::Crash
        | ExportType::Tag
        | ExportType::Token
        | ExportType::Push
        | ExportType::Device => None,
    }
}

/// The array of a file.
struct Items<'a, C> {
    group: Option<&'static str>,
    budget: &'a Budget,
    rows: &'a mut Rows<C>,
}

impl<'de, C: Collect> Visitor<'de> for Items<'_, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self {
            group,
            budget,
            rows,
        } = self;
        match rows {
            Rows::Counted(rows) => {
                while let Some(count) = items.next_element_seed(Item { group, budget })? {
                    budget.renew();
                    *rows += count;
                }
            }
            Rows::Collected(rows) => {
                while let Some(item) = items.next_element::<BTreeMap<String, Box<RawValue>>>()? {
                    budget.renew();
                    let fields = item
                        .iter()
                        .map(|(name, raw)| (name.clone(), &**raw))
                        .collect();
                    collect(fields, group, rows).map_err(A::Error::custom)?;
                }
            }
        }
        Ok(())
    }
}

fn collect(
    item: Fields<'_>,
    group: Option<&str>,
    rows: &mut impl Collect,
) -> Result<(), serde_json::Error> {
    let Some(group) = group else {
        return rows.add_fields(&item);
    };
    let mut key = item;
    let members = key.remove(group).map_or("[]", RawValue::get);
    for mut member in serde_json::from_str::<Vec<Fields<'_>>>(members)? {
        member.extend(key.iter().map(|(name, raw)| (name.clone(), *raw)));
        rows.add_fields(&member)?;
    }
    Ok(())
}

/// Counts the rows of an item, however many: one, or those of its group.
#[derive(Clone, Copy)]
struct Item<'a> {
    group: Option<&'static str>,
    budget: &'a Budget,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, item: D) -> Result<u64, D::Error> {
        item.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<u64, A::Error> {
        let Some(group) = self.group else {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(1);
        };
        let mut rows = None;
        while let Some(name) = fields.next_key::<String>()? {
            if name == group {
                rows = Some(rows.unwrap_or(0) + fields.next_value_seed(Members(self.budget))?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        rows.ok_or_else(|| A::Error::missing_field(group))
    }
}

/// Counts the rows of a group.
struct Members<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, members: D) -> Result<u64, D::Error> {
        members.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<u64, A::Error> {
        let mut count = 0;
        while rows
            .next_element_seed(Item {
                group: None,
                budget: self.0,
            })?
            .is_some()
        {
            self.0.renew();
            count += 1;
        }
        Ok(count)
    }
}
