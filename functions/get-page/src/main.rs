//! The Lambda function get-page: see the library.

use std::convert::Infallible;

use get_page::{Ports, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let ports = edge::start(Ports::wire).await?;
    let run = async |event: LambdaEvent<_>| Ok::<_, Infallible>(handle(&event.payload, &ports));
    lambda_runtime::run(service_fn(run)).await
}
