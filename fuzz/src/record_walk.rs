//! One record, by the walk and by the slow way.

use domain::selection::ExportFormat;

use crate::lake_lines::{encode, typed};

/// The first byte chooses the type (`a` the first of them); the record follows.
///
/// What the walk takes, the slow way reads as the same, and every encoder makes the same bytes of it.
pub fn record_walk(input: &[u8]) -> bool {
    let Some((shape, text)) = typed(input) else {
        return false;
    };
    let Some(walked) = shape.walk(text) else {
        return false;
    };
    let slowly = shape.parse_slowly(text);
    assert_eq!(Ok(&walked), slowly.as_ref());
    for format in ExportFormat::ALL {
        let slowly = slowly.as_ref().ok();
        let expected = slowly.map(|record| encode(shape, *format, [record, record]));
        assert_eq!(Some(encode(shape, *format, [&walked, &walked])), expected);
    }
    true
}
