//! What a job's owner should know of its plan and of its rows, in words. Each move that finds it
//! out says it anew, so that a job that is resumed says nothing twice and nothing that is no longer
//! true.

use time::{Date, Duration};

use super::{Job, Plan};
use crate::chunk::MOST_FILES_OF_ROWS;
use crate::listing::Names;
use crate::plural::{agree, counted};
use crate::selection::{History, Selection, Snapshot};
use crate::tally::Tally;
use crate::warning::{Warning, WarningCode};

/// What a plan may warn of.
const OF_PLANS: [WarningCode; 8] = [
    WarningCode::NoFolder,
    WarningCode::NoObjects,
    WarningCode::DaysWithoutObjects,
    WarningCode::ObjectsLeftOut,
    WarningCode::UnusualNames,
    WarningCode::LargeObjects,
    WarningCode::LateRecordsMayCome,
    WarningCode::FoldersLeftOut,
];

/// What a plan without chunks warns of: it says already that there are no rows.
const OF_EMPTY_PLANS: [WarningCode; 2] = [WarningCode::NoFolder, WarningCode::NoObjects];

/// How many campaigns a warning names by their ids.
const NAMED_CAMPAIGNS: usize = 10;

impl Job {
    /// Says what the plan came upon, now that it has come to its end, or cannot go on.
    pub(super) fn warn_of_plan(self) -> Self {
        let found = [
            self.nothing_planned(),
            self.empty_days(),
            self.objects_left_out(),
            self.unusual_names(),
            self.large_objects(),
            self.late_records(),
            self.folders_left_out(),
        ];
        self.renew_warnings(&OF_PLANS, found)
    }

    /// Says what there is to say of the rows: that there is none though the export is complete, that
    /// records were rejected, and that files are too large; before its manifest is written.
    #[must_use]
    pub fn warn_of_rows(self, tally: &Tally) -> Self {
        let is_complete = matches!(self.plan, Plan::Complete { .. })
            && self.missing_days.is_empty()
            && tally.is_complete();
        let is_said = self
            .warnings
            .iter()
            .any(|warning| is_of(warning, &OF_EMPTY_PLANS));
        let no_rows =
            (is_complete && tally.counts.rows == 0 && !is_said).then(|| self.no_rows(tally));
        let codes = [
            WarningCode::NoRows,
            WarningCode::RecordsRejected,
            WarningCode::FilesOversized,
        ];
        let oversized = self.files_oversized(tally);
        self.renew_warnings(&codes, [no_rows, records_rejected(tally), oversized])
    }

    fn renew_warnings<const N: usize>(
        mut self,
        codes: &[WarningCode],
        found: [Option<Warning>; N],
    ) -> Self {
        self.0.warnings.retain(|warning| !is_of(warning, codes));
        self.0.warnings.extend(found.into_iter().flatten());
        self
    }

    /// Why a complete plan has no chunk. The registry's plans have some wherever there may be rows.
    fn nothing_planned(&self) -> Option<Warning> {
        let (Selection::History(History { days, .. }), Plan::Complete { .. }, 0) =
            (&self.request.selection, &self.plan, self.chunks)
        else {
            return None;
        };
        if !self.missing_days.is_empty() {
            return None;
        }
        let absent = self
            .listing
            .absent_folder
            .as_ref()
            .filter(|_| self.listing.left_out.count == 0);
        if let Some(folder) = absent {
            let message = format!(
                "The lake has no folder `{folder}`: the export has no rows. Compare the app's path with the lake."
            );
            return Some(Warning::new(WarningCode::NoFolder, message));
        }
        let message = format!(
            "The lake has no object with records of type {} from {} to {}: the export has no rows. Compare app, type \
             and days with the lake.",
            self.request.export_type().name(),
            days.start,
            days.end
        );
        Some(Warning::new(WarningCode::NoObjects, message))
    }

    /// The days that gave a complete plan nothing, where others did.
    fn empty_days(&self) -> Option<Warning> {
        let days = &self.listing.empty_days;
        let is_notable =
            matches!(self.plan, Plan::Complete { .. }) && self.chunks > 0 && days.count > 0;
        let message = format!(
            "The lake has no object with records of type {} on {} of the selected days: {days}. If there should be \
             some, ask the operator of the service; an object that is added later is in a later export only.",
            self.request.export_type().name(),
            days.count,
        );
        is_notable.then(|| Warning::new(WarningCode::DaysWithoutObjects, message))
    }

    fn objects_left_out(&self) -> Option<Warning> {
        let (names, bytes) = (&self.listing.left_out, self.listing.left_out_bytes);
        let message = format!(
            "Left out, because of their names or because they are empty: {} in the folders that are read ({bytes} bytes): \
             {names}. Ask the operator of the service whether they hold records.",
            counted(names.count, "object"),
        );
        (names.count > 0).then(|| Warning::new(WarningCode::ObjectsLeftOut, message))
    }

    fn unusual_names(&self) -> Option<Warning> {
        let names = &self.listing.odd_names;
        let message = format!(
            "Beside the objects with unusual names that are read one by one, {} share chunks with others: {names}. One \
             that is no file of records costs a chunk a second reading. The operator of the service can leave them out \
             by LAKE_IGNORE.",
            counted(names.count, "more object"),
        );
        (names.count > 0).then(|| Warning::new(WarningCode::UnusualNames, message))
    }

    fn large_objects(&self) -> Option<Warning> {
        let names = &self.listing.large_objects;
        let message = format!(
            "Likely to be too large for the time of one run: {}: {names}. If the export is incomplete because of that, the \
             operator of the service can divide them.",
            counted(names.count, "object"),
        );
        (names.count > 0).then(|| Warning::new(WarningCode::LargeObjects, message))
    }

    /// The days whose late records may still come: an export of them is of what had come.
    fn late_records(&self) -> Option<Warning> {
        let (Selection::History(History { days, .. }), Some(rules), Some(since)) =
            (&self.request.selection, self.rules, self.listing.since)
        else {
            return None;
        };
        let late_days = rules.late_days;
        let is_open = |day: &Date| *day + Duration::days(late_days.into()) >= since.date();
        let mut open = Names::default();
        let mut day = Some(days.start);
        while let Some(present) = day.filter(|day| *day <= days.end) {
            if is_open(&present) {
                open.add(&present.to_string());
            }
            day = present.next_day();
        }
        let message = format!(
            "Records may arrive {late_days} days late, and {} of the selected days may still get some: {open}. They are in \
             later exports of these days only.",
            open.count,
        );
        (late_days > 0 && open.count > 0)
            .then(|| Warning::new(WarningCode::LateRecordsMayCome, message))
    }

    fn folders_left_out(&self) -> Option<Warning> {
        let names = &self.listing.no_days;
        let message = format!(
            "Left out, because only folders named `date=YYYY-MM-DD` are read: {} in the app's folder: {names}. Ask the \
             operator of the service whether they hold records.",
            counted(names.count, "name"),
        );
        (names.count > 0).then(|| Warning::new(WarningCode::FoldersLeftOut, message))
    }

    fn files_oversized(&self, tally: &Tally) -> Option<Warning> {
        let (oversized, most) = (tally.counts.oversized, self.request.files.max_file_bytes?);
        let message = format!(
            "{} {} more than the {most} bytes that were asked for, because a chunk of the export has at most \
             {MOST_FILES_OF_ROWS} files of rows, and the last of them takes the rest. Ask for larger files, or for \
             compression.",
            counted(oversized, "file"),
            agree(oversized, "has", "have"),
        );
        (oversized > 0).then(|| Warning::new(WarningCode::FilesOversized, message))
    }

    fn no_rows(&self, tally: &Tally) -> Warning {
        let name = self.request.export_type().name();
        let nothing = match &self.request.selection {
            Selection::History(_) => "The objects of the selected days hold no rows".to_owned(),
            Selection::Snapshot(Snapshot::Devices(_)) => {
                format!("The registry has no row of type {name} for this app")
            }
            Selection::Snapshot(Snapshot::Campaigns { campaign_type, ids }) => {
                let named: Vec<String> = ids
                    .iter()
                    .take(NAMED_CAMPAIGNS)
                    .map(i64::to_string)
                    .collect();
                let others = ids.len().saturating_sub(NAMED_CAMPAIGNS);
                let others = if others > 0 {
                    format!(" and {others} more")
                } else {
                    String::new()
                };
                let (campaign_type, named) = (campaign_type.name(), named.join(", "));
                format!(
                    "The registry has no feedback of campaigns of type {campaign_type} with the ids {named}{others}"
                )
            }
            Selection::Snapshot(Snapshot::ActiveCampaigns { campaign_type, .. }) => format!(
                "The registry has no feedback of campaigns of type {} that were active in the window",
                campaign_type.name()
            ),
        };
        let rejected = match tally.counts.rejected {
            0 => String::new(),
            rejected => format!(", beside {}", counted(rejected, "rejected record")),
        };
        let excluded = match tally.counts.excluded {
            0 => String::new(),
            excluded => format!(
                ", beside {} that the filter excludes",
                counted(excluded, "record")
            ),
        };
        let message = format!("{nothing}{rejected}{excluded}: the export has no rows.");
        Warning::new(WarningCode::NoRows, message)
    }
}

fn records_rejected(tally: &Tally) -> Option<Warning> {
    let rejected = tally.counts.rejected;
    let message = format!(
        "{} could not be exported and {} in {}, with object, line and reason: see `rejected` in the manifest. The rows \
         do not hold {}.",
        counted(rejected, "record"),
        agree(rejected, "stands", "stand"),
        agree(rejected, "a file of its own", "files of their own"),
        agree(rejected, "it", "them"),
    );
    (rejected > 0).then(|| Warning::new(WarningCode::RecordsRejected, message))
}

fn is_of(warning: &Warning, codes: &[WarningCode]) -> bool {
    codes.iter().any(|code| code.name() == warning.code)
}
