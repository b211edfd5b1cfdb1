//! Why nothing is wiped before a border.

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum BorderError {
    /// An account is in no backup.
    #[error(
        "no backup holds {}: set one up that does (`warren backup init`), or give them up with \
         --without NAME", .0.join(" and ")
    )]
    Uncovered(Vec<String>),
    /// The place lies where the wipe wipes.
    #[error("the backup '{0}' lies within this home, which would be wiped: choose another place")]
    PlaceInHome(String),
    /// What is here changes faster than it is backed up.
    #[error(
        "what the account '{0}' holds changes faster than it can be backed up and tried: stop the \
         daemon (`warren daemon stop`) and try again. Nothing was wiped"
    )]
    Unsettled(String),
    /// Nothing was tried.
    #[error("no backup was made and tried since this home was unlocked: `warren border` does it")]
    NotReady,
    /// Something changed since the trial.
    #[error("something changed here since the backup was tried: back up again. Nothing was wiped")]
    Changed,
    /// Words that are not those that were asked for.
    #[error("these are not the words of '{0}' that were asked for")]
    WrongWords(String),
    /// Nobody showed that they have the words.
    #[error(
        "nothing was wiped: the recovery words of '{0}' are all that opens the backup. Show that you \
         have them by typing some at a terminal, or say so with --words-known"
    )]
    NoWords(String),
    /// Nobody can be asked.
    #[error(
        "nobody can be asked here: add --words-known, where you have the recovery words, and --yes. \
         Nothing was done"
    )]
    NobodyToAsk,
    /// Ctrl-C.
    #[error("interrupted: nothing was wiped, and this device is as it was")]
    Interrupted,
    /// Somebody thought better of it.
    #[error("nothing was wiped: this device is as it was, and the backup stays at its place")]
    Declined,
}

impl BorderError {
    /// A name for programs, which stays the same where the words change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Uncovered(_) => "not_in_backup",
            Self::PlaceInHome(_) => "place_in_home",
            Self::Unsettled(_) => "border_unsettled",
            Self::NotReady => "border_not_ready",
            Self::Changed => "border_changed",
            Self::WrongWords(_) => "wrong_words",
            Self::NoWords(_) => "words_not_shown",
            Self::Declined | Self::NobodyToAsk => "not_confirmed",
            Self::Interrupted => "interrupted",
        }
    }
}
