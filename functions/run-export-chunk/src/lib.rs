//! Exports one chunk into one file.
