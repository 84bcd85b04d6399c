//! The stored form of what a plan came upon so far.

use domain::listing::{Listing, Names};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Within the item of a job whose plan has begun and is not complete.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ListingAttribute {
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    since: Option<OffsetDateTime>,
    left_out: NamesAttribute,
    left_out_bytes: u64,
    /// Absent where a plan began before such names were read.
    #[serde(default)]
    odd_names: NamesAttribute,
    /// Absent where a plan began before sizes were looked at.
    #[serde(default)]
    large_objects: NamesAttribute,
    /// Absent where a plan began before days were looked at one by one.
    #[serde(default)]
    empty_days: NamesAttribute,
    no_days: NamesAttribute,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent_folder: Option<String>,
}

/// How many, and the first by name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct NamesAttribute {
    count: u64,
    first: Vec<String>,
}

impl From<&Listing> for ListingAttribute {
    fn from(listing: &Listing) -> Self {
        Self {
            since: listing.since,
            left_out: (&listing.left_out).into(),
            left_out_bytes: listing.left_out_bytes,
            odd_names: (&listing.odd_names).into(),
            large_objects: (&listing.large_objects).into(),
            empty_days: (&listing.empty_days).into(),
            no_days: (&listing.no_days).into(),
            absent_folder: listing.absent_folder.clone(),
        }
    }
}

impl From<ListingAttribute> for Listing {
    fn from(listing: ListingAttribute) -> Self {
        Self {
            since: listing.since,
            left_out: listing.left_out.into(),
            left_out_bytes: listing.left_out_bytes,
            odd_names: listing.odd_names.into(),
            large_objects: listing.large_objects.into(),
            empty_days: listing.empty_days.into(),
            no_days: listing.no_days.into(),
            absent_folder: listing.absent_folder,
        }
    }
}

impl From<&Names> for NamesAttribute {
    fn from(names: &Names) -> Self {
        Self {
            count: names.count,
            first: names.first.clone(),
        }
    }
}

impl From<NamesAttribute> for Names {
    fn from(names: NamesAttribute) -> Self {
        Self {
            count: names.count,
            first: names.first,
        }
    }
}
