//! The handlers' ports over adapters that they share.

use std::sync::Arc;

use api::audit::Auditor;
use api::caller::EdgeSettings;
use api::container_url::ContainerUrlRules;
use container::writer::WriterSettings;
use domain::rules::Rules;
use exports_table::DynamoStore;
use formats::encode::ENCODERS_VERSION;
use ports::clock::Clock;
use ports::container::Containers;
use ports::seal::Sealer;
use ports::source::Sources;
use ports::store::{Changes, ChunkLists, Chunks, Grants, Plans, WaitingJobs};
use time::Duration;

/// What all functions share.
pub(crate) struct Adapters<T> {
    pub(crate) table: Arc<T>,
    pub(crate) containers: Arc<dyn Containers>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) clock: Arc<dyn Clock>,
}

const AUDITOR: Auditor = Auditor {
    kept: Duration::days(365),
};

fn edge_settings() -> EdgeSettings {
    EdgeSettings {
        public_url: Some("https://api.example".to_owned()),
        subject_claim: "sub".to_owned(),
    }
}

/// What the jobs are planned with.
pub(crate) fn rules() -> Rules {
    Rules::unless_planned(ENCODERS_VERSION)
}

/// Blocks of 1,000 bytes, so that a small file has several.
fn writer() -> WriterSettings {
    WriterSettings {
        block_bytes: 1_000,
        retries: 0,
        ..WriterSettings::default()
    }
}

impl Adapters<DynamoStore> {
    pub(crate) fn create(&self) -> create_job::Ports {
        create_job::Ports {
            clock: Arc::clone(&self.clock),
            grants: Arc::clone(&self.table) as _,
            intake: Arc::clone(&self.table) as _,
            jobs: Arc::clone(&self.table) as _,
            container_urls: ContainerUrlRules::default(),
            containers: Arc::clone(&self.containers),
            sealer: Arc::clone(&self.sealer),
            auditor: AUDITOR,
            settings: create_job::Settings {
                edge: edge_settings(),
                max_range_days: 366,
                retention: Duration::days(90),
                has_folder_lake: false,
            },
        }
    }

    pub(crate) fn status(&self) -> get_status::Ports {
        get_status::Ports {
            clock: Arc::clone(&self.clock),
            grants: Arc::clone(&self.table) as _,
            jobs: Arc::clone(&self.table) as _,
            lists: Arc::clone(&self.table) as _,
            chunks: Arc::clone(&self.table) as _,
            settings: edge_settings(),
        }
    }
}

impl<T: Grants + Changes + WaitingJobs + Plans + Chunks + ChunkLists + 'static> Adapters<T> {
    pub(crate) fn resume(&self) -> resume_job::Ports {
        resume_job::Ports {
            clock: Arc::clone(&self.clock),
            grants: Arc::clone(&self.table) as _,
            jobs: Arc::clone(&self.table) as _,
            container_urls: ContainerUrlRules::default(),
            containers: Arc::clone(&self.containers),
            sealer: Arc::clone(&self.sealer),
            auditor: AUDITOR,
            settings: edge_settings(),
        }
    }

    pub(crate) fn cancel(&self) -> cancel_job::Ports {
        cancel_job::Ports {
            clock: Arc::clone(&self.clock),
            grants: Arc::clone(&self.table) as _,
            jobs: Arc::clone(&self.table) as _,
            auditor: AUDITOR,
            settings: edge_settings(),
        }
    }

    pub(crate) fn expire(&self) -> expire_jobs::Ports {
        let jobs = Arc::clone(&self.table) as _;
        expire_jobs::Ports {
            jobs,
            clock: Arc::clone(&self.clock),
            settings: expire_jobs::Settings {
                wait: Duration::days(7),
            },
        }
    }

    pub(crate) fn plan(&self, sources: &Sources) -> plan_export::Ports {
        plan_export::Ports {
            plans: Arc::clone(&self.table) as _,
            lists: Arc::clone(&self.table) as _,
            sources: sources.clone(),
            clock: Arc::clone(&self.clock),
            settings: plan_export::Settings {
                time_limit: Duration::minutes(15),
                max_shards: 3,
                rules: rules(),
            },
        }
    }

    pub(crate) fn run(&self, sources: &Sources) -> run_export_chunk::Ports {
        run_export_chunk::Ports {
            chunks: Arc::clone(&self.table) as _,
            sources: sources.clone(),
            containers: Arc::clone(&self.containers),
            sealer: Arc::clone(&self.sealer),
            clock: Arc::clone(&self.clock),
            settings: run_export_chunk::Settings {
                writer: writer(),
                // Some rows fill it.
                row_group_bytes: 500,
                time_limit: Duration::minutes(15),
            },
        }
    }

    pub(crate) fn finish(&self) -> finish_export::Ports {
        finish_export::Ports {
            chunks: Arc::clone(&self.table) as _,
            lists: Arc::clone(&self.table) as _,
            containers: Arc::clone(&self.containers),
            sealer: Arc::clone(&self.sealer),
            clock: Arc::clone(&self.clock),
            settings: finish_export::Settings { writer: writer() },
        }
    }

    pub(crate) fn fail(&self) -> fail_chunk::Ports {
        fail_chunk::Ports {
            chunks: Arc::clone(&self.table) as _,
            queue: None,
            clock: Arc::clone(&self.clock),
        }
    }
}
