use api::Call;
use api::body::Body;
use api::export_request::{Limits, read_export};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::filter::Filter;
use domain::selection::{ExportFormat, ExportRequest, ExportType, Selection};
use time::macros::date;

use super::*;

/// What the service makes of a command line.
fn asked(line: &[&str]) -> ExportRequest {
    let (name, arguments) = line.split_first().unwrap();
    let operation = operations()
        .find(|operation| operation.name == *name)
        .unwrap();
    let line = [&[*name], arguments].concat();
    let matches = command(operation).try_get_matches_from(line).unwrap();
    let export = Export::of(name, &matches).unwrap();
    let url = Secret::new("https://a.blob.core.windows.net/b?sv=1&sig=x");
    let mut event = ApiGatewayV2httpRequest::default();
    event
        .headers
        .insert("content-type", "application/json".parse().unwrap());
    event.body = Some(export.body(&url).to_string());
    let fields = Body::receive(Call::new(&event)).unwrap().fields().unwrap();
    let limits = Limits {
        today: date!(2026 - 02 - 01),
        max_range_days: 366,
    };
    let read = read_export(export.operation, &fields, limits).unwrap();
    assert!(read.unknown.is_none(), "{:?}", read.unknown);
    assert_eq!(read.container_url, url);
    read.request
}

/// The least that each operation asks for.
fn least(operation: &Operation) -> Vec<&'static str> {
    let mut line = vec![operation.name, "--format", "csv"];
    line.extend(match operation.selection {
        SelectionKind::Days(_) => vec!["--from", "2026-01-05", "--to", "2026-01-11"],
        SelectionKind::Devices(_) => Vec::new(),
        SelectionKind::Campaigns => vec!["--campaign-type", "poll", "--campaign-id", "7,-8"],
        SelectionKind::ActiveCampaigns => vec![
            "--campaign-type",
            "Announcement",
            "--window-start",
            "2026-01-05T00:00:00Z",
            "--window-end",
            "2026-01-06T00:00:00+01:00",
        ],
    });
    line
}

#[test]
fn every_operation_is_a_command_and_the_service_reads_what_it_sends() {
    let types: Vec<ExportType> = operations().map(Operation::export_type).collect();
    assert!(
        ExportType::ALL.iter().all(|of| types.contains(of)),
        "{types:?}"
    );
    for operation in operations() {
        let request = asked(&least(operation));
        assert_eq!(request.export_type(), operation.export_type());
        assert_eq!(request.format, ExportFormat::CsvBlob);
    }
}

#[test]
fn every_format_is_known_by_its_ending_and_by_its_name() {
    for format in ExportFormat::ALL {
        for name in [format.extension(), format.name()] {
            assert_eq!(asked(&["devices", "--format", name]).format, *format);
        }
    }
}

/// Each field is named, so that an option which the domain gains must be given here, too.
#[test]
fn every_option_of_the_domain_can_be_asked_for() {
    let mut line = least(operations().find(|it| it.name == "events").unwrap());
    line.extend([
        "--description",
        "a week",
        "--compression",
        "GZIP",
        "--columns",
        "timestamp,NAME",
        "--byte-order-mark",
        "--escape-formulas",
        "--max-file-bytes",
        "16777216",
        "--filter-name",
        "login, or out",
        "--filter-name=-x",
        "--filter-name=",
        "--filter-device-id",
        "0123456789abcdef0123456789abcdef",
        "--filter-session",
        "present",
        "--filter-from",
        "2026-01-05T08:00:00Z",
        "--filter-to",
        "2026-01-05T09:00:00Z",
    ]);
    let ExportRequest {
        selection,
        format,
        compression,
        description,
        export_user_id,
        export_device_id,
        files,
        filter,
    } = asked(&line);
    let Selection::History(history) = selection else {
        panic!("{selection:?}");
    };
    assert_eq!(
        (history.days.start, history.days.end),
        (date!(2026 - 01 - 05), date!(2026 - 01 - 11))
    );
    assert_eq!((format.name(), compression.name()), ("CsvBlob", "gzip"));
    assert_eq!(description.as_deref(), Some("a week"));
    let domain::selection::FileOptions {
        columns,
        byte_order_mark,
        escape_formulas,
        max_file_bytes,
    } = files;
    assert_eq!(columns.unwrap().names(), ["timestamp", "name"]);
    assert!(byte_order_mark && escape_formulas);
    assert_eq!(max_file_bytes, Some(16_777_216));
    let Filter {
        names,
        device_ids,
        session,
        from,
        to,
    } = filter;
    let all = names.unwrap().all().clone();
    assert_eq!(Vec::from_iter(all), ["", "-x", "login, or out"]);
    assert_eq!(device_ids.unwrap().len(), 1);
    assert!(session.is_some() && from < to);
    assert!(
        !export_user_id && !export_device_id,
        "they are of one type each"
    );
}

#[test]
fn an_option_of_one_type_can_be_asked_of_that_type() {
    let feedback = asked(&[
        "feedbackByCampaign",
        "--format",
        "csv",
        "--campaign-type",
        "poll",
        "--campaign-id",
        "1",
        "--campaign-id",
        "2",
        "--export-user-id",
        "--columns",
        "userId",
    ]);
    assert!(feedback.export_user_id);
    let activities = asked(&[
        "activities",
        "--format",
        "json",
        "--from",
        "2026-01-05",
        "--to",
        "2026-01-05",
        "--export-device-id",
        "--filter-not-name",
        "login",
    ]);
    assert!(activities.export_device_id);
}

#[test]
fn what_a_type_cannot_have_is_no_argument_of_it() {
    for (name, argument) in [
        ("tokens", "--filter-name=x"),
        ("tokens", "--from=2026-01-05"),
        ("events", "--export-user-id"),
        ("sessions", "--filter-session=present"),
        ("devices", "--columns=name"),
        ("devices", "--max-file-bytes=1"),
    ] {
        let operation = operations().find(|it| it.name == name).unwrap();
        let matches =
            command(operation).try_get_matches_from(least(operation).into_iter().chain([argument]));
        assert!(matches.is_err(), "{name} {argument}");
    }
}

#[test]
fn a_day_or_a_moment_that_is_none_is_refused_with_one_that_is() {
    assert_eq!(day("2026-01-31").unwrap(), "2026-01-31");
    for text in ["2026-02-30", "31.1.2026", "2026-1-5", ""] {
        assert!(day(text).unwrap_err().contains("2026-01-31"), "{text}");
    }
    assert!(moment("2026-01-31T08:00:00Z").is_ok());
    assert!(moment("2026-01-31").unwrap_err().contains("T08:00:00Z"));
}
