//! Whole exports over the real handlers: what a client sees at the end, whatever happened on the
//! way.

mod cancelled;
mod compressed;
mod control_faulty;
pub(crate) mod faulty;
mod filtered;
mod lakes;
mod late;
pub(crate) mod lives;
mod logged;
mod newer;
mod options;
mod resumed;
pub(crate) mod rows;
pub(crate) mod scenes;
pub(crate) mod secrets;
pub(crate) mod types;
mod version_1;

use serde_json::{Value, json};

use crate::world::container_url;

/// The body of a request for these days.
pub(crate) fn days(format: &str, start: &str, end: &str) -> Value {
    json!({"containerUrl": container_url(), "exportFormat": format, "startDate": start, "endDate": end})
}
