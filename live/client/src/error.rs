//! What went wrong, whose fault it is and what the person can do.

use warren_account::shares::SplitError;
use warren_account::{AccountError, MnemonicError};
use warren_crypto::CryptoError;
use warren_message::content::ContentError;
use warren_message::direct::SealError;
use warren_onion::path::PathError;
use warren_transport::SeedError;
use warren_transport::web::BadProxy;

use crate::attachments::AttachmentError;
use crate::database::DatabaseError;
use crate::tripwire::TripwireError;
use crate::update::UpdateError;
use crate::vault::VaultError;

/// Why the engine could not do as asked. No text holds content, a key or an id.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The code, the home directory or its slots.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The recovery words are wrong.
    #[error(transparent)]
    Mnemonic(#[from] MnemonicError),
    /// The recovery phrase cannot be split so.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// What tells of a newer release is not to be believed.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// Nothing of somebody's recovery words is kept here.
    #[error(
        "no share of this person's recovery words is kept here: `warren shares held` lists them"
    )]
    NoShares,
    /// Nobody asked for shares from there.
    #[error(
        "nobody asked from this account: `warren shares requests` lists who did, once `warren read` has \
         fetched it"
    )]
    NotAsked,
    /// Shares go to friends, each once.
    #[error("shares are handed to other people, one to each: choose different Account IDs")]
    NotAFriend,
    /// A duress code is to tell other devices, and none can be told.
    #[error(
        "no other device of these accounts can be wiped from here: on each of them, run `warren friends \
         trust --own-devices`, and fetch here"
    )]
    NoDeviceToTell,
    /// No device of somebody's can be wiped from here.
    #[error("no such device can be wiped from this account: `warren friends list` lists them")]
    NoTripwire,
    /// Somebody entrusted several devices.
    #[error(
        "several devices fit: say which with --device NAME, or with the beginning of its set as \
         `warren friends list` shows it"
    )]
    WhichDevice,
    /// No wipe of a device of this person was announced.
    #[error(
        "no code waits to be typed for this person: run `warren friends wipe` without --confirm"
    )]
    NoWipeCode,
    /// Another code was given than the one that was shown.
    #[error("that is not the code that was shown: nothing was sent")]
    WrongWipeCode,
    /// The code was shown too long ago.
    #[error(
        "the code is too old, nothing was sent: run `warren friends wipe` again without --confirm"
    )]
    WipeCodeExpired,
    /// No order to wipe is being repeated.
    #[error("no order to wipe a device of this person is being repeated")]
    NothingOrdered,
    /// No set of this name.
    #[error("there is no such set of friends: `warren friends list` lists them")]
    NoTrustedSet,
    /// Nobody, or one person twice.
    #[error("choose one to eight friends, each once")]
    TrustedFriends,
    /// The store of decoys has no tripwire of its own.
    #[error(
        "friends cannot be trusted with decoys: the code that opens them makes an end to whatever \
         friends could do"
    )]
    DecoysTrustNobody,
    /// A set cannot be drawn with these numbers.
    #[error(transparent)]
    Trust(#[from] warren_lock::tripwire::SetError),
    /// The home holds no account yet.
    #[error("there is no account here yet: make one with `warren account create`")]
    NoAccount,
    /// The home holds several accounts and none was named.
    #[error("there are {0} accounts here: say which with --account NAME")]
    WhichAccount(usize),
    /// No network was named yet.
    #[error(
        "no network is known yet: pass --seed URL#KEY or set WARREN_SEED (`warren up` prints one)"
    )]
    NoSeed,
    /// The directory.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// Too few nodes for a path.
    #[error("no path through the network: {0}")]
    Path(#[from] PathError),
    /// The list of nodes names no swarm.
    #[error("the directory lists no node that keeps this account's mail")]
    NoSwarm,
    /// Neither the guard nor its substitutes take a connection.
    #[error("the network cannot be reached: are you online, and are its nodes up?")]
    Offline,
    /// A node said that it stored a message, and too few members of the swarm proved it.
    #[error("the network does not prove that it stored the message")]
    Unproven,
    /// Every path that was tried failed.
    #[error("no answer through the network: {0}")]
    NoAnswer(String),
    /// A node refused.
    #[error("the network refused ({status}): {reason}")]
    Refused {
        /// The node's status.
        status: u16,
        /// The node's words.
        reason: String,
    },
    /// The nodes want work done for a message, and it was not done or not enough.
    #[error("the recipient's mailbox is being flooded: the message waits until it takes more")]
    Flooded,
    /// This device's clock and the network's are apart.
    #[error("the network says this device's clock is wrong: set it and try again")]
    Clock,
    /// A file.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
    /// The message cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The message says nothing.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Only who wrote a message may do this to it.
    #[error("only its author can do this to a message")]
    NotYours,
    /// An answer quotes what was said elsewhere.
    #[error("a message can be answered only in its own conversation")]
    OtherConversation,
    /// Nothing of a message was given up.
    #[error("nothing of this message waits to be sent again")]
    NothingToResend,
    /// No proxy.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// No file waits under the number.
    #[error("no file waits under the number {0}: hand it in again")]
    NoSuchDraft(i64),
    /// The account is no member of the group, or was removed.
    #[error("this account is not a member of the group")]
    NotAMember,
    /// Only an admin of the group may do this.
    #[error("only an admin of the group can do this")]
    NotAnAdmin,
    /// The group would be left without an admin.
    #[error("you are the group's only admin: make somebody else one first, or end the group")]
    LastAdmin,
    /// Admins hold the group's own key, which cannot be taken back.
    #[error("an admin cannot be removed from a group")]
    AdminStays,
    /// An id that is needed is no person's.
    #[error("only people can be members of a group: an Account ID starts with 05")]
    NotAPerson,
    /// More members than clients show.
    #[error("a group has at most 100 members")]
    TooManyMembers,
    /// A group without a name.
    #[error("a group needs a name")]
    GroupName,
    /// A later version of Warren saved something to do that this one cannot.
    #[error("something was saved to be done that this version cannot do: update Warren")]
    UnknownJob,
    /// A group's keys.
    #[error(transparent)]
    GroupKeys(#[from] warren_config::KeysError),
    /// A message to a group cannot be sealed.
    #[error(transparent)]
    GroupSeal(#[from] warren_message::group::GroupSealError),
    /// What the account's devices agree on.
    #[error(transparent)]
    Config(#[from] warren_config::ConfigError),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] warren_backup::BackupError),
    /// No backup of that name is set up.
    #[error("no backup called '{0}' is set up: `warren backup init` does it")]
    NoBackup(String),
    /// What the index says of backups is not what was written.
    #[error("what this device knows of its backups is damaged: set them up again")]
    BackupSettings,
    /// A backup came back half.
    #[error("a backup came back into this home half: run `warren backup restore` again")]
    UnfinishedRestore,
    /// What lets friends wipe the device.
    #[error(transparent)]
    Tripwire(#[from] TripwireError),
    /// A primitive refused what it should take.
    #[error("a stored key is damaged: restore the account from its recovery words")]
    DamagedKey,
}

impl From<CryptoError> for ClientError {
    fn from(_: CryptoError) -> Self {
        Self::DamagedKey
    }
}

impl From<AccountError> for ClientError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Mnemonic(error) => Self::Mnemonic(error),
            AccountError::Crypto(_) => Self::DamagedKey,
        }
    }
}

impl ClientError {
    /// A name for programs, which stays the same where the words change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Vault(VaultError::WrongPassphrase) => "wrong_passphrase",
            Self::Vault(VaultError::TooSoon { .. }) => "too_soon",
            Self::Vault(VaultError::Code(_)) => "bad_code",
            Self::Vault(VaultError::CodeInUse) => "code_in_use",
            Self::Vault(VaultError::Tpm(_)) => "tpm",
            Self::Vault(VaultError::Missing) => "no_vault",
            Self::Vault(_) => "vault",
            Self::Database(DatabaseError::UnknownAccount) => "unknown_account",
            Self::Database(DatabaseError::UnknownContact) => "unknown_contact",
            Self::Database(DatabaseError::AccountExists) => "account_exists",
            Self::Database(_) => "database",
            Self::Mnemonic(_) => "bad_mnemonic",
            Self::Split(_) => "bad_split",
            Self::Update(UpdateError::Rollback { .. }) => "update_rollback",
            Self::Update(UpdateError::Expired) => "update_expired",
            Self::Update(UpdateError::Signature) => "update_signature",
            Self::Update(_) => "update",
            Self::NoShares => "no_shares",
            Self::NotAsked => "not_asked",
            Self::NotAFriend => "not_a_friend",
            Self::NoDeviceToTell => "no_device_to_tell",
            Self::NoTripwire => "no_such_device",
            Self::WhichDevice => "which_device",
            Self::NoWipeCode => "no_code",
            Self::WrongWipeCode => "wrong_code",
            Self::WipeCodeExpired => "code_expired",
            Self::NothingOrdered => "nothing_ordered",
            Self::NoTrustedSet => "no_such_set",
            Self::TrustedFriends | Self::Trust(_) => "bad_friends",
            Self::DecoysTrustNobody => "decoys",
            Self::NoAccount => "no_account",
            Self::WhichAccount(_) => "which_account",
            Self::NoSeed => "no_seed",
            Self::Seed(_) => "directory",
            Self::Path(_) | Self::NoSwarm => "too_few_nodes",
            Self::NoAnswer(_) => "no_answer",
            Self::Offline => "offline",
            Self::Unproven => "unproven",
            Self::Refused { .. } => "refused",
            Self::Flooded => "flooded",
            Self::Clock => "clock",
            Self::Attachment(error) => error.code(),
            Self::NotYours => "not_yours",
            Self::OtherConversation => "other_conversation",
            Self::NothingToResend => "nothing_to_resend",
            Self::NoSuchDraft(_) => "no_such_draft",
            Self::Proxy(_) => "bad_proxy",
            Self::NotAMember => "not_a_member",
            Self::NotAnAdmin => "not_an_admin",
            Self::LastAdmin => "last_admin",
            Self::AdminStays => "admin_stays",
            Self::NotAPerson => "not_a_person",
            Self::TooManyMembers => "too_many_members",
            Self::GroupName => "group_name",
            Self::UnknownJob => "unknown_job",
            Self::GroupKeys(_) => "group_keys",
            Self::Seal(_) | Self::Content(_) | Self::GroupSeal(_) => "message",
            Self::Config(_) => "configuration",
            Self::Backup(error) => error.code(),
            Self::NoBackup(_) => "backup_not_set_up",
            Self::BackupSettings => "backup_settings",
            Self::UnfinishedRestore => "unfinished_restore",
            Self::Tripwire(_) => "tripwire",
            Self::DamagedKey => "damaged_key",
        }
    }

    /// Whether trying again later may help: the network's fault, not the caller's.
    pub fn is_network(&self) -> bool {
        match self {
            Self::Attachment(error) => error.is_network(),
            Self::Backup(error) => error.is_network(),
            _ => matches!(
                self,
                Self::Seed(SeedError::Transport(_) | SeedError::List(_) | SeedError::Outdated(_))
                    | Self::Path(_)
                    | Self::NoSwarm
                    | Self::NoAnswer(_)
                    | Self::Offline
                    | Self::Unproven
                    | Self::Refused { .. }
                    | Self::Flooded
                    | Self::Clock
            ),
        }
    }

    /// The one of two failures that says more about what became of a request.
    pub(crate) fn or_graver(self, other: Self) -> Self {
        if other.gravity() > self.gravity() { other } else { self }
    }

    const fn gravity(&self) -> u8 {
        match self {
            Self::Unproven => 3,
            Self::Refused { .. } | Self::Flooded | Self::Clock => 2,
            Self::NoAnswer(_) => 1,
            _ => 0,
        }
    }

    /// Whether this device reaches no node at all, so that nothing else need be tried.
    pub(crate) fn is_offline(&self) -> bool {
        match self {
            Self::Offline => true,
            Self::Attachment(AttachmentError::Network(error)) => error.is_offline(),
            _ => false,
        }
    }

    /// Whether every node would refuse the same request alike, now and later.
    pub(crate) const fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, .. } => matches!(status, 400 | 401 | 403 | 413),
            Self::Attachment(error) => error.is_final(),
            Self::Content(_) | Self::Seal(_) | Self::NotAMember => true,
            _ => false,
        }
    }
}
