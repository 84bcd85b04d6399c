//! `doctor`: whether what a deployment is made of is as the service needs it.

mod here;
mod signed;
mod stack;
mod web;

use clap::Args;
use client::console::Output;
use client::ending::Ending;
use client::failure::Failure;
use serde_json::json;

use crate::checks::{Check, conclude};
use crate::deployment::Deployment;

/// What is looked at beside the deployment's own parts.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The base of the API's URLs, else what the stack says or the variable of the client's command.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// The issuer of the callers' tokens, else the stack's `TokenIssuer` or the environment's.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

/// Looks at everything, whatever is found.
///
/// # Errors
/// When this machine cannot speak TLS.
pub(crate) async fn doctor(
    arguments: DoctorArguments,
    deployment: &Deployment,
    output: Output,
) -> Result<Ending, Failure> {
    deployment.remark_on_lake(output)?;
    let mut checks = Vec::new();
    let mut add = |found: Vec<Check>| {
        for check in &found {
            check.tell(output);
        }
        checks.extend(found);
    };
    add(here::settings(deployment));
    add(vec![here::exports_table(deployment).await]);
    add(vec![here::registry(deployment).await]);
    add(vec![here::lake(deployment).await]);
    let web = web::Web::new()?;
    add(web.api(arguments.api.as_deref(), deployment).await?);
    add(vec![
        web.issuer(arguments.issuer.as_deref(), deployment).await?,
    ]);
    match deployment.stack() {
        Some(view) => checks.extend(stack::checks(view, deployment, output).await?),
        None => output.remark(
            "· concurrency, queues, pipes, alarms and permissions are a stack's: name one by --stack",
        ),
    }
    Ok(conclude(&checks, json!({}), output))
}
