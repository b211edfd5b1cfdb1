//! What can be typed about friends who can wipe a device.

use clap::{Args, Subcommand};

pub(super) const FRIENDS_HELP: &str = "\
Friends you trust can wipe this device after it was taken, also while it is locked: as many of
them together as you choose, and fewer can do nothing. What they need lies in their apps and not
here; from what lies here nobody can tell whether you trust anybody, or whom.

A wipe destroys everything on the device and nobody can undo it: keep recovery words or a backup
elsewhere. It reaches a device whose daemon runs (`warren daemon run`) and has a network. A friend
whose own device is taken while it is open can be made to wipe yours; where two are needed, that
takes two.

Examples:
  warren friends trust Ann                            she alone can wipe this device
  warren friends trust Ann Bob Carol --threshold 2    any two of them together
  warren friends trust --own-devices                  your other devices can
  warren friends list                                 whose apps have taken it, and your part
  warren friends revoke 3f9c                          none of that set can any more

  warren friends test Ann          would her device hear you? It wipes nothing
  warren friends wipe Ann          says what will happen and shows a code
  warren friends wipe Ann --confirm K7M2QX
  warren friends wipe Ann --stop   repeat the order no more

  warren friends dead-man --days 30     wipe this device if nobody unlocks it for so long";

/// `warren friends ...`
#[derive(Debug, Subcommand)]
pub enum FriendsCommand {
    /// Let friends wipe this device
    Trust(TrustArgs),
    /// List who can wipe this device, and whose devices you can wipe
    List,
    /// Let a set of friends do nothing any more, at once
    Revoke(SetArg),
    /// Give the same friends new shares, and revoke the old ones
    Reissue(SetArg),
    /// Keep nothing that wipes a person's device any more; they are told
    Drop(TheirDevice),
    /// Ask a person's device whether it would hear you; it wipes nothing
    Test(TheirDevice),
    /// Wipe a person's device, in two steps
    Wipe(FriendsWipeArgs),
    /// Show or choose after how long without unlocking this device wipes itself
    DeadMan(DeadManArgs),
}

/// `warren friends trust`
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// The friends, at most eight: contacts' names or Account IDs
    #[arg(required_unless_present = "own_devices", value_name = "CONTACT")]
    pub friends: Vec<String>,
    /// How many of them together wipe this device; 2, or 1 for one alone
    #[arg(long, value_name = "K")]
    pub threshold: Option<u8>,
    /// What they are told that this device is called
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Also the other devices of this account, as one friend more
    #[arg(long)]
    pub own_devices: bool,
}

/// A set of friends.
#[derive(Debug, Args)]
pub struct SetArg {
    /// The set's name as `warren friends list` shows it, or its beginning
    pub set: String,
}

/// A person's device.
#[derive(Debug, Args)]
pub struct TheirDevice {
    /// A contact's name or Account ID; `me` for another device of your own
    pub person: String,
    /// Which of their devices, by its name or the beginning of its set; all where none is named
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
}

/// `warren friends wipe`
#[derive(Debug, Args)]
pub struct FriendsWipeArgs {
    /// Whose
    #[command(flatten)]
    pub whose: TheirDevice,
    /// The code that the first step showed
    #[arg(long, value_name = "CODE", conflicts_with_all = ["stop", "device"])]
    pub confirm: Option<String>,
    /// Repeat the order no more
    #[arg(long)]
    pub stop: bool,
}

/// `warren friends dead-man`
#[derive(Debug, Args)]
pub struct DeadManArgs {
    /// After so many days without unlocking
    #[arg(long, value_name = "N", conflicts_with_all = ["hours", "off"])]
    pub days: Option<u32>,
    /// After so many hours without unlocking
    #[arg(long, value_name = "N", conflicts_with = "off")]
    pub hours: Option<u32>,
    /// `off`: never
    #[arg(value_parser = ["off"])]
    pub off: Option<String>,
}
