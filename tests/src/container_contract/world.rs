//! A container to test against, and a way to look into it that is not the port.

use std::sync::{Arc, Weak};

use client::blobs::ContainerView;
use container::azure::{AzureContainers, AzureSettings};
use domain::container::{BlobName, ContainerAccess, ContainerAddress};
use domain::secret::Secret;
use fakes::container::{MemoryContainers, Permission};
use local::azurite::{Azurite, AzuriteSettings, default_install};
use local::sas::SasTerms;
use ports::clock::Clock;
use ports::container::{Container, Containers};
use tempfile::TempDir;
use time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;
use wiring::SystemClock;

/// What the signature of an opened container allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    Write,
    CreateWrite,
    AccountWrite,
    Read,
    Expired,
}

/// An empty container in one of the implementations.
pub(super) enum World {
    Memory {
        containers: MemoryContainers,
        address: ContainerAddress,
    },
    Azurite {
        storage: Arc<SharedAzurite>,
        container: String,
    },
}

impl World {
    pub(super) fn memory() -> Self {
        let containers = MemoryContainers::default();
        let address = ContainerAddress::new("https://account1.blob.core.windows.net/exports");
        containers.create(&address);
        for (signature, permission) in [("write", Permission::Write), ("read", Permission::Read)] {
            containers.grant(&address, &Secret::new(signature), permission);
        }
        Self::Memory {
            containers,
            address,
        }
    }

    pub(super) async fn azurite() -> Self {
        let storage = shared_azurite().await;
        let container = SystemClock.fresh_id().to_string();
        storage.azurite.create_container(&container).await.unwrap();
        Self::Azurite { storage, container }
    }

    pub(super) fn open(&self, grant: Grant) -> Arc<dyn Container> {
        match self {
            Self::Memory { containers, .. } => containers.open(&self.access(grant)).unwrap(),
            Self::Azurite { .. } => azure().open(&self.access(grant)).unwrap(),
        }
    }

    /// A container that does not exist.
    pub(super) fn open_missing(&self) -> Arc<dyn Container> {
        match self {
            Self::Memory { containers, .. } => {
                let address =
                    ContainerAddress::new("https://account1.blob.core.windows.net/missing");
                containers
                    .open(&ContainerAccess {
                        address,
                        signature: Secret::new("write"),
                    })
                    .unwrap()
            }
            Self::Azurite { storage, .. } => {
                let missing = format!("missing-{}", Uuid::nil());
                let url =
                    SasTerms::for_a_day("w").container_url(&storage.azurite.endpoint(), &missing);
                azure().open(&access_of(&url)).unwrap()
            }
        }
    }

    pub(super) fn access(&self, grant: Grant) -> ContainerAccess {
        match self {
            Self::Memory { address, .. } => {
                let signature = match grant {
                    Grant::Write | Grant::CreateWrite | Grant::AccountWrite => "write",
                    Grant::Read => "read",
                    Grant::Expired => "expired",
                };
                ContainerAccess {
                    address: address.clone(),
                    signature: Secret::new(signature),
                }
            }
            Self::Azurite { storage, container } => {
                access_of(&signed(grant, &storage.azurite.endpoint(), container))
            }
        }
    }

    /// A committed blob's text.
    pub(super) async fn read(&self, name: &BlobName) -> String {
        let data = match self {
            Self::Memory {
                containers,
                address,
            } => containers.read(address, name).unwrap().data,
            Self::Azurite { .. } => self.view().read(name.as_str()).await.unwrap(),
        };
        String::from_utf8(data).unwrap()
    }

    /// Names and content types of the committed blobs.
    pub(super) async fn list(&self) -> Vec<(String, String)> {
        match self {
            Self::Memory {
                containers,
                address,
            } => {
                let names = containers.list(address).into_iter();
                let blob = |name: &str| {
                    containers
                        .read(address, &BlobName::from_stored(name))
                        .unwrap()
                };
                names
                    .map(|name| (name.clone(), blob(&name).content_type))
                    .collect()
            }
            Self::Azurite { .. } => {
                let entries = self.view().list().await.unwrap().into_iter();
                entries
                    .map(|entry| (entry.name, entry.content_type.unwrap_or_default()))
                    .collect()
            }
        }
    }

    fn view(&self) -> ContainerView {
        let Self::Azurite { storage, container } = self else {
            panic!("memory needs no view")
        };
        let url = SasTerms::for_a_day("rl").container_url(&storage.azurite.endpoint(), container);
        ContainerView::open(&url).unwrap()
    }
}

fn azure() -> AzureContainers {
    AzureContainers::new(&AzureSettings::default()).unwrap()
}

fn signed(grant: Grant, endpoint: &str, container: &str) -> Secret {
    match grant {
        Grant::Write => SasTerms::for_a_day("w").container_url(endpoint, container),
        Grant::CreateWrite => SasTerms::for_a_day("cw").container_url(endpoint, container),
        Grant::AccountWrite => SasTerms::for_a_day("w").account_url(endpoint, container),
        Grant::Read => SasTerms::for_a_day("rl").container_url(endpoint, container),
        Grant::Expired => {
            let expiry = SystemClock.now() - Duration::HOUR;
            SasTerms {
                expiry,
                ..SasTerms::for_a_day("w")
            }
            .container_url(endpoint, container)
        }
    }
}

fn access_of(url: &Secret) -> ContainerAccess {
    let (address, signature) = url.reveal().split_once('?').unwrap();
    ContainerAccess {
        address: ContainerAddress::new(address),
        signature: Secret::new(signature),
    }
}

/// An Azurite with a folder of its own.
pub(super) struct SharedAzurite {
    azurite: Azurite,
    _data: TempDir,
}

/// The Azurite of all tests that run now; the last of them stops it.
async fn shared_azurite() -> Arc<SharedAzurite> {
    static SHARED: Mutex<Weak<SharedAzurite>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let data = tempfile::tempdir().unwrap();
    let settings = AzuriteSettings {
        install: default_install(),
        data: data.path().to_owned(),
        port: None,
    };
    let azurite = Azurite::start(&settings).await.unwrap();
    let started = Arc::new(SharedAzurite {
        azurite,
        _data: data,
    });
    *shared = Arc::downgrade(&started);
    started
}
