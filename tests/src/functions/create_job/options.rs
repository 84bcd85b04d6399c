//! `exportOptions`: what is kept of them with the job, and the refusal of each wrong one.

use domain::columns::Columns;
use domain::selection::{ExportFormat, FileOptions};
use serde_json::{Value, json};

use crate::api::{Request, World, days, with};
use crate::functions::create_job::{campaigns, refusal};

fn asking(format: ExportFormat, options: Value) -> Value {
    let body = with(campaigns(), "exportFormat", format.name());
    with(body, "exportOptions", options)
}

/// What a job keeps of what was asked of its files, and what the answer warns of.
async fn kept(operation: &str, body: &Value) -> (FileOptions, Value) {
    let world = World::new().await;
    let reply = world.send(&Request::create(operation, body)).await;
    assert_eq!(reply.status, 202, "{body}");
    let [job] = world.store.stored().try_into().unwrap();
    (job.request.files.clone(), reply.json()["warnings"].clone())
}

fn names(files: &FileOptions) -> Option<&[&str]> {
    files.columns.as_ref().map(Columns::names)
}

#[tokio::test]
async fn what_is_asked_of_the_files_is_kept_with_the_job() {
    let options =
        json!({"columns": ["Extras", "DEVICEID"], "byteOrderMark": true, "escapeFormulas": "TRUE"});
    let (files, warnings) = kept("events", &asking(ExportFormat::CsvBlob, options)).await;
    assert_eq!(names(&files), Some(&["extras", "deviceId"][..]));
    assert_eq!(
        (files.byte_order_mark, files.escape_formulas, warnings),
        (true, true, Value::Null)
    );
    let options =
        json!({"columns": ["userId", "deviceId"], "exportUserId": true, "byteOrderMark": false});
    let body = asking(ExportFormat::JsonLinesBlob, options);
    for bytes in [json!(16_777_216), json!("16777216")] {
        let limited = asking(ExportFormat::JsonBlob, json!({"maxFileBytes": bytes}));
        let (files, _) = kept("tokens", &limited).await;
        let least = FileOptions::LEAST_MAX_FILE_BYTES;
        assert_eq!(files.max_file_bytes, Some(least));
    }
    let (files, _) = kept("feedbackByCampaign", &body).await;
    assert_eq!(names(&files), Some(&["userId", "deviceId"][..]));
}

#[tokio::test]
async fn what_is_not_asked_for_is_as_usual() {
    for options in [
        json!({}),
        json!({"columns": null, "byteOrderMark": null, "escapeFormulas": false}),
    ] {
        for &format in ExportFormat::ALL {
            let (files, warnings) = kept("events", &asking(format, options.clone())).await;
            assert_eq!((files, warnings), (FileOptions::default(), Value::Null));
        }
    }
}

#[tokio::test]
async fn columns_of_a_form_stand_in_one_text_or_in_several() {
    for columns in [
        "exportOptions.columns=name%2C+timestamp",
        "exportOptions.columns=name&exportOptions.Columns=timestamp",
    ] {
        let world = World::new().await;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for field in ["containerUrl", "startDate", "endDate"] {
            form.append_pair(field, days()[field].as_str().unwrap());
        }
        let form = form.append_pair("exportFormat", "CsvBlob").finish();
        let request = Request::create("events", &json!({}))
            .body(format!("{form}&{columns}"))
            .header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(world.send(&request).await.status, 202, "{columns}");
        let [job] = world.store.stored().try_into().unwrap();
        assert_eq!(
            names(&job.request.files),
            Some(&["name", "timestamp"][..]),
            "{columns}"
        );
    }
}

#[tokio::test]
async fn a_wrong_option_is_named_with_the_problem_and_the_fix() {
    const EVENTS: &str =
        "send an array of some of deviceId, name, timestamp, infoId, sessionId, locationId, extras";
    for (operation, options, code, expected) in [
        (
            "events",
            json!({"columns": []}),
            "NoColumns",
            format!("`exportOptions.columns` is empty: {EVENTS}"),
        ),
        (
            "events",
            json!({"columns": ["name", "tags"]}),
            "UnknownColumn",
            format!(
                "`exportOptions.columns` names \"tags\", which is no column of this type: {EVENTS}"
            ),
        ),
        (
            "feedbackByDate",
            json!({"columns": ["userId"], "exportUserId": false}),
            "UnknownColumn",
            "send an array of some of deviceId, campaignType, campaignId, status".to_owned(),
        ),
        (
            "events",
            json!({"columns": ["name", "extras", "NAME"]}),
            "RepeatedColumn",
            format!("`exportOptions.columns` names `name` twice: {EVENTS}"),
        ),
        (
            "events",
            json!({"columns": ["name", 7]}),
            "InvalidField",
            format!("`exportOptions.columns` is \"7\", which is no text: {EVENTS}"),
        ),
        (
            "events",
            json!({"columns": "name"}),
            "InvalidField",
            format!("`exportOptions.columns` is not an array: {EVENTS}"),
        ),
        (
            "events",
            json!({"maxFileBytes": 16_777_215}),
            "MaxFileBytesTooSmall",
            "`exportOptions.maxFileBytes` is 16777215: send a whole number of bytes, at least 16777216"
                .to_owned(),
        ),
        (
            "events",
            json!({"maxFileBytes": 1.5e9}),
            "InvalidField",
            "`exportOptions.maxFileBytes` is \"1500000000.0\": send a whole number of bytes".to_owned(),
        ),
        (
            "events",
            json!({"byteOrderMark": "yes"}),
            "InvalidField",
            "`exportOptions.byteOrderMark` is \"yes\": send true or false".to_owned(),
        ),
        (
            "events",
            json!({"escapeFormulas": [1]}),
            "InvalidField",
            "`exportOptions.escapeFormulas` is \"[1]\": send true or false".to_owned(),
        ),
    ] {
        let body = asking(ExportFormat::CsvBlob, options);
        let (found, message) = refusal(operation, &body).await;
        assert_eq!(found, code, "{message}");
        assert!(message.contains(&expected), "{message}");
    }
}

#[tokio::test]
async fn an_option_that_only_other_formats_have_is_refused_with_their_names() {
    for (format, option, value, others) in [
        (
            ExportFormat::JsonBlob,
            "columns",
            json!(["name"]),
            "CsvBlob, JsonLinesBlob or ParquetBlob",
        ),
        (
            ExportFormat::JsonBlob,
            "byteOrderMark",
            json!(true),
            "CsvBlob",
        ),
        (
            ExportFormat::JsonLinesBlob,
            "escapeFormulas",
            json!(true),
            "CsvBlob",
        ),
    ] {
        let (code, message) = refusal("events", &asking(format, json!({option: value}))).await;
        assert_eq!(code, "OptionOfOtherFormat");
        let expected = format!(
            "`exportOptions.{option}` is no option of {}: leave it out, or send {others} as `exportFormat`",
            format.name()
        );
        assert!(message.contains(&expected), "{message}");
    }
}
