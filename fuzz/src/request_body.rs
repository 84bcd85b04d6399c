//! The body of a creation, of each operation, and of a PATCH.

use std::collections::BTreeSet;

use api::Call;
use api::body::Body;
use api::error::ApiError;
use api::export_request::{Limits, NewExport, read_container_url, read_export};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::columns::Columns;
use domain::filter::{DeviceId, Filter, Names, Session};
use domain::operation::{OPERATIONS, Operation};
use domain::selection::{History, Selection, Snapshot};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::signature::is_shown_in;
use crate::world::NOW;

const LIMITS: Limits = Limits {
    today: NOW.date(),
    max_range_days: 366,
};

/// The first byte chooses the operation (`a` the first of them; behind the last comes PATCH), the
/// second one the content type (`f` a form, `j` JSON, `k` JSON in base64); the body follows.
pub fn request_body(input: &[u8]) -> bool {
    let [operation, content_type, body @ ..] = input else {
        return false;
    };
    let event = event(*content_type, body);
    match OPERATIONS.get(usize::from(operation.wrapping_sub(b'a')) % (OPERATIONS.len() + 1)) {
        Some(operation) => creation(operation, &event),
        None => resumption(&event),
    }
}

/// What is accepted keeps the contract's limits and is accepted again when it is written in another
/// way; nothing that is shown holds a signature.
fn creation(operation: &Operation, event: &ApiGatewayV2httpRequest) -> bool {
    let export = match read(operation, event) {
        Ok(export) => export,
        Err(error) => return refused(&error),
    };
    assert!(!is_shown_in(&format!("{export:?}")), "{export:?}");
    assert_within_limits(&export);
    if let Some(body) = written(&export) {
        let again = read(operation, &self::event(b'j', body.to_string().as_bytes()));
        let again = again.expect("what was accepted is accepted again");
        assert_eq!(again.request, export.request);
        assert_eq!(again.container_url, export.container_url);
    }
    true
}

fn resumption(event: &ApiGatewayV2httpRequest) -> bool {
    let fields = Body::optional_fields(Call::new(event));
    match fields.and_then(|fields| Ok(read_container_url(&fields)?)) {
        Err(error) => refused(&error),
        Ok(given) => {
            assert!(matches!(
                format!("{given:?}").as_str(),
                "None" | "Some([redacted])"
            ));
            given.is_some()
        }
    }
}

fn read(operation: &Operation, event: &ApiGatewayV2httpRequest) -> Result<NewExport, ApiError> {
    let body = Body::receive(Call::new(event))?;
    let hash = body.hash(operation);
    assert!(
        hash.len() == 64 && hash.bytes().all(|it| it.is_ascii_hexdigit()),
        "{hash}"
    );
    Ok(read_export(operation, &body.fields()?, LIMITS)?)
}

/// The event that API Gateway makes of a body: what is not UTF-8 comes in base64.
fn event(content_type: u8, body: &[u8]) -> ApiGatewayV2httpRequest {
    let content_type = content_type.wrapping_sub(b'f');
    let mut event = ApiGatewayV2httpRequest::default();
    let name = if content_type == 0 {
        "application/x-www-form-urlencoded"
    } else {
        "application/json; charset=utf-8"
    };
    event
        .headers
        .insert("content-type", HeaderValue::from_static(name));
    event.is_base64_encoded = content_type % 2 == 1;
    match std::str::from_utf8(body) {
        Ok(text) if !event.is_base64_encoded => event.body = Some(text.to_owned()),
        _ => {
            event.is_base64_encoded = true;
            event.body = Some(STANDARD.encode(body));
        }
    }
    event
}

/// `false`, when the refusal is as it should be.
fn refused(error: &ApiError) -> bool {
    assert!((400..=415).contains(&error.status()), "{error:?}");
    assert!(!is_shown_in(&format!("{error} {error:?}")), "{error:?}");
    assert!(error.to_string().len() < 1_000, "{error}");
    false
}

fn assert_within_limits(export: &NewExport) {
    let request = &export.request;
    assert!(
        request
            .description
            .as_ref()
            .is_none_or(|text| text.chars().count() <= 1_024)
    );
    match &request.selection {
        Selection::Snapshot(Snapshot::Devices(_)) => {}
        Selection::History(History { days, .. }) => {
            let span = (days.end - days.start).whole_days();
            assert!(
                days.start <= LIMITS.today && (0..366).contains(&span),
                "{days:?}"
            );
        }
        Selection::Snapshot(Snapshot::Campaigns { ids, .. }) => {
            let distinct: BTreeSet<_> = ids.iter().collect();
            assert!(
                (1..=100).contains(&ids.len()) && distinct.len() == ids.len(),
                "{ids:?}"
            );
        }
        Selection::Snapshot(Snapshot::ActiveCampaigns { start, end, .. }) => {
            assert!(
                start <= end && start.offset().is_utc() && end.offset().is_utc(),
                "{start} {end}"
            );
        }
    }
}

/// A filter as JSON; `None` when a moment of it cannot be written as RFC 3339.
fn written_filter(filter: &Filter) -> Option<Value> {
    let names = filter.names.as_ref().map(|names| match names {
        Names::In(names) => json!({"in": names}),
        Names::NotIn(names) => json!({"notIn": names}),
    });
    let ids = filter.device_ids.as_ref();
    let ids = ids.map(|ids| ids.iter().map(DeviceId::to_string).collect::<Vec<_>>());
    let moment = |moment: Option<OffsetDateTime>| match moment {
        None => Some(None),
        Some(moment) => moment.format(&Rfc3339).ok().map(Some),
    };
    Some(json!({
        "names": names, "deviceIds": ids, "session": filter.session.map(Session::name),
        "from": moment(filter.from)?, "to": moment(filter.to)?,
    }))
}

/// The same request as JSON; `None` when a moment of it cannot be written as RFC 3339.
fn written(export: &NewExport) -> Option<Value> {
    let rfc3339 = |moment: &OffsetDateTime| moment.format(&Rfc3339).ok();
    let request = &export.request;
    let mut body = json!({
        "containerUrl": export.container_url.reveal(),
        "exportFormat": request.format.name(),
        "description": request.description,
        "exportOptions": {
            "compression": request.compression.name(), "exportUserId": request.export_user_id,
            "exportDeviceId": request.export_device_id,
            "columns": request.files.columns.as_ref().map(Columns::names),
            "byteOrderMark": request.files.byte_order_mark,
            "escapeFormulas": request.files.escape_formulas,
            "maxFileBytes": request.files.max_file_bytes,
            "filter": written_filter(&request.filter)?,
        },
    });
    let fields = match &request.selection {
        Selection::Snapshot(Snapshot::Devices(_)) => json!({}),
        Selection::History(History { days, .. }) => {
            json!({"startDate": days.start.to_string(), "endDate": days.end.to_string()})
        }
        Selection::Snapshot(Snapshot::Campaigns { campaign_type, ids }) => {
            json!({"campaignType": campaign_type.name(), "campaignIds": ids})
        }
        Selection::Snapshot(Snapshot::ActiveCampaigns {
            campaign_type,
            start,
            end,
        }) => json!({
            "campaignType": campaign_type.name(),
            "campaignWindowStart": rfc3339(start)?,
            "campaignWindowEnd": rfc3339(end)?,
        }),
    };
    body.as_object_mut()?.extend(fields.as_object()?.clone());
    Some(body)
}
