//! What holds for every request, however odd.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::{Just, Strategy, any, prop, prop_assume, prop_oneof, proptest};
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::{LIST, Request, World, days, with};

/// Runs a request through the function that it is for; the reply must be a success or have the
/// shape of an error.
fn send(request: &Request) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let reply = runtime.block_on(async { World::new().await.send(request).await });
    if !(200..300).contains(&reply.status) {
        let (status, _) = reply.error();
        assert!(
            (400..500).contains(&status),
            "a caller's mistake is a 4xx: {reply:?}"
        );
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2}))?"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,12}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "containerUrl",
        "exportFormat",
        "startDate",
        "endDate",
        "description",
        "campaignType",
        "campaignIds",
        "campaignWindowStart",
        "campaignWindowEnd",
        "exportOptions",
    ])
}

fn operation() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "activities",
        "tags",
        "feedbackByCampaign",
        "feedbackByDate",
    ])
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_path_panics(path in ".{0,200}", method in "(GET|POST|PUT|PATCH|DELETE)") {
        send(&Request::new(&method, &path));
        send(&Request::new(&method, &format!("{LIST}/{path}")));
        send(&Request::new(&method, &LIST.replace("chess", &path)));
    }

    #[test]
    fn the_location_of_any_app_leads_back_to_its_task(app in "[^/]{1,40}") {
        prop_assume!(!matches!(app.as_str(), "." | ".."));
        let encoded: String = utf8_percent_encode(&app, NON_ALPHANUMERIC).collect();
        let create = Request::create("activities", &days());
        let create = Request { path: create.path.replace("chess", &encoded), ..create };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let created = world.send(&create).await;
            assert_eq!(created.status, 202, "{created:?}");
            let task = world.send(&Request::follow(created.header("location").unwrap())).await;
            assert_eq!((task.status, task.id()), (200, created.id()));
        });
    }

    #[test]
    fn no_query_panics(query in ".{0,100}", option in "(%24|\\$)(skip|top|orderby|filter)", value in ".{0,30}") {
        send(&Request::list().query(&query));
        send(&Request::list().query(&format!("api-version=2014-12-01&{option}={value}")));
    }

    #[test]
    fn no_body_panics(operation in operation(), bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
        for content_type in ["application/json", "application/x-www-form-urlencoded"] {
            let request = Request::create(operation, &days()).header("content-type", content_type);
            send(&Request { is_base64: true, ..request.clone().body(encoded.clone()) });
            send(&request.body(text.clone()));
        }
    }

    #[test]
    fn no_field_panics(operation in operation(), field in field(), value in json_value(), other in json_value()) {
        send(&Request::create(operation, &with(days(), field, value)));
        send(&Request::create(operation, &other));
    }

    #[test]
    fn no_header_panics(name in "(content-type|idempotency-key|x-ms-client-request-id)", value in "[ -~ü]{0,300}") {
        send(&Request::create("activities", &days()).header(&name, &value));
    }
}
