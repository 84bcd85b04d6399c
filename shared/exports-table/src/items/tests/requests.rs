//! Any request for an export.

use domain::columns::Columns;
use domain::filter::{self, DeviceId, Filter, Session};
use domain::selection::{
    CampaignType, Compression, DateRange, DeviceType, ExportFormat, ExportRequest, ExportType,
    FileOptions, History, HistoryType, Selection, Snapshot,
};
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{day, moment, one_of};

fn selection() -> impl Strategy<Value = Selection> {
    let history = one_of(ExportType::ALL).prop_filter_map("a snapshot", HistoryType::of);
    let devices = one_of(ExportType::ALL).prop_filter_map("no snapshot", DeviceType::of);
    prop_oneof![
        (history, day(), day()).prop_map(|(of, start, end)| {
            let days = DateRange { start, end };
            History { of, days }.into()
        }),
        devices.prop_map(|of| Snapshot::Devices(of).into()),
        (one_of(CampaignType::ALL), any::<Vec<i64>>())
            .prop_map(|(campaign_type, ids)| Snapshot::Campaigns { campaign_type, ids }.into()),
        (one_of(CampaignType::ALL), moment(), moment()).prop_map(|(campaign_type, start, end)| {
            Snapshot::ActiveCampaigns {
                campaign_type,
                start,
                end,
            }
            .into()
        }),
    ]
}

fn file_options(of: ExportType) -> impl Strategy<Value = FileOptions> {
    let all = of.columns(true);
    let chosen = subsequence(all, 1..=all.len()).prop_shuffle();
    let columns = chosen.prop_map(move |names| Columns::choose(all, names).unwrap());
    (
        option::of(columns),
        any::<[bool; 2]>(),
        any::<Option<u64>>(),
    )
        .prop_map(
            |(columns, [byte_order_mark, escape_formulas], max_file_bytes)| FileOptions {
                columns,
                byte_order_mark,
                escape_formulas,
                max_file_bytes,
            },
        )
}

fn filter() -> impl Strategy<Value = Filter> {
    let names = || btree_set(any::<String>(), 1..4);
    let names = prop_oneof![
        names().prop_map(filter::Names::In),
        names().prop_map(filter::Names::NotIn)
    ];
    let id = any::<u128>().prop_map(|id| DeviceId::parse(&format!("{id:032x}")).unwrap());
    (
        option::of(names),
        option::of(btree_set(id, 1..4)),
        option::of(one_of(Session::ALL)),
        option::of(moment()),
        option::of(moment()),
    )
        .prop_map(|(names, device_ids, session, from, to)| Filter {
            names,
            device_ids,
            session,
            from,
            to,
        })
}

pub(super) fn request() -> impl Strategy<Value = ExportRequest> {
    let selected = selection().prop_flat_map(|selection| {
        let files = file_options(selection.export_type());
        (Just(selection), files)
    });
    (
        (one_of(ExportFormat::ALL), one_of(Compression::ALL)),
        selected,
        any::<Option<String>>(),
        any::<[bool; 2]>(),
        filter(),
    )
        .prop_map(
            |(
                (format, compression),
                (selection, files),
                description,
                [export_user_id, export_device_id],
                filter,
            )| ExportRequest {
                selection,
                format,
                compression,
                description,
                export_user_id,
                export_device_id,
                files,
                filter,
            },
        )
}
