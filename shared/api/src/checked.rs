//! What a check of a creation found.

use domain::container::ContainerAddress;
use domain::job::Asking;
use domain::selection::ExportRequest;
use domain::warning::Warning;
use serde::Serialize;
use time::OffsetDateTime;

use crate::task::{Options, rfc3339};

/// That a creation with this body would be accepted now, and what it would come to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    export_type: &'static str,
    container: Container,
    options: Options,
    warnings: Vec<Warning>,
}

/// The container as its URL and a tried write show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    /// With the folder, and without the signature.
    url: String,
    /// Absent when only a stored access policy knows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    /// Absent when only a stored access policy knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

impl Checked {
    /// What is said of a request whose container took a block.
    pub fn new(
        request: &ExportRequest,
        asking: &Asking,
        container: &ContainerAddress,
        (permissions, expires): (Option<String>, Option<OffsetDateTime>),
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            export_type: request.export_type().name(),
            container: Container {
                url: container.to_string(),
                permissions,
                expires: expires.map(rfc3339),
            },
            options: Options::whole(request, asking),
            warnings,
        }
    }
}
