//! Who acts for a mailbox: the person it belongs to, an admin of a group, a member of one, or whoever
//! may empty it.

use std::sync::Arc;

use warren_account::{Account, ErasureRight, Group, MemberAuth};
use warren_crypto::CryptoError;
use warren_wire::AccountId;
use warren_wire::rpc::UnverifiedAuth;

/// Who acts for a mailbox. Cheap to copy: the keys are shared.
#[derive(Clone)]
pub(crate) enum Access {
    /// The person whose mailbox it is.
    Person(Arc<Account>),
    /// An admin of the group whose mailbox it is.
    Admin(Arc<Group>),
    /// A member of that group, by what an admin gave.
    Member(AccountId, Arc<MemberAuth>),
    /// Whoever has the right to empty a person's mailbox, and no other.
    Eraser(Arc<ErasureRight>),
}

impl Access {
    /// Whose mailbox it is.
    pub(crate) fn owner(&self) -> AccountId {
        match self {
            Self::Person(account) => account.id(),
            Self::Admin(group) => group.id(),
            Self::Member(group, _) => *group,
            Self::Eraser(right) => right.account(),
        }
    }

    /// Signs the text of a request.
    pub(crate) fn authorise(&self, text: &[u8]) -> Result<UnverifiedAuth, CryptoError> {
        match self {
            Self::Person(account) => {
                let key = account.signing_key();
                let ed25519 = Some(*key.verifying_key().as_bytes());
                Ok(UnverifiedAuth { signature: key.sign(text)?, ed25519, subaccount: None })
            }
            Self::Admin(group) => group.authorise(text),
            Self::Member(_, auth) => auth.authorise(text),
            Self::Eraser(right) => right.authorise(text),
        }
    }
}
