//! What a client hears of an export's plan: what was left out, and up to when the source was read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::app::AppScope;
use domain::chunk::ObjectRef;
use domain::job::{Job, PlanCursor};
use domain::selection::History;
use futures::stream::BoxStream;
use ports::source::{Piece, PlanPage, Source, SourceError, Unanswered};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::altered::Altered;
use crate::stories::days;
use crate::stories::rows::{event, exported_events, small_lake, sorted};
use crate::world::clock::StoryClock;
use crate::world::{APP_PATH, World, body_of, container_url};

/// What an export warns of; the task, the list of tasks and the manifest say the same.
async fn warnings(world: &World, job: &Job) -> Vec<(String, String)> {
    let manifest = world.manifest(job).unwrap();
    let said = json!(manifest.head.warnings);
    let list =
        body_of(&crate::described::status(World::http("GET", APP_PATH, None), &world.status).await);
    for task in [&world.task(&job.key).await, &list["value"][0]] {
        let warnings = task.get("warnings").cloned().unwrap_or_else(|| json!([]));
        assert_eq!(warnings, said, "{task}");
    }
    manifest
        .head
        .warnings
        .into_iter()
        .map(|warning| (warning.code, warning.message))
        .collect()
}

fn codes(warnings: &[(String, String)]) -> Vec<&str> {
    warnings.iter().map(|(code, _)| code.as_str()).collect()
}

#[tokio::test]
async fn what_is_left_out_of_a_lake_is_no_silent_success_without_rows() {
    let world = World::new().await;
    let names = ["_SUCCESS", "a.ndjson.tmp", "b.json.gz.part", "empty.ndjson"];
    for name in names {
        let body = if name.starts_with("empty") {
            String::new()
        } else {
            event("2026-01-05", 1)
        };
        world.put_object("events", "2026-01-05", name, body).await;
    }
    world
        .put_object("events", "2026-1-5", "a.ndjson", event("2026-01-05", 1))
        .await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-05"))
        .await;
    let job = world.drive(&key).await;
    assert_eq!(job.phase.name(), "succeeded");
    let said = warnings(&world, &job).await;
    assert_eq!(
        codes(&said),
        ["NoObjects", "ObjectsLeftOut", "FoldersLeftOut"]
    );
    let bytes = 3 * event("2026-01-05", 1).len();
    assert!(
        said[1].1.contains(&format!(
            "4 objects in the folders that are read ({bytes} bytes)"
        )),
        "{said:?}"
    );
    for name in names {
        assert!(
            said[1].1.contains(&format!("`date=2026-01-05/{name}`")),
            "{said:?}"
        );
    }
    let ignored = world.manifest(&job).unwrap().head.ignored.unwrap();
    assert_eq!((ignored.objects, ignored.bytes), (4, bytes as u64));
    assert_eq!(
        ignored.first,
        names.map(|name| format!("date=2026-01-05/{name}"))
    );
    let task = world.task(&key).await;
    assert_eq!(task["ignored"], serde_json::to_value(&ignored).unwrap());
    assert!(
        said[2]
            .1
            .contains("1 name in the app's folder: `date=2026-1-5/`"),
        "{said:?}"
    );
}

#[tokio::test]
async fn an_app_or_a_day_that_the_lake_does_not_have_is_said() {
    let world = World::new().await;
    let key = world
        .post("events", &days("CsvBlob", "2026-01-06", "2026-01-06"))
        .await;
    let said = warnings(&world, &world.drive(&key).await).await;
    assert_eq!(codes(&said), ["NoFolder"]);
    let folder = format!("`events/app={}`", World::scope().folder());
    assert!(said[0].1.contains(&folder), "{said:?}");

    let world = World::new().await;
    small_lake(&world).await;
    let key = world
        .post("events", &days("CsvBlob", "2026-01-06", "2026-01-06"))
        .await;
    let said = warnings(&world, &world.drive(&key).await).await;
    assert_eq!(codes(&said), ["NoObjects"]);
    assert!(
        said[0]
            .1
            .contains("of type Event from 2026-01-06 to 2026-01-06"),
        "{said:?}"
    );
}

#[tokio::test]
async fn an_export_with_all_that_there_is_warns_of_nothing_and_one_with_a_gap_names_its_days() {
    let world = World::new().await;
    small_lake(&world).await;
    let week = days("JsonBlob", "2026-01-05", "2026-01-07");
    let key = world.post("events", &week).await;
    let said = warnings(&world, &world.drive(&key).await).await;
    assert_eq!(codes(&said), ["DaysWithoutObjects"]);
    assert!(said[0].1.contains(": `2026-01-06`."), "{said:?}");

    let world = World::new().await;
    small_lake(&world).await;
    world
        .put_object("events", "2026-01-06", "a.ndjson", event("2026-01-06", 1))
        .await;
    let key = world.post("events", &week).await;
    let said = warnings(&world, &world.drive(&key).await).await;
    assert!(said.is_empty(), "{said:?}");
}

#[tokio::test]
async fn a_registry_without_rows_is_said() {
    let container = container_url();
    let of_devices = json!({"containerUrl": container, "exportFormat": "JsonBlob"});
    let ids = json!({"containerUrl": container, "exportFormat": "JsonBlob", "campaignType": "Poll", "campaignIds": [7, 8]});
    let window = json!({
        "containerUrl": container, "exportFormat": "JsonBlob", "campaignType": "Poll",
        "campaignWindowStart": "2026-01-01T00:00:00Z", "campaignWindowEnd": "2026-01-02T00:00:00Z",
    });
    let cases: [(&str, &Value, &str); 3] = [
        ("tokens", &of_devices, "no row of type Token for this app"),
        (
            "feedbackByCampaign",
            &ids,
            "no feedback of campaigns of type Poll with the ids 7, 8:",
        ),
        (
            "feedbackByDate",
            &window,
            "no feedback of campaigns of type Poll that were active in the window",
        ),
    ];
    for (operation, body, words) in cases {
        let world = World::new().await;
        let key = world.post(operation, body).await;
        let said = warnings(&world, &world.drive(&key).await).await;
        assert_eq!(codes(&said), ["NoRows"], "{operation}");
        assert!(said[0].1.contains(words), "{said:?}");
    }
}

/// A lake that takes a minute for a page of a plan, of one chunk, and refuses one page.
struct Slow {
    inner: Altered<History, ObjectRef>,
    clock: Arc<StoryClock>,
    pages: AtomicUsize,
    refused: usize,
}

#[async_trait]
impl Source for Slow {
    type Selected = History;
    type Part = ObjectRef;

    async fn plan(
        &self,
        scope: &AppScope,
        history: &History,
        cursor: Option<&PlanCursor>,
        limit: usize,
        unanswered: Unanswered,
    ) -> Result<PlanPage, SourceError> {
        self.clock.advance(Duration::minutes(1));
        if self.pages.fetch_add(1, Ordering::SeqCst) == self.refused {
            return Err(SourceError::Denied {
                object: "the lake".to_owned(),
            });
        }
        self.inner
            .plan(scope, history, cursor, limit, unanswered)
            .await
    }

    fn read(
        &self,
        objects: &[ObjectRef],
        history: &History,
    ) -> BoxStream<'static, Result<Piece, SourceError>> {
        self.inner.read(objects, history)
    }
}

/// A small lake with an object that is left out, and its rows; the plan's page of this number is
/// refused.
async fn slow_world(refused: usize) -> (World, Vec<String>) {
    let mut world = World::new().await;
    let rows = small_lake(&world).await;
    world
        .put_object("events", "2026-01-05", "part-0.bak", "12345")
        .await;
    let inner = Altered {
        inner: Arc::clone(&world.plan.sources.lake),
        page: 1,
        piece: |piece| piece,
    };
    let clock = Arc::clone(&world.clock);
    world.plan.sources.lake = Arc::new(Slow {
        inner,
        clock,
        pages: AtomicUsize::new(0),
        refused,
    });
    (world, rows)
}

fn read_up_to(world: &World, job: &Job) -> OffsetDateTime {
    OffsetDateTime::parse(
        &world.manifest(job).unwrap().head.read_up_to.unwrap(),
        &Rfc3339,
    )
    .unwrap()
}

#[tokio::test]
async fn the_source_was_read_up_to_the_moment_before_its_first_listing_however_many_pages_follow() {
    let (world, rows) = slow_world(usize::MAX).await;
    let key = world
        .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
        .await;
    let begun = world.task(&key).await["dateCreated"]
        .as_str()
        .unwrap()
        .to_owned();
    let job = world.drive(&key).await;
    assert_eq!(
        read_up_to(&world, &job),
        OffsetDateTime::parse(&begun, &Rfc3339).unwrap()
    );
    assert_eq!(exported_events(&world.files(&job)), rows);
}

#[tokio::test]
async fn a_plan_that_failed_and_goes_on_days_later_says_how_old_it_is_and_warns_once() {
    for (refused, is_old) in [(0, false), (2, true)] {
        let (world, mut rows) = slow_world(refused).await;
        let key = world
            .post("events", &days("JsonBlob", "2026-01-05", "2026-01-07"))
            .await;
        let begun = world.job(&key).await.created;
        let job = world.drive(&key).await;
        assert_eq!(job.phase.name(), "failed");
        let so_far = if is_old {
            vec!["ObjectsLeftOut"]
        } else {
            vec![]
        };
        assert_eq!(codes(&warnings(&world, &job).await), so_far);

        // It sorts before all that the first pages planned.
        world.clock.advance(Duration::days(5));
        world
            .put_object(
                "events",
                "2026-01-05",
                "late.ndjson",
                event("2026-01-05", 9),
            )
            .await;
        let resumed = world.job(&key).await;
        assert_eq!(
            world.patch(&key, &json!({})).await.status_code,
            202,
            "{resumed:?}"
        );
        let job = world.drive(&key).await;
        let read_up_to = read_up_to(&world, &job);
        if is_old {
            assert_eq!(read_up_to, begun);
        } else {
            assert!(
                read_up_to >= begun + Duration::days(5),
                "nothing of the first plan is left"
            );
            rows.push(event("2026-01-05", 9));
            rows = sorted(rows.iter().map(|line| serde_json::from_str(line).unwrap()));
        }
        assert_eq!(exported_events(&world.files(&job)), rows);
        let said = warnings(&world, &job).await;
        assert_eq!(codes(&said), ["DaysWithoutObjects", "ObjectsLeftOut"]);
        assert!(
            said[1].1.contains(
                "1 object in the folders that are read (5 bytes): `date=2026-01-05/part-0.bak`"
            ),
            "{said:?}"
        );
    }
}
