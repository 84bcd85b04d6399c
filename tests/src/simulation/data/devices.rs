//! Snapshots: the tokens of devices, the feedback of campaigns.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::selection::CampaignType;
use local::dynamodb::REGISTRY_TABLE;
use serde_json::{Value, json};
use sources::registry::{Device, Feedback, PushToken, Registry};

use super::{Data, Held, Posted};
use crate::broken::Broken;
use crate::simulation::chance::Chance;
use crate::stories::rows::sorted;
use crate::world::{REGISTRY_SEGMENTS, World};

fn registry(world: &World) -> Registry {
    Registry::new(world.client.clone(), REGISTRY_TABLE, REGISTRY_SEGMENTS)
}

pub(super) fn id(number: usize) -> String {
    format!("{:032x}", number + 0xabc0)
}

/// Devices over all segments, two in three with a token.
pub(super) async fn tokens(
    world: &World,
    store: Arc<Broken>,
    body: Value,
    chance: &mut Chance,
) -> Data {
    let count = chance.pick(&[0, 1, 5, 40]);
    let token =
        |number: usize| (!number.is_multiple_of(3)).then(|| format!("token {number}, \"ü\""));
    let device = |number: usize| Device {
        id: id(number),
        push_token: token(number).map(|token| PushToken {
            token,
            kind: "GCM".to_owned(),
        }),
        ..Device::default()
    };
    let devices: Vec<Device> = (0..count).map(device).collect();
    registry(world)
        .put_devices(&World::scope(), &devices)
        .await
        .unwrap();
    let rows = (0..count).filter_map(|number| {
        Some((
            id(number),
            json!({"deviceId": id(number), "token": token(number)?, "type": "GCM"}),
        ))
    });
    let rows: BTreeMap<String, Value> = rows.collect();
    let rows = lying_in(world, "DEVICES#", |_, device| rows.get(device).cloned()).await;
    Data::of(
        Posted {
            operation: "tokens",
            body,
        },
        rows,
        store,
    )
}

/// Campaigns, some of them unknown, enough for several chunks now and then.
pub(super) async fn feedback(
    world: &World,
    store: Arc<Broken>,
    mut body: Value,
    chance: &mut Chance,
) -> Data {
    let (campaigns, devices) = (chance.pick(&[1_i64, 3, 25, 50]), chance.pick(&[1, 4]));
    let known = (0..campaigns).filter(|campaign| campaign % 4 > 0);
    let of = |campaign| (0..devices).map(move |number| (campaign, number));
    let feedback = known.flat_map(of).map(|(campaign, number)| Feedback {
        campaign_type: CampaignType::Poll,
        campaign,
        device_id: id(number),
        status: vec!["Queued".to_owned(), "ContentDisplayed".to_owned()],
        user_id: Some("not asked for".to_owned()),
    });
    let feedback: Vec<Feedback> = feedback.collect();
    registry(world)
        .put_feedback(&World::scope(), &feedback)
        .await
        .unwrap();
    body["campaignType"] = json!("Poll");
    body["campaignIds"] = json!((0..campaigns).collect::<Vec<_>>());
    let row = |campaign: &str, device: &str| {
        let campaign: i64 = campaign.rsplit('#').next()?.parse().ok()?;
        let status = ["Queued", "ContentDisplayed"];
        Some(
            json!({"deviceId": device, "campaignType": "Poll", "campaignId": campaign, "status": status}),
        )
    };
    let mut rows = lying_in(world, "FEEDBACK#", row).await;
    for campaign in 0..campaigns {
        rows.entry(format!(
            "FEEDBACK#{}#Poll#{campaign}",
            World::scope().as_str()
        ))
        .or_insert_with(|| Held::of_partition(Vec::new()));
    }
    Data::of(
        Posted {
            operation: "feedbackByCampaign",
            body,
        },
        rows,
        store,
    )
}

/// The rows of every partition, by the items that lie in it.
async fn lying_in(
    world: &World,
    kind: &str,
    row: impl Fn(&str, &str) -> Option<Value>,
) -> BTreeMap<String, Held> {
    let mut partitions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut items = world
        .client
        .scan()
        .table_name(REGISTRY_TABLE)
        .into_paginator()
        .items()
        .send();
    while let Some(item) = items.try_next().await.unwrap() {
        let text = |name: &str| {
            item.get(name)
                .and_then(|value: &AttributeValue| value.as_s().ok())
                .unwrap()
                .clone()
        };
        let (partition, device) = (text("pk"), text("sk"));
        if partition.starts_with(kind) {
            let rows = partitions.entry(partition.clone()).or_default();
            rows.extend(row(&partition, &device));
        }
    }
    partitions
        .into_iter()
        .map(|(partition, rows)| (partition, Held::of_partition(sorted(rows))))
        .collect()
}
