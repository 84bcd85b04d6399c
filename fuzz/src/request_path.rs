//! The path of a request, and its query string.

use api::error::ApiError;
use api::query::{Query, next_page};
use api::route::{Route, Target};
use domain::app::MAX_SCOPE_BYTES;
use domain::job::JobId;
use ports::store::Page;
use url::Url;

use crate::signature::is_shown_in;

/// A URI's path and query, as in a request line.
pub fn request_path(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let (path, query) = text.split_once('?').unwrap_or((&text, ""));
    let route = Route::parse(path);
    match &route {
        Ok(route) => assert_route(route, path),
        Err(error) => assert_refusal(
            error,
            if matches!(error, ApiError::AppPathTooLong { .. }) {
                400
            } else {
                404
            },
        ),
    }
    let query = Query::parse(query);
    let version = query.check_api_version();
    version
        .as_ref()
        .err()
        .into_iter()
        .for_each(|error| assert_refusal(error, 400));
    match query.page() {
        Ok(page) => assert_page(page),
        Err(error) => assert_refusal(&error, 400),
    }
    route.is_ok() && version.is_ok()
}

/// A path leads to one app however it is spelled, and so do the links that are made of it.
fn assert_route(route: &Route, path: &str) {
    assert_canonical(route.scope.as_str());
    let same_app = |path: &str| Route::parse(path).is_ok_and(|other| other.scope == route.scope);
    for spelled in [
        path.to_ascii_uppercase(),
        path.to_ascii_lowercase(),
        format!("{}/", path.trim_end_matches('/')),
    ] {
        assert!(same_app(&spelled), "{path} is another app than {spelled}");
    }
    assert!(
        is_uri_path(route.list_path()),
        "{} is no path of a URI",
        route.list_path()
    );
    let list = Route::parse(route.list_path()).expect("the list's path is a path");
    assert_eq!(
        (&list.target, &list.scope, list.list_path()),
        (&Target::List, &route.scope, route.list_path())
    );
    if let Target::Task(id) = &route.target
        && let Some(id) = JobId::parse(id)
    {
        assert_eq!(JobId::parse(&id.to_string()), Some(id));
        let link =
            Url::parse(&route.task_url("https://api.example.com", id)).expect("a link is a URL");
        let followed = Route::parse(link.path()).expect("a link is of the API");
        assert_eq!(
            (followed.scope, followed.target),
            (route.scope.clone(), Target::Task(id.to_string())),
            "{link}"
        );
        assert!(
            Query::parse(link.query().unwrap_or_default())
                .check_api_version()
                .is_ok(),
            "{link}"
        );
    }
    for method in ["GET", "POST", "PATCH", "DELETE", "PUT"] {
        let refusal = route.refuse(method, path);
        assert!(
            matches!(refusal.status(), 404 | 405) && !is_shown_in(&refusal.to_string()),
            "{refusal}"
        );
    }
}

/// Visible ASCII, but for what delimits a path, and `%` in front of two hex digits only.
fn is_uri_path(path: &str) -> bool {
    let is_escape =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>?[\\]^`{|}".contains(&byte);
    path.bytes().all(is_plain) && path.split('%').skip(1).all(is_escape)
}

/// Short enough for keys, lower case, nothing but unreserved characters, escapes and slashes: safe
/// in keys and in names of objects.
fn assert_canonical(scope: &str) {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte);
    assert!(scope.len() <= MAX_SCOPE_BYTES, "{scope}");
    assert!(
        scope.starts_with("/subscriptions/") && scope.bytes().all(is_safe),
        "{scope}"
    );
    assert_eq!(scope.split('/').count(), 11, "{scope}");
    assert!(
        scope.split('/').skip(1).all(|segment| !segment.is_empty()),
        "{scope}"
    );
}

fn assert_page(page: Page) {
    assert!((1..=40).contains(&page.top), "{page:?}");
    let next = next_page(page, false);
    let query = Query::parse(&next);
    assert!(query.check_api_version().is_ok(), "{next}");
    if let Ok(next) = query.page() {
        assert_eq!(
            next,
            Page {
                skip: page.skip + page.top,
                ..page
            }
        );
    } else {
        assert!(
            page.skip + page.top > u32::MAX as usize,
            "{page:?} has no next page: {next}"
        );
    }
}

fn assert_refusal(error: &ApiError, status: u16) {
    assert_eq!(error.status(), status, "{error}");
    assert!(
        error.to_string().len() < 1_000 && !is_shown_in(&error.to_string()),
        "{error}"
    );
}
