//! The Lambda function finish-export: see the library.

use domain::cause::in_one_line;
use finish_export::{FinishError, Ports, handle};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let ports = edge::start(Ports::wire).await?;
    let run = async |event: LambdaEvent<_>| {
        handle(event.payload, &ports)
            .await
            .map_err(|error| diagnostic(&error))
    };
    lambda_runtime::run(service_fn(run)).await
}

fn diagnostic(error: &FinishError) -> Diagnostic {
    Diagnostic {
        error_type: "FinishError".to_owned(),
        error_message: in_one_line(error),
    }
}
