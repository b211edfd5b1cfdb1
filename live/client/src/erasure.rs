//! Everything of an account taken out of its mailbox, which cannot be undone.

use std::sync::Arc;

use warren_wire::record::Drawers;

use crate::error::ClientError;
use crate::mailbox::Access;
use crate::mailbox::order::Deed;
use crate::messenger::Messenger;

/// What became of an order to delete everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// How many members of the swarm say that they did.
    pub done: usize,
    /// How many members the swarm has.
    pub members: usize,
}

impl Messenger {
    /// Has the account's swarm delete everything it keeps for it: messages and configurations alike.
    /// Files at servers are not reached: nobody can delete them, and they expire.
    ///
    /// # Errors
    /// Where no member of the swarm answers or all refuse.
    pub async fn erase_mailbox(&self) -> Result<Erased, ClientError> {
        let access = Access::Person(Arc::clone(&self.account));
        let done = self.network.order(&access, &Deed::DeleteAll(Drawers::All)).await?;
        let members = self.network.members_of(&access.owner()).await?.len();
        Ok(Erased { done, members: members.max(done) })
    }
}
