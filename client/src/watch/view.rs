//! What a person sees of an export that goes on: a bar on a terminal, and nothing elsewhere.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::console::{Output, counted};
use crate::task::{Progress, Task};
use crate::verify::shown;

/// A bar of per cent.
pub(super) struct View {
    bar: ProgressBar,
    began: Instant,
    /// What was done when the watch began.
    first: std::cell::OnceCell<(u64, u64)>,
}

impl View {
    pub(super) fn new(output: Output) -> Self {
        let bar = output.bar(100);
        let style = ProgressStyle::with_template("  {bar:32} {pos:>3} %  {wide_msg}");
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Self {
            bar,
            began: Instant::now(),
            first: std::cell::OnceCell::new(),
        }
    }

    /// Shows where the export stands.
    pub(super) fn show(&self, task: &Task) {
        let Some(progress) = task.progress() else {
            self.bar.set_message(shown(task.phase()));
            return;
        };
        let first = *self.first.get_or_init(|| (progress.rows, progress.percent));
        let elapsed = self.began.elapsed();
        let parts = [
            Some(counted(progress.rows, "row")),
            rate(progress, first.0, elapsed),
            left(progress, first.1, elapsed),
            Some(shown(task.phase())),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        self.bar.set_position(progress.percent);
        self.bar.set_message(parts.join(", "));
    }

    /// Says that the service does not answer; it is asked again.
    pub(super) fn lost(&self) {
        self.bar
            .set_message("the service does not answer; asking again");
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The rows of a second: the service's figure, else that of the watch itself.
fn rate(progress: &Progress, first: u64, elapsed: Duration) -> Option<String> {
    let own = || {
        let rows = progress.rows.checked_sub(first).filter(|rows| *rows > 0)?;
        let seconds = elapsed.as_secs().max(1);
        rows.checked_div(seconds)
    };
    let rate = match progress.rows_per_second {
        // A rate is below 2⁵³, and its fraction is of no use to a person.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and a rate is not negative"
        )]
        Some(rate) => rate.round() as u64,
        None => own()?,
    };
    Some(format!("{}/s", HumanCount(rate)))
}

/// When the end is expected: by the service, else by what the watch saw of it.
fn left(progress: &Progress, first: u64, elapsed: Duration) -> Option<String> {
    if let Some(end) = &progress.estimated_completion {
        let clock = end.get(11..19).unwrap_or(end);
        return Some(format!("ends about {} UTC", shown(clock)));
    }
    let done = progress
        .percent
        .checked_sub(first)
        .filter(|done| *done > 0)?;
    let left = 100_u64.checked_sub(progress.percent)?;
    let seconds = elapsed.as_secs().checked_mul(left)?.checked_div(done)?;
    let left = HumanDuration(Duration::from_secs(seconds));
    Some(format!("about {left} left"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_SECONDS: Duration = Duration::from_secs(10);

    #[test]
    fn the_services_figures_win_over_those_of_the_watch() {
        let progress = Progress {
            percent: 50,
            rows: 3_000,
            rows_per_second: Some(1_234.5),
            estimated_completion: Some("2026-01-12T10:20:30.000Z".to_owned()),
            ..Progress::default()
        };
        assert_eq!(rate(&progress, 0, TEN_SECONDS).unwrap(), "1,235/s");
        assert_eq!(
            left(&progress, 0, TEN_SECONDS).unwrap(),
            "ends about 10:20:30 UTC"
        );
    }

    #[test]
    fn an_older_service_leaves_them_to_the_watch() {
        let progress = Progress {
            percent: 60,
            rows: 3_000,
            ..Progress::default()
        };
        assert_eq!(rate(&progress, 1_000, TEN_SECONDS).unwrap(), "200/s");
        assert_eq!(
            left(&progress, 20, TEN_SECONDS).unwrap(),
            "about 10 seconds left"
        );
        assert_eq!(left(&progress, 60, TEN_SECONDS), None);
        assert_eq!(rate(&progress, 3_000, TEN_SECONDS), None);
    }
}
