//! The query: the API's version, and which tasks of a list, in which order.

use std::borrow::Cow;

use domain::job::State;
use domain::selection::ExportType;
use ports::store::{Page, SortKey, Wanted};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::error::{API_VERSION, ApiError};
use super::parts::Place;
use super::task::exact;

/// The most tasks on a page.
const MOST_PER_PAGE: usize = 40;

/// The tasks on a page when `$top` is not given.
const DEFAULT_PER_PAGE: usize = 20;

/// What can be sorted by, by the operation's names and by the task's own.
const SORT_KEYS: [(&str, SortKey); 7] = [
    ("taskId", SortKey::Id),
    ("id", SortKey::Id),
    ("taskStatus", SortKey::State),
    ("state", SortKey::State),
    ("dateCreated", SortKey::Created),
    ("dateCompleted", SortKey::Completed),
    ("errorDetails", SortKey::ErrorDetails),
];

/// The most tasks on a page that says how far each has come: for every task that is at work its
/// tallies are read.
const MOST_WITH_PROGRESS: usize = 10;

const STATE_FIX: &str = "send Queued, Started, Succeeded or Failed";
const TYPE_FIX: &str =
    "send Activity, Event, Job, Error, Session, Crash, Tag, Token, Push or Device";
const AFTER_FIX: &str = "send an RFC 3339 date-time such as 2016-01-31T08:00:00Z";
const PROGRESS_FIX: &str = "send true or false";
const PROGRESS_TOP_FIX: &str = "send `$top` from 1 to 10 with it, or leave it out";

const ORDER_FIX: &str =
    "send taskId, taskStatus, dateCreated, dateCompleted or errorDetails, then asc or desc";

/// The options of a query, decoded; names ignore case.
#[derive(Debug, Clone)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads a raw query string: `%24skip` is `$skip`, `+` and `%20` are spaces.
    pub fn parse(raw: &'a str) -> Self {
        Self(form_urlencoded::parse(raw.as_bytes()).collect())
    }

    /// Checks `api-version`.
    ///
    /// # Errors
    /// [`ApiError::UnsupportedApiVersion`] when it is missing, another, or given with different
    /// values.
    pub fn check_api_version(&self) -> Result<(), ApiError> {
        let mut given = self.all("api-version").peekable();
        let first = given.peek().map(|version| (*version).to_owned());
        match given.find(|version| *version != API_VERSION) {
            None if first.is_some() => Ok(()),
            other => Err(ApiError::UnsupportedApiVersion {
                given: other.map(str::to_owned),
            }),
        }
    }

    /// Reads `$skip`, `$top`, `$orderby` and which tasks are wanted; an empty `$orderby` is the default
    /// order.
    ///
    /// # Errors
    /// [`ApiError::InvalidQuery`] when one of them stands twice or cannot be read, or `$filter` is
    /// asked for.
    pub fn page(&self) -> Result<Page, ApiError> {
        let no_filter = "leave it out, and send `state`, `exportType` or `createdAfter`";
        self.one("$filter", no_filter)?
            .map_or(Ok(()), |value| Err(invalid("$filter", value, no_filter)))?;
        let skip = self.number("$skip", 0, u32::MAX as usize, "send a whole number from 0")?;
        let top = self.number("$top", 1, MOST_PER_PAGE, "send a whole number from 1 to 40")?;
        let order = self.one("$orderby", ORDER_FIX)?;
        let order = order.filter(|text| !text.trim().is_empty());
        let order =
            order.map(|text| order_by(text).ok_or_else(|| invalid("$orderby", text, ORDER_FIX)));
        let (sort, descending) = order.transpose()?.unwrap_or((SortKey::Id, false));
        Ok(Page {
            wanted: self.wanted()?,
            sort,
            descending,
            skip: skip.unwrap_or(0),
            top: top.unwrap_or(DEFAULT_PER_PAGE),
        })
    }

    /// Where a list of parts goes on (`$skiptoken`, as `nextLink` has it); `None` at its beginning.
    ///
    /// # Errors
    /// [`ApiError::InvalidQuery`] when it stands twice or is none of the service's.
    pub fn place(&self) -> Result<Option<Place>, ApiError> {
        const FIX: &str = "leave it out, or follow `nextLink`";
        self.read("$skiptoken", FIX, Place::parse)
    }

    /// Whether a list says how far its tasks have come, those that are at work too (`progress`).
    ///
    /// # Errors
    /// [`ApiError::InvalidQuery`] when it cannot be read, or the page may have too many tasks.
    pub fn wants_progress(&self, page: Page) -> Result<bool, ApiError> {
        let read = |text: &str| text.to_ascii_lowercase().parse().ok();
        let wanted = self.read("progress", PROGRESS_FIX, read)?.unwrap_or(false);
        if wanted && page.top > MOST_WITH_PROGRESS {
            return Err(invalid("progress", "true", PROGRESS_TOP_FIX));
        }
        Ok(wanted)
    }

    fn wanted(&self) -> Result<Wanted, ApiError> {
        let export_type = |text: &str| {
            let mut all = ExportType::ALL.iter().copied();
            all.find(|known| known.name().eq_ignore_ascii_case(text))
        };
        let moment = |text: &str| {
            let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            moment.checked_to_offset(UtcOffset::UTC)
        };
        Ok(Wanted {
            state: self.read("state", STATE_FIX, State::from_name)?,
            export_type: self.read("exportType", TYPE_FIX, export_type)?,
            created_after: self.read("createdAfter", AFTER_FIX, moment)?,
        })
    }

    fn read<T>(
        &self,
        name: &'static str,
        fix: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let text = self.one(name, fix)?;
        text.map(|text| read(text).ok_or_else(|| invalid(name, text, fix)))
            .transpose()
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }

    fn one(&self, name: &'static str, fix: &'static str) -> Result<Option<&str>, ApiError> {
        match self.all(name).collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            several => Err(invalid(name, &several.join(","), fix)),
        }
    }

    fn number(
        &self,
        name: &'static str,
        least: usize,
        most: usize,
        fix: &'static str,
    ) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.one(name, fix)? else {
            return Ok(None);
        };
        let number = text
            .trim()
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        number.map(Some).ok_or_else(|| invalid(name, text, fix))
    }
}

/// The query string of the page after `page`, which is as this one in what else was asked.
pub fn next_page(page: Page, with_progress: bool) -> String {
    let name = SORT_KEYS
        .iter()
        .find(|(_, key)| *key == page.sort)
        .map_or("taskId", |(name, _)| name);
    let direction = if page.descending { "desc" } else { "asc" };
    let skip = page.skip.saturating_add(page.top);
    let Wanted {
        state,
        export_type,
        created_after,
    } = page.wanted;
    let others = [
        state.map(|state| format!("&state={}", state.name())),
        export_type.map(|of| format!("&exportType={}", of.name())),
        created_after.map(|after| format!("&createdAfter={}", exact(after))),
        with_progress.then(|| "&progress=true".to_owned()),
    ];
    let others: String = others.into_iter().flatten().collect();
    format!(
        "api-version={API_VERSION}&%24skip={skip}&%24top={}&%24orderby={name}%20{direction}{others}",
        page.top
    )
}

fn order_by(text: &str) -> Option<(SortKey, bool)> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let descending = match words.next() {
        None => false,
        Some(direction) if direction.eq_ignore_ascii_case("asc") => false,
        Some(direction) if direction.eq_ignore_ascii_case("desc") => true,
        Some(_) => return None,
    };
    let (_, sort) = SORT_KEYS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    words.next().is_none().then_some((*sort, descending))
}

fn invalid(name: &'static str, value: &str, fix: &'static str) -> ApiError {
    ApiError::InvalidQuery {
        name,
        value: value.to_owned(),
        fix,
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::{Just, any, prop_oneof, proptest};
    use proptest::sample::select;

    use super::*;

    #[test]
    fn options_are_decoded_and_their_names_ignore_case() {
        let page = Query::parse("%24SKIP=3&$top=40&%24orderBy=DateCreated+DESC")
            .page()
            .unwrap();
        assert_eq!(
            page,
            Page {
                wanted: Wanted::default(),
                sort: SortKey::Created,
                descending: true,
                skip: 3,
                top: 40
            }
        );
        let page = Query::parse("api-version=2014-12-01&other=1")
            .page()
            .unwrap();
        assert_eq!(
            page,
            Page {
                wanted: Wanted::default(),
                sort: SortKey::Id,
                descending: false,
                skip: 0,
                top: 20
            }
        );
    }

    #[test]
    fn an_empty_order_is_the_default() {
        for query in ["$orderby=", "%24orderby=&$top=20", "$OrderBy=+", "$orderby"] {
            assert_eq!(
                Query::parse(query).page().unwrap(),
                Query::parse("").page().unwrap(),
                "{query}"
            );
        }
    }

    #[test]
    fn options_that_cannot_be_read_are_refused() {
        for query in [
            "$skip=-1",
            "$skip=x",
            "$skip=",
            "$top=0",
            "$top=41",
            "$top=1&$top=2",
            "$orderby=name",
            "$orderby=id up",
            "$orderby=id asc id",
            "$orderby=id,state",
            "$filter=id",
            "$skip=99999999999999999999",
            "state=Running",
            "state=",
            "state=Queued&state=Failed",
            "exportType=Tags",
            "createdAfter=2026-01-05",
            "createdAfter=yesterday",
        ] {
            assert!(
                matches!(
                    Query::parse(query).page(),
                    Err(ApiError::InvalidQuery { .. })
                ),
                "{query}"
            );
        }
    }

    #[test]
    fn the_one_version_is_required() {
        for query in [
            "api-version=2014-12-01",
            "API-Version=2014%2D12%2D01",
            "a=b&api-version=2014-12-01",
        ] {
            assert!(Query::parse(query).check_api_version().is_ok(), "{query}");
        }
        for query in [
            "",
            "api-version=",
            "api-version=2015-01-01",
            "api-version=2014-12-01&api-version=2",
        ] {
            assert!(Query::parse(query).check_api_version().is_err(), "{query}");
        }
    }

    #[test]
    fn a_fix_of_a_wanted_value_names_all_that_there_are() {
        let listed = |fix: &str| {
            let names = fix.strip_prefix("send ").unwrap().replace(" or ", ", ");
            names.split(", ").map(str::to_owned).collect::<Vec<_>>()
        };
        let states = State::ALL.iter().map(|state| state.name());
        assert_eq!(listed(STATE_FIX), states.collect::<Vec<_>>());
        let types = ExportType::ALL.iter().map(|of| of.name());
        assert_eq!(listed(TYPE_FIX), types.collect::<Vec<_>>());
    }

    #[test]
    fn what_is_wanted_is_read_ignoring_case() {
        let query = "State=failed&EXPORTTYPE=push&createdafter=2026-01-05T01:00:00%2B01:00";
        let expected = Wanted {
            state: Some(State::Failed),
            export_type: Some(ExportType::Push),
            created_after: Some(time::macros::datetime!(2026-01-05 0:00 UTC)),
        };
        assert_eq!(Query::parse(query).page().unwrap().wanted, expected);
    }

    #[test]
    fn a_list_with_progress_is_short() {
        for (query, wanted) in [
            ("", Some(false)),
            ("progress=false", Some(false)),
            ("progress=True&$top=10", Some(true)),
            ("progress=true&$top=11", None),
            ("progress=true", None),
            ("progress=1&$top=10", None),
        ] {
            let query = Query::parse(query);
            let page = query.page().unwrap();
            assert_eq!(query.wants_progress(page).ok(), wanted, "{query:?}");
        }
    }

    proptest! {
        #[test]
        fn the_next_page_reads_back_as_asked(
            sort in prop_oneof![Just(SortKey::Id), Just(SortKey::State), Just(SortKey::Created),
                                Just(SortKey::Completed), Just(SortKey::ErrorDetails)],
            descending in any::<bool>(), skip in 0usize..100_000, top in 1usize..=40,
            state in option::of(select(State::ALL)),
            export_type in option::of(select(ExportType::ALL)),
            nanos in option::of(0_i64..4_000_000_000_000_000_000), with_progress in any::<bool>(),
        ) {
            let moment =
                |nanos: i64| OffsetDateTime::from_unix_timestamp_nanos(nanos.into()).unwrap();
            let wanted = Wanted { state, export_type, created_after: nanos.map(moment) };
            let with_progress = with_progress && top <= MOST_WITH_PROGRESS;
            let page = Page { wanted, sort, descending, skip, top };
            let text = next_page(page, with_progress);
            let query = Query::parse(&text);
            assert!(query.check_api_version().is_ok());
            assert_eq!(query.wants_progress(page).unwrap(), with_progress);
            assert_eq!(query.page().unwrap(), Page { skip: skip + top, ..page });
        }
    }
}
