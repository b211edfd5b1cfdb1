//! What of a device goes into a backup, and how it comes back.
//!
//! | part | what | version |
//! |---|---|---|
//! | `device/accounts` | the chosen accounts: seeds, names, settings; the network; the backups that are set up | 1 |
//! | `account/ID` | an account's database as a stream of rows, see `database::dump` | 1 |
//! | `file/ID/NAME` | a sealed file of its messages as it lies, whose key is in the database | 1 |
//!
//! The key follows from the seed of the account that the backup is set up with, so its recovery words
//! alone open all of it. Places and archives are `warren-backup`'s.
//!
//! | module | what |
//! |---|---|
//! | [`settings`] | the backups that are set up, kept in the sealed index |
//! | `parts` | the parts of a device |
//! | [`made`] | backups made, verified, pruned |
//! | [`restore`] | a device comes back |
//! | [`trial`] | a device comes back for a moment, to see that it would |

pub mod made;
mod parts;
pub mod restore;
pub mod settings;
pub mod trial;

pub use made::{Job, Progresses};
pub use restore::Restoring;
pub use settings::{BackupSettings, LastRun};
pub use trial::{AccountCensus, Census, Counting, Trial, Tried};
pub use warren_archive::retention::Retention;
pub use warren_backup::{BackupError, Progress, Stage, Target};
pub use warren_backup::{prune::Pruned, run::Made, verify::Depth, verify::Verified};
