//! How the feedback of campaigns becomes chunks: that of small campaigns together, and that of a
//! large one in parts, so that no chunk needs more than its time.

use crate::registry::keys::RANGES;
use crate::registry::packs::{Room, Size};

/// The most campaigns whose feedback is one chunk.
const CAMPAIGNS_PER_CHUNK: usize = 20;

/// Where a plan stands among campaigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// The place of the campaign among those that are looked at.
    pub(super) campaign: usize,
    /// The range of its devices, when it is a large one.
    pub(super) range: u8,
}

/// The feedback that one chunk reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Feedback {
    /// All of these campaigns.
    Whole(Vec<usize>),
    /// A range of the devices of one.
    Part(Place),
}

/// Cuts the feedback of campaigns of these sizes into at most `limit` chunks, the first campaign
/// from a range on; and where to go on, unless all is in them. A campaign that does not end with the
/// first page of its items is a large one. When others follow, a last chunk that has room for them
/// is left to the page that has them, too, if there is another chunk.
pub(super) fn cut(
    sizes: &[Size],
    from_range: u8,
    limit: usize,
    others_follow: bool,
) -> (Vec<Feedback>, Option<Place>) {
    let (mut chunks, stop) = fill(sizes, from_range, limit);
    if stop.is_none() && others_follow && chunks.len() > 1 {
        let last = chunks.pop_if(|chunk| matches!(chunk, Feedback::Whole(_)));
        if let Some(Feedback::Whole(these)) = last {
            let campaign = these.first().copied().unwrap_or_default();
            return (chunks, Some(Place { campaign, range: 0 }));
        }
    }
    (chunks, stop)
}

fn fill(sizes: &[Size], from_range: u8, limit: usize) -> (Vec<Feedback>, Option<Place>) {
    let mut chunks: Vec<Feedback> = Vec::new();
    let mut room = Room::default();
    for (campaign, size) in sizes.iter().enumerate() {
        if !size.is_whole {
            let first = if campaign == 0 { from_range } else { 0 };
            for range in first..RANGES {
                let place = Place { campaign, range };
                if chunks.len() == limit {
                    return (chunks, Some(place));
                }
                chunks.push(Feedback::Part(place));
            }
            continue;
        }
        match chunks.last_mut() {
            Some(Feedback::Whole(these))
                if these.len() < CAMPAIGNS_PER_CHUNK && room.takes(*size) =>
            {
                these.push(campaign);
            }
            Some(_) | None => {
                if chunks.len() == limit {
                    return (chunks, Some(Place { campaign, range: 0 }));
                }
                chunks.push(Feedback::Whole(vec![campaign]));
                room = Room::beside(*size);
            }
        }
    }
    (chunks, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(rows: u64) -> Size {
        Size {
            rows,
            is_whole: true,
        }
    }

    const LARGE: Size = Size {
        rows: 9_000,
        is_whole: false,
    };

    /// How many campaigns are looked at for a page.
    const WINDOW: usize = 30;

    /// All chunks of campaigns of these sizes, in pages of so many.
    fn all(sizes: &[Size], limit: usize) -> Vec<Feedback> {
        let (mut chunks, mut at) = (Vec::new(), Some(Place::default()));
        while let Some(from) = at {
            let end = sizes.len().min(from.campaign + WINDOW);
            let is_last = end == sizes.len();
            let (page, next) = cut(&sizes[from.campaign..end], from.range, limit, !is_last);
            assert!(page.len() <= limit);
            let moved = |place: Place| Place {
                campaign: place.campaign + from.campaign,
                ..place
            };
            chunks.extend(page.into_iter().map(|chunk| match chunk {
                Feedback::Whole(these) => {
                    Feedback::Whole(these.into_iter().map(|it| it + from.campaign).collect())
                }
                Feedback::Part(place) => Feedback::Part(moved(place)),
            }));
            let beyond = Place {
                campaign: end,
                range: 0,
            };
            at = next.map(moved).or((!is_last).then_some(beyond));
        }
        chunks
    }

    #[test]
    fn small_campaigns_share_a_chunk_and_a_large_one_is_cut_whatever_the_pages() {
        let whole = |these: std::ops::Range<usize>| Feedback::Whole(these.collect());
        let parts =
            |campaign| (0..RANGES).map(move |range| Feedback::Part(Place { campaign, range }));
        let many = vec![small(1); 45];
        assert_eq!(all(&many, 64), [whole(0..20), whole(20..40), whole(40..45)]);
        let rows = [small(60_000), small(40_000), small(1)];
        assert_eq!(all(&rows, 64), [whole(0..2), whole(2..3)]);
        let mixed = [small(1), LARGE, small(1), small(0), LARGE];
        let mut expected = vec![whole(0..1)];
        expected.extend(parts(1));
        expected.push(whole(2..4));
        expected.extend(parts(4));
        for limit in [1, 2, 3, 23, 64] {
            assert_eq!(all(&mixed, limit), expected, "pages of {limit}");
            assert_eq!(all(&many, limit).len(), 3);
        }
        assert_eq!(all(&[], 1), []);
    }
}
