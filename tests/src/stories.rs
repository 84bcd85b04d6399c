//! Whole exports over the real handlers: what a client sees at the end, whatever happened on the
//! way.

mod cases;
pub(crate) mod control;
mod control_faulty;
pub(crate) mod faulty;
mod finishing;
mod lakes;
mod large;
mod late;
pub(crate) mod lives;
mod logged;
mod missing_days;
mod newer;
mod plans;
mod rejects;
mod resumed;
pub(crate) mod rows;
pub(crate) mod secrets;
mod types;
mod version_1;
mod zombies;

use serde_json::{Value, json};

use crate::world::container_url;

/// The body of a request for these days.
fn days(format: &str, start: &str, end: &str) -> Value {
    json!({"containerUrl": container_url(), "exportFormat": format, "startDate": start, "endDate": end})
}
