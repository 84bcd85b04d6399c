//! A registry of awkward devices and of campaigns around a window.

use domain::selection::CampaignType;
use local::dynamodb::REGISTRY_TABLE;
use serde_json::{Map, Value, json};
use sources::registry::{Campaign, Device, Feedback, PushToken, Registry};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::world::{REGISTRY_SEGMENTS, World};

/// The campaigns that are asked for by id: one of them was never known.
pub(crate) const ASKED_CAMPAIGNS: [i64; 4] = [1, 3, i64::MAX, 77];

/// The window that is asked for.
pub(crate) const WINDOW: [OffsetDateTime; 2] = [
    datetime!(2026-01-10 0:00 UTC),
    datetime!(2026-01-12 0:00 UTC),
];

/// The campaigns, each with its beginning and end, and whether it was active in the window.
fn campaigns() -> Vec<(Campaign, bool)> {
    let [start, end] = WINDOW;
    let (moment, campaign_type) = (Duration::nanoseconds(1), CampaignType::Poll);
    let campaign = |id, active_from, active_to, active| {
        (
            Campaign {
                campaign_type,
                id,
                active_from,
                active_to,
            },
            active,
        )
    };
    vec![
        campaign(1, start - Duration::days(9), Some(start), true),
        campaign(2, start - Duration::days(9), None, true),
        campaign(3, start - Duration::days(9), Some(start - moment), false),
        campaign(4, end + moment, None, false),
        campaign(-5, end, Some(end), true),
        campaign(i64::MAX, start + moment, Some(end + moment), true),
    ]
}

fn feedback() -> Vec<Feedback> {
    let statuses: [&[&str]; 4] = [
        &[],
        &["None"],
        &[
            "Queued",
            "SystemNotificationDisplayed",
            "SystemNotificationActioned",
            "SystemNotificationExited",
        ],
        &[
            "Dropped",
            "InAppNotificationDisplayed",
            "InAppNotificationActioned",
            "InAppNotificationExited",
            "ContentDisplayed",
            "ContentActioned",
            "ContentExited",
        ],
    ];
    let users = [
        None,
        Some("jane \"x\", 😀\n".to_owned()),
        Some(String::new()),
    ];
    let of = |campaign: i64| {
        (0..12)
            .map(move |number| (campaign, number))
            .map(|(campaign, number)| Feedback {
                campaign_type: CampaignType::Poll,
                campaign,
                device_id: id(number),
                status: statuses[number % statuses.len()]
                    .iter()
                    .map(|flag| (*flag).to_owned())
                    .collect(),
                user_id: users[number % users.len()].clone(),
            })
    };
    campaigns()
        .iter()
        .flat_map(|(campaign, _)| of(campaign.id).collect::<Vec<_>>())
        .collect()
}

/// An id in one of its spellings.
fn id(number: usize) -> String {
    match number % 3 {
        0 => format!("{:032x}", number + 0xabc0),
        1 => format!("{:032X}", number + 0xabc0),
        _ => format!("01234567-89ab-CDEF-0123-{:012x}", number + 0xabc0),
    }
}

/// The tags of a device: some have none.
fn tags(number: usize) -> Value {
    match number % 6 {
        0 => json!({}),
        1 => json!({"empty": "", "A_z_09": "x", "_": "y", "0": "z", "userid": "jane@example.com"}),
        2 => {
            json!({"N".repeat(64): "é😀".repeat(512), "quoted": "\"a\", 'b'\\", "lines": "a\nb\r\nc\rd\te"})
        }
        3 => json!({"long": u64::MAX, "negative": i64::MIN, "half": -0.5, "zero": 0}),
        4 => {
            json!({"yes": true, "no": false, "none": null, "control": "\u{0}\u{1f}\u{7f}\u{2028}"})
        }
        _ => {
            json!({"number": "0.1000", "date": "2026-01-05", "formula": "=SUM(A1)", "json": "{\"a\": [1]}"})
        }
    }
}

fn info(number: usize) -> Value {
    match number % 3 {
        0 => json!({}),
        1 => {
            json!({"phoneModel": "Nexus \"5\", ü", "timeZoneOffset": -720, "carrierName": "日本\n電信"})
        }
        _ => json!({
            "phoneModel": "", "phoneManufacturer": "ACME", "firmwareName": "Android", "firmwareVersion": "14.0",
            "androidAPILevel": 34, "locale": "pt_BR", "timeZoneOffset": 330, "carrierName": "c", "carrierCountry": "in",
            "networkType": "MOBILE", "networkSubtype": "LTE", "applicationVersionName": "1.0-β",
            "applicationVersionCode": 10_203, "serviceVersion": "4.3.0", "screenSize": "1080x2400",
        }),
    }
}

fn device(number: usize) -> Device {
    let meta = json!({
        "firstSeen": 0, "lastSeen": 1_767_571_200_123_i64, "lastInfo": 1, "lastLocation": 2, "nativePushEnabled": true,
    });
    let location = json!({"countrycode": "NO", "region": "Møre og Romsdal", "locality": "Ålesund, \"sentrum\""});
    let token = |kind: &str| PushToken {
        token: format!("{kind}:\"{number}\", é/+=\n"),
        kind: kind.to_owned(),
    };
    if number == 0 {
        return Device {
            id: id(number),
            ..Device::default()
        };
    }
    Device {
        id: id(number),
        meta: object(meta),
        info: object(info(number)),
        location: if number.is_multiple_of(2) {
            object(location)
        } else {
            Map::new()
        },
        app_info: object(tags(number)),
        push_token: ["GCM", "ADM", "APNS", "WNS", "MPNS", ""]
            .get(number % 8)
            .map(|kind| token(kind)),
        user_id: Some("user".to_owned()),
    }
}

fn devices() -> Vec<Device> {
    (0..60).map(device).collect()
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("{value}")
    };
    map
}

/// Loads everything; feedback of another type and devices of another app too.
pub(crate) async fn fill(world: &World) {
    let registry = Registry::new(world.client.clone(), REGISTRY_TABLE, REGISTRY_SEGMENTS);
    let scope = World::scope();
    registry.put_devices(&scope, &devices()).await.unwrap();
    let campaigns: Vec<Campaign> = campaigns()
        .into_iter()
        .map(|(campaign, _)| campaign)
        .collect();
    registry.put_campaigns(&scope, &campaigns).await.unwrap();
    registry.put_feedback(&scope, &feedback()).await.unwrap();
    let of_another_type = |it: Feedback| Feedback {
        campaign_type: CampaignType::DataPush,
        ..it
    };
    registry
        .put_feedback(
            &scope,
            &feedback()
                .into_iter()
                .map(of_another_type)
                .collect::<Vec<_>>(),
        )
        .await
        .unwrap();
    let other_app =
        domain::app::AppScope::from_segments(["subscriptions", "s1", "apps", "checkers"]);
    registry
        .put_devices(&other_app, &[device(5)])
        .await
        .unwrap();
}

/// The records of all devices.
pub(crate) fn device_lines() -> Vec<String> {
    let line = |it: Device| {
        json!({
            "deviceId": it.id, "meta": it.meta, "info": it.info, "location": it.location, "appInfo": it.app_info,
        })
        .to_string()
    };
    devices().into_iter().map(line).collect()
}

/// The records of the devices that have tags.
pub(crate) fn tag_lines() -> Vec<String> {
    let devices = devices().into_iter().filter(|it| !it.app_info.is_empty());
    devices
        .map(|it| json!({"deviceId": it.id, "tags": it.app_info}).to_string())
        .collect()
}

/// The records of the devices that have a token.
pub(crate) fn token_lines() -> Vec<String> {
    let line = |it: Device| {
        let push = it.push_token?;
        Some(json!({"deviceId": it.id, "token": push.token, "type": push.kind}).to_string())
    };
    devices().into_iter().filter_map(line).collect()
}

/// The feedback of the campaigns that are asked for by id.
pub(crate) fn lines_of_asked_campaigns() -> Vec<String> {
    feedback_lines(&ASKED_CAMPAIGNS)
}

/// The feedback of the campaigns that were active in the window.
pub(crate) fn lines_of_active_campaigns() -> Vec<String> {
    let active: Vec<i64> = campaigns()
        .iter()
        .filter(|(_, active)| *active)
        .map(|(campaign, _)| campaign.id)
        .collect();
    feedback_lines(&active)
}

fn feedback_lines(campaigns: &[i64]) -> Vec<String> {
    let line = |it: Feedback| {
        json!({
            "deviceId": it.device_id, "campaignType": "Poll", "campaignId": it.campaign, "status": it.status,
            "userId": it.user_id,
        })
        .to_string()
    };
    feedback()
        .into_iter()
        .filter(|it| campaigns.contains(&it.campaign))
        .map(line)
        .collect()
}
