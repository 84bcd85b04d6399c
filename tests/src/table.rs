//! DynamoDB in this process without a socket: the SDK's requests go straight into the embedded
//! engine, so that nothing waits for a network and a run depends on nothing but its own steps.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use local::dynamodb::EXPORTS_TABLE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An embedded engine in memory. Clones share it.
#[derive(Clone)]
pub(crate) struct Table {
    database: Database,
    outbox: Arc<Mutex<Vec<Value>>>,
    forgets_conditions: Arc<AtomicBool>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            database: Database::memory().unwrap(),
            outbox: Arc::default(),
            forgets_conditions: Arc::default(),
        }
    }

    /// Puts an item, in DynamoDB's JSON, into the exports table.
    pub(crate) fn put(&self, item: &Value) {
        let request = json!({"TableName": EXPORTS_TABLE, "Item": item});
        self.run("PutItem", &request).unwrap();
    }

    /// What was written into the exports table since the last look, as the stream's new images have
    /// it.
    pub(crate) fn take_outbox(&self) -> Vec<Value> {
        std::mem::take(&mut self.outbox.lock().unwrap())
    }

    /// Breaks the protocol on purpose: chunks are written whatever their revision is.
    pub(crate) fn forget_conditions_of_chunks(&self) {
        self.forgets_conditions.store(true, Ordering::Relaxed);
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let operation = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.rsplit('.').next());
        let mut body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        if self.forgets_conditions.load(Ordering::Relaxed) {
            forget_conditions(&mut body);
        }
        match self.run(operation.unwrap_or_default(), &body) {
            Ok(answer) => {
                self.publish(&body);
                response(200, answer)
            }
            Err(error) => response(error.status_code(), error.to_json()),
        }
    }

    fn run(&self, operation: &str, body: &Value) -> Result<String, DynoxideError> {
        let database = &self.database;
        match operation {
            "BatchWriteItem" => reply(body, |request| database.batch_write_item(request)),
            "CreateTable" => reply(body, |request| database.create_table(request)),
            "DeleteItem" => reply(body, |request| database.delete_item(request)),
            "GetItem" => reply(body, |request| database.get_item(request)),
            "PutItem" => reply(body, |request| database.put_item(request)),
            "Query" => reply(body, |request| database.query(request)),
            "Scan" => reply(body, |request| database.scan(request)),
            "TransactWriteItems" => reply(body, |request| database.transact_write_items(request)),
            "UpdateItem" => reply(body, |request| database.update_item(request)),
            "UpdateTimeToLive" => reply(body, |request| database.update_time_to_live(request)),
            other => panic!("the table is asked to {other}"),
        }
    }

    /// Puts the new image of every item that a request wrote into the outbox.
    fn publish(&self, request: &Value) {
        let in_transaction = request["TransactItems"].as_array().into_iter().flatten();
        let writes = in_transaction
            .flat_map(|item| item.as_object().into_iter().flat_map(|item| item.values()));
        for write in writes
            .chain([request])
            .filter(|write| write["TableName"] == EXPORTS_TABLE)
        {
            if let Some(item) = write.get("Item") {
                self.outbox.lock().unwrap().push(item.clone());
            } else if write.get("UpdateExpression").is_some() {
                let get = json!({"TableName": EXPORTS_TABLE, "Key": write["Key"]});
                let mut answer: Value =
                    serde_json::from_str(&self.run("GetItem", &get).unwrap()).unwrap();
                self.outbox.lock().unwrap().push(answer["Item"].take());
            }
        }
    }
}

fn reply<Q: DeserializeOwned, A: Serialize>(
    body: &Value,
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = Q::deserialize(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    Ok(serde_json::to_string(&run(request)?).unwrap())
}

fn response(status: u16, body: String) -> HttpResponse {
    let mut response =
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    response
}

fn forget_conditions(write: &mut Value) {
    let in_transaction = write
        .get_mut("TransactItems")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    in_transaction
        .filter_map(|item| item.get_mut("Put"))
        .for_each(forget_conditions);
    if write["Item"]["kind"]["S"] == "chunk"
        && let Some(put) = write.as_object_mut()
    {
        put.retain(|name, _| {
            !matches!(
                name.as_str(),
                "ConditionExpression" | "ExpressionAttributeValues"
            )
        });
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table")
    }
}

impl HttpClient for Table {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.answer(&request)))
    }
}
