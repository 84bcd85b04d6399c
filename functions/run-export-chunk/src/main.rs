//! The Lambda function run-export-chunk: see the library.

use std::convert::Infallible;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use run_export_chunk::{Ports, handle};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let ports = edge::start(Ports::wire).await?;
    let run =
        async |event: LambdaEvent<_>| Ok::<_, Infallible>(handle(event.payload, &ports).await);
    lambda_runtime::run(service_fn(run)).await
}
