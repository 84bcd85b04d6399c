//! Which operation of which app a path names.

use domain::app::{APP_SEGMENTS, AppScope, MAX_SCOPE_BYTES, TASKS_PATH};
use domain::job::JobId;
use domain::operation::{OPERATIONS, Operation};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::error::{API_VERSION, ApiError};
use super::shown::holds_signature;
use super::{Call, description};

/// What may not stand in a URI's path (<https://www.rfc-editor.org/rfc/rfc3986#section-3.3>), but `%`.
const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a path names within an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The list of the app's tasks: the path ends with `exportTasks`.
    List,
    /// One task, or what stands in the place of its id.
    Task(String),
    /// The chunks or the files of one task, or of what stands in the place of its id.
    Parts(String, Parts),
    /// A create operation, named by the path's last segment.
    Create(&'static Operation),
    /// The same without a task: `check` stands behind the operation.
    Check(&'static Operation),
}

/// What of a task is listed: the last segment of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "camelCase", ascii_case_insensitive)]
pub enum Parts {
    /// Its chunks, whatever became of them.
    Chunks,
    /// The files of its recorded chunks.
    Files,
}

impl Parts {
    /// Both of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The segment.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The last segment of a path at which a creation is only checked.
const CHECK: &str = "check";

/// What a path names, and how the client spelled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The app, from the path's segments up to the app's name.
    pub scope: AppScope,
    /// The list, a task or an operation of the app.
    pub target: Target,
    list_path: String,
}

impl Route {
    /// Reads the path of a call that is not for the API's description.
    ///
    /// # Errors
    /// [`ApiError::MethodNotAllowed`] when the path is the description's, else as [`Route::parse`].
    pub fn of(call: Call<'_>) -> Result<Self, ApiError> {
        if call.path() == description::PATH {
            return Err(ApiError::MethodNotAllowed {
                method: call.method().to_owned(),
                allow: "GET",
            });
        }
        Self::parse(call.path())
    }

    /// Reads a path: split first, then decoded, matched ignoring case. API Gateway delivers the
    /// path of an HTTP API with every escape decoded but that of `%` itself, which is left to
    /// do here (<https://github.com/ministackorg/ministack/blob/main/ministack/services/apigateway.py>, `decode_http_api_path`);
    /// so a `%` that begins no escape stands for itself (<https://github.com/middleapi/standard-server/pull/93>).
    ///
    /// # Errors
    /// [`ApiError::UnknownPath`] when no operation has it, [`ApiError::AppPathTooLong`] when the
    /// app cannot be stored.
    pub fn parse(path: &str) -> Result<Self, ApiError> {
        let route = Self::read(path).ok_or_else(|| ApiError::UnknownPath {
            path: path.to_owned(),
        })?;
        match route.scope.as_str().len() {
            ..=MAX_SCOPE_BYTES => Ok(route),
            size_bytes => Err(ApiError::AppPathTooLong {
                size_bytes,
                most: MAX_SCOPE_BYTES,
                what: "as it is stored",
            }),
        }
    }

    fn read(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let raw: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
        let (list, rest) = raw.split_at_checked(TASKS_PATH.len())?;
        let names = list
            .iter()
            .zip(TASKS_PATH)
            .map(|(segment, literal)| segment_name(segment, literal));
        let names = names.collect::<Option<Vec<String>>>()?;
        let target = match rest {
            [] => Target::List,
            [name] => target(decoded(name)?),
            [name, what] => within(decoded(name)?, &decoded(what)?)?,
            _ => return None,
        };
        let scope = AppScope::from_segments(names.iter().take(APP_SEGMENTS).map(String::as_str));
        let list_path = list
            .iter()
            .flat_map(|segment| ["/".to_owned(), escaped(segment)])
            .collect();
        Some(Self {
            scope,
            target,
            list_path,
        })
    }

    /// The path of the app's list as the client spelled it, fit for a URI.
    pub fn list_path(&self) -> &str {
        &self.list_path
    }

    /// The absolute URL of a task of the app.
    pub fn task_url(&self, base: &str, id: JobId) -> String {
        format!("{base}{}/{id}?api-version={API_VERSION}", self.list_path)
    }

    /// The absolute URL of the next page of a list of parts.
    pub fn parts_url(&self, base: &str, id: JobId, parts: Parts, token: &str) -> String {
        let (list, parts) = (&self.list_path, parts.name());
        format!("{base}{list}/{id}/{parts}?api-version={API_VERSION}&%24skiptoken={token}")
    }

    /// The answer to a method that the path does not have.
    pub fn refuse(&self, method: &str, path: &str) -> ApiError {
        let allow = match &self.target {
            Target::Create(_) | Target::Check(_) => "POST",
            Target::Task(id) if method == "POST" && JobId::parse(id).is_none() => {
                return ApiError::UnknownPath {
                    path: path.to_owned(),
                };
            }
            Target::Task(_) => "GET, HEAD, PATCH, DELETE",
            Target::List | Target::Parts(..) => "GET, HEAD",
        };
        ApiError::MethodNotAllowed {
            method: method.to_owned(),
            allow,
        }
    }
}

/// The name that a segment holds. No app can be called `.` or `..`: a client that follows a link to
/// it takes the segment away (<https://url.spec.whatwg.org/#path-state>), and asks for another app.
/// Nor is any called like a signature, which would be stored and logged as the app's name.
fn segment_name(segment: &str, literal: Option<&str>) -> Option<String> {
    let name = percent_decode_str(segment).decode_utf8().ok()?.into_owned();
    let is_name = !matches!(name.as_str(), "" | "." | "..") && !holds_signature(&name);
    let fits = literal.map_or(is_name, |literal| literal.eq_ignore_ascii_case(&name));
    fits.then_some(name)
}

fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(text.into_owned())
}

fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|operation| operation.name.eq_ignore_ascii_case(name))
}

/// What two segments behind the list name.
fn within(name: String, what: &str) -> Option<Target> {
    if let Some(operation) = operation(&name) {
        return what
            .eq_ignore_ascii_case(CHECK)
            .then_some(Target::Check(operation));
    }
    what.parse().ok().map(|parts| Target::Parts(name, parts))
}

fn target(name: String) -> Target {
    operation(&name).map_or(Target::Task(name), Target::Create)
}

/// The segment with everything escaped that a URI's path may not hold; escapes stay as they are.
fn escaped(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut text: String = parts.next().map(encoded).unwrap_or_default();
    for part in parts {
        let is_escape =
            part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
        text.push_str(if is_escape { "%" } else { "%25" });
        text.push_str(&encoded(part));
    }
    text
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(app: &str) -> String {
        format!(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.MobileEngagement/appcollections/c/apps/{app}/devices/exportTasks"
        )
    }

    #[test]
    fn every_operation_is_found_ignoring_case() {
        for operation in &OPERATIONS {
            let path = format!("{}/{}", list("chess"), operation.name);
            for spelled in [path.clone(), path.to_lowercase(), path.to_uppercase()] {
                let route = Route::parse(&spelled).unwrap();
                assert_eq!(route.target, Target::Create(operation), "{spelled}");
                assert_eq!(route.scope, Route::parse(&path).unwrap().scope, "{spelled}");
                let check = Route::parse(&format!("{spelled}/Check")).unwrap();
                assert_eq!(check.target, Target::Check(operation), "{spelled}");
            }
        }
    }

    #[test]
    fn the_parts_of_a_task_are_found_ignoring_case() {
        for parts in Parts::ALL {
            for name in [parts.name().to_owned(), parts.name().to_uppercase()] {
                let route = Route::parse(&format!("{}/7/{name}/", list("chess"))).unwrap();
                assert_eq!(route.target, Target::Parts("7".to_owned(), *parts));
            }
        }
    }

    #[test]
    fn a_segment_is_decoded_once_after_the_split() {
        let scope = |app: &str| Route::parse(&list(app)).unwrap().scope;
        assert_eq!(scope("My%20App"), scope("my app"));
        for escape in ["a%2Fb", "a%2fb"] {
            assert!(scope(escape).as_str().ends_with("/a%2Fb"), "{escape}");
        }
        assert!(
            scope("a%252Fb").as_str().ends_with("/a%252fb"),
            "the name is a%2Fb, in lower case"
        );
        assert!(scope("100%").as_str().ends_with("/100%25"));
        assert!(scope("a%2525").as_str().ends_with("/a%2525"));
    }

    #[test]
    fn an_apps_path_is_measured_as_it_is_stored() {
        let most = MAX_SCOPE_BYTES - Route::parse(&list("a")).unwrap().scope.as_str().len() + 1;
        for (fits, app) in [
            (true, "a".repeat(most)),
            (false, "a".repeat(most + 1)),
            (true, "%41".repeat(most)),
            (true, "%20".repeat(most / 3)),
            (false, "%20".repeat(most / 3 + 1)),
        ] {
            let route = Route::parse(&list(&app));
            assert_eq!(route.is_ok(), fits, "{app}");
            assert!(
                fits || matches!(route, Err(ApiError::AppPathTooLong { .. })),
                "{route:?}"
            );
        }
    }

    #[test]
    fn other_paths_are_unknown() {
        for path in [
            "",
            "/",
            "/subscriptions/s",
            "x",
            &list(""),
            &list("a%FF"),
            &format!("{}/a/b", list("a")),
            &format!("{}/a/check", list("a")),
            &format!("{}/events/checks", list("a")),
            &format!("{}/events/files", list("a")),
            &format!("{}/x/files/", list("a")).repeat(2),
            &format!("{}/events/check/x", list("a")),
        ] {
            assert!(
                matches!(Route::parse(path), Err(ApiError::UnknownPath { .. })),
                "{path}"
            );
        }
        assert!(Route::parse(&format!("{}/", list("a"))).is_ok());
    }

    #[test]
    fn an_app_whose_links_would_lead_elsewhere_or_hold_a_signature_is_unknown() {
        for app in [".", "..", "%2e", "%2E.", "sig=abc", "sig%3Dabc"] {
            assert!(
                matches!(Route::parse(&list(app)), Err(ApiError::UnknownPath { .. })),
                "{app}"
            );
        }
        assert!(Route::parse(&list("...")).is_ok());
    }

    #[test]
    fn the_lists_path_is_fit_for_a_uri_and_leads_back() {
        let route = Route::parse(&list("Schön 100%?#%41")).unwrap();
        assert_eq!(route.list_path(), list("Sch%C3%B6n%20100%25%3F%23%41"));
        assert_eq!(Route::parse(route.list_path()).unwrap().scope, route.scope);
    }
}
