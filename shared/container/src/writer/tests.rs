use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::container::{ContainerAccess, ContainerAddress};
use domain::secret::Secret;
use fakes::container::{MemoryContainers, Permission};
use ports::container::Containers;
use proptest::prelude::{any, prop_assert_eq, proptest};
use tokio::sync::Notify;

use super::*;

fn settings(block_bytes: usize, uploads_in_flight: usize) -> WriterSettings {
    WriterSettings {
        block_bytes,
        uploads_in_flight,
        retries: 2,
        retry_delay: Duration::ZERO,
    }
}

fn name() -> BlobName {
    BlobName::from_stored("events/job/part-00000.json")
}

struct World {
    containers: MemoryContainers,
    address: ContainerAddress,
    container: Arc<dyn Container>,
}

fn world() -> World {
    let containers = MemoryContainers::default();
    let address = ContainerAddress::new("https://account1.blob.core.windows.net/exports");
    let signature = Secret::new("sp=w&sig=abc");
    containers.create(&address);
    containers.grant(&address, &signature, Permission::Write);
    let container = containers
        .open(&ContainerAccess {
            address: address.clone(),
            signature,
        })
        .unwrap();
    World {
        containers,
        address,
        container,
    }
}

async fn write(
    container: Arc<dyn Container>,
    pieces: &[Vec<u8>],
    settings: WriterSettings,
) -> PreparedFile {
    let mut writer = BlobWriter::new(container, name(), 1, settings);
    for piece in pieces {
        writer.buffer().extend_from_slice(piece);
        writer.flush_full_blocks().await.unwrap();
    }
    writer.finish().await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}

proptest! {
    #[test]
    fn whatever_is_written_in_whatever_pieces_arrives(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20),
        block_bytes in 1_usize..40,
        uploads in 1_usize..4,
    ) {
        let world = world();
        let bytes = pieces.concat();
        let file = block_on(async {
            let file = write(world.container.clone(), &pieces, settings(block_bytes, uploads)).await;
            commit(world.container.as_ref(), &file, "text/csv").await.unwrap();
            file
        });
        prop_assert_eq!(file.size_bytes, bytes.len() as u64);
        prop_assert_eq!(file.blocks as usize, bytes.len().div_ceil(block_bytes));
        prop_assert_eq!(file.sha256, hex::encode(digest::digest(&digest::SHA256, &bytes)));
        prop_assert_eq!(file.crc64, format!("{:016x}", crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &bytes)));
        prop_assert_eq!(world.containers.read(&world.address, &name()).unwrap().data, bytes);
    }
}

#[tokio::test]
async fn the_checksums_are_those_of_the_published_check_values() {
    let file = write(world().container, &[b"123456789".to_vec()], settings(4, 2)).await;
    assert_eq!(
        file.sha256,
        "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"
    );
    assert_eq!(file.crc64, "ae8b14860a799888");
}

#[tokio::test]
async fn nothing_is_visible_before_the_commit() {
    let world = world();
    let file = write(world.container.clone(), &[vec![7; 10]], settings(4, 2)).await;
    assert_eq!(world.containers.list(&world.address), Vec::<String>::new());
    assert_eq!(world.containers.uncommitted(&world.address, &name()), 3);
    commit(world.container.as_ref(), &file, "application/json")
        .await
        .unwrap();
    assert_eq!(world.containers.list(&world.address), [name().as_str()]);
}

/// Fails the first uploads, then passes them on; or holds every upload until it is let go.
struct Stubborn {
    inner: Arc<dyn Container>,
    failures: Mutex<Vec<ContainerError>>,
    held: Option<Arc<Notify>>,
    begun: AtomicUsize,
}

impl Stubborn {
    fn failing(inner: Arc<dyn Container>, failures: Vec<ContainerError>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            failures: Mutex::new(failures),
            held: None,
            begun: AtomicUsize::new(0),
        })
    }

    fn held(inner: Arc<dyn Container>, gate: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            failures: Mutex::default(),
            held: Some(gate),
            begun: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Container for Stubborn {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.held {
            gate.notified().await;
        }
        let failure = self.failures.lock().unwrap().pop();
        match failure {
            Some(failure) => Err(failure),
            None => self.inner.stage_block(blob, block, data).await,
        }
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        ids: &[BlockId],
        content_type: &str,
    ) -> Result<(), ContainerError> {
        self.inner.commit_blocks(blob, ids, content_type).await
    }
}

fn unavailable() -> ContainerError {
    ContainerError::unavailable("ServerBusy")
}

fn damaged() -> ContainerError {
    ContainerError::Damaged {
        code: "Crc64Mismatch".to_owned(),
    }
}

#[tokio::test]
async fn a_block_that_arrived_damaged_or_not_at_all_is_sent_again() {
    let world = world();
    let container = Stubborn::failing(world.container, vec![unavailable(), damaged()]);
    let file = write(container.clone(), &[vec![7; 4]], settings(4, 1)).await;
    assert_eq!(
        (file.blocks, container.begun.load(Ordering::SeqCst)),
        (1, 3)
    );
    assert_eq!(world.containers.uncommitted(&world.address, &name()), 1);
}

#[tokio::test]
async fn the_repeats_of_a_block_are_bounded() {
    let container = Stubborn::failing(world().container, vec![unavailable(); 9]);
    let mut writer = BlobWriter::new(container.clone(), name(), 1, settings(4, 1));
    writer.buffer().extend_from_slice(&[7; 4]);
    assert_eq!(writer.finish().await, Err(unavailable()));
    assert_eq!(container.begun.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    let refused = ContainerError::Refused {
        code: "BlobImmutableDueToPolicy".to_owned(),
    };
    let container = Stubborn::failing(world().container, vec![refused.clone()]);
    let mut writer = BlobWriter::new(container.clone(), name(), 1, settings(4, 1));
    writer.buffer().extend_from_slice(&[7; 4]);
    assert_eq!(writer.finish().await, Err(refused));
    assert_eq!(container.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_more_uploads_are_under_way_than_allowed() {
    let gate = Arc::new(Notify::new());
    let container = Stubborn::held(world().container, gate.clone());
    let mut writer = BlobWriter::new(container.clone(), name(), 1, settings(4, 2));
    writer.buffer().extend_from_slice(&[7; 12]);
    let flushing = tokio::spawn(async move { writer.flush_full_blocks().await.map(|()| writer) });
    while container.begun.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!flushing.is_finished());
    assert_eq!(container.begun.load(Ordering::SeqCst), 2);

    gate.notify_one();
    let writer = flushing.await.unwrap().unwrap();
    assert_eq!(writer.uploads.len(), 2);
}

#[tokio::test]
async fn a_dropped_writer_stops_its_uploads() {
    let world = world();
    let gate = Arc::new(Notify::new());
    let container = Stubborn::held(world.container, gate.clone());
    let mut writer = BlobWriter::new(container.clone(), name(), 1, settings(4, 2));
    writer.buffer().extend_from_slice(&[7; 4]);
    writer.flush_full_blocks().await.unwrap();
    while container.begun.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    drop(writer);
    gate.notify_one();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.containers.uncommitted(&world.address, &name()), 0);
}

#[tokio::test]
async fn a_file_of_too_many_blocks_is_refused() {
    let mut writer = BlobWriter::new(world().container, name(), 1, settings(1, 8));
    writer.buffer().resize(MAX_BLOCKS as usize + 1, 7);
    let refused = ContainerError::Refused {
        code: "BlockCountExceedsLimit".to_owned(),
    };
    assert_eq!(writer.finish().await, Err(refused));
}
