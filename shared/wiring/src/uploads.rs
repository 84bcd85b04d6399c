//! How a function sends files, within its memory.

use std::fmt::{self, Display, Formatter};

use crate::config::{
    BLOCK_BYTES, ConfigError, Environment, PREFETCH_BYTES, ROW_GROUP_BYTES, UPLOADS_IN_FLIGHT,
};

/// What one MB of a function's memory holds.
const MEGABYTE: u64 = 1 << 20;

/// What a run that writes a file takes beside its blocks: program, connections, lines, the window
/// of a compressed object, the codec of a compressed file (docs/PERFORMANCE.md).
const FIXED_BYTES: u64 = 30 * MEGABYTE;

/// What a row group takes while it is written, in its own size: its values, their encoded pages, and
/// what is compressed of them (docs/PERFORMANCE.md).
const ROW_GROUP_COPIES: u64 = 3;

/// What a run holds beside the blocks of its files, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// The objects that are fetched ahead.
    pub prefetched: u64,
    /// The values of a row group.
    pub row_group: u64,
}

impl Held {
    /// What a run that exports a chunk is set to hold.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting does not fit.
    pub fn of_chunk(env: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            prefetched: env.get(&PREFETCH_BYTES)?,
            row_group: env.get(&ROW_GROUP_BYTES)? as u64,
        })
    }

    fn most_bytes(self) -> u64 {
        self.row_group
            .saturating_mul(ROW_GROUP_COPIES)
            .saturating_add(self.prefetched)
    }
}

/// How a file is cut into blocks, and how many of them are sent at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploads {
    /// The size of every block but the last, in bytes.
    pub block_bytes: usize,
    /// How many blocks are sent at once.
    pub in_flight: usize,
    /// What the run holds beside them.
    pub held: Held,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            block_bytes: BLOCK_BYTES.default,
            in_flight: UPLOADS_IN_FLIGHT.default,
            held: Held::default(),
        }
    }
}

impl Uploads {
    pub(crate) fn of(env: &Environment, held: Held) -> Result<Self, ConfigError> {
        let uploads = Self {
            block_bytes: env.get(&BLOCK_BYTES)?,
            in_flight: env.get(&UPLOADS_IN_FLIGHT)?,
            held,
        };
        match env.memory_megabytes()? {
            Some(megabytes) => Ok(uploads.within(megabytes)?),
            None => Ok(uploads),
        }
    }

    /// The most memory that a run takes, in bytes: the blocks under way and the one that is being
    /// filled, each in a buffer that may have outgrown it, what is held beside them, and the rest
    /// (docs/PERFORMANCE.md).
    fn most_bytes(&self) -> u64 {
        let (block, blocks) = (self.block_bytes as u64, self.in_flight as u64 + 1);
        block
            .saturating_mul(2 * blocks)
            .saturating_add(self.held.most_bytes())
            .saturating_add(FIXED_BYTES)
    }

    fn within(self, megabytes: u64) -> Result<Self, TooLittleMemory> {
        if self.most_bytes() <= megabytes.saturating_mul(MEGABYTE) {
            Ok(self)
        } else {
            Err(TooLittleMemory {
                uploads: self,
                megabytes,
            })
        }
    }
}

/// Blocks that a function's memory does not hold: a run would be killed in the midst of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLittleMemory {
    uploads: Uploads,
    megabytes: u64,
}

impl TooLittleMemory {
    /// The bytes of the memory that blocks may take.
    fn for_blocks(&self) -> u64 {
        self.megabytes
            .saturating_mul(MEGABYTE)
            .saturating_sub(FIXED_BYTES.saturating_add(self.uploads.held.most_bytes()))
    }

    /// The largest block that fits with as many uploads.
    fn most_block_bytes(&self) -> u64 {
        let blocks = self.uploads.in_flight as u64 + 1;
        self.for_blocks() / (2 * blocks)
    }

    /// The most uploads that fit with blocks of this size.
    fn most_in_flight(&self) -> u64 {
        let block = self.uploads.block_bytes.max(1) as u64;
        (self.for_blocks() / (2 * block)).saturating_sub(1)
    }

    /// Each change that would do by itself.
    fn remedies(&self) -> Vec<String> {
        let megabytes = self.uploads.most_bytes().div_ceil(MEGABYTE);
        let mut remedies = vec![format!("give it {megabytes} MB")];
        let (block, in_flight) = (self.most_block_bytes(), self.most_in_flight());
        if block >= BLOCK_BYTES.kind.least as u64 {
            remedies.push(format!("set {} to at most {block}", BLOCK_BYTES.name));
        }
        if in_flight >= UPLOADS_IN_FLIGHT.kind.least as u64 {
            let name = UPLOADS_IN_FLIGHT.name;
            remedies.push(format!("set {name} to at most {in_flight}"));
        }
        remedies
    }
}

impl std::error::Error for TooLittleMemory {}

impl Display for TooLittleMemory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Uploads {
            block_bytes,
            in_flight,
            held,
        } = self.uploads;
        write!(
            f,
            "{}={block_bytes} and {}={in_flight} do not fit into the function's memory of {} MB",
            BLOCK_BYTES.name, UPLOADS_IN_FLIGHT.name, self.megabytes,
        )?;
        if held != Held::default() {
            let (prefetch, row_group) = (PREFETCH_BYTES.name, ROW_GROUP_BYTES.name);
            write!(
                f,
                " beside {prefetch}={} and {row_group}={}",
                held.prefetched, held.row_group
            )?;
        }
        write!(f, ": {}", self.remedies().join(", or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploads(block_bytes: &str, in_flight: &str, memory: &str) -> Result<Uploads, ConfigError> {
        uploads_beside(Held::default(), block_bytes, in_flight, memory)
    }

    fn uploads_beside(
        held: Held,
        block_bytes: &str,
        in_flight: &str,
        memory: &str,
    ) -> Result<Uploads, ConfigError> {
        let env = Environment::from_pairs([
            (BLOCK_BYTES.name, block_bytes),
            (UPLOADS_IN_FLIGHT.name, in_flight),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory),
        ]);
        Uploads::of(&env, held)
    }

    fn refusal(block_bytes: &str, in_flight: &str, memory: &str) -> String {
        uploads(block_bytes, in_flight, memory)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_defaults_take_what_the_page_of_performance_says() {
        assert_eq!(Uploads::default().most_bytes(), 94 * MEGABYTE);
        assert_eq!(uploads("", "", "94").unwrap(), Uploads::default());
        let held = Held::of_chunk(&Environment::from_pairs([("", ""); 0])).unwrap();
        uploads_beside(held, "", "", "254").unwrap();
        assert_eq!(
            uploads_beside(held, "", "", "253").unwrap_err().to_string(),
            "BLOCK_BYTES=8388608 and UPLOADS_IN_FLIGHT=3 do not fit into the function's memory of 253 MB beside \
             PREFETCH_BYTES=67108864 and ROW_GROUP_BYTES=33554432: give it 254 MB, or set BLOCK_BYTES to at most 8257536, or set UPLOADS_IN_FLIGHT \
             to at most 2"
        );
    }

    #[test]
    fn blocks_that_the_memory_does_not_hold_are_refused_with_all_that_would_help() {
        assert_eq!(
            refusal("16777216", "7", "256"),
            "BLOCK_BYTES=16777216 and UPLOADS_IN_FLIGHT=7 do not fit into the function's memory of 256 MB: \
             give it 286 MB, or set BLOCK_BYTES to at most 14811136, or set UPLOADS_IN_FLIGHT to at most 6"
        );
        for (block_bytes, in_flight, memory) in [
            ("16777216", "7", "286"),
            ("14811136", "7", "256"),
            ("16777216", "6", "256"),
        ] {
            assert!(uploads(block_bytes, in_flight, memory).is_ok());
        }
        for (block_bytes, in_flight, memory) in [("16777216", "7", "285"), ("14811137", "7", "256")]
        {
            assert!(uploads(block_bytes, in_flight, memory).is_err());
        }
    }

    #[test]
    fn what_would_not_help_by_itself_is_not_proposed() {
        assert_eq!(
            refusal("268435456", "1", "512"),
            "BLOCK_BYTES=268435456 and UPLOADS_IN_FLIGHT=1 do not fit into the function's memory of 512 MB: \
             give it 1054 MB, or set BLOCK_BYTES to at most 126353408"
        );
        assert_eq!(
            refusal("65536", "1", "20"),
            "BLOCK_BYTES=65536 and UPLOADS_IN_FLIGHT=1 do not fit into the function's memory of 20 MB: \
             give it 31 MB"
        );
    }

    #[test]
    fn where_no_function_runs_any_blocks_will_do() {
        assert!(uploads("268435456", "32", "").is_ok());
    }

    #[test]
    fn a_memory_that_is_no_number_is_told() {
        assert_eq!(
            refusal("", "", "much"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=much does not fit: \
             set it to the function's memory in MB, as Lambda does"
        );
    }
}
