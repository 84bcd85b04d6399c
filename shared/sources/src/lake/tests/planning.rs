//! Planning over a store that lists by path.

use std::sync::atomic::Ordering;

use super::*;

const DAY: time::Date = date!(2026 - 11 - 02);

/// A store with that many objects on one day, 10 bytes each, and some that hold no records.
async fn with_objects(count: usize) -> Arc<dyn ObjectStore> {
    let store = in_memory();
    for number in 0..count {
        put(&store, DAY, &format!("{number:04}.ndjson"), "0123456789").await;
    }
    for name in ["_SUCCESS", "0001.ndjson.tmp", "0002a/inner.ndjson"] {
        put(&store, DAY, name, "x").await;
    }
    put(&store, DAY, "empty.ndjson", "").await;
    store
}

#[tokio::test]
async fn a_listing_in_order_gives_the_same_plan() {
    let store = with_objects(23).await;
    for target_bytes in [1, 30, 1_000] {
        let lake = lake(&store, target_bytes);
        let all = plan(&lake, 64).await;
        for limit in [1, 2, 5, 64] {
            assert_eq!(
                plan(&lake.clone().listing_in_order(), limit).await,
                all,
                "{limit} chunks a page"
            );
            assert_eq!(
                plan(&lake, limit).await,
                all,
                "{limit} chunks a page, sorted"
            );
        }
    }
}

#[tokio::test]
async fn a_page_reads_no_more_of_a_listing_than_it_uses() {
    let faulty = Faulty::over(with_objects(1_000).await);
    let listed = Arc::clone(&faulty.listed);
    let store: Arc<dyn ObjectStore> = Arc::new(faulty);
    let lake = lake(&store, 1).listing_in_order();
    let page = lake
        .plan(&scope(), &selected(), None, 64, Unanswered::IsRetried)
        .await
        .unwrap();
    assert_eq!(page.chunks.len(), 64);
    assert_eq!(
        listed.load(Ordering::Relaxed),
        66,
        "one object to each chunk, one without records, and one beyond"
    );
}

#[tokio::test]
async fn a_store_that_breaks_the_order_is_found_out() {
    let faulty = Faulty {
        lists_backwards: true,
        ..Faulty::over(with_objects(2).await)
    };
    let store: Arc<dyn ObjectStore> = Arc::new(faulty);
    let plan = lake(&store, 1)
        .listing_in_order()
        .plan(&scope(), &selected(), None, 64, Unanswered::IsRetried)
        .await;
    let reason = plan.unwrap_err().to_string();
    assert!(reason.contains("a store that lists by path"), "{reason}");
}

#[test]
fn only_directory_buckets_list_in_no_order() {
    let in_order = |address| Lake::from_url(address, 1).unwrap().lists_in_order;
    assert!(in_order("s3://bucket/raw"));
    assert!(!in_order("s3://bucket--euw1-az1--x-s3/raw"));
    let folder = tempfile::tempdir().unwrap();
    assert!(!in_order(
        Url::from_directory_path(folder.path()).unwrap().as_str()
    ));
}

#[tokio::test]
async fn a_folder_that_cannot_be_listed_to_its_end_is_planned_from_there_on_and_nothing_twice() {
    let store = with_objects(23).await;
    for target_bytes in [1, 30, 1_000] {
        let whole = lake(&store, target_bytes).listing_in_order();
        let all = plan(&whole, 64).await;
        for (lists_at_most, limit) in [(0, 64), (1, 64), (7, 64), (7, 2), (22, 1)] {
            let faulty: Arc<dyn ObjectStore> = Arc::new(Faulty {
                lists_at_most,
                ..Faulty::over(Arc::clone(&store))
            });
            let broken = lake(&faulty, target_bytes).listing_in_order();
            let (mut chunks, mut missing, mut cursor) = (Vec::new(), Vec::new(), None);
            loop {
                let page = broken
                    .plan(
                        &scope(),
                        &selected(),
                        cursor.as_ref(),
                        limit,
                        Unanswered::IsRetried,
                    )
                    .await;
                let page = page.unwrap();
                chunks.extend(page.chunks);
                missing.extend(page.missing);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            for day in &missing {
                assert!(day.reason.contains("a name that no object has"), "{day:?}");
                let mut cursor = Some(day.cursor.clone());
                while let Some(from) = cursor {
                    let page = whole
                        .plan(
                            &scope(),
                            &selected(),
                            Some(&from),
                            limit,
                            Unanswered::IsRetried,
                        )
                        .await;
                    let page = page.unwrap();
                    assert!(page.missing.is_empty());
                    chunks.extend(page.chunks);
                    cursor = page.next;
                }
            }
            let paths = |chunks: &[ChunkSource]| -> Vec<String> {
                let objects = chunks.iter().flat_map(objects);
                objects.map(|object| object.path.clone()).collect()
            };
            let mut found = paths(&chunks);
            found.sort_unstable();
            assert_eq!(
                found,
                paths(&all),
                "{lists_at_most} of {limit} chunks a page"
            );
        }
    }
}

#[tokio::test]
async fn a_day_reads_the_folders_in_which_its_records_may_be_late() {
    let store = in_memory();
    for day in 1..=6 {
        let day = date!(2026 - 10 - 31) + time::Duration::days(day);
        put(&store, day, "a.ndjson", "0123456789").await;
        put(&store, day, "_SUCCESS", "x").await;
    }
    let lake = lake(&store, 1_000).with_late_days(2);
    for lake in [lake.clone(), lake.listing_in_order()] {
        for limit in [1, 2, 64] {
            let (chunks, found) = plan_and_find(&lake, limit).await;
            assert_eq!(
                found.left_out.count, 6,
                "one a folder, also behind the last day"
            );
            let read: Vec<_> = chunks
                .iter()
                .map(|chunk| match chunk {
                    ChunkSource::Objects { day, folder, .. } => (day.day(), folder.day()),
                    ChunkSource::Partitions(_) => panic!("{chunk:?}"),
                })
                .collect();
            let expected: Vec<_> = (1..=4)
                .flat_map(|day| (day..=day + 2).map(move |folder| (day, folder)))
                .collect();
            assert_eq!(read, expected);
        }
    }
}
