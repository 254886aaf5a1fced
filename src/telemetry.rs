//! Logging, as JSON lines on standard error.
//!
//! Promises that logs contain no rows, exact aggregates, query literals or tokens: only events of our own crate are shown.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Shows this crate's events from `info` upwards. Libraries stay silent, because their messages may contain values.
const DIRECTIVES: &str = "off,tacit=info";

/// Starts logging to standard error and installs a panic hook that logs the location only. Calling it again has no effect on logging.
pub fn start() {
    start_with(std::io::stderr);
    // The location of a panic is ours and may be logged; its message may contain values.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic was caught");
    }));
}

/// Starts logging to `writer`, without touching the panic hook.
pub fn start_with(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let _ = tracing::subscriber::set_global_default(subscriber(writer));
}

/// Builds the subscriber that writes this crate's events to `writer` as JSON lines.
pub fn subscriber(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    let lines = tracing_subscriber::fmt::layer().json().with_writer(writer);
    tracing_subscriber::registry().with(EnvFilter::new(DIRECTIVES)).with(lines)
}
