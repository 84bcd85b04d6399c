//! A finisher, whatever meets it half-way.

mod cancelled;
mod finishing;
mod late;
