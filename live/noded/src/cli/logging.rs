//! What is logged, and what never is.

use std::io::{IsTerminal, stderr};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::CommandError;

/// Logs to stderr from here on.
///
/// # Errors
/// Where the filter is malformed.
pub(crate) fn start(filter: &str) -> Result<(), CommandError> {
    let filter = EnvFilter::try_new(filter)?.and(filter_fn(is_harmless));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_filter(filter);
    tracing_subscriber::registry().with(lines).init();
    Ok(())
}

/// Libraries write peers' addresses and headers into their finer levels: whatever the filter says,
/// they warn at most. This workspace's own lines name nobody at any level.
fn is_harmless(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("warren") || *metadata.level() <= Level::WARN
}
