//! How many requests are being answered, so that a node can stop between them.

use tokio::sync::watch;

/// Counts requests from their begin to their answer.
#[derive(Debug, Default)]
pub struct UnderWay(watch::Sender<usize>);

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub struct Begun<'a>(&'a UnderWay);

impl UnderWay {
    /// Counts one more request.
    pub fn begin(&self) -> Begun<'_> {
        self.0.send_modify(|count| *count += 1);
        Begun(self)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until there is none.
    pub async fn none(&self) {
        // The sender is borrowed, so waiting cannot fail for the want of one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn there_is_none_when_the_last_one_ended() {
        let under_way = UnderWay::default();
        assert!(under_way.none().now_or_never().is_some());
        let (first, second) = (under_way.begin(), under_way.begin());
        drop(first);
        assert!(under_way.none().now_or_never().is_none());
        drop(second);
        assert!(under_way.none().now_or_never().is_some());
    }
}
