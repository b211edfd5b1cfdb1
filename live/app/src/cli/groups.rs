//! What can be typed about groups.

use clap::{Args, Subcommand};

use super::conversations::duration;

/// `warren groups ...`
#[derive(Debug, Args)]
#[command(after_help = GROUPS_HELP)]
pub struct GroupsArgs {
    /// Fetch nothing before: go by what is on this device
    #[arg(long, global = true)]
    pub offline: bool,
    /// What to do; nothing lists them
    #[command(subcommand)]
    pub command: Option<GroupsCommand>,
}

const GROUPS_HELP: &str = "\
Groups have up to 100 members. Admins invite, remove, name and time; whoever is an admin stays
one. A group is given by its name or its id; members as in `warren send`. Names with spaces
need quotes. What is new is fetched first, as by `warren read`, unless there is --offline.

Exit code 4: the network cannot be reached, and what is on this device was shown.
Exit code 3: it is done on this device, and told the others once the network can be reached.

Examples:
  warren groups
  warren groups --offline                    without asking the network
  warren groups create runners bob 05aa65...5aa74
  warren groups accept runners
  warren send runners \"Sunday at nine?\"
  warren read --from runners
  warren groups invite runners carol --history
  warren groups timer runners 1w
  warren groups remove runners bob --with-messages
  warren groups leave runners --yes";

/// What to do with groups.
#[derive(Debug, Subcommand)]
pub enum GroupsCommand {
    /// List those you are in or invited to
    List,
    /// Make one, with you as its admin
    Create {
        /// What it is called
        name: String,
        /// Whom to invite: contacts' names or Account IDs
        #[arg(value_name = "MEMBER")]
        members: Vec<String>,
    },
    /// Show what is known of one
    Show(GroupArg),
    /// List who is in it
    Members(GroupArg),
    /// Invite people to it
    Invite {
        /// Which, and whom
        #[command(flatten)]
        whom: MembersArg,
        /// Let them read what was said before
        #[arg(long)]
        history: bool,
    },
    /// Join one you are invited to
    Accept(GroupArg),
    /// Decline an invitation; nobody is told
    Decline(GroupArg),
    /// Make members admins, for good
    Promote(MembersArg),
    /// Remove members, who read no further
    Remove {
        /// Which, and whom
        #[command(flatten)]
        whom: MembersArg,
        /// Delete what they wrote, for everyone
        #[arg(long)]
        with_messages: bool,
    },
    /// Call it something else, for everyone
    Rename {
        /// Which
        #[command(flatten)]
        which: GroupArg,
        /// The new name
        name: String,
    },
    /// Say what it is about; no text says nothing
    Describe {
        /// Which
        #[command(flatten)]
        which: GroupArg,
        /// The text
        text: Vec<String>,
    },
    /// Have everybody's messages disappear after they are sent, or stay
    Timer {
        /// Which
        #[command(flatten)]
        which: GroupArg,
        /// How long they live: 30s, 5m, 12h, 1d, 2w
        #[arg(value_name = "TIME", required_unless_present = "off", value_parser = duration)]
        time: Option<u32>,
        /// Let them stay
        #[arg(long, conflicts_with = "time")]
        off: bool,
    },
    /// Leave it; its messages go from all your devices
    Leave(SureArg),
    /// End it for everybody and for good
    Destroy(SureArg),
}

/// A group.
#[derive(Debug, Args)]
pub struct GroupArg {
    /// The group's name or its id
    pub group: String,
}

/// A group and some people.
#[derive(Debug, Args)]
pub struct MembersArg {
    /// The group's name or its id
    pub group: String,
    /// Contacts' names or Account IDs
    #[arg(required = true, value_name = "MEMBER")]
    pub people: Vec<String>,
}

/// A group, and whether its owner is sure.
#[derive(Debug, Args)]
pub struct SureArg {
    /// The group's name or its id
    pub group: String,
    /// Do it: nothing takes it back
    #[arg(long)]
    pub yes: bool,
}
