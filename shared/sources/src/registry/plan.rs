//! Cuts a selection into chunks of partitions.

use std::fmt;
use std::ops::RangeInclusive;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::app::AppScope;
use domain::chunk::ChunkSource;
use domain::job::PlanCursor;
use domain::listing::Listing;
use domain::selection::CampaignType;
use formats::record::timestamp;
use ports::source::{PlanPage, SourceError};
use time::OffsetDateTime;

use crate::registry::feedback::{self, Feedback, Place};
use crate::registry::item::Item;
use crate::registry::keys::{self, Partition};
use crate::registry::packs::Size;
use crate::registry::{Registry, not_of_the_registry};

/// The most segments of a page: each of them is counted.
const SEGMENTS_PER_PAGE: u16 = 64;

/// The most campaigns that are looked at for one page of a plan.
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
    let chunks = packs.into_iter().map(ChunkSource::Partitions);
    Ok(page(chunks.collect(), next))
}

/// Refuses an app whose devices are spread over another number of segments than this service reads:
/// some of them would be missing, and nothing would show it.
async fn check_segments(registry: &Registry, scope: &AppScope) -> Result<(), SourceError> {
    let partition = keys::segments_partition(scope);
    let answer = registry
        .query(&partition)
        .limit(1)
        .send()
        .await
        .map_err(|error| registry.source_error(error))?;
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
        cause: reason.into(),
    })
}

/// The feedback of the campaigns.
pub(super) async fn campaigns(
    registry: &Registry,
    scope: &AppScope,
    campaign_type: CampaignType,
    ids: &[i64],
    cursor: Option<&str>,
    limit: usize,
) -> Result<PlanPage, SourceError> {
    let (place, range) = split_range(cursor)?;
    let first: usize = parse_place(place)?;
    let end = first.saturating_add(CAMPAIGNS_PER_QUERY).min(ids.len());
    let feedback = FeedbackOf {
        registry,
        scope,
        campaign_type,
    };
    let these = ids.get(first..end).unwrap_or_default();
    let others_follow = end < ids.len();
    let (chunks, stop) = feedback.chunks(these, range, limit, others_follow).await?;
    let next = match stop {
        Some(stop) => Some(with_range(first.saturating_add(stop.campaign), stop.range)),
        None => others_follow.then(|| keys::cursor(end)),
    };
    Ok(page(chunks, next))
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
    let campaigns = Partition::Campaigns {
        scope: scope.clone(),
        campaign_type,
    };
    let partition = campaigns.to_string();
    let feedback = FeedbackOf {
        registry,
        scope,
        campaign_type,
    };
    let (place, range) = split_range(cursor)?;
    // A range says that the campaign at the place is begun, and else that it is done with.
    let begun = place.filter(|_| range > 0).map(|key| {
        keys::parse_campaign_sort_key(key).ok_or_else(|| not_of_the_registry("the plan's cursor"))
    });
    let mut ids: Vec<i64> = begun.transpose()?.into_iter().collect();
    let mut before = place.map(str::to_owned);
    let last = loop {
        let (found, last) = find_active(registry, &partition, before.clone(), &window).await?;
        ids.extend(found);
        match last {
            Some(last) if ids.is_empty() => before = Some(last),
            last => break last,
        }
    };
    let (chunks, stop) = feedback.chunks(&ids, range, limit, last.is_some()).await?;
    let next = match stop {
        Some(stop) => Some(after_campaigns(&ids, stop, before)),
        None => last.map(keys::cursor),
    };
    Ok(page(chunks, next))
}

/// The campaigns that were active in the window, among the next ones after a sort key, and the sort
/// key to go on after.
async fn find_active(
    registry: &Registry,
    partition: &str,
    after: Option<String>,
    window: &RangeInclusive<OffsetDateTime>,
) -> Result<(Vec<i64>, Option<String>), SourceError> {
    let (items, last) = query_campaigns(registry, partition, after, CAMPAIGNS_PER_QUERY).await?;
    let active = items
        .iter()
        .filter_map(|item| active_campaign(partition, item, window).transpose());
    Ok((active.collect::<Result<_, _>>()?, last))
}

/// The cursor of a plan that stopped among these campaigns, which were looked for after `before`.
fn after_campaigns(ids: &[i64], stop: Place, before: Option<String>) -> PlanCursor {
    let key_at = |place: usize| ids.get(place).copied().map(keys::campaign_sort_key);
    if stop.range > 0 {
        return with_range(key_at(stop.campaign).unwrap_or_default(), stop.range);
    }
    let previous = stop.campaign.checked_sub(1).and_then(key_at);
    keys::cursor(previous.or(before).unwrap_or_default())
}

/// The cursor of a plan that goes on within a large campaign, or at the beginning of one.
fn with_range(place: impl fmt::Display, range: u8) -> PlanCursor {
    if range == 0 {
        keys::cursor(place)
    } else {
        keys::cursor(format!("{place}#{range}"))
    }
}

/// A place, and the range from which on it is to be planned.
fn split_range(cursor: Option<&str>) -> Result<(Option<&str>, u8), SourceError> {
    let Some((place, range)) = cursor.and_then(|cursor| cursor.split_once('#')) else {
        return Ok((cursor, 0));
    };
    let range = range
        .parse()
        .map_err(|_| not_of_the_registry("the plan's cursor"))?;
    Ok((Some(place), range))
}

/// A page of a plan. The registry has no days that could be missing, and no names to find.
fn page(chunks: Vec<ChunkSource>, next: Option<PlanCursor>) -> PlanPage {
    PlanPage {
        chunks,
        next,
        missing: Vec::new(),
        found: Listing::default(),
    }
}

/// The feedback of an app's campaigns of one type.
struct FeedbackOf<'a> {
    registry: &'a Registry,
    scope: &'a AppScope,
    campaign_type: CampaignType,
}

impl FeedbackOf<'_> {
    /// At most `limit` chunks of these campaigns, the first from a range on, and where to go on. When
    /// others follow, they may share the last chunk.
    async fn chunks(
        &self,
        ids: &[i64],
        range: u8,
        limit: usize,
        others_follow: bool,
    ) -> Result<(Vec<ChunkSource>, Option<Place>), SourceError> {
        let keys: Vec<String> = ids.iter().map(|id| self.key(*id, None)).collect();
        // What was begun in ranges goes on so, whatever became of it: it need not be counted.
        let begun = keys.len().min(usize::from(range > 0));
        let mut sizes = vec![Size::LARGE; begun];
        let to_count = keys.get(begun..).unwrap_or_default();
        sizes.extend(self.registry.sizes_of(to_count).await?);
        let (chunks, stop) = feedback::cut(&sizes, range, limit, others_follow);
        let id_at = |place: usize| ids.get(place).copied().unwrap_or_default();
        let partitions = |chunk| match chunk {
            Feedback::Whole(these) => {
                let keys = these.into_iter().map(|it: usize| self.key(id_at(it), None));
                keys.collect()
            }
            Feedback::Part(place) => vec![self.key(id_at(place.campaign), Some(place.range))],
        };
        let chunks = chunks.into_iter().map(partitions);
        Ok((chunks.map(ChunkSource::Partitions).collect(), stop))
    }

    fn key(&self, campaign: i64, range: Option<u8>) -> String {
        let partition = Partition::Feedback {
            scope: self.scope.clone(),
            campaign_type: self.campaign_type,
            campaign,
            range,
        };
        partition.to_string()
    }
}

fn parse_place<T: std::str::FromStr + Default>(cursor: Option<&str>) -> Result<T, SourceError> {
    cursor.map_or(Ok(T::default()), |place| {
        place
            .parse()
            .map_err(|_| not_of_the_registry("the plan's cursor"))
    })
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
        .map_err(|error| registry.source_error(error))?;
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
        cause: reason.into(),
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
