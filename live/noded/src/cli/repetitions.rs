//! The same complaint again and again: the first few lines a minute are written, the rest counted.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};
use warren_noded::telemetry;

/// How many lines of one place in the program are written within one window.
const MOST: u32 = 10;
/// How long a window is.
const WINDOW: Duration = Duration::from_secs(60);

/// Leaves out warnings and errors beyond the first few of one kind; they are counted as
/// `warren_log_lines_left_out_total`.
#[derive(Debug, Default)]
pub(crate) struct Repetitions(Windows<Identifier>);

/// When each place began to complain, and how often it has since.
#[derive(Debug)]
struct Windows<K> {
    seen: Mutex<HashMap<K, (Instant, u32)>>,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self { seen: Mutex::default() }
    }
}

impl<K: Eq + Hash> Windows<K> {
    /// Whether a line from this place in the program is written.
    fn is_news(&self, place: K, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = seen.entry(place).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MOST
    }
}

impl<S> Filter<S> for Repetitions {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || self.0.is_news(metadata.callsite(), Instant::now()) {
            return true;
        }
        telemetry::line_left_out();
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing_subscriber::layer::{Layer, SubscriberExt};

    use super::*;

    struct Counted(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for Counted {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_same_complaint_is_written_a_few_times_and_other_lines_are_not_its_concern() {
        let count = Arc::new(AtomicUsize::new(0));
        let layer = Counted(Arc::clone(&count)).with_filter(Repetitions::default());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            (0..1_000).for_each(|number| tracing::error!(number, "storage failed"));
            tracing::warn!("something else");
            (0..100).for_each(|number| tracing::info!(number, "news"));
        });
        assert_eq!(count.load(Ordering::Relaxed), 10 + 1 + 100);
    }

    #[test]
    fn a_complaint_is_news_again_after_a_while() {
        let (windows, now) = (Windows::default(), Instant::now());
        let written = |at| (0..50).filter(|_| windows.is_news("a place", at)).count();
        assert_eq!([written(now), written(now + WINDOW / 2), written(now + WINDOW)], [10, 0, 10]);
    }
}
