//! A lake in a server that speaks S3.

use std::sync::Arc;

use domain::chunk::ChunkSource;
use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use ports::source::{Piece, Source, SourceError};

use super::{Parts, assert_contract, chess, events, fill_lake, plan};
use crate::ministack::Ministack;

/// An empty bucket of this name.
async fn bucket(server: &Ministack, name: &str) -> Arc<dyn ObjectStore> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let made = client
        .put(format!("{}/{name}", server.endpoint()))
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success(), "{made:?}");
    let s3 = AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_bucket_name(name);
    let s3 = s3
        .with_region("us-east-1")
        .with_access_key_id("local")
        .with_secret_access_key("local");
    Arc::new(s3.build().unwrap())
}

#[tokio::test]
async fn a_lake_in_s3_is_a_source() {
    let server = Ministack::shared().await;
    let (lake, expected) = fill_lake(bucket(&server, "lake").await).await;
    assert_contract(&lake.listing_in_order(), &events(), expected).await;
}

#[tokio::test]
async fn an_object_that_was_overwritten_or_removed_in_s3_is_not_read() {
    let server = Ministack::shared().await;
    let store = bucket(&server, "changing-lake").await;
    let (lake, _) = fill_lake(Arc::clone(&store)).await;
    let chunks = plan(&lake, &chess(), &events(), 64).await;
    let path_of = |chunk: &ChunkSource| {
        let ChunkSource::Objects { objects, .. } = chunk else {
            panic!("{chunk:?}")
        };
        Path::parse(format!("raw/{}", objects[0].path)).unwrap()
    };
    store
        .put(&path_of(&chunks[0]), "other\n".into())
        .await
        .unwrap();
    store.delete(&path_of(&chunks[1])).await.unwrap();
    for chunk in &chunks[..2] {
        let read: Vec<Piece> = lake
            .read(Parts::of(chunk), &events())
            .try_collect()
            .await
            .unwrap();
        let is_changed = matches!(
            read[0],
            Piece::Unreadable {
                origin: 0,
                error: SourceError::Changed { .. }
            }
        );
        assert!(is_changed, "{read:?}");
    }
}
