//! The registry as a source, and what only it does.

mod answers;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use domain::cause::in_one_line;
use domain::selection::{CampaignType, DeviceType, Snapshot};
use futures::TryStreamExt;
use ports::source::{Piece, Source, Unanswered};
use serde_json::{Value, json};
use sources::registry::{Campaign, Device, Feedback, PushToken, Registry};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio::net::TcpListener;

use super::{Parts, assert_contract, chess, plan, read, read_all};

const TABLE: &str = "registry";

#[expect(
    clippy::disallowed_types,
    reason = "this suite makes the adapter's client"
)]
pub(crate) fn client_of(address: std::net::SocketAddr) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(format!("http://{address}"))
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// An empty registry in an embedded DynamoDB, which lives as long as the test's runtime.
async fn registry(segments: u16) -> Registry {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(
        listener,
        database,
        std::future::pending(),
    ));
    let client = client_of(address);
    let mut table = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, key_type) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(key_type);
        table = table
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(key.build().unwrap());
    }
    table.send().await.unwrap();
    Registry::new(client, TABLE, segments)
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("{value}")
    };
    map
}

fn device(number: usize, tag: &str) -> Device {
    Device {
        id: format!("{number:032x}"),
        meta: object(json!({"firstSeen": 1_700_000_000_123_i64, "nativePushEnabled": true})),
        info: object(json!({"phoneModel": "Nexus \"5\"", "timeZoneOffset": -60})),
        app_info: if number.is_multiple_of(3) {
            object(json!({}))
        } else {
            object(json!({"level": 2.5, "tag": tag}))
        },
        push_token: number.is_multiple_of(2).then(|| PushToken {
            token: format!("t{number}"),
            kind: "GCM".to_owned(),
        }),
        user_id: Some(format!("user{number}")),
        ..Device::default()
    }
}

#[tokio::test]
async fn devices_are_a_source_in_all_three_types() {
    let registry = registry(5).await;
    // Each segment is larger than a page, and a chunk of its own.
    let tag = "ü".repeat(100_000);
    let devices: Vec<_> = (0..60).map(|number| device(number, &tag)).collect();
    registry.put_devices(&chess(), &devices).await.unwrap();
    let app_info = |number: usize| {
        if number.is_multiple_of(3) {
            "{}".to_owned()
        } else {
            format!("{{\"level\":2.5,\"tag\":\"{tag}\"}}")
        }
    };
    let devices = (0..60).map(|number| {
        let meta = "{\"firstSeen\":1700000000123,\"nativePushEnabled\":true}";
        let info = "{\"phoneModel\":\"Nexus \\\"5\\\"\",\"timeZoneOffset\":-60}";
        let app_info = app_info(number);
        format!("{{\"deviceId\":\"{number:032x}\",\"meta\":{meta},\"info\":{info},\"location\":{{}},\"appInfo\":{app_info}}}")
    });
    let tags = (0..60_usize).filter(|number| !number.is_multiple_of(3));
    let tags = tags.map(|number| {
        format!(
            "{{\"deviceId\":\"{number:032x}\",\"tags\":{}}}",
            app_info(number)
        )
    });
    let tokens = (0..60).step_by(2);
    let tokens = tokens.map(|number| {
        format!("{{\"deviceId\":\"{number:032x}\",\"token\":\"t{number}\",\"type\":\"GCM\"}}")
    });
    assert_contract(
        &registry,
        &Snapshot::Devices(DeviceType::Device),
        devices.collect(),
    )
    .await;
    assert_contract(
        &registry,
        &Snapshot::Devices(DeviceType::Tag),
        tags.collect(),
    )
    .await;
    assert_contract(
        &registry,
        &Snapshot::Devices(DeviceType::Token),
        tokens.collect(),
    )
    .await;
}

fn feedback(campaign: i64, device: usize) -> Feedback {
    Feedback {
        campaign_type: CampaignType::Poll,
        campaign,
        device_id: format!("{device:032x}"),
        status: vec!["Queued".to_owned(), "ContentDisplayed".to_owned()],
        user_id: device.is_multiple_of(2).then(|| "jane".to_owned()),
    }
}

fn feedback_line(campaign: i64, device: usize) -> String {
    let user = if device.is_multiple_of(2) {
        ",\"userId\":\"jane\""
    } else {
        ""
    };
    format!(
        "{{\"deviceId\":\"{device:032x}\",\"campaignType\":\"Poll\",\"campaignId\":{campaign},\
         \"status\":[\"Queued\",\"ContentDisplayed\"]{user}}}"
    )
}

#[tokio::test]
async fn feedback_by_campaign_is_a_source() {
    let registry = registry(1).await;
    let feedback: Vec<_> = (-2..3)
        .flat_map(|campaign| (0..7).map(move |device| feedback(campaign, device)))
        .collect();
    registry.put_feedback(&chess(), &feedback).await.unwrap();
    let ids: Vec<i64> = [-2, 0, 1].into_iter().chain(1_000..1_090).collect();
    let by_campaign = Snapshot::Campaigns {
        campaign_type: CampaignType::Poll,
        ids,
    };
    let expected = [-2, 0, 1]
        .into_iter()
        .flat_map(|campaign| (0..7).map(move |it| feedback_line(campaign, it)));
    assert_contract(&registry, &by_campaign, expected.collect()).await;
    let other_type = Snapshot::Campaigns {
        campaign_type: CampaignType::DataPush,
        ids: vec![-2, 0],
    };
    assert!(read_all(&registry, &chess(), &other_type).await.is_empty());
}

#[tokio::test]
async fn a_large_campaign_comes_in_parts_and_each_device_is_in_one() {
    let registry = registry(1).await;
    let [start, _] = WINDOW;
    // Ids of all beginnings, in digits of either case.
    let id_of = |number: u128| {
        let id = format!(
            "{:032x}",
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        );
        if number.is_multiple_of(2) {
            id.to_uppercase()
        } else {
            id
        }
    };
    let large = |number| Feedback {
        device_id: id_of(number),
        user_id: Some("u".repeat(1_000)),
        ..feedback(5, 0)
    };
    let mut all: Vec<_> = (0..1_500).map(large).collect();
    all.extend([1, 2, 9].map(|campaign| feedback(campaign, 1)));
    registry.put_feedback(&chess(), &all).await.unwrap();
    let campaigns = [1, 2, 5, 9].map(|id| campaign(id, start, None));
    registry.put_campaigns(&chess(), &campaigns).await.unwrap();
    let by_campaign = Snapshot::Campaigns {
        campaign_type: CampaignType::Poll,
        ids: vec![1, 2, 5, 9],
    };
    for snapshot in [by_campaign, window()] {
        let whole = plan(&registry, &chess(), &snapshot, 64).await;
        assert_eq!(whole.len(), 1 + 22 + 1);
        for limit in [1, 5, 64] {
            let chunks = plan(&registry, &chess(), &snapshot, limit).await;
            assert_eq!(chunks, whole, "pages of {limit}");
        }
        let mut found = Vec::new();
        for chunk in &whole {
            let lines = read(&registry, chunk, &snapshot).await;
            assert!(lines.len() < 200, "a part is small: {}", lines.len());
            found.extend(lines);
        }
        assert_eq!(found.len(), 1_503);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 1_503, "each once");
    }
}

const WINDOW: [OffsetDateTime; 2] = [
    datetime!(2026-11-10 0:00 UTC),
    datetime!(2026-11-12 0:00 UTC),
];

fn window() -> Snapshot {
    let [start, end] = WINDOW;
    Snapshot::ActiveCampaigns {
        campaign_type: CampaignType::Poll,
        start,
        end,
    }
}

fn campaign(id: i64, active_from: OffsetDateTime, active_to: Option<OffsetDateTime>) -> Campaign {
    Campaign {
        campaign_type: CampaignType::Poll,
        id,
        active_from,
        active_to,
    }
}

#[tokio::test]
async fn feedback_by_window_is_a_source() {
    let registry = registry(1).await;
    let [start, _] = WINDOW;
    // Long gone, but for every third: many pages have few campaigns of the window, some have none.
    let ended = |id: i64| {
        if id % 3 == 0 && id < 200 {
            start
        } else {
            start - Duration::days(1)
        }
    };
    let campaigns = (-20..400).map(|id| campaign(id, start - Duration::days(9), Some(ended(id))));
    registry
        .put_campaigns(&chess(), &campaigns.collect::<Vec<_>>())
        .await
        .unwrap();
    let feedback: Vec<_> = (-20..400).map(|campaign| feedback(campaign, 1)).collect();
    registry.put_feedback(&chess(), &feedback).await.unwrap();
    let expected = (-20..200)
        .filter(|id| id % 3 == 0)
        .map(|id| feedback_line(id, 1));
    let found = read_all(&registry, &chess(), &window()).await;
    assert_eq!(
        found,
        expected.collect::<Vec<_>>(),
        "in the order of the campaigns"
    );
    for limit in [1, 2, 3] {
        let pages = plan(&registry, &chess(), &window(), limit).await;
        let mut lines = Vec::new();
        for chunk in &pages {
            lines.extend(read(&registry, chunk, &window()).await);
        }
        assert_eq!(lines, found, "pages of {limit}");
    }
}

#[tokio::test]
async fn a_campaign_is_of_the_window_when_it_was_active_at_one_moment_of_it() {
    let registry = registry(1).await;
    let [start, end] = WINDOW;
    let moment = Duration::nanoseconds(1);
    let cases = [
        (1, start - moment, Some(start - moment), false),
        (2, start - moment, Some(start), true),
        (3, start, Some(end), true),
        (4, start + moment, Some(end - moment), true),
        (5, start - moment, Some(end + moment), true),
        (6, end, None, true),
        (7, end + moment, None, false),
        (8, start - moment, None, true),
    ];
    for (id, from, to, _) in cases {
        // Another zone is the same moment.
        let zone = time::UtcOffset::from_hms(5, 30, 0).unwrap();
        registry
            .put_campaigns(&chess(), &[campaign(id, from.to_offset(zone), to)])
            .await
            .unwrap();
        registry
            .put_feedback(&chess(), &[feedback(id, 1)])
            .await
            .unwrap();
    }
    let expected = cases
        .into_iter()
        .filter(|(.., active)| *active)
        .map(|(id, ..)| feedback_line(id, 1));
    assert_eq!(
        read_all(&registry, &chess(), &window()).await,
        expected.collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn few_devices_are_one_chunk_however_many_segments_they_are_spread_over() {
    let request = Snapshot::Devices(DeviceType::Tag);
    for segments in [1, 16, 200] {
        let registry = registry(segments).await;
        let empty = plan(&registry, &chess(), &request, 64).await;
        let pages = usize::from(segments).div_ceil(64);
        assert_eq!(
            empty.len(),
            pages,
            "a chunk for each page of {segments} segments"
        );
        let devices: Vec<_> = (0..60).map(|number| device(number, "t")).collect();
        registry.put_devices(&chess(), &devices).await.unwrap();
        let chunks = plan(&registry, &chess(), &request, 64).await;
        assert_eq!(chunks, empty, "whoever came after the count is read, too");
        assert_eq!(read_all(&registry, &chess(), &request).await.len(), 40);
    }
}

#[tokio::test]
async fn a_partition_of_several_megabytes_comes_in_bounded_pieces() {
    let registry = registry(1).await;
    let tag = "x".repeat(1_000);
    let devices: Vec<_> = (0..3_000).map(|number| device(number, &tag)).collect();
    registry.put_devices(&chess(), &devices).await.unwrap();
    let request = Snapshot::Devices(DeviceType::Tag);
    let chunk = plan(&registry, &chess(), &request, 64).await.pop().unwrap();
    assert_eq!(read(&registry, &chunk, &request).await.len(), 2_000);
    let pieces: Vec<Piece> = registry
        .read(Parts::of(&chunk), &request)
        .try_collect()
        .await
        .unwrap();
    assert!(pieces.len() > 1);
    for piece in pieces {
        assert!(matches!(piece, Piece::End { .. } | Piece::Text { .. }));
        assert!(!matches!(piece, Piece::Text { text, .. } if text.len() >= 2 << 20));
    }
}

#[tokio::test]
async fn a_registry_with_another_number_of_segments_is_not_exported() {
    let (loader, request) = (registry(8).await, Snapshot::Devices(DeviceType::Device));
    let devices: Vec<_> = (0..40).map(|number| device(number, "")).collect();
    loader.put_devices(&chess(), &devices).await.unwrap();
    assert_eq!(read_all(&loader, &chess(), &request).await.len(), 40);
    for segments in [4, 16] {
        let reader = loader.with_segments(segments);
        let error = reader
            .plan(&chess(), &request, None, 64, Unanswered::IsRetried)
            .await
            .unwrap_err();
        let error = in_one_line(&error);
        assert!(
            error.contains("says `8`")
                && error.contains(&format!("REGISTRY_SEGMENTS is {segments}")),
            "{error}"
        );
        let error = reader.put_devices(&chess(), &devices).await.unwrap_err();
        let error = in_one_line(&error);
        assert!(
            error.contains("are spread over 8 segments") && error.contains("set it to 8"),
            "{error}"
        );
    }
    let chunks = plan(&loader, &chess(), &request, 64).await;
    let misread: Result<Vec<_>, _> = loader
        .with_segments(16)
        .read(Parts::of(&chunks[0]), &request)
        .try_collect()
        .await;
    let error = in_one_line(&misread.unwrap_err());
    assert!(error.contains("it belongs into segment"), "{error}");
}
