//! What an account tells its own devices: the wrapper around a configuration message.
//!
//! What is inside is merged by `warren-config`. It is encrypted already; the wrapper and its seal are
//! there because Session's clients look for them.

use std::fmt;

use crate::proto;
use proto::shared_config_message::Kind;

/// Which of an account's configurations it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigKind {
    /// Name, picture, settings (namespace 2).
    UserProfile,
    /// Contacts (namespace 3).
    Contacts,
    /// What was read up to where (namespace 4).
    ConvoInfoVolatile,
    /// Groups and communities (namespace 5).
    UserGroups,
}

impl ConfigKind {
    const fn to_proto(self) -> Kind {
        match self {
            Self::UserProfile => Kind::UserProfile,
            Self::Contacts => Kind::Contacts,
            Self::ConvoInfoVolatile => Kind::ConvoInfoVolatile,
            Self::UserGroups => Kind::UserGroups,
        }
    }

    const fn from_proto(kind: Kind) -> Self {
        match kind {
            Kind::UserProfile => Self::UserProfile,
            Kind::Contacts => Self::Contacts,
            Kind::ConvoInfoVolatile => Self::ConvoInfoVolatile,
            Kind::UserGroups => Self::UserGroups,
        }
    }
}

/// A configuration message in its wrapper.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedConfig {
    /// Which configuration.
    pub kind: ConfigKind,
    /// Its sequence number. Nobody relies on it: the one inside counts.
    pub seqno: i64,
    /// The encrypted configuration.
    pub data: Vec<u8>,
}

impl SharedConfig {
    pub(super) fn to_proto(&self) -> proto::SharedConfigMessage {
        proto::SharedConfigMessage {
            kind: Some(self.kind.to_proto().into()),
            seqno: Some(self.seqno),
            data: Some(self.data.clone()),
        }
    }

    pub(super) fn read(config: proto::SharedConfigMessage) -> Option<Self> {
        let kind = Kind::try_from(config.kind?).ok()?;
        Some(Self { kind: ConfigKind::from_proto(kind), seqno: config.seqno?, data: config.data? })
    }
}

impl fmt::Debug for SharedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedConfig({:?}, {} bytes)", self.kind, self.data.len())
    }
}
