//! The rules of the contract that decide whether a stock client works.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::selection::{CampaignType, ExportFormat, Selection, Snapshot};
use ports::store::{Grant, Grants, Role};
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;

use super::{LIST, Request, SIGNATURE, VERSION, World, container_url, days, with};

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn posted_form(operation: &str, pairs: &[(&str, &str)]) -> Request {
    let url = container_url();
    let pairs: Vec<(&str, &str)> = [("containerUrl", url.as_str())]
        .iter()
        .chain(pairs)
        .copied()
        .collect();
    Request::create(operation, &days())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&pairs))
}

#[tokio::test]
async fn paths_ignore_case_and_are_percent_decoded() {
    let world = World::new().await;
    let create = Request::create("FEEDBACKBYCAMPAIGN", &days());
    let body = with(with(days(), "campaignType", "poll"), "campaignIds", vec![1]);
    let spelled = |path: String| Request {
        path,
        ..create.clone().body(body.to_string())
    };
    for path in [
        create.path.clone(),
        create.path.to_lowercase(),
        create.path.replace("resourceGroups", "resourcegroups"),
        create.path.replace("chess", "%43hess"),
        create.path.replace("exportTasks", "export%54asks"),
    ] {
        assert_eq!(
            world.send(&spelled(path.clone())).await.status,
            202,
            "{path}"
        );
    }
    let list = world
        .send(&Request::new("GET", &LIST.to_uppercase()))
        .await
        .json();
    assert_eq!(list["value"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_space_in_the_query_comes_as_plus_or_percent_20() {
    for query in [
        "%24orderby=taskId+desc",
        "$orderby=taskId%20desc",
        "%24OrderBy=TASKID%20DESC&%24skip=0",
    ] {
        let world = World::new().await;
        let ids = [world.accepted().await, world.accepted().await];
        let list = world
            .send(&Request::list().query(&format!("{VERSION}&{query}")))
            .await
            .json();
        assert_eq!(
            (&list["value"][0]["id"], &list["value"][1]["id"]),
            (&ids[1].clone().into(), &ids[0].clone().into())
        );
    }
}

#[tokio::test]
async fn the_location_is_absolute_and_leads_to_the_task() {
    for app in [
        "chess",
        "Chess%20Pro",
        "Schach für alle?#100%",
        "a%252Fb",
        "a%2fb",
        "a%2525",
    ] {
        let world = World::new().await;
        let create = Request::create("activities", &days());
        let reply = world
            .send(&Request {
                path: create.path.replace("chess", app),
                ..create
            })
            .await;
        let location = reply.header("location").unwrap();
        assert!(
            location.starts_with("https://api.example.com/subscriptions/s1/resourceGroups/"),
            "{location}"
        );
        let task = world.send(&Request::follow(location)).await;
        assert_eq!((task.status, task.id()), (200, reply.id()), "{location}");
    }
}

#[tokio::test]
async fn what_is_accepted_says_where_and_when_pollers_of_azure_are_to_ask() {
    let world = World::new().await;
    let created = world.send(&Request::create("activities", &days())).await;
    let id = created.id();
    let resumed = world
        .send(&Request::resume(
            &id,
            &json!({"containerUrl": container_url()}),
        ))
        .await;
    for reply in [created, resumed, world.send(&Request::cancel(&id)).await] {
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (202, &"InProgress".into())
        );
        assert_eq!(
            reply.header("azure-asyncoperation"),
            reply.header("location")
        );
        assert!(
            reply
                .header("location")
                .is_some_and(|location| location.contains(&id)),
            "{reply:?}"
        );
        assert_eq!(reply.header("retry-after"), Some("5"));
    }
    let got = world.send(&Request::task(&id)).await;
    assert_eq!(
        (got.header("azure-asyncoperation"), got.header("location")),
        (None, None)
    );
}

#[tokio::test]
async fn a_grant_is_honoured_whatever_case_its_escapes_have() {
    let world = World::new().await;
    let reached = Request::new("GET", &LIST.replace("chess", "Größe%2fn")).by(Some("bob"));
    for escapes in ["gr%c3%b6%c3%9fe%2fn", "gr%C3%B6%C3%9Fe%2Fn"] {
        let path = LIST
            .to_lowercase()
            .replace("/devices/exporttasks", "")
            .replace("chess", escapes);
        let grant = Grant {
            subject: "bob".to_owned(),
            path,
            role: Role::Reader,
        };
        let world = World::new().await;
        world.store.put_grant(&grant).await.unwrap();
        assert_eq!(world.send(&reached).await.status, 200, "{escapes}");
    }
    assert_eq!(world.send(&reached).await.status, 403);
}

#[tokio::test]
async fn links_begin_with_the_configured_url_when_there_is_one() {
    let world = World {
        public_url: Some("https://exports.example.com/base/".to_owned()),
        ..World::new().await
    };
    let reply = world.send(&Request::create("activities", &days())).await;
    let expected = format!(
        "https://exports.example.com/base{LIST}/{}?{VERSION}",
        reply.id()
    );
    assert_eq!(reply.header("location"), Some(expected.as_str()));
}

#[tokio::test]
async fn the_next_link_is_absolute_and_keeps_the_options() {
    let world = World::new().await;
    for _ in 0..3 {
        world.accepted().await;
    }
    let query = format!("{VERSION}&$top=2&$orderby=dateCreated desc");
    let list = world.send(&Request::list().query(&query)).await.json();
    let expected = format!(
        "https://api.example.com{LIST}?{VERSION}&%24skip=2&%24top=2&%24orderby=dateCreated%20desc"
    );
    assert_eq!(list["nextLink"], expected);
    let last_page = world.send(&Request::follow(&expected)).await.json();
    assert_eq!(
        last_page.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["value"]
    );
}

#[tokio::test]
async fn bodies_are_json_without_a_byte_order_mark() {
    let world = World::new().await;
    let created = world.send(&Request::create("activities", &days())).await;
    for reply in [
        world.send(&Request::task(&created.id())).await,
        world.send(&Request::list()).await,
        created,
    ] {
        assert!(reply.text.starts_with('{'), "{reply:?}");
        assert!(
            reply
                .header("content-type")
                .unwrap()
                .starts_with("application/json")
        );
    }
}

#[tokio::test]
async fn names_and_enum_values_are_read_ignoring_case_and_unknown_properties_are_ignored() {
    let body = format!(
        r#"{{"CONTAINERURL":"{}","exportformat":"jsonblob","StartDate":"2026-11-01","ENDDATE":"2026-11-02","x":{{"y":[1]}}}}"#,
        container_url()
    );
    let world = World::new().await;
    let reply = world
        .send(&Request::create("activities", &days()).body(body))
        .await;
    assert_eq!(
        (reply.status, &reply.json()["exportType"]),
        (202, &"Activity".into())
    );
}

#[tokio::test]
async fn json_comes_with_or_without_a_charset_a_byte_order_mark_or_base64() {
    let body = days().to_string();
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=\"UTF-8\"",
    ] {
        for text in [body.clone(), format!("\u{feff}{body}")] {
            let request =
                Request::create("activities", &days()).header("content-type", content_type);
            let encoded = Request {
                is_base64: true,
                ..request.clone().body(STANDARD.encode(&text))
            };
            for request in [request.body(text), encoded] {
                assert_eq!(
                    World::new().await.send(&request).await.status,
                    202,
                    "{content_type}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_form_is_as_good_as_json() {
    let world = World::new().await;
    let pairs = [
        ("exportFormat", "CsvBlob"),
        ("startDate", "2026-11-01"),
        ("ENDDATE", "2026-11-02"),
        ("description", "a b"),
    ];
    let reply = world.send(&posted_form("activities", &pairs)).await;
    assert_eq!(
        (reply.status, &reply.json()["description"]),
        (202, &"a b".into())
    );
    assert_eq!(
        world.store.stored()[0].request.format,
        ExportFormat::CsvBlob
    );
}

#[tokio::test]
async fn a_form_lists_campaigns_by_repeating_or_by_commas() {
    for ids in [
        &[("campaignIds", "1"), ("CampaignIds", "2")][..],
        &[("campaignIds", "1, 2")],
    ] {
        let world = World::new().await;
        let fixed = [
            ("exportFormat", "JsonBlob"),
            ("campaignType", "poll"),
            ("exportOptions.exportUserId", "true"),
        ];
        let pairs: Vec<(&str, &str)> = fixed.iter().chain(ids).copied().collect();
        assert_eq!(
            world
                .send(&posted_form("feedbackByCampaign", &pairs))
                .await
                .status,
            202
        );
        let [job] = world.store.stored().try_into().unwrap();
        let expected = Selection::Snapshot(Snapshot::Campaigns {
            campaign_type: CampaignType::Poll,
            ids: vec![1, 2],
        });
        assert_eq!(
            (job.request.selection.clone(), job.request.export_user_id),
            (expected, true)
        );
    }
    let twice = posted_form(
        "tags",
        &[("exportFormat", "JsonBlob"), ("exportformat", "JsonBlob")],
    );
    assert_eq!(
        World::new().await.send(&twice).await.error(),
        (400, "DuplicateField".to_owned())
    );
}

#[tokio::test]
async fn every_answer_carries_both_request_ids() {
    let world = World::new().await;
    for request in [
        Request::create("activities", &days()),
        Request::list(),
        Request::new("PUT", "/"),
        Request::task("x"),
    ] {
        let reply = world
            .send(&request.header("x-ms-client-request-id", "b2a1"))
            .await;
        assert_eq!(reply.header("x-ms-request-id"), Some("JKJaXmPLvHcESHA="));
        assert_eq!(reply.header("x-ms-client-request-id"), Some("b2a1"));
    }
    assert_eq!(
        world
            .send(&Request::list())
            .await
            .header("x-ms-client-request-id"),
        None
    );
}

#[tokio::test]
async fn a_get_may_carry_a_content_type_and_nothing_needs_accept_or_user_agent() {
    let request = Request::list().header("content-type", "application/json; charset=utf-8");
    assert_eq!(World::new().await.send(&request).await.status, 200);
}

/// What is logged, kept for a look at it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn the_signature_is_in_no_answer_and_in_no_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber, a log line that another test's thread meets first is held to be
    // wanted by nobody (<https://docs.rs/tracing-core/0.1/tracing_core/callsite/index.html>); with a second one, every thread's counts.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _logging = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let accepted = world.send(&Request::create("activities", &days())).await;
    let resume =
        |url: String| Request::resume(&accepted.id(), &json!({"containerUrl": url, "state": url}));
    let resumed = world.send(&resume(container_url())).await;
    assert_eq!(resumed.status, 202);
    let refused = world
        .send(&resume(container_url().replace("exports", "other")))
        .await;
    assert_eq!(refused.status, 400);
    let cancelled = world.send(&Request::cancel(&accepted.id())).await;
    let mut replies = vec![
        world.send(&Request::task(&accepted.id())).await,
        world.send(&Request::list()).await,
        accepted,
    ];
    replies.extend([resumed, refused, cancelled]);
    for field in [
        "description",
        "exportFormat",
        "startDate",
        "endDate",
        "exportOptions",
    ] {
        replies.push(
            world
                .send(&Request::create(
                    "activities",
                    &with(days(), field, container_url()),
                ))
                .await,
        );
    }
    for path in [
        format!("{LIST}?{}", container_url()),
        format!("/{}", container_url()),
    ] {
        replies.push(world.send(&Request::new("GET", &path)).await);
    }
    let query = format!("{VERSION}&$orderby=sig={SIGNATURE}&$top=1");
    replies.push(world.send(&Request::list().query(&query)).await);
    world
        .containers
        .refuse(ports::container::ContainerError::Denied {
            code: "AuthenticationFailed".to_owned(),
        });
    replies.push(world.send(&Request::create("activities", &days())).await);
    for reply in &replies {
        assert!(!format!("{reply:?}").contains(SIGNATURE), "{reply:?}");
    }
    assert!(
        log.text().contains("an export job was accepted")
            && log.text().contains("a request was refused")
    );
    assert!(!log.text().contains(SIGNATURE));
    let stored = format!("{:?}", world.store.stored());
    assert!(!stored.contains(SIGNATURE), "{stored}");
}
