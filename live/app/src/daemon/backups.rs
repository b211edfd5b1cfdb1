//! Backups that are due, made while the daemon is unlocked.

use std::sync::Weak;
use std::time::Duration;

use crate::api::session::Session;

/// How often it is looked for one that is due.
const INTERVAL: Duration = Duration::from_secs(60);
/// How long a backup that failed is left alone.
const PAUSE: Duration = Duration::from_secs(15 * 60);

/// Makes what is due until the session is gone or the home is locked.
pub async fn keep(session: Weak<Session>) {
    loop {
        let Some(open) = session.upgrade() else { return };
        let pause = tokio::select! {
            made = make_due(&open) => if made { INTERVAL } else { PAUSE },
            () = open.ended() => return,
        };
        drop(open);
        tokio::time::sleep(pause).await;
    }
}

/// Whether all that was due could be made.
async fn make_due(session: &Session) -> bool {
    let due = session.device(|device| {
        let backups = device.backups().unwrap_or_default();
        let now = crate::wording::now();
        let due = backups.into_iter().filter(|(_, settings)| settings.is_due(now));
        due.map(|(name, _)| name).collect::<Vec<_>>()
    });
    let mut all = true;
    for name in due {
        let Ok(mut job) = session.device(|device| device.backup_job(&name)) else {
            all = false;
            continue;
        };
        let at = job.now();
        match job.run().await {
            // Where the index cannot be written, it is made again: nothing is lost by it.
            Ok(made) => {
                all &= session.device(|device| device.note_backup(&name, &made, at)).is_ok();
            }
            Err(_) => all = false,
        }
    }
    all
}
