//! What every sealer owes its callers: with a key of its own, and with a key service.
#![expect(clippy::disallowed_types, reason = "makes the key service's client")]

use domain::job::{JobId, SealedCredential};
use domain::secret::Secret;
use ports::seal::{SealError, Sealer};
use sealing::key::KeySealer;
use sealing::kms::KmsSealer;
use uuid::Uuid;

use crate::ministack::Ministack;

fn job(number: u128) -> JobId {
    JobId::new(Uuid::from_u128(number))
}

async fn assert_contract(keeper: &dyn Sealer, of_other_key: &dyn Sealer) {
    let credential = Secret::new("sv=2024-11-04&sp=w&sig=c2VjcmV0");
    let sealed = keeper.seal(job(1), &credential).await.unwrap();
    assert_eq!(
        keeper.open(job(1), &sealed).await.unwrap(),
        credential.clone()
    );
    let hidden = !sealed.0.windows(8).any(|part| part == b"c2VjcmV0");
    assert!(hidden, "the sealed bytes hold the credential");
    assert!(
        matches!(
            keeper.open(job(2), &sealed).await,
            Err(SealError::Unreadable)
        ),
        "for another job"
    );
    assert!(
        matches!(
            of_other_key.open(job(1), &sealed).await,
            Err(SealError::Unreadable)
        ),
        "with another key"
    );
    let damaged = SealedCredential(sealed.0.iter().rev().copied().collect());
    assert!(
        matches!(
            keeper.open(job(1), &damaged).await,
            Err(SealError::Unreadable)
        ),
        "damaged"
    );
    let longest = Secret::new("x".repeat(4_000));
    let sealed = keeper.seal(job(1), &longest).await.unwrap();
    assert_eq!(keeper.open(job(1), &sealed).await.unwrap(), longest);
}

#[tokio::test]
async fn a_key_of_ones_own_seals() {
    assert_contract(
        &KeySealer::new(&[7; 32]).unwrap(),
        &KeySealer::new(&[8; 32]).unwrap(),
    )
    .await;
}

#[tokio::test]
async fn a_key_service_seals() {
    let server = Ministack::shared().await;
    let client = aws_sdk_kms::Client::new(&server.sdk_config().await);
    let new_sealer = async || {
        let key = client
            .create_key()
            .send()
            .await
            .unwrap()
            .key_metadata
            .unwrap();
        KmsSealer::new(client.clone(), key.key_id)
    };
    assert_contract(&new_sealer().await, &new_sealer().await).await;
}
