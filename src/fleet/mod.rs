//! Reads many mandates as a stream, and reads a single mandate again and again to find its changes.

mod statuses;
mod watch;

pub use statuses::{Changes, References, StatusResult, Statuses};
