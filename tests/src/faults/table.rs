//! An HTTP client for the SDK whose calls meet the faults.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::{Call, Fault, Faults};

/// An HTTP client for the SDK whose calls meet the faults.
#[derive(Debug)]
pub(crate) struct FaultyHttp {
    pub(crate) faults: Faults,
    pub(crate) inner: SharedHttpClient,
}

impl HttpClient for FaultyHttp {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(FaultyConnector {
            faults: self.faults.clone(),
            inner,
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    faults: Faults,
    inner: SharedHttpConnector,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (faults, inner) = (self.faults.clone(), self.inner.clone());
        HttpConnectorFuture::new(async move {
            match faults.next(Call::Table).await {
                None => inner.call(request).await,
                Some(Fault::CrashBefore) => faults.crash().await,
                Some(Fault::CrashAfter) => {
                    drop(inner.call(request).await);
                    faults.crash().await
                }
                Some(Fault::Stall) => {
                    faults.stall().await;
                    inner.call(request).await
                }
                Some(Fault::Refused | Fault::Damaged) => Ok(throttled()),
                Some(Fault::AnswerLost) => {
                    drop(inner.call(request).await);
                    Err(ConnectorError::io("connection reset".into()))
                }
                Some(Fault::Late) => {
                    faults.make_late(async move { inner.call(request).await });
                    Err(ConnectorError::timeout("no answer in time".into()))
                }
            }
        })
    }
}

/// DynamoDB's answer to a request over the table's throughput.
fn throttled() -> HttpResponse {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
    let mut response = HttpResponse::new(StatusCode::try_from(400).unwrap(), SdkBody::from(body));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    response
}
