//! Friends who can wipe a device (decision 0018): the owner's side and the friend's.
//!
//! ```text
//! owner   trust --Offer-->  friend: kept, --Taken--> owner: known to be able to wipe
//!         revoke --Revoked-->  friend: forgotten
//! friend  test_devices, order_wipe --Order--> the device's inbox
//! owner's device, once unlocked --Tested--> friend: known to be heard
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`trust`] | the owner chooses friends, and takes the choice back |
//! | [`held`] | a friend's shares: listed, dropped, tested |
//! | [`wipe`] | a friend's order to wipe, in two steps and repeated |
//! | [`dead_man`] | after how long a device wipes itself |
//! | `take` | what came about all that |
//! | `places` | where sets stand in the tripwire of the home |

pub mod dead_man;
pub mod held;
mod places;
mod take;
pub mod trust;
pub mod wipe;

use warren_account::Account;
use warren_lock::tripwire::SetId;
use warren_message::Kind;
use warren_message::content::tripwire::TripwireMessage;
use warren_wire::{AccountId, Millis};

use crate::database::Tx;
use crate::error::ClientError;
use crate::outgoing::seal::store_for;

pub(crate) use take::take;
pub(crate) use wipe::REPEAT;

/// What people call a set: 16 hexadecimal digits.
pub fn set_name(set: &SetId) -> String {
    hex::encode(set.0)
}

/// The set of such a name.
pub fn parse_set_name(name: &str) -> Option<SetId> {
    let mut set = [0; 8];
    hex::decode_to_slice(name, &mut set).ok()?;
    Some(SetId(set))
}

/// Seals a message from `account` to somebody, or to the account's own other devices, and has it
/// stored.
fn send(
    tx: &Tx<'_>,
    account: &Account,
    to: &AccountId,
    message: TripwireMessage,
    now: Millis,
) -> Result<(), ClientError> {
    store_for(tx, account, to, Kind::Tripwire(message), now)
}
