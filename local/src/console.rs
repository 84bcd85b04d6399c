//! What a person at a terminal reads.

#![expect(clippy::print_stdout, reason = "the one place that speaks to a person")]

use std::fmt::Display;
use std::time::Duration;

/// Says a line.
pub fn say(line: impl Display) {
    println!("{line}");
}

/// A number with a comma before every third digit.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in the unit that reads best.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        1_000_000..1_000_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
        1_000_000_000.. => format!("{}.{} GB", grouped(bytes / 1_000_000_000), bytes % 1_000_000_000 / 100_000_000),
    }
}

/// A time in seconds, to a tenth.
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_read_well() {
        assert_eq!(["7", "999", "1,000", "1,234,567"], [7, 999, 1_000, 1_234_567].map(grouped).as_slice());
        let sizes = [999, 1_500, 12_345_678, 2_000_000_000_000].map(size);
        assert_eq!(["999 B", "1.5 kB", "12.3 MB", "2,000.0 GB"], sizes.as_slice());
        assert_eq!(seconds(Duration::from_millis(1_260)), "1.3 s");
    }
}
