//! Why one attempt on the database failed, and whether another may succeed.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Why an attempt did not come to its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another attempt may succeed: no server is reachable, the one asked was lost or demoted, or
    /// others wrote the same rows.
    Passing(String),
    /// The same, and the server asked gave no answer.
    Lost(String),
    /// No attempt will succeed.
    Final(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

impl From<warren_crypto::CryptoError> for Trouble {
    fn from(error: warren_crypto::CryptoError) -> Self {
        Self::Final(error.into())
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(answer) = error.as_db_error() else {
            return Self::Lost(text(&error));
        };
        let said = format!("{} ({})", answer.message(), answer.code().code());
        if *answer.code() == SqlState::DISK_FULL {
            Self::Final(StoreError::Full)
        } else if passes(answer.code()) {
            Self::Passing(said)
        } else {
            Self::Final(StoreError::Engine(said))
        }
    }
}

/// An error with its causes: the outer text alone says "error connecting to server".
pub(super) fn text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Whether what a server refuses with this code may go well later, or on another server.
fn passes(code: &SqlState) -> bool {
    // Connection lost, transaction rolled back in favour of another, out of connections or memory,
    // the operator's hand (shutdown, start in progress).
    let passing = ["08", "40", "53", "57"];
    let class = code.code().get(..2).unwrap_or_default();
    // Two that make the schema at once; a primary that became a standby; statements behind a
    // failed one in the same transaction.
    let also = [
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IN_FAILED_SQL_TRANSACTION,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    passing.contains(&class) || also.contains(code)
}

/// How long attempts go on, and how long each may take.
#[derive(Debug)]
pub(super) struct Patience {
    end: Instant,
    each: Duration,
    pause: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl Patience {
    pub(super) fn new(whole: Duration, each: Duration) -> Self {
        Self { end: Instant::now() + whole, each, pause: FIRST_PAUSE }
    }

    /// Runs an attempt, which is given up after its time.
    pub(super) async fn within<T>(
        &self,
        attempt: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        match tokio::time::timeout(self.each, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Trouble::Lost(format!("no answer within {:?}", self.each))),
        }
    }

    /// Waits before the next attempt.
    ///
    /// # Errors
    /// Where there is none: the trouble is final, or has lasted too long.
    pub(super) async fn wait(&mut self, trouble: Trouble) -> Result<(), StoreError> {
        let said = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Passing(said) | Trouble::Lost(said) => said,
        };
        if Instant::now() + self.pause >= self.end {
            return Err(StoreError::Unavailable(said));
        }
        tracing::debug!(reason = %said, "the database is asked again");
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Attempts again and again what gives a `Result<_, Trouble>`.
macro_rules! persist {
    ($patience:expr, $attempt:expr) => {{
        let mut patience = $patience;
        loop {
            match patience.within($attempt).await {
                Ok(done) => break Ok(done),
                Err(trouble) => {
                    if let Err(error) = patience.wait(trouble).await {
                        break Err(error);
                    }
                }
            }
        }
    }};
}
pub(super) use persist;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_stays() {
        for code in ["40001", "40P01", "08006", "57P01", "57P03", "53300", "25006", "25P02"] {
            assert!(passes(&SqlState::from_code(code)), "{code}");
        }
        for code in ["42P01", "42501", "28P01", "3D000", "22003", "23505", "XX001"] {
            assert!(!passes(&SqlState::from_code(code)), "{code}");
        }
    }

    #[tokio::test]
    async fn patience_ends() {
        let mut tries = 0;
        let outcome: Result<(), _> =
            persist!(Patience::new(Duration::from_millis(200), Duration::from_secs(1)), {
                tries += 1;
                async { Err(Trouble::Passing("lost".into())) }
            });
        assert_eq!(outcome, Err(StoreError::Unavailable("lost".into())));
        assert!(tries > 2, "{tries} attempts");
    }

    #[tokio::test]
    async fn an_attempt_that_hangs_is_given_up() {
        let patience = Patience::new(Duration::from_millis(90), Duration::from_millis(60));
        let outcome: Result<(), _> = persist!(patience, std::future::pending());
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
    }
}
