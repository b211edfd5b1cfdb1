//! What a person and their trusted friends tell each other about wiping a device (decision 0018).
//!
//! Session has nothing like it and its clients drop these messages, so a friend counts as trusted only
//! once their app has said that it keeps the share. The order itself goes to the device's own inbox, in
//! an ordinary message from an account that is thrown away.

use std::fmt;

use warren_lock::tripwire::{FriendShare, Order, SetId};
use warren_wire::{AccountId, Millis};

use crate::proto;
use proto::warren_tripwire::Type;

/// The most bytes of a device's name.
pub const MOST_DEVICE_BYTES: usize = 64;

/// A share of a device's tripwire, an order, or a word about one.
#[derive(Clone, PartialEq, Eq)]
pub enum TripwireMessage {
    /// With this you can wipe my device.
    Offer(Offer),
    /// I keep it.
    Taken {
        /// The set of the share.
        set: SetId,
        /// Which of the set, from 1.
        number: u8,
    },
    /// I keep it no longer, or never did.
    Declined {
        /// The set of the share.
        set: SetId,
        /// Which of the set, from 1.
        number: u8,
    },
    /// Nothing of this set does anything any more: forget it.
    Revoked {
        /// Which.
        set: SetId,
    },
    /// My device heard your test.
    Tested {
        /// The set of the share.
        set: SetId,
        /// Which of the set, from 1.
        number: u8,
        /// When it was heard, in milliseconds since 1970.
        at: Millis,
    },
    /// To the inbox of a device.
    Order(CarriedOrder),
}

/// A share for a friend, and where its order is to go.
pub struct Offer {
    /// The share.
    pub share: FriendShare,
    /// The inbox of the device.
    pub inbox: AccountId,
    device: String,
}

impl Offer {
    /// `device` is what its owner calls it, cut where it is too long.
    pub fn new(share: FriendShare, inbox: AccountId, device: &str) -> Self {
        let end = device.floor_char_boundary(MOST_DEVICE_BYTES);
        let device = device.get(..end).unwrap_or_default().to_owned();
        Self { share, inbox, device }
    }

    /// What the owner calls the device.
    pub fn device(&self) -> &str {
        &self.device
    }

    fn read(message: &proto::WarrenTripwire) -> Option<Self> {
        let share = FriendShare::decode(message.share.as_ref()?)?;
        let inbox = message.inbox.as_ref()?.parse().ok()?;
        let device = message.device.as_deref().unwrap_or_default();
        (device.len() <= MOST_DEVICE_BYTES).then(|| Self::new(share, inbox, device))
    }
}

impl Clone for Offer {
    /// A message is kept until it was sent, sealed and unsealed.
    fn clone(&self) -> Self {
        Self { share: self.share.duplicate(), inbox: self.inbox, device: self.device.clone() }
    }
}

impl PartialEq for Offer {
    fn eq(&self, other: &Self) -> bool {
        (&self.share, &self.inbox, &self.device) == (&other.share, &other.inbox, &other.device)
    }
}

impl Eq for Offer {}

/// An order on its way.
#[derive(PartialEq, Eq)]
pub struct CarriedOrder(pub Order);

impl Clone for CarriedOrder {
    /// As for an offer.
    fn clone(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl TripwireMessage {
    pub(super) fn to_proto(&self) -> proto::WarrenTripwire {
        let of =
            |kind: Type| proto::WarrenTripwire { r#type: Some(kind.into()), ..Default::default() };
        let about = |kind: Type, set: &SetId, number: u8| proto::WarrenTripwire {
            set: Some(set.0.to_vec()),
            number: Some(number.into()),
            ..of(kind)
        };
        match self {
            Self::Offer(offer) => proto::WarrenTripwire {
                share: Some(offer.share.encode().expose().to_vec()),
                inbox: Some(offer.inbox.to_string()),
                device: Some(offer.device.clone()),
                ..of(Type::Offer)
            },
            Self::Taken { set, number } => about(Type::Taken, set, *number),
            Self::Declined { set, number } => about(Type::Declined, set, *number),
            Self::Revoked { set } => {
                proto::WarrenTripwire { set: Some(set.0.to_vec()), ..of(Type::Revoked) }
            }
            Self::Tested { set, number, at } => {
                proto::WarrenTripwire { at: Some(*at), ..about(Type::Tested, set, *number) }
            }
            Self::Order(CarriedOrder(order)) => proto::WarrenTripwire {
                order: Some(order.encode().expose().to_vec()),
                ..of(Type::Order)
            },
        }
    }

    /// `None` where it breaks a rule of its kind or is of a later version.
    pub(super) fn read(message: &proto::WarrenTripwire) -> Option<Self> {
        let set = || Some(SetId(message.set.as_ref()?.as_slice().try_into().ok()?));
        let number = || u8::try_from(message.number?).ok();
        match Type::try_from(message.r#type?).ok()? {
            Type::Offer => Offer::read(message).map(Self::Offer),
            Type::Taken => Some(Self::Taken { set: set()?, number: number()? }),
            Type::Declined => Some(Self::Declined { set: set()?, number: number()? }),
            Type::Revoked => Some(Self::Revoked { set: set()? }),
            Type::Tested => Some(Self::Tested { set: set()?, number: number()?, at: message.at? }),
            Type::Order => {
                Order::decode(message.order.as_ref()?).map(|order| Self::Order(CarriedOrder(order)))
            }
        }
    }
}

impl fmt::Debug for TripwireMessage {
    /// A log holds no share, and no inbox.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer(_) => "Tripwire(Offer)",
            Self::Taken { .. } => "Tripwire(Taken)",
            Self::Declined { .. } => "Tripwire(Declined)",
            Self::Revoked { .. } => "Tripwire(Revoked)",
            Self::Tested { .. } => "Tripwire(Tested)",
            Self::Order(_) => "Tripwire(Order)",
        })
    }
}
