//! How much of the world a check goes through.

/// What the owner, or the clock for them, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Revoke,
    Patch,
    Retry,
    Cancel,
    Expire,
}

const ALL: &[Act] = &[
    Act::Revoke,
    Act::Patch,
    Act::Retry,
    Act::Cancel,
    Act::Expire,
];

const CREDENTIAL: &[Act] = &[Act::Revoke, Act::Patch];

/// The bounds of a check.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) chunks: u32,
    /// The most chunks on a page of the plan.
    pub(crate) page: usize,
    /// The most shards, which a plan of several pages uses.
    pub(crate) shards: u16,
    /// The size of a file's blocks, in bytes; a file has some 150.
    pub(crate) block_bytes: usize,
    /// How many blocks are sent at once.
    pub(crate) uploads: usize,
    /// Whether each chunk has a record that is rejected, and so a second file.
    pub(crate) rejects: bool,
    /// The most attempts at a chunk, and at finishing the job. What repeats itself while somebody
    /// else stands still would go on for ever.
    pub(crate) attempts: u32,
    /// The most processes at once.
    pub(crate) workers: usize,
    /// The most things that go wrong.
    pub(crate) faults: u8,
    /// Whether a call may be made after its caller has given up.
    pub(crate) late: bool,
    /// Whether messages may be received too often.
    pub(crate) dead_letters: bool,
    /// The most acts.
    pub(crate) acts: u8,
    /// Which acts.
    pub(crate) allowed: &'static [Act],
}

impl Bounds {
    /// Two chunks, two processes at once, and nothing goes wrong.
    pub(crate) const PLAIN: Self = Self {
        chunks: 2,
        page: 9,
        shards: 1,
        block_bytes: 1_000,
        uploads: 1,
        rejects: false,
        attempts: 3,
        workers: 2,
        faults: 0,
        late: true,
        dead_letters: true,
        acts: 0,
        allowed: ALL,
    };
}

/// What `make test` checks, in seconds.
pub(crate) const SMALL: [(&str, Bounds); 7] = [
    (
        "three processes, nothing goes wrong",
        Bounds {
            workers: 3,
            ..Bounds::PLAIN
        },
    ),
    (
        "one fault",
        Bounds {
            faults: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "three chunks over two shards in three pages",
        Bounds {
            chunks: 3,
            page: 1,
            shards: 2,
            ..Bounds::PLAIN
        },
    ),
    (
        "the owner acts",
        Bounds {
            chunks: 1,
            acts: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "a signature is revoked, a new one given",
        Bounds {
            chunks: 1,
            acts: 2,
            allowed: CREDENTIAL,
            ..Bounds::PLAIN
        },
    ),
    (
        "a chunk of two files, one fault",
        Bounds {
            chunks: 1,
            rejects: true,
            faults: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "two chunks and a cancellation",
        Bounds {
            acts: 1,
            allowed: &[Act::Cancel],
            ..Bounds::PLAIN
        },
    ),
];

/// What `make model` checks, in minutes.
pub(crate) const LARGE: [(&str, Bounds); 15] = [
    (
        "two chunks, two faults",
        Bounds {
            faults: 2,
            ..Bounds::PLAIN
        },
    ),
    (
        "two chunks, three processes, one fault",
        Bounds {
            workers: 3,
            faults: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "three chunks over two shards, one fault",
        Bounds {
            chunks: 3,
            page: 1,
            shards: 2,
            faults: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "two chunks of three blocks, one fault",
        Bounds {
            block_bytes: 60,
            uploads: 2,
            faults: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "a chunk of two files, two faults",
        Bounds {
            chunks: 1,
            rejects: true,
            faults: 2,
            ..Bounds::PLAIN
        },
    ),
    (
        "a chunk of two files, one fault, one act",
        Bounds {
            chunks: 1,
            rejects: true,
            faults: 1,
            acts: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "one chunk, three faults",
        Bounds {
            chunks: 1,
            faults: 3,
            ..Bounds::PLAIN
        },
    ),
    (
        "one chunk, one fault, one act",
        Bounds {
            chunks: 1,
            faults: 1,
            acts: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "two chunks, one fault, one act",
        Bounds {
            attempts: 2,
            faults: 1,
            acts: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "one chunk, two acts",
        Bounds {
            chunks: 1,
            acts: 2,
            ..Bounds::PLAIN
        },
    ),
    (
        "two chunks, two acts",
        Bounds {
            attempts: 2,
            acts: 2,
            ..Bounds::PLAIN
        },
    ),
    (
        "one chunk, three acts",
        Bounds {
            chunks: 1,
            attempts: 2,
            acts: 3,
            ..Bounds::PLAIN
        },
    ),
    (
        "three chunks over two shards, one act",
        Bounds {
            chunks: 3,
            page: 1,
            shards: 2,
            attempts: 2,
            acts: 1,
            ..Bounds::PLAIN
        },
    ),
    (
        "two chunks, three faults",
        Bounds {
            attempts: 2,
            faults: 3,
            ..Bounds::PLAIN
        },
    ),
    (
        "one chunk, one fault, two acts",
        Bounds {
            chunks: 1,
            attempts: 2,
            faults: 1,
            acts: 2,
            ..Bounds::PLAIN
        },
    ),
];
