//! What a run is like, what it came to, and how to break the protocol on purpose.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::container::{BlobName, BlockId, ContainerAccess};
use domain::rules::OnBadRecord;
use object_store::path::Path;
use ports::container::{Container, ContainerError, Containers};
use ports::source::{Source, Sources};
use sources::lake::Lake;

use super::chance::Chance;
use crate::altered::Altered;
use crate::broken::Broken;
use crate::faults::sealer::FaultySealer;
use crate::world::{World, faulty_source};

/// How much goes wrong in a run, and where.
#[derive(Debug, Clone)]
pub(crate) struct Character {
    /// How often a call meets a fault.
    pub(crate) fault_per_mille: usize,
    /// How many faults are left.
    pub(crate) faults: usize,
    /// How often an event comes twice.
    pub(crate) doubled_per_mille: usize,
    /// How many things are left to happen from outside.
    pub(crate) disturbances: usize,
    /// How often something happens from outside, beside 120 calls.
    pub(crate) restless: usize,
    /// How many processes run at once.
    pub(crate) workers: usize,
    pub(crate) fails_at_bad_records: bool,
    max_receives: u32,
    block_bytes: usize,
    block_retries: u32,
    /// The most chunks of a page of the plan.
    page_chunks: usize,
    /// Whether the lake's store lists by path, so that a folder is planned while it is listed.
    lists_in_order: bool,
    /// How many days late a record may be.
    pub(crate) late_days: u16,
}

impl Character {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        Self {
            fault_per_mille: chance.pick(&[0, 20, 60, 120, 250]),
            faults: chance.pick(&[5, 20, 80]),
            doubled_per_mille: chance.pick(&[0, 50, 300]),
            disturbances: chance.pick(&[0, 1, 3, 8, 15]),
            restless: chance.pick(&[2, 2, 8, 40]),
            workers: chance.pick(&[1, 3, 8, 16]),
            fails_at_bad_records: chance.is(300),
            max_receives: chance.pick(&[1, 3, 20]),
            block_bytes: chance.pick(&[300, 1_000]),
            block_retries: chance.pick(&[0, 1]),
            page_chunks: chance.pick(&[usize::MAX, usize::MAX, 1, 2, 5]),
            lists_in_order: chance.is(700),
            late_days: chance.pick(&[0, 0, 0, 1, 2]),
        }
    }

    /// One in which a broken protocol soon does harm: much stands still, and files have many
    /// blocks.
    pub(crate) fn harsh(self) -> Self {
        Self {
            fault_per_mille: 120,
            faults: 80,
            workers: 8,
            max_receives: 20,
            block_bytes: 150,
            ..self
        }
    }

    /// Settles what of it is a setting.
    pub(crate) fn shape(&self, world: &mut World, lake: &Arc<Broken>) {
        world.max_receives = self.max_receives;
        let writer = &mut world.run.settings.writer;
        writer.block_bytes = self.block_bytes;
        writer.retries = self.block_retries;
        writer.retry_delay = std::time::Duration::from_millis(5);
        world.finish.settings.writer = *writer;
        world.plan.settings.rules.late_days = self.late_days;
        if self.fails_at_bad_records {
            world.plan.settings.rules.on_bad_record = OnBadRecord::Fail;
        }
        let faults = world.faults.clone();
        for sealer in [
            &mut world.create.sealer,
            &mut world.resume.sealer,
            &mut world.run.sealer,
            &mut world.finish.sealer,
        ] {
            *sealer = Arc::new(FaultySealer {
                faults: faults.clone(),
                inner: Arc::clone(sealer),
            });
        }
        let lake = Lake::new(Arc::clone(lake) as _, Path::from("lake"), 2_000)
            .with_late_days(self.late_days);
        let lake = if self.lists_in_order {
            lake.listing_in_order()
        } else {
            lake
        };
        let lake = faulty_source(&world.faults, Arc::new(lake));
        world.run.sources.lake = Arc::clone(&lake);
        world.plan.sources.lake = lake;
        let sources = &world.plan.sources;
        world.plan.sources = Sources {
            lake: self.paged(&sources.lake),
            registry: self.paged(&sources.registry),
        };
    }

    fn paged<S, P>(
        &self,
        inner: &Arc<dyn Source<Selected = S, Part = P>>,
    ) -> Arc<dyn Source<Selected = S, Part = P>>
    where
        S: Send + Sync + 'static,
        P: Send + Sync + 'static,
    {
        Arc::new(Altered {
            inner: Arc::clone(inner),
            page: self.page_chunks,
            piece: |piece| piece,
        })
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) steps: usize,
    pub(crate) calls: usize,
    /// Faults and disturbances, by name.
    pub(crate) played: BTreeMap<String, usize>,
    /// The job's phase when nothing was under way for the first time.
    pub(crate) rest: Option<&'static str>,
    /// The phase in the end.
    pub(crate) end: Option<&'static str>,
    /// The hash of all that happened, in its order.
    pub(crate) hash: u64,
}

impl Figures {
    pub(crate) fn count(&mut self, what: String) {
        *self.played.entry(what).or_default() += 1;
    }

    pub(crate) fn trace(&mut self, line: &str) {
        let mut hasher = DefaultHasher::new();
        (self.hash, line).hash(&mut hasher);
        self.hash = hasher.finish();
    }
}

/// A protocol that is wrong, to show that the simulation finds out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BrokenProtocol {
    /// The table writes chunks whatever their revision is.
    ForgetsRevisions,
    /// A file becomes visible while it is being staged.
    CommitsBeforePrepare,
}

impl BrokenProtocol {
    pub(crate) fn apply(self, world: &mut World) {
        match self {
            Self::ForgetsRevisions => world.table.forget_conditions_of_chunks(),
            Self::CommitsBeforePrepare => {
                let inner = Arc::clone(&world.run.containers);
                world.run.containers = Arc::new(HastyContainers { inner });
                // A block that overtakes another would be discarded by its commit, and no file
                // would ever be whole.
                world.run.settings.writer.uploads_in_flight = 1;
            }
        }
    }
}

/// Commits what there is of a file whenever a block is staged.
struct HastyContainers {
    inner: Arc<dyn Containers>,
}

impl Containers for HastyContainers {
    fn open(&self, access: &ContainerAccess) -> Result<Arc<dyn Container>, ContainerError> {
        Ok(Arc::new(HastyContainer {
            inner: self.inner.open(access)?,
        }))
    }
}

struct HastyContainer {
    inner: Arc<dyn Container>,
}

#[async_trait]
impl Container for HastyContainer {
    async fn stage_block(
        &self,
        blob: &BlobName,
        block: BlockId,
        data: Bytes,
    ) -> Result<(), ContainerError> {
        self.inner.stage_block(blob, block, data).await?;
        let list: Vec<BlockId> = (0..=block.index)
            .map(|index| BlockId { index, ..block })
            .collect();
        match self.inner.commit_blocks(blob, &list, "text/plain").await {
            Err(ContainerError::BlocksGone) => Ok(()),
            done => done,
        }
    }

    async fn commit_blocks(
        &self,
        blob: &BlobName,
        blocks: &[BlockId],
        kind: &str,
    ) -> Result<(), ContainerError> {
        self.inner.commit_blocks(blob, blocks, kind).await
    }
}
