//! What is logged, and what never is.

use std::io::{self, IsTerminal, Write, stderr};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use warren_noded::config::{LogConfig, LogFormat};

use super::CommandError;
use super::repetitions::Repetitions;

/// The most bytes of one line: errors of libraries may quote what they were given, and strangers
/// give a node what they like.
const LONGEST_LINE: usize = 1_000;

/// Logs to stderr from here on.
///
/// # Errors
/// Where the filter is malformed.
pub(crate) fn start(config: &LogConfig) -> Result<(), CommandError> {
    let filter = EnvFilter::try_new(&config.level)?.and(filter_fn(is_harmless));
    let registry = tracing_subscriber::registry();
    match config.format {
        LogFormat::Text => {
            let lines = tracing_subscriber::fmt::layer()
                .with_writer(|| Lines::text(stderr()))
                .with_ansi(stderr().is_terminal());
            registry.with(lines.with_filter(filter.and(Repetitions::default()))).init();
        }
        LogFormat::Json => {
            let lines =
                tracing_subscriber::fmt::layer().json().with_writer(|| Lines::json(stderr()));
            registry.with(lines.with_filter(filter.and(Repetitions::default()))).init();
        }
    }
    Ok(())
}

/// Libraries write peers' addresses and headers into their finer levels: whatever the filter says,
/// they warn at most. This workspace's own lines name nobody at any level.
fn is_harmless(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("warren") || *metadata.level() <= Level::WARN
}

/// Writes lines, one at a time, and of long ones the beginning.
struct Lines<W> {
    to: W,
    json: bool,
}

impl<W> Lines<W> {
    const fn text(to: W) -> Self {
        Self { to, json: false }
    }

    const fn json(to: W) -> Self {
        Self { to, json: true }
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match line.get(..LONGEST_LINE) {
            Some(beginning) if line.len() > LONGEST_LINE => {
                let text = String::from_utf8_lossy(beginning);
                let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
                let short = match self.json {
                    true => serde_json::json!({ "cut": text }).to_string() + "\n",
                    false => format!("{text} [cut]\n"),
                };
                self.to.write_all(short.as_bytes())?;
            }
            _ => self.to.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str) -> String {
        let mut lines = Lines::text(Vec::new());
        lines.write_all(line.as_bytes()).unwrap();
        String::from_utf8(lines.to).unwrap()
    }

    #[test]
    fn a_long_line_is_cut_and_any_other_is_written_as_it_is() {
        assert_eq!(written("short\n"), "short\n");
        let longest = "x".repeat(LONGEST_LINE - 1) + "\n";
        assert_eq!(written(&longest), longest);
        assert_eq!(written(&"x".repeat(1_000_000)), "x".repeat(LONGEST_LINE) + " [cut]\n");
        assert_eq!(written(&"x\u{20ac}".repeat(9_999)), "x\u{20ac}".repeat(250) + " [cut]\n");
        assert_eq!(written(&"\u{20ac}".repeat(9_999)), "\u{20ac}".repeat(333) + " [cut]\n");
    }

    #[test]
    fn a_long_line_of_json_is_still_json() {
        let mut lines = Lines::json(Vec::new());
        let line = serde_json::json!({ "message": "x".repeat(5_000) }).to_string() + "\n";
        lines.write_all(line.as_bytes()).unwrap();
        let cut: serde_json::Value = serde_json::from_slice(&lines.to).unwrap();
        assert!(cut["cut"].as_str().unwrap().starts_with(r#"{"message":"xxx"#));
    }

    #[test]
    fn what_a_line_is_given_ends_with_the_line() {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false);
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let shared = std::sync::Arc::clone(&lines);
        let layer = layer.with_writer(move || Lines::text(Shared(std::sync::Arc::clone(&shared))));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::error!(error = "y".repeat(100_000), "failed");
            tracing::error!("next");
        });
        let text = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.len() < 2 * LONGEST_LINE && text.contains("next"), "{text}");
    }

    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
