//! What a chunk run exports, rejects, misses by name, and leaves alone.

mod cases;
mod rejects;
mod runs;
