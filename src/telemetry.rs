//! Logs: JSON lines on standard error.
//!
//! Promises nothing of rows, exact aggregates, literals of queries or tokens: only our own crate's events are shown.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Events of this crate from `info` on; libraries stay silent, for their words may hold values.
const DIRECTIVES: &str = "off,tacit=info";

/// Starts logging to standard error; a second start changes nothing.
pub fn start() {
    start_with(std::io::stderr);
    // Where a panic stood is ours to know; what it said may hold values.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic was caught");
    }));
}

/// Starts logging to `writer`; panics keep their hook.
pub fn start_with(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let _ = tracing::subscriber::set_global_default(subscriber(writer));
}

/// What writes this crate's events to `writer`.
pub fn subscriber(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    let lines = tracing_subscriber::fmt::layer().json().with_writer(writer);
    tracing_subscriber::registry().with(EnvFilter::new(DIRECTIVES)).with(lines)
}
