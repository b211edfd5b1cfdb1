//! Shares of recovery words between a person and their friends (decision 0014).
//!
//! Session has nothing like it and its clients drop these messages, so a share counts as handed out
//! only once the friend's app has said that it keeps it.

use std::fmt;

use warren_account::Share;
use warren_crypto::SecretBytes;
use warren_wire::AccountId;

use crate::proto;
use proto::warren_share::Type;

/// The most bytes of a set's name: two words of up to eight letters.
const MOST_NAME_BYTES: usize = 17;

/// A share of recovery words, or a word about one.
#[derive(Clone, PartialEq, Eq)]
pub enum ShareMessage {
    /// Keep this for me.
    Keep(CarriedShare),
    /// I keep it.
    Kept {
        /// The two words that name its set.
        set: String,
        /// Which of the set, from 1.
        number: u8,
    },
    /// I lost my device and this account with it: return what you keep of mine. Who says so is anybody,
    /// until the friend has made sure by other means.
    Ask {
        /// The account that was lost.
        account: AccountId,
    },
    /// Here it is.
    Return(CarriedShare),
}

/// A share within a message. It was read as one, and its checksum was right.
#[derive(PartialEq, Eq)]
pub struct CarriedShare {
    words: SecretBytes,
    set: String,
    number: u8,
    threshold: u8,
}

impl CarriedShare {
    /// A share to be sent.
    pub fn new(share: &Share) -> Self {
        Self {
            words: share.words().expose().as_bytes().to_vec().into(),
            set: share.set().name(),
            number: share.number(),
            threshold: share.set().threshold(),
        }
    }

    /// Its words.
    pub fn words(&self) -> &str {
        // Made from a text.
        str::from_utf8(self.words.expose()).unwrap_or_default()
    }

    /// The two words that name its set.
    pub fn set(&self) -> &str {
        &self.set
    }

    /// Which of the set it is, from 1.
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// How many of the set bring the recovery words back.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    fn read(words: Option<&String>) -> Option<Self> {
        Share::parse(words?).ok().map(|share| Self::new(&share))
    }
}

impl Clone for CarriedShare {
    fn clone(&self) -> Self {
        let words = self.words.expose().to_vec().into();
        Self { words, set: self.set.clone(), ..*self }
    }
}

impl ShareMessage {
    pub(super) fn to_proto(&self) -> proto::WarrenShare {
        let of =
            |kind: Type| proto::WarrenShare { r#type: Some(kind.into()), ..Default::default() };
        match self {
            Self::Keep(share) => {
                proto::WarrenShare { words: Some(share.words().to_owned()), ..of(Type::Keep) }
            }
            Self::Kept { set, number } => proto::WarrenShare {
                set: Some(set.clone()),
                number: Some((*number).into()),
                ..of(Type::Kept)
            },
            Self::Ask { account } => {
                proto::WarrenShare { account: Some(account.to_string()), ..of(Type::Ask) }
            }
            Self::Return(share) => {
                proto::WarrenShare { words: Some(share.words().to_owned()), ..of(Type::Return) }
            }
        }
    }

    /// `None` where it is no share, names no set or is of a later version.
    pub(super) fn read(message: &proto::WarrenShare) -> Option<Self> {
        match Type::try_from(message.r#type?).ok()? {
            Type::Keep => CarriedShare::read(message.words.as_ref()).map(Self::Keep),
            Type::Return => CarriedShare::read(message.words.as_ref()).map(Self::Return),
            Type::Ask => Some(Self::Ask { account: message.account.as_ref()?.parse().ok()? }),
            Type::Kept => {
                let set = message.set.clone().filter(|set| is_name(set))?;
                Some(Self::Kept { set, number: u8::try_from(message.number?).ok()? })
            }
        }
    }
}

fn is_name(set: &str) -> bool {
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_lowercase();
    set.len() <= MOST_NAME_BYTES && set.bytes().all(is_plain)
}

impl fmt::Debug for ShareMessage {
    /// A log holds no share, nor which account one is of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep(_) => "Share(Keep)",
            Self::Kept { .. } => "Share(Kept)",
            Self::Ask { .. } => "Share(Ask)",
            Self::Return(_) => "Share(Return)",
        })
    }
}

impl fmt::Debug for CarriedShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CarriedShare(..)")
    }
}
