//! The devices of the registry, and what became of campaigns on them.

use domain::selection::CampaignType;
use serde_json::{Map, Value, json};
use sources::registry::{Campaign, Device, Feedback, PushToken};
use time::macros::datetime;

use super::random::Random;
use super::rows::{Ids, id};

/// Models with what their makers, and their users, call them.
const MODELS: [&str; 5] = [
    "Pixel 9",
    "Galaxy S25 \"Ultra\"",
    "Xperia 10 ⅴ",
    "iPhone",
    "Mate\u{a0}X",
];

/// Places as (country, region, locality).
const PLACES: [(&str, &str, &str); 4] = [
    ("de", "Bayern", "München"),
    ("jp", "東京都", "渋谷区"),
    ("br", "São Paulo", "São José dos Campos"),
    ("us", "California", "Coeur d'Alene, \"CA\""),
];

/// Tag values that a careless writer would change.
const TAG_VALUES: [&str; 5] = ["gold", "", "a,b;c", "line\nbreak \"quoted\"", "🏆 première"];

/// Token types, by platform.
const TOKEN_TYPES: [&str; 5] = ["GCM", "ADM", "APNS", "WNS", "MPNS"];

/// The campaigns of each app: number and type.
pub const CAMPAIGNS: [(i64, CampaignType); 4] = [
    (1, CampaignType::Announcement),
    (2, CampaignType::Poll),
    (3, CampaignType::DataPush),
    (9_007_199_254_740_993, CampaignType::NativePush),
];

/// A device of the sample, and its feedback.
#[derive(Clone, PartialEq)]
pub struct SampleDevice {
    /// The device as it is put into the registry.
    pub device: Device,
    /// What became of campaigns on it.
    pub feedback: Vec<Feedback>,
}

impl SampleDevice {
    /// Device `number` of an app; the same for the same seed.
    pub(super) fn new(seed: u64, app: u64, number: u64) -> Self {
        let mut random = Random::new(seed, &[app, number, 0xde]);
        let mut hex = Vec::new();
        id(&mut hex, Ids::new(seed, app).device, number);
        let device = Device {
            id: String::from_utf8_lossy(&hex).into_owned(),
            meta: object(meta(&mut random)),
            info: object(info(&mut random)),
            location: object(location(&mut random)),
            app_info: tags(&mut random, number),
            push_token: token(&mut random, number),
            user_id: random
                .one_in(2)
                .then(|| format!("user-{number}@example.com")),
        };
        let feedback = feedback(&mut random, &device);
        Self { device, feedback }
    }
}

/// The campaigns of an app: the first two ended within the week, the others go on.
pub(super) fn campaigns() -> Vec<Campaign> {
    let campaign = |(id, campaign_type)| Campaign {
        campaign_type,
        id,
        active_from: datetime!(2026-01-05 08:00 UTC),
        active_to: (id < 3).then_some(datetime!(2026-01-07 20:00 UTC)),
    };
    CAMPAIGNS.into_iter().map(campaign).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn choose<'a, T>(random: &mut Random, choices: &'a [T]) -> Option<&'a T> {
    choices.get(usize::try_from(random.below(choices.len() as u64)).unwrap_or(0))
}

fn meta(random: &mut Random) -> Value {
    let first_seen = 1_767_225_600_000 + random.below(345_600_000);
    let last_seen = first_seen + random.below(604_800_000);
    json!({
        "firstSeen": first_seen, "lastSeen": last_seen, "lastInfo": first_seen, "lastLocation": last_seen,
        "nativePushEnabled": !random.one_in(3),
    })
}

fn info(random: &mut Random) -> Value {
    json!({
        "phoneModel": random.pick(&MODELS),
        "phoneManufacturer": "Example & Söhne",
        "firmwareName": "REL",
        "firmwareVersion": "16.0.1",
        "androidAPILevel": 30 + random.below(7),
        "locale": "pt-BR",
        "timeZoneOffset": random.below(57).cast_signed() * 30 - 720,
        "carrierName": "o2 - de",
        "carrierCountry": "de",
        "networkType": "mobile",
        "networkSubtype": "5G",
        "applicationVersionName": "1.0 β",
        "applicationVersionCode": random.below(500),
        "serviceVersion": "4.3.0",
        "screenSize": "1080x2400",
    })
}

fn location(random: &mut Random) -> Value {
    let (country, region, locality) = choose(random, &PLACES).copied().unwrap_or_default();
    json!({ "countrycode": country, "region": region, "locality": locality })
}

/// Every tenth device has no tag; device 0 has very many.
fn tags(random: &mut Random, number: u64) -> Map<String, Value> {
    let count = if number == 0 { 250 } else { random.below(10) };
    let tag = |index: u64, random: &mut Random| {
        (
            format!("tag_{index}"),
            Value::from(random.pick(&TAG_VALUES)),
        )
    };
    (0..count).map(|index| tag(index, random)).collect()
}

fn token(random: &mut Random, number: u64) -> Option<PushToken> {
    if random.one_in(4) {
        return None;
    }
    let kind = random.pick(&TOKEN_TYPES).to_owned();
    Some(PushToken {
        token: format!("{:016x}:{number}/+=", random.next()),
        kind,
    })
}

fn feedback(random: &mut Random, device: &Device) -> Vec<Feedback> {
    let reached = CAMPAIGNS
        .into_iter()
        .filter(|_| !random.one_in(3))
        .collect::<Vec<_>>();
    let mut status = vec!["Queued".to_owned()];
    if random.one_in(2) {
        status.extend(["SystemNotificationDisplayed", "ContentActioned"].map(str::to_owned));
    }
    let feedback = |(campaign, campaign_type)| Feedback {
        campaign_type,
        campaign,
        device_id: device.id.clone(),
        status: status.clone(),
        user_id: device.user_id.clone(),
    };
    reached.into_iter().map(feedback).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_the_same_for_the_same_seed() {
        assert!(SampleDevice::new(1, 0, 5) == SampleDevice::new(1, 0, 5));
        assert_ne!(
            SampleDevice::new(1, 0, 5).device.id,
            SampleDevice::new(2, 0, 5).device.id
        );
    }

    #[test]
    fn some_devices_lack_tags_tokens_and_feedback() {
        let devices = (0..500)
            .map(|number| SampleDevice::new(1, 0, number))
            .collect::<Vec<_>>();
        assert_eq!(devices[0].device.app_info.len(), 250);
        assert!(
            devices
                .iter()
                .any(|device| device.device.app_info.is_empty())
        );
        assert!(
            devices
                .iter()
                .any(|device| device.device.push_token.is_none())
        );
        assert!(devices.iter().any(|device| device.feedback.is_empty()));
    }
}
