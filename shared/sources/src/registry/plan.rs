//! Cuts a selection into chunks of partitions.

use std::ops::RangeInclusive;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::AppScope;
use domain::chunk::ChunkSource;
use domain::listing::Listing;
use domain::selection::CampaignType;
use formats::record::timestamp;
use ports::source::{PlanPage, SourceError};
use time::OffsetDateTime;

use crate::registry::item::Item;
use crate::registry::keys::{self, Partition};
use crate::registry::{Registry, not_of_the_registry};

/// The most segments of a page: each of them is counted.
const SEGMENTS_PER_PAGE: u16 = 64;

/// The most campaigns whose feedback is one chunk.
const CAMPAIGNS_PER_CHUNK: usize = 20;

/// The most campaigns that are looked at for one page of a window's plan.
const CAMPAIGNS_PER_QUERY: usize = 64;

/// Chunks of the segments of the app's devices, small segments together.
pub(super) async fn segments(
    registry: &Registry,
    scope: &AppScope,
    cursor: Option<&str>,
    limit: usize,
) -> Result<PlanPage, SourceError> {
    check_segments(registry, scope).await?;
    let first: u16 = parse_place(cursor)?;
    let end = first
        .saturating_add(SEGMENTS_PER_PAGE)
        .min(registry.segments);
    let key = |segment| {
        let scope = scope.clone();
        Partition::Devices { scope, segment }.to_string()
    };
    let (packs, packed) = registry
        .pack((first..end).map(key).collect(), limit)
        .await?;
    let planned = first.saturating_add(u16::try_from(packed).unwrap_or(u16::MAX));
    let next = (planned < registry.segments).then(|| keys::cursor(planned));
    Ok(PlanPage {
        chunks: packs.into_iter().map(ChunkSource::Partitions).collect(),
        next,
        missing: Vec::new(),
        found: Listing::default(),
    })
}

/// Refuses an app whose devices are spread over another number of segments than this service reads:
/// some of them would be missing, and nothing would tell.
async fn check_segments(registry: &Registry, scope: &AppScope) -> Result<(), SourceError> {
    let partition = keys::segments_partition(scope);
    let answer = registry
        .query(&partition)
        .limit(1)
        .send()
        .await
        .map_err(|error| registry.source_error(&error))?;
    let Some(item) = answer.items.unwrap_or_default().pop() else {
        return Ok(());
    };
    let stored = item
        .get(keys::SEGMENTS)
        .and_then(|number| number.as_n().ok())
        .map_or("", String::as_str);
    if stored == registry.segments.to_string() {
        return Ok(());
    }
    let reason = format!(
        "it says `{stored}`, and REGISTRY_SEGMENTS is {}: give both the same number",
        registry.segments
    );
    Err(SourceError::Corrupt {
        object: format!("{partition} {}", keys::SEGMENTS),
        reason,
    })
}

/// The feedback of the campaigns, so many a chunk.
pub(super) fn campaigns(
    scope: &AppScope,
    campaign_type: CampaignType,
    ids: &[i64],
    cursor: Option<&str>,
    limit: usize,
) -> Result<PlanPage, SourceError> {
    let first: usize = parse_place(cursor)?;
    let end = first
        .saturating_add(limit.saturating_mul(CAMPAIGNS_PER_CHUNK))
        .min(ids.len());
    let these = ids.get(first..end).unwrap_or_default();
    let next = (end < ids.len()).then(|| keys::cursor(end));
    Ok(PlanPage {
        chunks: feedback_chunks(scope, campaign_type, these),
        next,
        missing: Vec::new(),
        found: Listing::default(),
    })
}

/// The feedback of the campaigns that were active at some moment of the window. Campaigns are
/// looked at in the order of their ids, until a page has a chunk or none is left.
pub(super) async fn active_campaigns(
    registry: &Registry,
    scope: &AppScope,
    campaign_type: CampaignType,
    window: RangeInclusive<OffsetDateTime>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<PlanPage, SourceError> {
    let partition = Partition::Campaigns {
        scope: scope.clone(),
        campaign_type,
    }
    .to_string();
    let most = CAMPAIGNS_PER_QUERY.min(limit.saturating_mul(CAMPAIGNS_PER_CHUNK));
    let mut after = cursor.map(str::to_owned);
    loop {
        let (items, last) = query_campaigns(registry, &partition, after, most).await?;
        let active = items
            .iter()
            .filter_map(|item| active_campaign(&partition, item, &window).transpose());
        let ids: Vec<i64> = active.collect::<Result<_, _>>()?;
        if last.is_none() || !ids.is_empty() {
            let chunks = feedback_chunks(scope, campaign_type, &ids);
            return Ok(PlanPage {
                chunks,
                next: last.map(keys::cursor),
                missing: Vec::new(),
                found: Listing::default(),
            });
        }
        after = last;
    }
}

fn parse_place<T: std::str::FromStr + Default>(cursor: Option<&str>) -> Result<T, SourceError> {
    cursor.map_or(Ok(T::default()), |place| {
        place
            .parse()
            .map_err(|_| not_of_the_registry("the plan's cursor"))
    })
}

fn feedback_chunks(scope: &AppScope, campaign_type: CampaignType, ids: &[i64]) -> Vec<ChunkSource> {
    let key = |id: &i64| {
        Partition::Feedback {
            scope: scope.clone(),
            campaign_type,
            campaign: *id,
        }
        .to_string()
    };
    ids.chunks(CAMPAIGNS_PER_CHUNK)
        .map(|ids| ChunkSource::Partitions(ids.iter().map(key).collect()))
        .collect()
}

/// The next campaigns after a sort key, and the sort key to go on after.
async fn query_campaigns(
    registry: &Registry,
    partition: &str,
    after: Option<String>,
    most: usize,
) -> Result<(Vec<Item>, Option<String>), SourceError> {
    let start = after.map(|key| {
        let [pk, sk] = [partition.to_owned(), key].map(AttributeValue::S);
        Item::from([(keys::PK.to_owned(), pk), (keys::SK.to_owned(), sk)])
    });
    let query = registry
        .query(partition)
        .set_exclusive_start_key(start)
        .limit(i32::try_from(most).unwrap_or(i32::MAX));
    let answer = query
        .send()
        .await
        .map_err(|error| registry.source_error(&error))?;
    let last = answer
        .last_evaluated_key
        .as_ref()
        .and_then(|key| key.get(keys::SK)?.as_s().ok().cloned());
    Ok((answer.items.unwrap_or_default(), last))
}

/// The campaign's id if it was active in the window.
fn active_campaign(
    partition: &str,
    item: &Item,
    window: &RangeInclusive<OffsetDateTime>,
) -> Result<Option<i64>, SourceError> {
    let text = |name| item.get(name).and_then(|value| value.as_s().ok());
    let moment = |name| text(name).and_then(|text| timestamp::parse(text));
    let corrupt = |reason: &str| SourceError::Corrupt {
        object: format!("{partition} {}", text(keys::SK).map_or("", String::as_str)),
        reason: reason.to_owned(),
    };
    let id = text(keys::SK).and_then(|key| keys::parse_campaign_sort_key(key));
    let id = id.ok_or_else(|| corrupt("its sort key is not a campaign's"))?;
    let from =
        moment(keys::ACTIVE_FROM).ok_or_else(|| corrupt("`activeFrom` is not a timestamp"))?;
    let to = moment(keys::ACTIVE_TO);
    if item.contains_key(keys::ACTIVE_TO) && to.is_none() {
        return Err(corrupt("`activeTo` is not a timestamp"));
    }
    let active = from <= *window.end() && to.is_none_or(|to| to >= *window.start());
    Ok(active.then_some(id))
}
