//! Services of AWS that are asked without their SDKs (`docs/adr/0016-the-operators-command.md`): by requests
//! in JSON, which the SDKs' own signer signs.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use client::failure::Failure;
use domain::cause::in_one_line;
use ports::clock::Clock;
use reqwest::{Client, Method};
use serde_json::Value;
use wiring::SystemClock;

use super::web::client;

/// A service, by its name in signatures and in its host's name
/// (<https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html>).
#[derive(Clone, Copy)]
pub(super) struct Service {
    signed_as: &'static str,
    host: &'static str,
}

pub(super) const LAMBDA: Service = Service {
    signed_as: "lambda",
    host: "lambda",
};

pub(super) const CLOUDWATCH: Service = Service {
    signed_as: "monitoring",
    host: "monitoring",
};

/// What a request asks for.
pub(super) struct Question<'a> {
    pub(super) service: Service,
    /// Its path, with the slash in front.
    pub(super) path: &'a str,
    /// The operation and its body, of a service that is asked at one path.
    pub(super) call: Option<(&'static str, Value)>,
    /// The permission that it takes.
    pub(super) permission: &'static str,
}

/// Asks with the operator's credentials.
pub(super) struct Signed<'a> {
    sdk: &'a SdkConfig,
    http: Client,
}

impl<'a> Signed<'a> {
    /// # Errors
    /// When this machine cannot speak TLS.
    pub(super) fn new(sdk: &'a SdkConfig) -> Result<Self, Failure> {
        let http = client()?;
        Ok(Self { sdk, http })
    }

    /// The answer; what keeps it from coming, in words.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Value, String> {
        let url = format!("{}{}", self.endpoint(question.service), question.path);
        let (method, target, body) = match question.call {
            Some((target, body)) => (Method::POST, Some(target), body.to_string()),
            None => (Method::GET, None, String::new()),
        };
        let mut headers = vec![("content-type", "application/x-amz-json-1.0")];
        headers.extend(target.map(|target| ("x-amz-target", target)));
        let signature = self
            .signature(question.service, &method, &url, &headers, body.as_bytes())
            .await?;
        let mut request = self.http.request(method, &url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let no_answer = |error: reqwest::Error| {
            let reason = in_one_line(&error.without_url());
            format!("AWS does not answer: {reason}")
        };
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status();
        let code = answer.headers().get("x-amzn-errortype");
        let code = code.and_then(|code| code.to_str().ok()).unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default().to_owned();
        let bytes = answer.bytes().await.map_err(no_answer)?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), &code, question.permission));
        }
        serde_json::from_slice(&bytes).map_err(|_| "AWS answers what is no JSON".to_owned())
    }

    /// Where a service answers in the region; of an emulator, where the environment says.
    fn endpoint(&self, service: Service) -> String {
        if let Some(url) = self.sdk.endpoint_url() {
            return url.trim_end_matches('/').to_owned();
        }
        let region = self.region();
        let suffix = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        format!("https://{}.{region}.{suffix}", service.host)
    }

    fn region(&self) -> &str {
        self.sdk.region().map_or("", |region| region.as_ref())
    }

    async fn signature(
        &self,
        service: Service,
        method: &Method,
        url: &str,
        headers: &[(&'static str, &'static str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let unsigned = |reason: String| format!("the request cannot be signed: {reason}");
        let provider = self.sdk.credentials_provider();
        let provider = provider.ok_or_else(|| unsigned("there are no credentials".to_owned()))?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials
            .map_err(|error| unsigned(in_one_line(&error)))?
            .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region())
            .name(service.signed_as)
            .time(SystemTime::from(SystemClock.now()))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(in_one_line(&error)))?
            .into();
        let signable = SignableRequest::new(
            method.as_str(),
            url,
            headers.iter().copied(),
            SignableBody::Bytes(body),
        );
        let signable = signable.map_err(|error| unsigned(in_one_line(&error)))?;
        let signed = sign(signable, &params).map_err(|error| unsigned(in_one_line(&error)))?;
        let (instructions, _) = signed.into_parts();
        let added = instructions.headers();
        Ok(added
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

/// Why there is no answer of use: for lack of a permission, mostly.
fn refused(status: u16, code: &str, permission: &str) -> String {
    let said = format!("{status} {code}");
    let said = said.trim_end();
    match status {
        404 => format!("it is not there ({said})"),
        401 | 403 => not_allowed(said, permission),
        _ => format!("AWS does not say it ({said})"),
    }
}

/// What is said of all that may not be looked at.
pub(super) fn not_allowed(said: &str, permission: &str) -> String {
    format!("not looked at: no right ({said}); your credentials need {permission}")
}
