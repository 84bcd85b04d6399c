//! Lines that do not flatter: devices interleaved, several spellings of one record, some of which
//! surprise whoever expects the next line to be like the last.

use std::fmt::Write;

use domain::selection::ExportType;
use time::Date;
use time::macros::date;

/// The day of every record.
pub(crate) const DAY: Date = date!(2026 - 01 - 31);

/// How many devices send, in no order.
const DEVICES: usize = 60_000;

/// How many builds of the app there are, and places where it is used: what devices have in common.
const INFOS: usize = 120;
const LOCATIONS: usize = 60;

/// One record in so many is spelled as hardly any other is.
const SURPRISES: u64 = 20;

/// The members of a record, in the orders in which the versions of the app write them.
const ORDERS: [[Member; 7]; 6] = {
    use Member::{Device, Extras, Info, Location, Name, Session, Time};
    [
        [Device, Name, Time, Info, Session, Location, Extras],
        [Device, Info, Session, Location, Name, Time, Extras],
        [Time, Name, Device, Session, Info, Location, Extras],
        [Extras, Device, Session, Name, Time, Location, Info],
        [Name, Time, Session, Device, Location, Info, Extras],
        [Session, Location, Info, Device, Extras, Time, Name],
    ]
};

const NAMES: [&str; 24] = [
    "level_finished",
    "level_started",
    "coins_spent",
    "coins_earned",
    "friend_invited",
    "push_opened",
    "screen_shown",
    "search",
    "purchase_completed",
    "purchase_cancelled",
    "tutorial_step",
    "error_shown",
    "ad_watched",
    "login",
    "logout",
    "settings_changed",
    "profil_geändert",
    "チュートリアル完了",
    "chat_sent",
    "item_used",
    "battle_won",
    "battle_lost",
    "daily_bonus",
    "video_played",
];

const TEXTS: [&str; 12] = [
    "ranked tournament of the week",
    "friendly match",
    "Zoë \\\"Zoe\\\" Müller",
    "C:\\\\games\\\\save",
    "東京 2026",
    "line one\\nline two",
    "caf\\u00e9 \\ud83d\\ude00",
    "https:\\/\\/example.com\\/invite?campaign=spring",
    "wireless local area network",
    "mobile network, 4g",
    "a, b; c",
    "",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Device,
    Name,
    Time,
    Info,
    Session,
    Location,
    Extras,
}

/// How a surprising record is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surprise {
    Zone,
    EscapedKey,
    Exponent,
    Spaces,
    Unknown,
    Nulls,
    UnusualTime,
}

const ALL_SURPRISES: [Surprise; 7] = [
    Surprise::Zone,
    Surprise::EscapedKey,
    Surprise::Exponent,
    Surprise::Spaces,
    Surprise::Unknown,
    Surprise::Nulls,
    Surprise::UnusualTime,
];

/// Small, quick and the same everywhere (<https://www.jstatsoft.org/article/view/v008i14>).
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let place = usize::try_from(self.below(of.len() as u64)).unwrap_or_default();
        of[place]
    }

    fn ids(&mut self, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| format!("{:016x}{:016x}", self.next(), self.next()))
            .collect()
    }
}

/// Lines without end.
pub(crate) struct Lines {
    kind: ExportType,
    /// Whether every record is spelled as it is exported.
    are_as_exported: bool,
    random: XorShift,
    devices: Vec<String>,
    sessions: Vec<String>,
    infos: Vec<String>,
    locations: Vec<String>,
    count: u64,
}

/// What one record says.
struct Happened {
    device: usize,
    milliseconds: u64,
    surprise: Option<Surprise>,
}

impl Lines {
    /// Of events.
    pub(crate) fn of_events() -> Self {
        Self::of(ExportType::Event)
    }

    /// Of events or activities.
    pub(crate) fn of(kind: ExportType) -> Self {
        let mut random = XorShift(0x2545_F491_4F6C_DD1D);
        Self {
            kind,
            are_as_exported: false,
            devices: random.ids(DEVICES),
            sessions: random.ids(DEVICES),
            infos: random.ids(INFOS),
            locations: random.ids(LOCATIONS),
            random,
            count: 0,
        }
    }

    /// The same, each record in the form in which it is exported.
    pub(crate) fn spelled_as_exported(self) -> Self {
        Self {
            are_as_exported: true,
            ..self
        }
    }

    /// Whole lines, at least so many bytes.
    pub(crate) fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut out = String::with_capacity(bytes + 4_096);
        while out.len() < bytes {
            self.line(&mut out);
        }
        out.into_bytes()
    }

    fn line(&mut self, out: &mut String) {
        self.count += 1;
        let is_surprising = self.random.below(SURPRISES) == 0 && !self.are_as_exported;
        let happened = Happened {
            device: usize::try_from(self.random.below(DEVICES as u64)).unwrap_or_default(),
            // Ten a second, over and over from 3 to 23 hours.
            milliseconds: 10_800_000 + (self.count * 97 + self.random.below(900)) % 72_000_000,
            surprise: is_surprising.then(|| self.random.pick(&ALL_SURPRISES)),
        };
        let spaced = happened.surprise == Some(Surprise::Spaces);
        let mut separator = if spaced { "{ " } else { "{" };
        let order = if self.are_as_exported {
            0
        } else {
            happened.device % ORDERS.len()
        };
        for member in ORDERS[order] {
            if self.is_left_out(member, happened.surprise) {
                continue;
            }
            out.push_str(separator);
            self.member(member, &happened, out);
            separator = if spaced { ", " } else { "," };
        }
        if happened.surprise == Some(Surprise::Unknown) {
            out.push_str(r#","sdk":{"version":[4,17],"debug":false}"#);
        }
        out.push_str(if spaced { " }\n" } else { "}\n" });
    }

    fn is_left_out(&mut self, member: Member, surprise: Option<Surprise>) -> bool {
        if surprise == Some(Surprise::Nulls) {
            return false;
        }
        let is_activity = self.kind == ExportType::Activity;
        match member {
            Member::Session => !is_activity && self.random.below(10) < 3,
            Member::Info => is_activity || self.random.below(10) == 0,
            Member::Location => is_activity || self.random.below(10) < 4,
            Member::Extras => self.random.below(50) == 0,
            Member::Device | Member::Name | Member::Time => false,
        }
    }

    fn member(&mut self, member: Member, happened: &Happened, out: &mut String) {
        let device = happened.device;
        let colon = if happened.surprise == Some(Surprise::Spaces) {
            ": "
        } else {
            ":"
        };
        let key = match member {
            Member::Device => "deviceId",
            Member::Name if happened.surprise == Some(Surprise::EscapedKey) => "n\\u0061me",
            Member::Name => "name",
            Member::Time => "timestamp",
            Member::Info => "infoId",
            Member::Session => "sessionId",
            Member::Location => "locationId",
            Member::Extras => "extras",
        };
        _ = write!(out, "\"{key}\"{colon}");
        let is_null = happened.surprise == Some(Surprise::Nulls);
        _ = match member {
            Member::Info | Member::Location if is_null => write!(out, "null"),
            Member::Device => write!(out, "\"{}\"", self.devices[device]),
            Member::Session => write!(out, "\"{}\"", self.sessions[device]),
            Member::Info => write!(out, "\"{}\"", self.infos[device % INFOS]),
            Member::Location => write!(out, "\"{}\"", self.locations[device % LOCATIONS]),
            Member::Name => write!(out, "\"{}\"", self.random.pick(&NAMES)),
            Member::Time => write_time(happened, out),
            Member::Extras => {
                self.extras(happened.surprise, out);
                Ok(())
            }
        };
    }

    /// Three to eight properties.
    fn extras(&mut self, surprise: Option<Surprise>, out: &mut String) {
        let count = 3 + self.random.below(6);
        let first = self.random.below(12);
        let mut separator = '{';
        for number in first..first + count {
            out.push(separator);
            separator = ',';
            let value = self.random.below(1_000_000);
            _ = match number % 12 {
                0 => write!(out, "\"scoreOfPlayer\":{}", value % 10_000),
                1 => write!(out, "\"levelNumber\":{}", value % 50),
                2 => write!(out, "\"isWinner\":{}", value.is_multiple_of(2)),
                3 => write!(out, "\"gameMode\":\"{}\"", self.random.pick(&TEXTS)),
                4 => write!(out, "\"opponentName\":\"player number {}\"", value % 500),
                5 => write!(out, "\"frameRateRatio\":{}.{:02}", value % 9, value % 97),
                6 => write!(out, "\"buildOfLibrary\":\"4.17.{}\"", value % 30),
                7 => write!(out, "\"commentOfPlayer\":null"),
                8 => write!(out, "\"placeOfAction\":\"{}\"", self.random.pick(&TEXTS)),
                9 => write!(out, "\"balanceInCoins\":-{}", value % 100),
                10 => write!(
                    out,
                    "\"größeDesBildschirms\":\"{}×{}\"",
                    value % 4 * 480,
                    value % 3 * 640
                ),
                _ => write!(out, "\"networkSubtype\":\"{}\"", self.random.pick(&TEXTS)),
            };
        }
        if surprise == Some(Surprise::Exponent) {
            out.push_str(",\"precise\":6.02e+23");
        }
        out.push('}');
    }
}

fn write_time(happened: &Happened, out: &mut String) -> std::fmt::Result {
    let of = happened.milliseconds;
    let (hours, minutes, seconds) = (of / 3_600_000, of / 60_000 % 60, of / 1_000 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", of % 1_000);
    match happened.surprise {
        // In UTC it is still the day.
        Some(Surprise::Zone) => write!(out, "\"{DAY}T{clock}-00:30\""),
        Some(Surprise::UnusualTime) => write!(out, "\"{DAY} {clock}\""),
        Some(_) | None => write!(out, "\"{DAY}T{clock}Z\""),
    }
}
