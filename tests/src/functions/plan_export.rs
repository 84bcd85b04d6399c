//! What the planner cuts, misses by name, and says.

mod large;
mod missing_days;
mod planners;
mod plans;
