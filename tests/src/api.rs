//! The API over fakes: every answer, the rules on the wire, and what no request may do.

mod control;
mod created;
mod fakes;
mod properties;
mod refused;
mod status;
mod wire;

use std::sync::Arc;

use api::caller::EdgeSettings;
use api::container_url::ContainerUrlRules;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use ports::store::{Grant, Grants, Role};
use serde_json::{Value, json};
use time::Duration;

use self::fakes::{FakeClock, FakeContainers, FakeSealer, FakeStore};

/// The signature that must never be seen again.
const SIGNATURE: &str = "c2lnbmF0dXJlLW9mLXRoZS1jbGllbnQ";

/// The path of the list of one app's tasks.
const LIST: &str = "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MobileEngagement/appcollections/c1/apps/chess/devices/exportTasks";

const VERSION: &str = "api-version=2014-12-01";

fn container_url() -> String {
    format!(
        "https://account.blob.core.windows.net/exports?sv=2024-08-04&se=2026-12-31T00:00:00Z&sr=c&sp=w&spr=https&sig={SIGNATURE}"
    )
}

/// A body that is accepted for activities and the other historical types.
fn days() -> Value {
    json!({
        "containerUrl": container_url(),
        "exportFormat": "JsonBlob",
        "startDate": "2026-11-01",
        "endDate": "2026-11-20",
    })
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

/// A request as a client would send it.
#[derive(Debug, Clone)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    is_base64: bool,
    subject: Option<String>,
}

impl Request {
    fn new(method: &str, path: &str) -> Self {
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
    fn create(operation: &str, body: &Value) -> Self {
        Self::new("POST", &format!("{LIST}/{operation}"))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    fn list() -> Self {
        Self::new("GET", LIST)
    }

    fn task(id: &str) -> Self {
        Self::new("GET", &format!("{LIST}/{id}"))
    }

    /// A resumption with a JSON body.
    fn resume(id: &str, body: &Value) -> Self {
        Self::new("PATCH", &format!("{LIST}/{id}"))
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    fn cancel(id: &str) -> Self {
        Self::new("DELETE", &format!("{LIST}/{id}"))
    }

    /// The request that follows an absolute link of the service.
    fn follow(link: &str) -> Self {
        let url = url::Url::parse(link).unwrap();
        Self {
            query: url.query().unwrap_or_default().to_owned(),
            ..Self::new("GET", url.path())
        }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn body(self, body: impl Into<String>) -> Self {
        Self {
            body: Some(body.into()),
            ..self
        }
    }

    fn query(self, query: &str) -> Self {
        Self {
            query: query.to_owned(),
            ..self
        }
    }

    fn by(self, subject: Option<&str>) -> Self {
        Self {
            subject: subject.map(str::to_owned),
            ..self
        }
    }

    /// The event that API Gateway makes of it.
    fn event(&self) -> Value {
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
struct Reply {
    status: i64,
    headers: Vec<(String, String)>,
    text: String,
}

impl Reply {
    fn of(response: ApiGatewayV2httpResponse) -> Self {
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

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// The error's status and code, after a look at the shape that every error has.
    #[track_caller]
    fn error(&self) -> (i64, String) {
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

    fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// The functions and the world that they see.
struct World {
    clock: Arc<FakeClock>,
    store: Arc<FakeStore>,
    containers: Arc<FakeContainers>,
    sealer: Arc<FakeSealer>,
    public_url: Option<String>,
    has_folder_lake: bool,
}

impl World {
    /// A world in which alice may do everything and rita may read the apps of subscription s1.
    async fn new() -> Self {
        let store = Arc::new(FakeStore::default());
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
            clock: Arc::default(),
            store,
            containers: Arc::default(),
            sealer: Arc::default(),
            public_url: None,
            has_folder_lake: false,
        }
    }

    /// Sends a request to the function that the template routes its method to.
    async fn send(&self, request: &Request) -> Reply {
        let event = serde_json::from_value(request.event()).unwrap();
        Reply::of(match request.method.as_str() {
            "POST" => Box::pin(create_job::handle(event, &self.create_ports())).await,
            "PATCH" => Box::pin(resume_job::handle(event, &self.resume_ports())).await,
            "DELETE" => Box::pin(cancel_job::handle(event, &self.cancel_ports())).await,
            _ => Box::pin(get_status::handle(event, &self.status_ports())).await,
        })
    }

    /// Creates a task of activities and gives its id.
    async fn accepted(&self) -> String {
        let reply = self.send(&Request::create("activities", &days())).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        reply.id()
    }

    fn create_ports(&self) -> create_job::Ports {
        create_job::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            intake: self.store.clone(),
            jobs: self.store.clone(),
            container_urls: ContainerUrlRules::default(),
            containers: self.containers.clone(),
            sealer: self.sealer.clone(),
            settings: create_job::Settings {
                edge: self.edge_settings(),
                max_range_days: 366,
                retention: Duration::days(90),
                has_folder_lake: self.has_folder_lake,
            },
        }
    }

    fn resume_ports(&self) -> resume_job::Ports {
        resume_job::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            jobs: self.store.clone(),
            container_urls: ContainerUrlRules::default(),
            containers: self.containers.clone(),
            sealer: self.sealer.clone(),
            settings: self.edge_settings(),
        }
    }

    fn cancel_ports(&self) -> cancel_job::Ports {
        cancel_job::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            jobs: self.store.clone(),
            settings: self.edge_settings(),
        }
    }

    fn status_ports(&self) -> get_status::Ports {
        get_status::Ports {
            clock: self.clock.clone(),
            grants: self.store.clone(),
            jobs: self.store.clone(),
            lists: self.store.clone(),
            settings: self.edge_settings(),
        }
    }

    fn edge_settings(&self) -> EdgeSettings {
        EdgeSettings {
            public_url: self.public_url.clone(),
            subject_claim: "sub".to_owned(),
        }
    }
}
