//! What systemd is told: that the node is ready, that it stops, that it is alive. Without systemd
//! nobody listens.

use sd_notify::NotifyState;

/// The node serves. From here on systemd is told as often as it wants that the node is alive; what
/// tells it runs among the node's own tasks, so that a stuck node is restarted.
pub(crate) fn ready() {
    tell(&NotifyState::Ready);
    if let Some(limit) = sd_notify::watchdog_enabled() {
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(limit / 2);
            loop {
                ticks.tick().await;
                tell(&NotifyState::Watchdog);
            }
        });
    }
}

/// The node is about to end.
pub(crate) fn stopping() {
    tell(&NotifyState::Stopping);
}

fn tell(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::debug!(%error, "systemd was not told");
    }
}
