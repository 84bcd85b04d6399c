//! Why the stack does not start.

use client::blobs::BlobsError;
use ports::store::StoreError;
use thiserror::Error;
use wiring::WiringError;

use crate::azurite::AzuriteError;
use crate::dynamodb::DynamoDbError;
use crate::pump::PumpError;
use crate::token::TokenError;

/// Why the stack does not start.
#[derive(Debug, Error)]
pub enum StackError {
    /// A port is taken.
    #[error(
        "{who} cannot listen on port {port}: stop what does, or name another one with {option}"
    )]
    Port {
        /// Who would listen there: `the API` or `the issuer`.
        who: &'static str,
        /// The option that names the port, such as `--port`.
        option: &'static str,
        /// The port asked for.
        port: u16,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A folder or a file cannot be used.
    #[error("{what} cannot be used")]
    Io {
        /// The path of the folder or file.
        what: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Another process works on the state.
    #[error(
        "{folder} is in use by another `serve` or `sample`: stop that one, or name another folder with --state"
    )]
    InUse {
        /// The absolute path of the state's folder.
        folder: String,
    },
    /// A setting that is the stack's own to make.
    #[error("{name} is given in the environment, and this command sets it itself: unset it")]
    OwnSetting {
        /// The name of the environment variable, such as `LAKE_URL`.
        name: &'static str,
    },
    /// The folder has no absolute path.
    #[error("{0} is no place for the state")]
    Folder(String),
    /// No key could be drawn.
    #[error("no key could be drawn")]
    Draw,
    /// The embedded DynamoDB does not start, or its tables cannot be made.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// Azurite is not installed, ends at its start or does not answer.
    #[error(transparent)]
    Azurite(#[from] AzuriteError),
    /// The container of the exports cannot be made.
    #[error(transparent)]
    Container(#[from] BlobsError),
    /// A setting of the functions does not fit, or an adapter cannot work here.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// The event pump cannot read the exports table or its stream.
    #[error(transparent)]
    Pump(#[from] PumpError),
    /// The key that signs tokens cannot be read, drawn or used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The exports table does not take the operator's grant.
    #[error("the operator cannot be granted anything")]
    Grant(#[from] StoreError),
}
