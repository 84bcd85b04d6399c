//! An app whose folder can be spelled in two ways.

use domain::listing::Listing;

use super::*;

fn cafe() -> AppScope {
    AppScope::from_segments(["subscriptions", "s", "apps", "caf\u{e9}"])
}

const UPPER: &str = "events/app=subscriptions!s!apps!caf%C3%A9";
const LOWER: &str = "events/app=subscriptions!s!apps!caf%c3%a9";

async fn put_at(store: &Arc<dyn ObjectStore>, path: &str) {
    store
        .put(
            &Path::parse(format!("raw/{path}")).unwrap(),
            "0123456789".into(),
        )
        .await
        .unwrap();
}

async fn plan(lake: &Lake, limit: usize) -> Vec<Vec<String>> {
    let (mut chunks, mut cursor, mut found) = (Vec::new(), None, Listing::default());
    loop {
        let page = lake
            .plan(
                &cafe(),
                &selected(),
                cursor.as_ref(),
                limit,
                Unanswered::IsRetried,
            )
            .await
            .unwrap();
        assert_eq!(
            page,
            lake.plan(
                &cafe(),
                &selected(),
                cursor.as_ref(),
                limit,
                Unanswered::IsRetried
            )
            .await
            .unwrap()
        );
        found.append(page.found);
        chunks.extend(
            page.chunks
                .iter()
                .map(|chunk| objects(chunk).iter().map(|it| it.path.clone()).collect()),
        );
        let Some(next) = page.next else {
            let mut without = Listing::default();
            for day in (1..5).map(|day| format!("2026-11-0{day}")) {
                if !chunks
                    .iter()
                    .flatten()
                    .any(|path: &String| path.contains(&day))
                {
                    without.empty_days.add(&day);
                }
            }
            assert_eq!(found, without, "pages of {limit}");
            return chunks;
        };
        cursor = Some(next);
    }
}

/// The same names on both sides, and some on one side only.
async fn fill(store: &Arc<dyn ObjectStore>) -> Vec<Vec<String>> {
    let upper = [
        "date=2026-11-01/a.ndjson",
        "date=2026-11-01/b.ndjson",
        "date=2026-11-03/a.ndjson",
    ];
    let lower = [
        "date=2026-11-01/0.ndjson",
        "date=2026-11-01/a.ndjson",
        "date=2026-11-02/a.ndjson",
    ];
    for name in upper {
        put_at(store, &format!("{UPPER}/{name}")).await;
    }
    for name in lower {
        put_at(store, &format!("{LOWER}/{name}")).await;
    }
    let path = |folder, name| format!("{folder}/{name}");
    vec![
        vec![path(UPPER, upper[0]), path(UPPER, upper[1])],
        vec![path(LOWER, lower[0]), path(LOWER, lower[1])],
        vec![path(LOWER, lower[2])],
        vec![path(UPPER, upper[2])],
    ]
}

#[tokio::test]
async fn objects_of_both_spellings_are_planned_once_in_the_order_of_their_paths() {
    let folder = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let memory = in_memory();
    let by_two = fill(&memory).await;
    assert_eq!(fill(&local).await, by_two);
    let lakes = [
        (lake(&memory, 20), lake(&memory, 1)),
        (
            lake(&memory, 20).listing_in_order(),
            lake(&memory, 1).listing_in_order(),
        ),
        (
            lake(&local, 20).in_folder(folder.path().to_owned()),
            lake(&local, 1).in_folder(folder.path().to_owned()),
        ),
    ];
    for (two, one) in lakes {
        let by_one: Vec<Vec<String>> = by_two
            .iter()
            .flatten()
            .map(|path| vec![path.clone()])
            .collect();
        for limit in [1, 2, 3, 64] {
            assert_eq!(plan(&two, limit).await, by_two, "pages of {limit}");
            assert_eq!(plan(&one, limit).await, by_one, "pages of {limit}");
        }
    }
}

#[tokio::test]
async fn a_chunk_may_hold_objects_of_both_spellings_and_reads_them() {
    let store = in_memory();
    let expected = fill(&store).await;
    let lake = lake(&store, 1_000).listing_in_order();
    let page = lake
        .plan(&cafe(), &selected(), None, 64, Unanswered::IsRetried)
        .await
        .unwrap();
    let paths: Vec<&str> = objects(&page.chunks[0])
        .iter()
        .map(|object| object.path.as_str())
        .collect();
    assert_eq!(paths, expected[..2].concat());
    assert_eq!(texts(&lake, &page.chunks[0]).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_store_that_ignores_case_shows_one_folder_under_two_names_and_it_is_planned_once() {
    let memory = in_memory();
    for name in [
        "date=2026-11-01/a.ndjson",
        "date=2026-11-01/b.ndjson",
        "date=2026-11-02/a.ndjson",
    ] {
        put_at(&memory, &format!("{UPPER}/{name}")).await;
    }
    let once = plan(&lake(&memory, 1), 64).await;
    assert_eq!(once.len(), 3);
    let store: Arc<dyn ObjectStore> = Arc::new(Faulty {
        ignores_case: true,
        ..Faulty::over(memory)
    });
    assert_eq!(
        plan(&lake(&store, 1), 64).await.len(),
        6,
        "it does show them twice"
    );
    for limit in [1, 2, 64] {
        assert_eq!(
            plan(&lake(&store, 1).in_folder("/nowhere".into()), limit).await,
            once,
            "pages of {limit}"
        );
    }
}

#[tokio::test]
async fn a_cursor_of_an_earlier_version_goes_on_in_the_upper_folder_and_then_in_the_lower() {
    let store = in_memory();
    let expected = fill(&store).await;
    let cursor = PlanCursor("lake1:2026-11-01:a.ndjson".to_owned());
    let page = lake(&store, 20)
        .plan(
            &cafe(),
            &selected(),
            Some(&cursor),
            64,
            Unanswered::IsRetried,
        )
        .await
        .unwrap();
    let paths: Vec<&str> = page
        .chunks
        .iter()
        .flat_map(objects)
        .map(|object| object.path.as_str())
        .collect();
    assert_eq!(paths, expected.concat()[1..]);
}
