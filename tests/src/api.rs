//! The API over fakes: every answer, the rules on the wire, and what no request may do.

mod control;
pub(crate) mod courses;
mod described;
mod documented;
pub(crate) mod fakes;
mod properties;
mod refused;
mod wire;

use std::sync::Arc;

use ::fakes::store::MemoryStore;
use api::audit::Auditor;
use api::caller::EdgeSettings;
use api::container_url::ContainerUrlRules;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use ports::store::{Act, Grant, Grants, Role};
use serde_json::{Value, json};
use time::Duration;

use self::fakes::{FakeClock, FakeContainers, FakeSealer};
use crate::described::{self as description, Triple};

/// The signature that must never be seen again.
pub(crate) const SIGNATURE: &str = "c2lnbmF0dXJlLW9mLXRoZS1jbGllbnQ";

/// The path of the list of one app's tasks.
pub(crate) const LIST: &str = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MobileEngagement/appcollections/c1/apps/chess/devices/exportTasks";

pub(crate) const VERSION: &str = "api-version=2014-12-01";

pub(crate) fn container_url() -> String {
    format!(
        "https://account.blob.core.windows.net/exports?sv=2024-08-04&se=2026-12-31T00:00:00Z&sr=c&sp=w&spr=https&sig={SIGNATURE}"
    )
}

/// A body that is accepted for activities and the other historical types.
pub(crate) fn days() -> Value {
    json!({
        "containerUrl": container_url(),
        "exportFormat": "JsonBlob",
        "startDate": "2026-11-01",
        "endDate": "2026-11-20",
    })
}

pub(crate) fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

pub(crate) fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

/// A request as a client would send it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    pub(crate) is_base64: bool,
    pub(crate) subject: Option<String>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: VERSION.to_owned(),
            headers: Vec::new(),
            body: None,
            is_base64: false,
            subject: Some("alice".to_owned()),
        }
    }

    /// A creation with a JSON body.
    pub(crate) fn create(operation: &str, body: &Value) -> Self {
        Self::new("POST", &format!("{LIST}/{operation}"))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn list() -> Self {
        Self::new("GET", LIST)
    }

    pub(crate) fn task(id: &str) -> Self {
        Self::new("GET", &format!("{LIST}/{id}"))
    }

    /// A resumption with a JSON body.
    pub(crate) fn resume(id: &str, body: &Value) -> Self {
        Self::new("PATCH", &format!("{LIST}/{id}"))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn cancel(id: &str) -> Self {
        Self::new("DELETE", &format!("{LIST}/{id}"))
    }

    /// The request that follows an absolute link of the service.
    pub(crate) fn follow(link: &str) -> Self {
        let url = url::Url::parse(link).unwrap();
        Self {
            query: url.query().unwrap_or_default().to_owned(),
            ..Self::new("GET", url.path())
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(self, body: impl Into<String>) -> Self {
        Self {
            body: Some(body.into()),
            ..self
        }
    }

    pub(crate) fn query(self, query: &str) -> Self {
        Self {
            query: query.to_owned(),
            ..self
        }
    }

    pub(crate) fn by(self, subject: Option<&str>) -> Self {
        Self {
            subject: subject.map(str::to_owned),
            ..self
        }
    }

    /// The event that API Gateway makes of it.
    pub(crate) fn event(&self) -> Value {
        let headers: serde_json::Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let claims = self
            .subject
            .as_ref()
            .map(|subject| json!({"jwt": {"claims": {"sub": subject}, "scopes": null}}));
        let mut event = json!({
            "version": "2.0",
            "routeKey": format!("{} /subscriptions/{{proxy+}}", self.method),
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "api.example.com",
                "domainPrefix": "api",
                "http": {"method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": ""},
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": "$default",
                "stage": "$default",
                "time": "21/Nov/2026:12:00:00 +0000",
                "timeEpoch": 1_795_262_400_000_i64,
            },
            "isBase64Encoded": self.is_base64,
        });
        if let Some(claims) = claims {
            event["requestContext"]["authorizer"] = claims;
        }
        if let Some(body) = &self.body {
            event["body"] = body.as_str().into();
        }
        event
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: i64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn of(response: ApiGatewayV2httpResponse) -> Self {
        let headers = response.headers.iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let text = match response.body {
            Some(Body::Text(text)) => text,
            None => String::new(),
            other => panic!("a body that is no text: {other:?}"),
        };
        Self {
            status: response.status_code,
            headers,
            text,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// The error's status and code, after a look at the shape that every error has.
    #[track_caller]
    pub(crate) fn error(&self) -> (i64, String) {
        assert!(!(200..300).contains(&self.status), "{self:?}");
        assert!(
            self.header("content-type")
                .unwrap()
                .starts_with("application/json"),
            "{self:?}"
        );
        let json = self.json();
        assert_eq!(
            json.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["error"]
        );
        assert_eq!(
            json["error"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            ["code", "message"]
        );
        assert!(
            json["error"]["message"].as_str().unwrap().len() > 10,
            "{self:?}"
        );
        (
            self.status,
            json["error"]["code"].as_str().unwrap().to_owned(),
        )
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// The functions and the world that they see.
pub(crate) struct World {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) containers: Arc<FakeContainers>,
    pub(crate) sealer: Arc<FakeSealer>,
    pub(crate) public_url: Option<String>,
    pub(crate) has_folder_lake: bool,
}

impl World {
    /// A world in which alice may do everything and rita may read the apps of subscription s1.
    pub(crate) async fn new() -> Self {
        let clock: Arc<FakeClock> = Arc::default();
        let store = Arc::new(MemoryStore::by(Arc::clone(&clock) as _));
        for (subject, path, role) in [
            ("alice", "/", Role::Contributor),
            ("rita", "/subscriptions/s1", Role::Reader),
        ] {
            let grant = Grant {
                subject: subject.to_owned(),
                path: path.to_owned(),
                role,
            };
            store.put_grant(&grant).await.unwrap();
        }
        Self {
            clock,
            store,
            containers: Arc::default(),
            sealer: Arc::default(),
            public_url: None,
            has_folder_lake: false,
        }
    }

    /// Sends a request to the function that the template routes its method to.
    pub(crate) async fn send(&self, request: &Request) -> Reply {
        self.ask(request).await.0
    }

    /// Sends a request, and tells which answer of the description it was given.
    pub(crate) async fn ask(&self, request: &Request) -> (Reply, Triple) {
        let event: ApiGatewayV2httpRequest = serde_json::from_value(request.event()).unwrap();
        let asked = event.clone();
        let answer = match request.method.as_str() {
            "POST" => description::create(event, &self.create_ports()).await,
            "PATCH" => description::resume(event, &self.resume_ports()).await,
            "DELETE" => description::cancel(event, &self.cancel_ports()).await,
            _ => description::status(event, &self.status_ports()).await,
        };
        let triple = description::check(&asked, &answer);
        (Reply::of(answer), triple)
    }

    /// Creates a task of activities and gives its id.
    pub(crate) async fn accepted(&self) -> String {
        let reply = self.send(&Request::create("activities", &days())).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.id()
    }

    pub(crate) fn create_ports(&self) -> create_job::Ports {
        create_job::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            intake: self.store.clone(),
            jobs: self.store.clone(),
            container_urls: ContainerUrlRules::default(),
            containers: self.containers.clone(),
            sealer: self.sealer.clone(),
            auditor: AUDITOR,
            settings: create_job::Settings {
                edge: self.edge_settings(),
                max_range_days: 366,
                retention: Duration::days(90),
                has_folder_lake: self.has_folder_lake,
            },
        }
    }

    pub(crate) fn resume_ports(&self) -> resume_job::Ports {
        resume_job::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            jobs: self.store.clone(),
            container_urls: ContainerUrlRules::default(),
            containers: self.containers.clone(),
            sealer: self.sealer.clone(),
            auditor: AUDITOR,
            settings: self.edge_settings(),
        }
    }

    pub(crate) fn cancel_ports(&self) -> cancel_job::Ports {
        cancel_job::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            jobs: self.store.clone(),
            auditor: AUDITOR,
            settings: self.edge_settings(),
        }
    }

    pub(crate) fn status_ports(&self) -> get_status::Ports {
        get_status::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            jobs: self.store.clone(),
            lists: self.store.clone(),
            chunks: self.store.clone(),
            settings: self.edge_settings(),
        }
    }

    pub(crate) fn edge_settings(&self) -> EdgeSettings {
        EdgeSettings {
            public_url: self.public_url.clone(),
            subject_claim: "sub".to_owned(),
        }
    }
}

/// What was done, in order, all of it by the one caller.
pub(crate) fn acts(world: &World) -> Vec<Act> {
    let audits = world.store.audits().into_iter().map(|(_, audit)| audit);
    audits
        .inspect(|audit| assert_eq!(audit.by, "alice"))
        .map(|audit| audit.act)
        .collect()
}

const AUDITOR: Auditor = Auditor {
    kept: Duration::days(365),
};

pub(crate) async fn code_of(request: &Request) -> (i64, String) {
    World::new().await.send(request).await.error()
}

pub(crate) fn answer(status: i64, code: &str) -> (i64, String) {
    (status, code.to_owned())
}
