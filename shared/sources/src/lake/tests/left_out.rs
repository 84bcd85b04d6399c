//! What a plan says of what it does not read.

use domain::listing::Listing;

use super::*;

const DAY: time::Date = date!(2026 - 11 - 02);

/// Of those that [`what_is_left_out_is_counted_once_wherever_the_pages_end`] puts.
const EMPTY_DAYS: &str = "`2026-11-02`, `2026-11-03`";

/// What all pages came upon, and the plan.
async fn pages(lake: &Lake, limit: usize) -> (Listing, Vec<ChunkSource>) {
    let (mut found, mut chunks, mut cursor) = (Listing::default(), Vec::new(), None);
    loop {
        let page = lake
            .plan(
                &scope(),
                &selected(),
                cursor.as_ref(),
                limit,
                Unanswered::IsRetried,
            )
            .await
            .unwrap();
        found.append(page.found);
        chunks.extend(page.chunks);
        let Some(next) = page.next else {
            return (found, chunks);
        };
        cursor = Some(next);
    }
}

async fn put_at(store: &Arc<dyn ObjectStore>, below_app: &str, body: &'static str) {
    let path = format!("raw/events/app={}/{below_app}", scope().folder());
    store
        .put(&Path::parse(path).unwrap(), body.into())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_left_out_is_counted_once_wherever_the_pages_end() {
    let folder = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    for store in [in_memory(), local] {
        // Before, between and after the records of two days, and on a day without any record.
        for (day, name) in [
            (1, "a.tmp"),
            (1, "c.bak"),
            (1, "c2.PART"),
            (1, "e.md5"),
            (2, "_SUCCESS"),
            (3, "z~"),
        ] {
            put_at(&store, &format!("date=2026-11-0{day}/{name}"), "12345").await;
        }
        put_at(&store, "date=2026-11-02/d.ndjson", "").await;
        for name in ["b.ndjson", "d.ndjson", "f.ndjson"] {
            put(&store, date!(2026 - 11 - 01), name, "0123456789").await;
            put(&store, date!(2026 - 11 - 04), name, "0123456789").await;
        }
        put_at(&store, "date=2026-11-05/after.tmp", "x").await;
        for target_bytes in [1, 20, 1_000] {
            let lake = lake(&store, target_bytes);
            let (whole, chunks) = pages(&lake, 64).await;
            assert_eq!((whole.left_out.count, whole.left_out_bytes), (7, 30));
            let names = "`date=2026-11-01/a.tmp`, `date=2026-11-01/c.bak`, `date=2026-11-01/c2.PART`, \
                        `date=2026-11-01/e.md5`, `date=2026-11-02/_SUCCESS`, `date=2026-11-02/d.ndjson`, \
                        `date=2026-11-03/z~`";
            assert_eq!(whole.left_out.to_string(), names);
            assert_eq!(whole.empty_days.to_string(), EMPTY_DAYS);
            for limit in [1, 2, 3] {
                assert_eq!(
                    pages(&lake, limit).await,
                    (whole.clone(), chunks.clone()),
                    "pages of {limit}"
                );
                let in_order = store
                    .to_string()
                    .starts_with("InMemory")
                    .then(|| lake.clone().listing_in_order());
                if let Some(in_order) = in_order {
                    assert_eq!(
                        pages(&in_order, limit).await,
                        (whole.clone(), chunks.clone()),
                        "pages of {limit}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn what_lies_beside_the_days_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let local: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    for store in [in_memory(), local] {
        for name in [
            "date=2026-2-1/a.ndjson",
            "dt=2026-11-02/a.ndjson",
            "dt=2026-11-02/b.ndjson",
            "flat.ndjson",
        ] {
            put_at(&store, name, "x").await;
        }
        for name in ["_spark_metadata/0", ".tmp", "date=2020-01-01/a.ndjson"] {
            put_at(&store, name, "x").await;
        }
        for day in 1..5 {
            put(
                &store,
                date!(2026 - 11 - 01) + time::Duration::days(day),
                "a.ndjson",
                "x",
            )
            .await;
        }
        for limit in [1, 64] {
            let (found, _) = pages(&lake(&store, 1), limit).await;
            assert_eq!(
                found.no_days.to_string(),
                "`date=2026-2-1/`, `dt=2026-11-02/`, `flat.ndjson`"
            );
            assert_eq!((found.no_days.count, found.absent_folder), (3, None));
        }
    }
}

#[tokio::test]
async fn the_folder_of_an_app_that_has_none_is_named() {
    let store = in_memory();
    put(&store, DAY, "a.ndjson", "x").await;
    let other = AppScope::from_segments(["subscriptions", "s", "apps", "My"]);
    let page = lake(&store, 1)
        .plan(&other, &selected(), None, 64, Unanswered::IsRetried)
        .await
        .unwrap();
    assert_eq!(
        page.found.absent_folder.as_deref(),
        Some("events/app=subscriptions!s!apps!my")
    );
    let mut others = Listing::default();
    for day in [1, 3, 4] {
        others.empty_days.add(&format!("2026-11-0{day}"));
    }
    assert_eq!(pages(&lake(&store, 1), 64).await.0, others);
}

#[tokio::test]
async fn only_a_look_around_that_may_succeed_later_stops_the_plan() {
    let cases: [(fn() -> object_store::Error, bool); 2] = [
        (
            || object_store::Error::Generic {
                store: "faulty",
                source: "503".into(),
            },
            true,
        ),
        (
            || object_store::Error::NotSupported {
                source: "a name that no object has".into(),
            },
            false,
        ),
    ];
    for (error, stops) in cases {
        let memory = in_memory();
        put(&memory, DAY, "a.ndjson", "x").await;
        let store: Arc<dyn ObjectStore> = Arc::new(Faulty {
            looks: Some(error),
            ..Faulty::over(memory)
        });
        let plan = lake(&store, 1)
            .plan(&scope(), &selected(), None, 64, Unanswered::IsRetried)
            .await;
        assert_eq!(
            plan.as_ref().is_err_and(SourceError::is_transient),
            stops,
            "{plan:?}"
        );
        assert_eq!(plan.is_ok_and(|page| page.chunks.len() == 1), !stops);
    }
}

#[tokio::test]
async fn a_day_that_a_page_before_has_chunks_of_is_not_empty_though_the_rest_is_deleted() {
    let store = in_memory();
    for name in ["a.ndjson", "b.ndjson"] {
        put(&store, DAY, name, "x").await;
    }
    let lake = lake(&store, 1);
    let first = lake
        .plan(&scope(), &selected(), None, 1, Unanswered::IsRetried)
        .await
        .unwrap();
    assert_eq!(first.chunks.len(), 1);
    let rest = layout::folder(HistoryType::Event, &scope(), DAY);
    let rest = Path::parse(format!("raw/{rest}/b.ndjson")).unwrap();
    store.delete(&rest).await.unwrap();
    let cursor = first.next.as_ref();
    let second = lake
        .plan(&scope(), &selected(), cursor, 1, Unanswered::IsRetried)
        .await
        .unwrap();
    assert_eq!(
        second.found.empty_days.to_string(),
        "`2026-11-03`, `2026-11-04`"
    );
}

#[tokio::test]
async fn an_object_that_is_likely_to_be_too_large_for_a_run_is_named() {
    let store = in_memory();
    put(&store, DAY, "a.ndjson", "x").await;
    put(&store, DAY, "b.ndjson.gz", "x").await;
    let lake = lake(&store, 1);
    let large = async |seconds| {
        let lake = lake.clone().for_runs_of(time::Duration::seconds(seconds));
        pages(&lake, 1).await.0.large_objects.to_string()
    };
    assert_eq!(large(900).await, "");
    let both = "`date=2026-11-02/a.ndjson`, `date=2026-11-02/b.ndjson.gz`";
    assert_eq!(large(0).await, both);
    let compressed = |name: &str, size_bytes| {
        let object = ObjectRef {
            path: name.to_owned(),
            etag: String::new(),
            size_bytes,
        };
        lake.is_large(&object)
    };
    let limit = 25_000_000 * 900;
    assert!(!compressed("a.gz", limit) && compressed("a.gz", limit + 1));
    assert!(!compressed("a", 10 * limit) && compressed("a", 10 * limit + 1));
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_left_out_by_name_and_a_day_that_leads_nowhere_is_missing() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    put(&store, date!(2026 - 11 - 01), "b.ndjson", "1").await;
    put(&store, date!(2026 - 11 - 01), "sub/d.ndjson", "1").await;
    let app = folder
        .path()
        .join(format!("raw/events/app={}", scope().folder()));
    let day = app.join("date=2026-11-01");
    symlink("nowhere", day.join("a.ndjson")).unwrap();
    symlink("nowhere", day.join("sub/c")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(day.join("e")).unwrap();
    symlink("nowhere", app.join("date=2026-11-03")).unwrap();
    symlink(".", app.join("date=2026-11-04")).unwrap();
    for target_bytes in [1, 100] {
        let lake = lake(&store, target_bytes).in_folder(folder.path().to_owned());
        for limit in [1, 64] {
            let (found, chunks) = pages(&lake, limit).await;
            assert_eq!(
                found.left_out.to_string(),
                "`date=2026-11-01/a.ndjson`, `date=2026-11-01/e`, `date=2026-11-01/sub/c`"
            );
            assert_eq!(chunks.iter().flat_map(objects).count(), 2);
        }
        let (scope, selected) = (scope(), selected());
        let whole = lake.plan(&scope, &selected, None, 64, Unanswered::IsRetried);
        let missing = whole.await.unwrap().missing;
        let [nowhere, circle] = missing.as_slice() else {
            panic!("{missing:?}")
        };
        assert_eq!(
            (nowhere.day, circle.day),
            (date!(2026 - 11 - 03), date!(2026 - 11 - 04))
        );
        assert!(nowhere.reason.contains("leads nowhere"), "{nowhere:?}");
        assert!(circle.reason.contains("loop"), "{circle:?}");
    }
}
