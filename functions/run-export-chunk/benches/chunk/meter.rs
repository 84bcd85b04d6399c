//! This process's own CPU time and memory, as Linux counts them
//! (<https://man7.org/linux/man-pages/man5/proc.5.html>).

use anyhow::Context;

/// What the kernel's clock ticks are counted in.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures from its start on.
pub(crate) struct Meter {
    before: f64,
}

impl Meter {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Ok(Self {
            before: cpu_seconds()?,
        })
    }

    /// Seconds of CPU since the start, of all threads.
    pub(crate) fn cpu(&self) -> anyhow::Result<f64> {
        Ok(cpu_seconds()? - self.before)
    }
}

fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').context("no name")?;
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
}

/// The most memory that this process ever held, in MiB.
pub(crate) fn peak_mib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mark = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no high-water mark")?;
    Ok(mark.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52 bytes")]
pub(crate) fn cpu_seconds_per_gb(seconds: f64, bytes: usize) -> f64 {
    seconds / (bytes as f64 / 1e9)
}
