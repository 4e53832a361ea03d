//! Reads many mandates as a stream, and watches single mandates over time.

mod statuses;
mod watch;

pub use statuses::{Changes, References, StatusResult, Statuses};
