//! What a chunk run exports, rejects, misses by name, and leaves alone.

mod cases;
mod parts;
mod rejects;
mod runs;
mod stored;
