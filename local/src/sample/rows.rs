//! The rows of the lake: one line of JSON each, written straight into a buffer, because a few
//! million of them are wanted while somebody waits.

use std::io::Write;

use domain::selection::HistoryType;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Time, UtcOffset};

use super::random::Random;

/// Names as apps really give them, each as its raw JSON: any language, emoji (as such and escaped),
/// quotes, line breaks, control characters, separators of CSV.
const NAMES: [&str; 16] = [
    r#""home""#,
    r#""profile""#,
    r#""settings/notifications""#,
    r#""checkout""#,
    r#""search?q=a&b=c""#,
    r#""naïve café ☕""#,
    r#""комната""#,
    r#""名前・一覧""#,
    r#""العربية""#,
    r#""👩‍👩‍👧 family""#,
    r#""escaped \ud83d\ude00""#,
    r#""say \"hi\"""#,
    r#""back\\slash \/ tab\t""#,
    r#""line\nbreak\r\n""#,
    r#""comma, semicolon; 'quote'""#,
    r#""control \u0001 and \u2028""#,
];

/// Extras that a careless reader would change: exponents, twenty digits, trailing zeros, negative
/// zero, null, escapes.
const EXTRAS: [&str; 6] = [
    r#"{"price":9.90,"currency":"EUR","paid":true}"#,
    r#"{"tiny":1e-7,"huge":12345678901234567890,"negative":-0.0,"exp":1E+2}"#,
    r#"{"nothing":null,"empty":"","spaces":"  x  "}"#,
    r#"{"quote":"\"","comma":"a,b","lines":"a\r\nb","unicode":"\u00e9é"}"#,
    r#"{"formula":"=1+1","level":42}"#,
    r"{}",
];

/// Extras with objects and arrays in them, which only activities may have.
const NESTED_EXTRAS: [&str; 3] = [
    r#"{"path":["home",{"tab":[1,2,{"deep":null}]}],"x":{"y":{"z":"ω"}}}"#,
    r#"{"list":[],"object":{},"mixed":[1e-7,12345678901234567890,"\"",false]}"#,
    r#"{"position":{"lat":48.137154,"lon":11.576124},"tags":["a","b"]}"#,
];

const STACK_TRACE: &str = r"java.lang.NullPointerException: \u00fcber\n\tat com.example.Main.run(Main.java:42)\n\tat java.base\/Thread.run";

/// Writes an id: 32 hex digits, or for every seventh a dashed GUID.
pub(crate) fn id(line: &mut Vec<u8>, kind: u64, number: u64) {
    let mut bits = Random::new(kind, &[number]);
    let (high, low) = (bits.next(), bits.next());
    let written = if number.is_multiple_of(7) {
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
        write!(
            line,
            "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}",
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    } else {
        write!(line, "{high:016x}{low:016x}")
    };
    debug_assert!(written.is_ok(), "writing into memory cannot fail");
}

/// What ids are made of: the seed's and app's own number, and the kind of thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) device: u64,
    pub(crate) session: u64,
    pub(crate) other: u64,
}

impl Ids {
    /// The ids of one app.
    pub(crate) fn new(seed: u64, app: u64) -> Self {
        let mut random = Random::new(seed, &[app, 0x1d5]);
        Self {
            device: random.next(),
            session: random.next(),
            other: random.next(),
        }
    }
}

/// Writes the rows of one type, app and day.
pub(crate) struct RowWriter {
    of: HistoryType,
    day: Date,
    ids: Ids,
    random: Random,
    devices: u64,
    /// The device (or session) that the current run of rows belongs to, and how many rows it goes
    /// on for.
    run: (u64, u64),
    row: u64,
}

impl RowWriter {
    /// A writer; `huge` rows at the beginning belong to one device.
    pub(crate) fn new(
        of: HistoryType,
        day: Date,
        ids: Ids,
        random: Random,
        devices: u64,
        huge: u64,
    ) -> Self {
        Self {
            of,
            day,
            ids,
            random,
            devices,
            run: (0, huge),
            row: 0,
        }
    }

    /// Appends a row and its line end.
    pub(crate) fn write(&mut self, line: &mut Vec<u8>) {
        self.next_owner();
        line.push(b'{');
        match self.of {
            HistoryType::Activity => self.activity(line),
            HistoryType::Event | HistoryType::Error => self.happening(line),
            HistoryType::Job => self.job(line),
            HistoryType::Session => self.session(line),
            HistoryType::Crash => self.crash(line),
        }
        line.extend_from_slice(b"}\n");
        self.row += 1;
    }

    fn next_owner(&mut self) {
        if self.run.1 == 0 {
            self.run = (self.random.below(self.devices), 1 + self.random.below(6));
        }
        self.run.1 -= 1;
    }

    fn activity(&mut self, line: &mut Vec<u8>) {
        id_field(line, r#""sessionId":""#, self.ids.session, self.run.0);
        id_field(line, r#","deviceId":""#, self.ids.device, self.run.0);
        self.name_and_time(line, "timestamp");
        if self.random.one_in(3) {
            line.extend_from_slice(br#","extras":"#);
            line.extend_from_slice(self.random.pick(&NESTED_EXTRAS).as_bytes());
        }
    }

    /// An event or an error; one in five happens outside of any session.
    fn happening(&mut self, line: &mut Vec<u8>) {
        id_field(line, r#""deviceId":""#, self.ids.device, self.run.0);
        self.name_and_time(line, "timestamp");
        if !self.random.one_in(5) {
            id_field(line, r#","infoId":""#, self.ids.other, self.run.0);
            id_field(line, r#","sessionId":""#, self.ids.session, self.run.0);
            id_field(line, r#","locationId":""#, self.ids.other, self.run.0 + 1);
        }
        self.maybe_extras(line);
    }

    fn job(&mut self, line: &mut Vec<u8>) {
        let number = self.random.next();
        id_field(line, r#""jobId":""#, self.ids.other, number);
        id_field(line, r#","deviceId":""#, self.ids.device, self.run.0);
        id_field(line, r#","infoId":""#, self.ids.other, self.run.0);
        self.name_and_time(line, "start");
        if !self.random.one_in(10) {
            self.time_field(line, "end");
        }
        self.maybe_extras(line);
    }

    fn session(&mut self, line: &mut Vec<u8>) {
        let number = self.random.next();
        id_field(line, r#""sessionId":""#, self.ids.session, number);
        id_field(line, r#","deviceId":""#, self.ids.device, self.run.0);
        self.time_field(line, "start");
        if !self.random.one_in(10) {
            self.time_field(line, "end");
        }
        if !self.random.one_in(4) {
            id_field(line, r#","infoId":""#, self.ids.other, self.run.0);
            id_field(line, r#","locationId":""#, self.ids.other, self.run.0 + 1);
        }
    }

    fn crash(&mut self, line: &mut Vec<u8>) {
        let number = self.random.next();
        id_field(line, r#""crashId":""#, self.ids.other, number);
        id_field(line, r#","deviceId":""#, self.ids.device, self.run.0);
        self.name_and_time(line, "timestamp");
        line.extend_from_slice(br#","stackTrace":""#);
        line.extend_from_slice(STACK_TRACE.as_bytes());
        line.push(b'"');
    }

    fn name_and_time(&mut self, line: &mut Vec<u8>, time: &str) {
        line.extend_from_slice(br#","name":"#);
        line.extend_from_slice(self.random.pick(&NAMES).as_bytes());
        self.time_field(line, time);
    }

    fn maybe_extras(&mut self, line: &mut Vec<u8>) {
        if self.random.one_in(2) {
            line.extend_from_slice(br#","extras":"#);
            line.extend_from_slice(self.random.pick(&EXTRAS).as_bytes());
        }
    }

    /// A moment of the day, in one of the spellings that devices use: whole seconds, fractions, no
    /// zone, another zone (whose own date may be the day before or after).
    fn time_field(&mut self, line: &mut Vec<u8>, name: &str) {
        let second = self.random.below(86_400);
        let (hour, minute, second_of_minute) = (second / 3_600, second / 60 % 60, second % 60);
        let clock = format_args!("{hour:02}:{minute:02}:{second_of_minute:02}").to_string();
        let (day, fraction) = (self.day, self.random.next());
        let written = match self.random.below(8) {
            0..=2 => write!(line, r#","{name}":"{day}T{clock}Z""#),
            3 | 4 => write!(
                line,
                r#","{name}":"{day}T{clock}.{:03}Z""#,
                fraction % 1_000
            ),
            5 => write!(
                line,
                r#","{name}":"{day}T{clock}.{:09}Z""#,
                fraction % 1_000_000_000
            ),
            6 => write!(line, r#","{name}":"{day}T{clock}""#),
            _ => write!(line, r#","{name}":"{}""#, elsewhere(day, second, fraction)),
        };
        debug_assert!(written.is_ok(), "writing into memory cannot fail");
    }
}

/// Writes a field that is an id; `opening` is the field up to its value's opening quote.
fn id_field(line: &mut Vec<u8>, opening: &str, kind: u64, number: u64) {
    line.extend_from_slice(opening.as_bytes());
    id(line, kind, number);
    line.push(b'"');
}

/// The moment as it is spelled in some time zone between -11:00 and +13:30.
fn elsewhere(day: Date, second: u64, choice: u64) -> String {
    let moment =
        day.with_time(Time::MIDNIGHT).assume_utc() + Duration::seconds(second.cast_signed());
    let half_hours = i32::try_from(choice % 50).unwrap_or(0) - 22;
    let zone = UtcOffset::from_whole_seconds(half_hours * 1_800).unwrap_or(UtcOffset::UTC);
    moment.to_offset(zone).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use time::OffsetDateTime;
    use time::macros::date;

    use super::*;

    fn rows(of: HistoryType, count: u64) -> Vec<Value> {
        let mut writer = RowWriter::new(
            of,
            date!(2026 - 01 - 06),
            Ids::new(1, 2),
            Random::new(1, &[]),
            20,
            50,
        );
        let mut text = Vec::new();
        (0..count).for_each(|_| writer.write(&mut text));
        let text = String::from_utf8(text).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn every_row_is_json_with_the_fields_that_its_type_requires() {
        for (of, required) in [
            (
                HistoryType::Activity,
                &["sessionId", "deviceId", "name", "timestamp"][..],
            ),
            (HistoryType::Event, &["deviceId", "name", "timestamp"]),
            (HistoryType::Error, &["deviceId", "name", "timestamp"]),
            (
                HistoryType::Job,
                &["jobId", "name", "deviceId", "infoId", "start"],
            ),
            (HistoryType::Session, &["sessionId", "deviceId", "start"]),
            (
                HistoryType::Crash,
                &["crashId", "deviceId", "timestamp", "name", "stackTrace"],
            ),
        ] {
            for row in rows(of, 2_000) {
                assert!(
                    required.iter().all(|field| row[field].is_string()),
                    "{of:?}: {row}"
                );
            }
        }
    }

    #[test]
    fn a_time_in_any_zone_is_within_the_utc_day() {
        let mut other_dates = 0;
        for row in rows(HistoryType::Event, 5_000) {
            let text = row["timestamp"].as_str().unwrap();
            let zoned = if text.len() == 19 {
                format!("{text}Z")
            } else {
                text.to_owned()
            };
            let moment = OffsetDateTime::parse(&zoned, &Rfc3339).unwrap();
            assert_eq!(
                moment.to_offset(UtcOffset::UTC).date(),
                date!(2026 - 01 - 06),
                "{text}"
            );
            other_dates += usize::from(!text.starts_with("2026-01-06"));
        }
        assert!(
            other_dates > 10,
            "some times are of another day where they were taken"
        );
    }

    #[test]
    fn one_device_is_huge_and_some_events_stand_alone() {
        let rows = rows(HistoryType::Event, 2_000);
        assert!(
            rows.iter()
                .take(50)
                .all(|row| row["deviceId"] == rows[0]["deviceId"])
        );
        assert!(rows.iter().any(|row| row.get("sessionId").is_none()));
        assert!(rows.iter().any(|row| row.get("sessionId").is_some()));
    }
}
