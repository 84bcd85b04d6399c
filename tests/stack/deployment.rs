//! The template, deployed by the line that `make deploy` runs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::aws::{Aws, REGION};
use crate::emulator::{Emulator, workspace};
use crate::pipes::referred;

pub(crate) const STACK: &str = "engagement-export";
pub(crate) const BUCKET: &str = "lake-bucket";
/// Whose pages may call the API.
pub(crate) const ORIGIN: &str = "https://page.example.com";
pub(crate) const AUDIENCE: &str = "engagement-export-of-the-test";

/// What was deployed.
pub(crate) struct Deployment {
    /// As SAM has expanded it.
    pub(crate) template: Value,
    /// The physical id of every resource, by its logical id.
    pub(crate) resources: Value,
    pub(crate) outputs: Value,
    /// What `sam deploy` said, the first and the second time.
    pub(crate) said: [String; 2],
}

impl Deployment {
    /// Deploys from a folder of its own, twice: as `make deploy` does, and as OPERATIONS says it is
    /// done again.
    pub(crate) async fn make(emulator: &Emulator, folder: &Path) -> Self {
        lay_out(folder);
        let first = {
            let (place, answers) = (folder.to_owned(), answers(emulator));
            let environment = environment(emulator, folder);
            sam(place, deploy_line(), answers, environment).await
        };
        let again = {
            let environment = environment(emulator, folder);
            sam(
                folder.to_owned(),
                line_to_deploy_again(),
                "y\n".to_owned(),
                environment,
            )
            .await
        };
        let aws = &emulator.aws;
        let named = json!({"StackName": STACK});
        let processed = json!({"StackName": STACK, "TemplateStage": "Processed"});
        let template = aws.call("cloudformation", "get_template", processed).await;
        let body = &template["TemplateBody"];
        let template = body
            .as_str()
            .map_or_else(|| body.clone(), |text| serde_json::from_str(text).unwrap());
        let stacks = aws.call("cloudformation", "describe_stacks", named).await;
        let stack = &stacks["Stacks"][0];
        assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{first}");
        let outputs = by_name(&stack["Outputs"], "OutputKey", "OutputValue");
        Self {
            template,
            resources: resources(aws).await,
            outputs,
            said: [first, again],
        }
    }

    /// The physical id of a resource.
    pub(crate) fn id(&self, logical: &str) -> &str {
        self.resources[logical].as_str().unwrap()
    }

    /// The role that a function has, which may be named by its alias.
    pub(crate) fn role_of(&self, function: &str) -> &str {
        let resource = &self.template["Resources"][function];
        if resource["Type"] == "AWS::Lambda::Alias" {
            return self.role_of(referred(&resource["Properties"]["FunctionName"]));
        }
        self.id(referred(&resource["Properties"]["Role"]))
    }

    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs[name].as_str().unwrap()
    }

    /// Logical id and properties of the resources of a type.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let all = self.template["Resources"].as_object().unwrap();
        let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
        of_kind
            .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
            .collect()
    }
}

async fn resources(aws: &Aws) -> Value {
    let named = json!({"StackName": STACK});
    let resources = aws
        .call("cloudformation", "describe_stack_resources", named)
        .await;
    by_name(
        &resources["StackResources"],
        "LogicalResourceId",
        "PhysicalResourceId",
    )
}

fn by_name(list: &Value, name: &str, value: &str) -> Value {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|entry| {
            (
                entry[name].as_str().unwrap().to_owned(),
                entry[value].clone(),
            )
        })
        .collect()
}

/// A folder as the workspace is after `sam build`: the settings, the template that SAM has made, and
/// the binaries. SAM itself has built one of them; in its place lies one that runs here, as in those
/// of the others.
fn lay_out(folder: &Path) {
    let built = folder.join(".aws-sam/build");
    std::fs::create_dir_all(&built).unwrap();
    std::os::unix::fs::symlink(workspace().join(".tools"), folder.join(".tools")).unwrap();
    for (file, name) in [
        ("template.yaml", "template.yaml"),
        ("samconfig.toml", "samconfig.toml"),
        ("samconfig.toml", "samconfig.mine.toml"),
    ] {
        std::fs::copy(workspace().join(file), folder.join(name)).unwrap();
    }
    let template = std::fs::read_to_string(built_by_sam().join("template.yaml")).unwrap();
    let mut template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&template).unwrap();
    let ours = std::fs::read_to_string(folder.join("template.yaml")).unwrap();
    let ours: serde_yaml_ng::Value = serde_yaml_ng::from_str(&ours).unwrap();
    let is_of_today = template["Parameters"] == ours["Parameters"];
    assert!(
        is_of_today,
        "SAM has built another template: run `make test-stack`"
    );
    for (id, resource) in template["Resources"].as_mapping_mut().unwrap() {
        if resource["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str();
        let place = built.join(id.as_str().unwrap());
        std::fs::create_dir_all(&place).unwrap();
        std::fs::copy(release_binary(binary.unwrap()), place.join("bootstrap")).unwrap();
        resource["Properties"]["CodeUri"] = id.clone();
    }
    // As JSON, which is YAML, too: SAM reads a `yes` without quotes as true.
    let text = serde_json::to_string_pretty(&template).unwrap();
    std::fs::write(built.join("template.yaml"), text).unwrap();
}

/// What `sam build` has made of one function.
pub(crate) fn built_by_sam() -> PathBuf {
    let path = target().join("sam/built");
    let said = format!("{} is missing: run `make test-stack`", path.display());
    assert!(path.is_dir(), "{said}");
    path
}

/// The folder of cargo's own output, of which this test is.
fn target() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().to_owned()
}

/// The function's release binary.
fn release_binary(function: &str) -> PathBuf {
    let path = target().join("ci").join(function);
    let said = format!("{} is missing: run `make test-stack`", path.display());
    assert!(path.is_file(), "{said}");
    path
}

/// The last line that `make deploy` runs.
fn deploy_line() -> String {
    let make = Command::new("make")
        .args(["--dry-run", "--no-print-directory", "deploy"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let lines = String::from_utf8(make.stdout).unwrap();
    lines.trim_end().lines().next_back().unwrap().to_owned()
}

/// What OPERATIONS says to type to deploy again without being asked.
fn line_to_deploy_again() -> String {
    let operations = include_str!("../../docs/OPERATIONS.md");
    let mut lines = operations.lines();
    let line = lines.find(|line| line.starts_with(".tools/sam/bin/sam deploy "));
    line.unwrap().to_owned()
}

/// What a person types: the stack's name, its region, every parameter in its order, and whether all
/// that is so.
fn answers(emulator: &Emulator) -> String {
    let text = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
    let parameters = template["Parameters"].as_mapping().unwrap();
    let issuer = emulator.issuer.issuer();
    let answer = |name: &str, parameter: &serde_yaml_ng::Value| match name {
        "LakeBucket" => BUCKET.to_owned(),
        "TokenIssuer" => issuer.to_owned(),
        "TokenAudience" => AUDIENCE.to_owned(),
        "AlarmTopicArn" => format!("arn:aws:sns:{REGION}:123456789012:alarms"),
        "CorsAllowedOrigins" => ORIGIN.to_owned(),
        // What is made on request only is made, too.
        _ if parameter["AllowedValues"][0] == "yes" => "yes".to_owned(),
        _ => String::new(),
    };
    let parameters = parameters
        .iter()
        .map(|(name, parameter)| answer(name.as_str().unwrap(), parameter));
    // The stack's name; whether changes are shown, roles may be made, a failure is rolled back, the
    // answers are kept, and where; and whether the changes are to be made.
    let about = ["", REGION].map(str::to_owned);
    let rest = ["", "", "", "", "", "", "y", ""].map(str::to_owned);
    let all: Vec<_> = about.into_iter().chain(parameters).chain(rest).collect();
    all.join("\n")
}

fn environment(emulator: &Emulator, folder: &Path) -> Vec<(&'static str, String)> {
    let owner =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, "test".to_owned()));
    let mut variables = owner.to_vec();
    variables.push(("AWS_ENDPOINT_URL", emulator.endpoint()));
    let authority = folder.parent().unwrap().join("tls/ca.crt");
    variables.push(("AWS_CA_BUNDLE", authority.display().to_string()));
    variables.push(("SAM_CLI_TELEMETRY", "0".to_owned()));
    variables.push(("AWS_DEFAULT_REGION", REGION.to_owned()));
    variables
}

/// Runs the line in the folder, and types the answers.
async fn sam(
    folder: PathBuf,
    line: String,
    answers: String,
    environment: Vec<(&'static str, String)>,
) -> String {
    let running = move || {
        let mut child = Command::new("bash")
            .args(["-c", &format!("{{ {line}; }} 2>&1")])
            .current_dir(&folder)
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut typed = child.stdin.take().unwrap();
        // SAM may end before it has read everything.
        drop(typed.write_all(answers.as_bytes()));
        drop(typed);
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success(),
            "{line} ended with:\n{}",
            last_of(&said)
        );
        said
    };
    tokio::task::spawn_blocking(running).await.unwrap()
}

/// The last lines of a text.
fn last_of(said: &str) -> String {
    let lines: Vec<_> = said.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
