//! The query: the API's version, and which part of a list in which order.

use std::borrow::Cow;

use ports::store::{Page, SortKey};

use super::error::{API_VERSION, ApiError};

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

    /// Reads `$skip`, `$top` and `$orderby`; an empty `$orderby` is the default order.
    ///
    /// # Errors
    /// [`ApiError::InvalidQuery`] when one of them stands twice or cannot be read, or `$filter` is
    /// asked for.
    pub fn page(&self) -> Result<Page, ApiError> {
        let no_filter = "leave it out, this list cannot be filtered";
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
            sort,
            descending,
            skip: skip.unwrap_or(0),
            top: top.unwrap_or(DEFAULT_PER_PAGE),
        })
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

/// The query string of the page after `page`.
pub fn next_page(page: Page) -> String {
    let name = SORT_KEYS
        .iter()
        .find(|(_, key)| *key == page.sort)
        .map_or("taskId", |(name, _)| name);
    let direction = if page.descending { "desc" } else { "asc" };
    let skip = page.skip.saturating_add(page.top);
    format!(
        "api-version={API_VERSION}&%24skip={skip}&%24top={}&%24orderby={name}%20{direction}",
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
    use proptest::prelude::{Just, any, prop_oneof, proptest};

    use super::*;

    #[test]
    fn options_are_decoded_and_their_names_ignore_case() {
        let page = Query::parse("%24SKIP=3&$top=40&%24orderBy=DateCreated+DESC")
            .page()
            .unwrap();
        assert_eq!(
            page,
            Page {
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

    proptest! {
        #[test]
        fn the_next_page_reads_back_as_asked(
            sort in prop_oneof![Just(SortKey::Id), Just(SortKey::State), Just(SortKey::Created),
                                Just(SortKey::Completed), Just(SortKey::ErrorDetails)],
            descending in any::<bool>(), skip in 0usize..100_000, top in 1usize..=40,
        ) {
            let page = Page { sort, descending, skip, top };
            let text = next_page(page);
            let query = Query::parse(&text);
            assert!(query.check_api_version().is_ok());
            assert_eq!(query.page().unwrap(), Page { skip: skip + top, ..page });
        }
    }
}
