//! Which deployment: a stack, whose parameters and outputs are the settings, or what the environment
//! says.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::types::{StackResourceSummary, TemplateStage};
use clap::Args;
use client::console::Output;
use client::ending::Ending;
use client::environment::{Variable, of_process};
use client::failure::Failure;
use domain::cause::in_one_line;
use exports_table::DynamoStore;
use serde_json::Value;
use sources::registry::Registry;
use wiring::Wiring;
use wiring::config::{EXPORTS_TABLE, Environment, LAKE_URL, REGISTRY_TABLE};

use crate::failures;

/// The variable that names the stack.
pub(crate) const STACK: Variable = Variable {
    name: "ENGAGEMENT_EXPORT_STACK",
    meaning: "the stack, as `--stack`",
};

/// How often a request to AWS is sent at most.
const TRIES: u32 = 5;

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which deployment is meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Deployment")]
pub(crate) struct DeploymentFlags {
    /// The name of the deployment's stack, whose parameters and outputs are the
    /// settings. Without it, they are read from the environment, under the names that README lists.
    #[arg(long, global = true, value_name = "NAME")]
    stack: Option<String>,
}

/// A deployment that is worked on.
pub(crate) struct Deployment {
    wiring: Wiring,
    stack: Option<StackView>,
}

/// A stack, as it was deployed.
pub(crate) struct StackView {
    pub(crate) name: String,
    /// Its own ARN, which says where it is.
    pub(crate) arn: String,
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

/// A part of a stack.
pub(crate) struct Resource {
    /// Its name in the template.
    pub(crate) logical: String,
    /// Its name, URL or ARN.
    pub(crate) physical: String,
    /// Its type, such as `AWS::SQS::Queue`.
    pub(crate) kind: String,
}

impl DeploymentFlags {
    /// The deployment, its settings read but not looked at.
    ///
    /// # Errors
    /// When no region is known, or the stack's settings cannot be read.
    pub(crate) async fn open(&self) -> Result<Deployment, Failure> {
        let sdk = sdk().await?;
        let stack = match self.stack()? {
            Some(name) => Some(StackView::read(&sdk, name).await?),
            None => None,
        };
        let env = stack
            .as_ref()
            .map_or_else(Environment::of_process, StackView::settings);
        Ok(Deployment {
            wiring: Wiring::new(env, sdk),
            stack,
        })
    }

    /// The API of the stack that is named; `None` when none is.
    ///
    /// # Errors
    /// When the stack cannot be read, or says no URL.
    pub(crate) async fn api_url(&self) -> Result<Option<String>, Failure> {
        let Some(name) = self.stack()? else {
            return Ok(None);
        };
        let stack = StackView::read(&sdk().await?, name).await?;
        match stack.api_url() {
            Some(url) => Ok(Some(url.to_owned())),
            None => Err(Failure::usage(format!(
                "the stack {} has no output ApiUrl: is it one of this service?",
                stack.name
            ))),
        }
    }

    fn stack(&self) -> Result<Option<String>, Failure> {
        match &self.stack {
            Some(name) => Ok(Some(name.clone())),
            None => of_process(&STACK),
        }
    }
}

impl Deployment {
    /// The settings and the AWS configuration.
    pub(crate) fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// The stack, when one was named.
    pub(crate) fn stack(&self) -> Option<&StackView> {
        self.stack.as_ref()
    }

    /// The parts of a stack.
    ///
    /// # Errors
    /// When they may not be read.
    pub(crate) async fn resources(&self, stack: &str) -> Result<Vec<Resource>, Failure> {
        let list = Client::new(self.wiring.sdk()).list_stack_resources();
        let pages = list.stack_name(stack).into_paginator().items().send();
        let listed = pages.collect::<Result<Vec<_>, _>>().await;
        let listed = listed.map_err(|error| not_described(stack, "ListStackResources", &error))?;
        let resource = |it: StackResourceSummary| {
            Some(Resource {
                logical: it.logical_resource_id?,
                physical: it.physical_resource_id?,
                kind: it.resource_type?,
            })
        };
        Ok(listed.into_iter().filter_map(resource).collect())
    }

    /// The template of a stack, as its transform has made it.
    ///
    /// # Errors
    /// When it may not be read.
    pub(crate) async fn template(&self, stack: &str) -> Result<Value, Failure> {
        let get = Client::new(self.wiring.sdk()).get_template();
        let get = get.template_stage(TemplateStage::Processed);
        let got = get.stack_name(stack).send().await;
        let got = got.map_err(|error| not_described(stack, "GetTemplate", &error))?;
        serde_json::from_str(&got.template_body.unwrap_or_default()).map_err(|_| {
            Failure::unknown(format!("AWS does not give the template of {stack} as JSON"))
        })
    }

    /// What is good to know before the lake is read: a profile's credentials are none of its client's.
    ///
    /// # Errors
    /// When a variable of the environment is no text.
    pub(crate) fn remark_on_lake(&self, output: Output) -> Result<(), Failure> {
        let url = self.wiring.env().get(&LAKE_URL).unwrap_or_default();
        let mut is_known = !url.starts_with("s3:");
        for variable in &LAKE_CREDENTIALS {
            is_known |= of_process(variable)?.is_some();
        }
        if !is_known {
            output.remark(
                "· the lake is read with credentials of the environment, and there are none: with a profile, say first \
                 eval \"$(aws configure export-credentials --format env)\"",
            );
        }
        Ok(())
    }

    /// The registry, to be loaded.
    ///
    /// # Errors
    /// When a setting is missing or does not fit.
    pub(crate) fn registry(&self) -> Result<Registry, Failure> {
        sources::wire_to_load(self.wiring()).map_err(|error| failures::of_setting(&error))
    }

    /// The exports table.
    ///
    /// # Errors
    /// When its name is not known.
    pub(crate) fn exports_table(&self) -> Result<Arc<DynamoStore>, Failure> {
        exports_table::wire(self.wiring()).map_err(|error| failures::of_setting(&error))
    }
}

async fn sdk() -> Result<SdkConfig, Failure> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(PATIENCE)
        .build();
    let sdk = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
        .timeout_config(timeouts)
        .load()
        .await;
    if sdk.region().is_none() {
        let message = "no AWS region is known: set AWS_REGION, or `region` of your AWS profile";
        return Err(Failure::usage(message));
    }
    if let Some(provider) = sdk.credentials_provider()
        && provider.provide_credentials().await.is_err()
    {
        let message = "no AWS credentials are found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
                       `aws sts get-caller-identity` says who you are";
        return Err(Failure::usage(message));
    }
    Ok(sdk)
}

/// The variables one of which says where the lake's client finds credentials
/// (<https://docs.rs/object_store/latest/object_store/aws/struct.AmazonS3Builder.html#method.from_env>). Without them it asks
/// the machine's own role.
const LAKE_CREDENTIALS: [Variable; 3] = [
    credential("AWS_ACCESS_KEY_ID"),
    credential("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    credential("AWS_WEB_IDENTITY_TOKEN_FILE"),
];

const fn credential(name: &'static str) -> Variable {
    Variable {
        name,
        meaning: "AWS's own",
    }
}

impl StackView {
    async fn read(sdk: &SdkConfig, name: String) -> Result<Self, Failure> {
        let asked = Client::new(sdk).describe_stacks().stack_name(&name).send();
        let answer = asked.await;
        let answer = answer.map_err(|error| not_described(&name, "DescribeStacks", &error))?;
        let described = answer.stacks.unwrap_or_default().into_iter().next();
        let described = described.ok_or_else(|| {
            let message = format!("AWS CloudFormation says nothing of the stack {name}");
            Failure::unknown(message)
        })?;
        let parameters = described.parameters.unwrap_or_default().into_iter();
        let outputs = described.outputs.unwrap_or_default().into_iter();
        Ok(Self {
            name,
            arn: described.stack_id.unwrap_or_default(),
            parameters: parameters
                .filter_map(|it| Some((it.parameter_key?, it.parameter_value?)))
                .collect(),
            outputs: outputs
                .filter_map(|it| Some((it.output_key?, it.output_value?)))
                .collect(),
        })
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Where its API is.
    pub(crate) fn api_url(&self) -> Option<&str> {
        self.outputs.get("ApiUrl").map(String::as_str)
    }

    /// The settings that it gives its functions.
    fn settings(&self) -> Environment {
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|(name, value)| (setting_of_parameter(name), value));
        let outputs = self.outputs.iter();
        let outputs = outputs.filter_map(|(name, value)| Some((setting_of_output(name)?, value)));
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value));
        Environment::from_pairs(parameters.chain(outputs))
    }
}

#[cfg(test)]
impl StackView {
    /// A stack with these parameters and no outputs.
    pub(crate) fn with_parameters(parameters: &[(&str, &str)]) -> Self {
        let own = parameters.iter();
        let own = own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            name: "exports".to_owned(),
            arn: "arn:aws:cloudformation:eu-west-1:123456789012:stack/exports/1".to_owned(),
            parameters: own.collect(),
            outputs: BTreeMap::new(),
        }
    }
}

fn not_described<E: ProvideErrorMetadata + Error + 'static>(
    stack: &str,
    permission: &str,
    error: &SdkError<E>,
) -> Failure {
    match error.code() {
        // CloudFormation's answer to an unknown name.
        Some("ValidationError") => Failure::new(
            Ending::Refused,
            format!("there is no stack {stack} in this region and account: name the deployment's"),
        ),
        Some(code) => Failure::new(
            Ending::Refused,
            format!(
                "the stack {stack} may not be read ({code}): your credentials need cloudformation:{permission}"
            ),
        ),
        None => Failure::unknown(format!(
            "AWS CloudFormation does not answer: {}",
            in_one_line(error)
        )),
    }
}

/// The setting that a parameter of the template gives the functions: `RegistrySegments` is
/// `REGISTRY_SEGMENTS`. A parameter that is for something else names no setting.
fn setting_of_parameter(parameter: &str) -> String {
    let mut name = String::new();
    for letter in parameter.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// The setting that an output of the template says.
fn setting_of_output(output: &str) -> Option<&'static str> {
    match output {
        "ExportsTableName" => Some(EXPORTS_TABLE.name),
        "RegistryTableName" => Some(REGISTRY_TABLE.name),
        "LakeUrl" => Some(LAKE_URL.name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = include_str!("../../template.yaml");

    /// What the template gives the planner: a setting of its own, and where it is from.
    fn given() -> impl Iterator<Item = (&'static str, &'static str)> {
        let (_, planner) = TEMPLATE.split_once("\n  PlanExport:\n").unwrap();
        let (_, variables) = planner.split_once("        Variables:\n").unwrap();
        let lines = variables
            .lines()
            .take_while(|line| line.starts_with("          "));
        lines.filter_map(|line| line.trim().split_once(": "))
    }

    #[test]
    fn every_setting_of_the_planner_is_known_from_the_stack() {
        let mut count = 0;
        for (name, from) in given() {
            count += 1;
            // A table is the stack's own or a restored one: which, the output says by the same anchor.
            if let Some(anchor) = from.strip_prefix(['*', '&']) {
                let anchor = anchor.split(' ').next().unwrap();
                let (before, _) = TEMPLATE
                    .split_once(&format!("\n    Value: *{anchor}\n"))
                    .unwrap();
                let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
                let output = before.lines().rev().find(is_name).unwrap();
                let output = output.trim().trim_end_matches(':');
                assert_eq!(setting_of_output(output), Some(name));
                continue;
            }
            match from.strip_prefix("!Ref ") {
                Some(parameter) => assert_eq!(setting_of_parameter(parameter), name),
                None if name == LAKE_URL.name => {
                    assert_eq!(setting_of_output("LakeUrl"), Some(name));
                }
                // A limit of the function, not of the deployment.
                None => assert_eq!(name, "FUNCTION_TIMEOUT_SECONDS", "{from}"),
            }
        }
        assert!(count > 5, "{count}");
        for output in ["ExportsTableName", "RegistryTableName", "LakeUrl"] {
            assert!(TEMPLATE.contains(&format!("\n  {output}:\n")), "{output}");
        }
    }
}
