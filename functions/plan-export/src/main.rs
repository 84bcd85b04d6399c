//! The Lambda function plan-export: see the library.

use domain::cause::in_one_line;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use plan_export::{PlanError, Ports, handle};

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

fn diagnostic(error: &PlanError) -> Diagnostic {
    Diagnostic {
        error_type: "PlanError".to_owned(),
        error_message: in_one_line(error),
    }
}
