//! Attributes that came later: an item without one is read as before.

use domain::columns::Columns;
use domain::counts::Counts;
use domain::filter::DeviceId;
use domain::job::{Asking, Job};
use domain::selection::{Compression, ExportType, FileOptions};
use domain::tally::Tally;
use serde_dynamo::AttributeValue;

use super::{a_stored_job, reread};
use crate::items::JobItem;
use crate::items::tests::{read, written};

#[test]
fn who_asked_where_it_came_through_and_what_it_came_to_are_attributes_more() {
    let mut job = a_stored_job();
    let plain = written(JobItem::from(&Job::restore(job.clone()).unwrap()));
    job.asking = Asking {
        by: Some("alice".to_owned()),
        options: Some(vec!["columns".to_owned()]),
    };
    let counts = Counts {
        rows: 7,
        ..Counts::default()
    };
    job.totals = Some(Tally {
        planned: 2,
        recorded: 2,
        counts,
        ..Tally::default()
    });
    let job = Job::restore(job).unwrap();
    let mut item = written(JobItem::from(&job));
    assert_eq!(reread(item.clone()), Ok(job));
    for name in ["asked_by", "asked_options", "totals"] {
        assert!(item.remove(name).is_some(), "{name}");
    }
    assert_eq!(item, plain);
    let stage = [("phase".to_owned(), AttributeValue::S("asleep".to_owned()))];
    let history = vec![AttributeValue::M(stage.into_iter().collect())];
    item.insert("history".to_owned(), AttributeValue::L(history));
    assert_eq!(
        Job::try_from(read::<JobItem>(item)),
        Err("attribute `history` holds \"asleep\"".to_owned())
    );
}

#[test]
fn a_compression_is_an_attribute_more_and_no_other_is_read() {
    let mut job = a_stored_job();
    let plain = written(JobItem::from(&Job::restore(job.clone()).unwrap()));
    job.request.compression = Compression::Zstd;
    let job = Job::restore(job).unwrap();
    let mut item = written(JobItem::from(&job));
    assert_eq!(reread(item.clone()), Ok(job));
    let zstd = AttributeValue::S("zstd".to_owned());
    assert_eq!(item.remove("compression"), Some(zstd));
    assert_eq!(item, plain);
    item.insert(
        "compression".to_owned(),
        AttributeValue::S("lzma".to_owned()),
    );
    assert_eq!(
        Job::try_from(read::<JobItem>(item)),
        Err("attribute `compression` holds \"lzma\"".to_owned())
    );
}

#[test]
fn what_was_asked_of_the_files_is_an_attribute_more_and_a_column_of_another_type_is_not_read() {
    let mut job = a_stored_job();
    let plain = written(JobItem::from(&Job::restore(job.clone()).unwrap()));
    let names = ["extras", "deviceId"];
    job.request.files = FileOptions {
        columns: Some(Columns::choose(ExportType::Event.columns(false), names).unwrap()),
        byte_order_mark: true,
        escape_formulas: true,
        max_file_bytes: Some(1),
    };
    let job = Job::restore(job).unwrap();
    let mut item = written(JobItem::from(&job));
    assert_eq!(reread(item.clone()), Ok(job));
    let asked = item.remove("file_options").unwrap();
    assert_eq!(item, plain);
    item.insert("file_options".to_owned(), asked);
    item.insert(
        "export_type".to_owned(),
        AttributeValue::S("Session".to_owned()),
    );
    assert_eq!(
        Job::try_from(read::<JobItem>(item)),
        Err("attribute `columns` holds \"extras,deviceId\"".to_owned())
    );
}

#[test]
fn a_filter_is_an_attribute_more_and_what_is_no_device_id_is_not_read() {
    let mut job = a_stored_job();
    let plain = written(JobItem::from(&Job::restore(job.clone()).unwrap()));
    let id = "0123456789abcdef0123456789abcdef";
    job.request.filter.device_ids = Some([DeviceId::parse(id).unwrap()].into());
    let job = Job::restore(job).unwrap();
    let mut item = written(JobItem::from(&job));
    assert_eq!(reread(item.clone()), Ok(job));
    let ids = |id: &str| {
        let ids = AttributeValue::L(vec![AttributeValue::S(id.to_owned())]);
        AttributeValue::M([("device_ids".to_owned(), ids)].into())
    };
    assert_eq!(item.remove("filter"), Some(ids(id)));
    assert_eq!(item, plain);
    item.insert("filter".to_owned(), ids("7"));
    assert_eq!(
        Job::try_from(read::<JobItem>(item)),
        Err("attribute `device_ids` holds \"7\"".to_owned())
    );
}
