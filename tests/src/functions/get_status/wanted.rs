//! Some of an app's tasks.

use domain::job::Outcome;
use ports::store::Jobs;
use serde_json::json;
use time::Duration;

use super::ids;
use crate::api::fakes::NOW;
use crate::api::{Request, World, answer, container_url, days};

async fn listed(world: &World, query: &str) -> Vec<String> {
    let mut request = Request::list().query(&format!("api-version=2014-12-01{query}"));
    let mut all = Vec::new();
    loop {
        let reply = world.send(&request).await;
        assert_eq!(reply.status, 200, "{query}: {reply:?}");
        let list = reply.json();
        all.extend(ids(&list));
        let Some(link) = list.get("nextLink") else {
            return all;
        };
        request = Request::follow(link.as_str().unwrap());
    }
}

#[tokio::test]
async fn a_list_holds_what_is_wanted_of_it_on_every_page() {
    let world = World::new().await;
    let devices = json!({"containerUrl": container_url(), "exportFormat": "CsvBlob"});
    let mut created = Vec::new();
    for minute in 0..6 {
        world.clock.set(NOW + Duration::minutes(minute));
        let request = if minute % 2 == 0 {
            Request::create("events", &days())
        } else {
            Request::create("devices", &devices)
        };
        created.push(world.send(&request).await.id());
    }
    for job in world.store.stored().into_iter().take(4) {
        let details = "no".to_owned();
        let ended = fakes::jobs::ended(job, NOW, Outcome::Failed { details });
        world.store.put_job(ended).await.unwrap();
    }
    let of = |places: &[usize]| {
        places
            .iter()
            .map(|&at| created[at].clone())
            .collect::<Vec<_>>()
    };
    for (query, places) in [
        ("&state=Failed", &[0, 1, 2, 3][..]),
        ("&state=queued", &[4, 5]),
        ("&state=Succeeded", &[]),
        ("&exportType=Device", &[1, 3, 5]),
        ("&createdAfter=2026-11-21T12:02:00Z", &[3, 4, 5]),
        ("&createdAfter=2026-11-21T12:01:59.999Z", &[2, 3, 4, 5]),
        ("&exportType=event&state=Failed&$orderby=id desc", &[2, 0]),
        ("&other=1", &[0, 1, 2, 3, 4, 5]),
    ] {
        assert_eq!(listed(&world, query).await, of(places), "{query}");
        let paged = format!("{query}&$top=1");
        assert_eq!(listed(&world, &paged).await, of(places), "{paged}");
        if !query.contains("orderby") {
            let sorted = format!("{query}&$orderby=dateCompleted&$top=2");
            assert_eq!(listed(&world, &sorted).await, of(places), "{sorted}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_wanted_is_refused_naming_what_can() {
    for (option, fix) in [
        ("state=Running", "send Queued, Started, Succeeded or Failed"),
        ("exportType=Tags", "send Activity, Event, Job"),
        ("createdAfter=2026-11-21", "2016-01-31T08:00:00Z"),
    ] {
        let query = format!("api-version=2014-12-01&{option}");
        let request = Request::list().query(&query);
        let reply = World::new().await.send(&request).await;
        assert_eq!(reply.error(), answer(400, "InvalidQuery"), "{option}");
        assert!(reply.message().contains(fix), "{}", reply.message());
    }
}
