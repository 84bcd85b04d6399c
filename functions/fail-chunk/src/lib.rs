//! Ends what crashed at every attempt.
