//! What the tests ask of AWS, and of the emulator itself, beside what the functions do.

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use serde_json::{Value, json};

pub(crate) const REGION: &str = "eu-west-1";

/// The emulator, as its owner reaches it: without TLS.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    pub(crate) endpoint: String,
    http: reqwest::Client,
}

impl Aws {
    pub(crate) fn new(endpoint: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { endpoint, http }
    }

    /// Asks the emulator itself; `None` when it does not answer.
    pub(crate) async fn ask(&self, what: &str, body: &Value) -> Option<Value> {
        let url = format!("{}/_stack/{what}", self.endpoint);
        let answer = self.http.post(url).body(body.to_string()).send().await;
        let bytes = answer.ok()?.bytes().await.ok()?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    /// Calls a service as botocore names its operations, as the account's owner.
    pub(crate) async fn call(&self, service: &str, operation: &str, parameters: Value) -> Value {
        let call = json!({"service": service, "operation": operation, "parameters": parameters});
        self.called(call).await.unwrap()
    }

    /// Calls it with the rights of a role.
    pub(crate) async fn call_as(
        &self,
        role: &str,
        (service, operation): (&str, &str),
        parameters: Value,
    ) -> Result<Value, String> {
        let call = json!({"service": service, "operation": operation, "parameters": parameters, "role": role});
        self.called(call).await
    }

    async fn called(&self, call: Value) -> Result<Value, String> {
        let answer = self.ask("call", &call).await.unwrap();
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer),
        }
    }

    /// Requests that fail with a 500: pairs of a function's role and an operation. These and no
    /// others.
    pub(crate) async fn fail(&self, faults: &[(&str, &str)]) {
        let faults = faults
            .iter()
            .map(|(role, operation)| json!({"role": role, "operation": operation}));
        self.ask("faults", &faults.collect()).await.unwrap();
    }

    /// Containers whose blobs storage does not let anybody commit: these and no others.
    pub(crate) async fn hold(&self, containers: &[&str]) {
        self.ask("held", &json!(containers)).await.unwrap();
    }

    /// The SDK's configuration with the owner's rights, or those of a role.
    pub(crate) async fn sdk(&self, role: Option<&str>) -> SdkConfig {
        let credentials = match role {
            None => Credentials::new("test", "test", None, None, "owner"),
            Some(role) => {
                let given = self.ask("credentials", &json!({"role": role})).await;
                let given = given.unwrap();
                let text = |name: &str| given[name].as_str().unwrap().to_owned();
                let token = Some(text("AWS_SESSION_TOKEN"));
                let (id, secret) = (text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"));
                Credentials::new(id, secret, token, None, "role")
            }
        };
        aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new(REGION))
            .credentials_provider(credentials)
            .load()
            .await
    }
}
