//! One record, by the walk and by the slow way.

use domain::selection::{ExportFormat, ExportType};
use formats::encode::{EncodeOptions, Encoder};
use formats::record::{Record, Shape};

/// The first byte chooses the type (`a` the first of them); the record follows.
///
/// What the walk takes, the slow way reads as the same, and every encoder makes the same bytes of it.
pub fn record_walk(input: &[u8]) -> bool {
    let [kind, text @ ..] = input else {
        return false;
    };
    let place = usize::from(kind.to_ascii_lowercase().wrapping_sub(b'a')) % ExportType::ALL.len();
    let Some(export_type) = ExportType::ALL.get(place).copied() else {
        return false;
    };
    let shape = Shape::of(export_type, true);
    let Some(walked) = shape.walk(text) else {
        return false;
    };
    let slowly = shape.parse_slowly(text);
    assert_eq!(Ok(&walked), slowly.as_ref());
    for format in ExportFormat::ALL {
        let slowly = slowly.as_ref().ok();
        let expected = slowly.map(|record| encode(shape, *format, record));
        assert_eq!(Some(encode(shape, *format, &walked)), expected);
    }
    true
}

/// A file of the record, twice.
fn encode(shape: Shape, format: ExportFormat, record: &Record<'_>) -> Vec<u8> {
    let options = EncodeOptions {
        export_device_id: true,
        ..EncodeOptions::default()
    };
    let mut encoder = Encoder::new(shape, format, &options);
    let mut out = Vec::new();
    for _ in 0..2 {
        encoder.push(record, &mut out).expect("a row is written");
    }
    encoder.finish(&mut out).expect("a file is closed");
    out
}
