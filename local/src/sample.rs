//! Sample data: made up, the same for the same seed, with the cases that break exports.
//!
//! Seven days of 2026, two apps with data and one without, one day on which nothing happened, one
//! device that did more than all others, events outside of any session, every packing that the lake
//! may hold.

mod files;
mod random;
mod registry;
mod rows;

pub use registry::{CAMPAIGNS, SampleDevice};

use std::collections::BTreeMap;
use std::path::Path;

use domain::app::AppScope;
use domain::selection::{ExportType, HistoryType};
use ports::source::SourceError;
use sources::lake::layout;
use sources::registry::Registry;
use time::Date;
use time::macros::date;

use random::Random;
use rows::{Ids, RowWriter};

/// The days of the sample, in order.
pub const DAYS: [Date; 7] = [
    date!(2026 - 01 - 05),
    date!(2026 - 01 - 06),
    date!(2026 - 01 - 07),
    date!(2026 - 01 - 08),
    date!(2026 - 01 - 09),
    date!(2026 - 01 - 10),
    date!(2026 - 01 - 11),
];

/// The day on which nothing happened.
pub(crate) const EMPTY_DAY: Date = date!(2026 - 01 - 08);

/// The day on which one device did more than all others.
pub(crate) const HUGE_DAY: Date = date!(2026 - 01 - 06);

/// Rows that are made unless asked otherwise.
pub const DEFAULT_ROWS: u64 = 200_000;

/// The types that the lake holds, and their share of an app's rows in percent.
const LAKE_SHARES: [(HistoryType, u64); 6] = [
    (HistoryType::Event, 36),
    (HistoryType::Activity, 30),
    (HistoryType::Session, 14),
    (HistoryType::Job, 9),
    (HistoryType::Error, 6),
    (HistoryType::Crash, 2),
];

/// An app of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleApp {
    /// The last segment of the app's path, unescaped.
    pub name: &'static str,
    /// Its share of all rows, in percent.
    share: u64,
    number: u64,
}

/// Every app of the sample; the last one has no data.
pub const APPS: [SampleApp; 3] = [
    SampleApp {
        name: "chess",
        share: 75,
        number: 0,
    },
    SampleApp {
        name: "My Notes",
        share: 25,
        number: 1,
    },
    SampleApp {
        name: "silent",
        share: 0,
        number: 2,
    },
];

/// The path segments above an app's name, as a client writes them.
pub const COLLECTION: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/demo/providers/\
                              Microsoft.MobileEngagement/appcollections/studio";

impl SampleApp {
    /// [`COLLECTION`], `apps` and the name, as the service's items have it.
    pub fn scope(&self) -> AppScope {
        AppScope::from_segments(COLLECTION.split('/').skip(1).chain(["apps", self.name]))
    }

    /// The app's path in the API.
    pub fn path(&self) -> String {
        let name =
            percent_encoding::utf8_percent_encode(self.name, percent_encoding::NON_ALPHANUMERIC);
        format!("{COLLECTION}/apps/{name}")
    }

    /// The path of the app's exports in the API.
    pub fn exports_path(&self) -> String {
        format!("{}/devices/exportTasks", self.path())
    }
}

/// How much to make, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The same seed makes the same data.
    pub seed: u64,
    /// Rows of all types and apps, about.
    pub rows: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            seed: 20_260_105,
            rows: DEFAULT_ROWS,
        }
    }
}

/// Rows made, by app, type and day; the registry's have no day.
pub type Counts = BTreeMap<(&'static str, &'static str, Option<Date>), u64>;

impl Sample {
    /// A little of everything: made in a moment.
    pub const SMALL: Self = Self {
        seed: 7,
        rows: 6_000,
    };

    /// The number of devices of an app.
    pub fn devices(&self, app: &SampleApp) -> u64 {
        (self.rows / 100 * app.share / 100).max(u64::from(app.share > 0))
    }

    /// Writes the lake of every app into the folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_lake(&self, lake: &Path) -> std::io::Result<Counts> {
        let mut counts = Counts::new();
        for app in &APPS {
            for (of, share) in LAKE_SHARES {
                for (number, day) in DAYS
                    .into_iter()
                    .enumerate()
                    .filter(|(_, day)| *day != EMPTY_DAY)
                {
                    let rows = self.rows * app.share / 100 * share / 100 / 6;
                    let purpose = [app.number, of as u64, number as u64];
                    let huge = if day == HUGE_DAY { rows / 2 } else { 0 };
                    let random = Random::new(self.seed, &purpose);
                    let ids = Ids::new(self.seed, app.number);
                    let mut writer = RowWriter::new(of, day, ids, random, self.devices(app), huge);
                    files::write_rows(&lake.join(folder(of, app, day)), &mut writer, rows)?;
                    if rows > 0 {
                        counts.insert((app.name, ExportType::from(of).name(), Some(day)), rows);
                    }
                }
            }
        }
        Ok(counts)
    }

    /// Writes the devices, campaigns and feedback of every app into the registry.
    ///
    /// # Errors
    /// [`SourceError`] when the table does not take them.
    pub async fn load_registry(&self, registry: &Registry) -> Result<Counts, SourceError> {
        let mut counts = Counts::new();
        for app in APPS.iter().filter(|app| app.share > 0) {
            let scope = app.scope();
            let (devices, feedback): (Vec<_>, Vec<_>) = self
                .device_list(app)
                .map(|sample| (sample.device, sample.feedback))
                .unzip();
            let feedback = feedback.concat();
            registry
                .put_campaigns(&scope, &registry::campaigns())
                .await?;
            registry.put_devices(&scope, &devices).await?;
            registry.put_feedback(&scope, &feedback).await?;
            let tokens = devices
                .iter()
                .filter(|device| device.push_token.is_some())
                .count();
            let tagged = devices
                .iter()
                .filter(|device| !device.app_info.is_empty())
                .count();
            for (export_type, rows) in [
                (ExportType::Device, devices.len()),
                (ExportType::Tag, tagged),
                (ExportType::Token, tokens),
                (ExportType::Push, feedback.len()),
            ] {
                counts.insert((app.name, export_type.name(), None), rows as u64);
            }
        }
        Ok(counts)
    }

    /// The devices of an app, as they are now.
    pub fn device_list(&self, app: &SampleApp) -> impl Iterator<Item = SampleDevice> + use<> {
        let (seed, number) = (self.seed, app.number);
        (0..self.devices(app)).map(move |device| SampleDevice::new(seed, number, device))
    }
}

/// The folder of a type, app and day within the lake: where the service looks for it.
pub fn folder(of: HistoryType, app: &SampleApp, day: Date) -> String {
    layout::folder(of, &app.scope(), day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamodb::scratch_dir;

    #[test]
    fn the_same_seed_makes_the_same_files() {
        let made = || {
            let folder = scratch_dir().unwrap();
            let counts = Sample {
                seed: 7,
                rows: 3_000,
            }
            .write_lake(folder.path())
            .unwrap();
            let day = folder
                .path()
                .join(super::folder(HistoryType::Event, &APPS[0], HUGE_DAY));
            (
                counts,
                std::fs::read(day.join("part-00000.ndjson.gz")).unwrap(),
            )
        };
        assert_eq!(made(), made());
    }

    #[test]
    fn the_empty_day_and_the_silent_app_have_nothing() {
        let folder = scratch_dir().unwrap();
        let counts = Sample {
            seed: 7,
            rows: 3_000,
        }
        .write_lake(folder.path())
        .unwrap();
        assert!(
            counts
                .keys()
                .all(|(app, _, day)| *app != "silent" && *day != Some(EMPTY_DAY))
        );
        assert!(
            !folder
                .path()
                .join(super::folder(HistoryType::Event, &APPS[0], EMPTY_DAY))
                .exists()
        );
        assert_eq!(counts.len(), 2 * 6 * 6);
    }
}
