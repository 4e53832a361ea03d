//! Many mandates, over time: a stream of readings, and a watch on one mandate.

mod statuses;
mod watch;

pub use statuses::{Changes, Reading, References, Statuses};
