//! A job whose files are smaller than a client may ask for, so that little data has many parts. It stands
//! by itself because parts are told by the run's tests and read by the readers.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::job::JobKey;
use local::dynamodb::EXPORTS_TABLE;

use crate::world::World;

/// Lets each file of a job that was just created have at most so many bytes.
pub(crate) async fn limit_files(world: &World, key: &JobKey, most_bytes: u64) {
    let scan = world.client.scan().table_name(EXPORTS_TABLE).send().await;
    let items = scan.unwrap().items.unwrap();
    let id = AttributeValue::S(key.id.to_string());
    let is_job = |item: &&HashMap<_, _>| {
        item["kind"] == AttributeValue::S("job".to_owned()) && item["job"] == id
    };
    let item = items.iter().find(is_job).unwrap();
    let limit = AttributeValue::N(most_bytes.to_string());
    let limited = AttributeValue::M([("max_file_bytes".to_owned(), limit)].into());
    let update = world.client.update_item().table_name(EXPORTS_TABLE);
    let update = update.key("pk", item["pk"].clone());
    let update = update.key("sk", item["sk"].clone());
    let update = update.update_expression("SET file_options = :limited");
    let update = update.expression_attribute_values(":limited", limited);
    update.send().await.unwrap();
}
