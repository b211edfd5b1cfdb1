//! Who began which upload in parts, so that nobody takes all places. In memory alone: addresses are
//! not written.

use std::collections::{HashMap, HashSet};

use super::content::ObjectName;
use super::options::FilesOptions;
use crate::held::Share;
use crate::limits::network::Network;

/// The part of the places and of the room that one client may take with uploads that go on.
const CLIENT_SHARE: u64 = 16;
/// The part that all clients of one IPv6 site may take together.
const SITE_SHARE: u64 = 2;
/// The part that is kept from those whose address is not known, because they come as onions.
const KEPT_FROM_UNKNOWN: u64 = 4;

/// What some uploads together may take.
pub(super) struct Limit {
    /// Which uploads; all where there is none.
    pub(super) of: Option<HashSet<ObjectName>>,
    /// The most of them.
    pub(super) places: u64,
    /// How many bytes they may still bring.
    pub(super) room: u64,
}

impl Limit {
    pub(super) fn covers(&self, object: &ObjectName) -> bool {
        self.of.as_ref().is_none_or(|of| of.contains(object))
    }
}

/// Uploads that go on, and who began them; after a restart nobody did.
#[derive(Default)]
pub(super) struct Claims {
    begun: HashMap<ObjectName, Option<Network>>,
}

impl Claims {
    /// What bounds one more upload, where `room` bytes may still come in all. One upload of the
    /// largest size there is room for in every share.
    pub(super) fn limits(&self, who: Share, options: &FilesOptions, room: u64) -> Vec<Limit> {
        let part = |of: HashSet<ObjectName>, part: fn(u64) -> u64| Limit {
            of: Some(of),
            places: part(options.open_uploads).max(1),
            room: part(room).max(options.largest_bytes),
        };
        let all = Limit { of: None, places: options.open_uploads, room };
        let begun = |by: &dyn Fn(Network) -> bool| self.begun(|who| who.is_some_and(by));
        match who {
            Share::Unknown => {
                let of = self.begun(|who| who.is_none());
                vec![all, part(of, |whole| whole - whole / KEPT_FROM_UNKNOWN)]
            }
            Share::Client(client) => {
                let own = part(begun(&|other| other == client), |whole| whole / CLIENT_SHARE);
                let site = client.site().map(|site| {
                    let of = begun(&|other| other.site() == Some(site));
                    part(of, |whole| whole / SITE_SHARE)
                });
                [all, own].into_iter().chain(site).collect()
            }
        }
    }

    fn begun(&self, by: impl Fn(Option<Network>) -> bool) -> HashSet<ObjectName> {
        let begun = self.begun.iter().filter(|(_, who)| by(**who));
        begun.map(|(object, _)| *object).collect()
    }

    /// Notes an upload that was begun, and forgets those that are not among the living.
    pub(super) fn claim(&mut self, new: ObjectName, who: Share, living: &HashSet<ObjectName>) {
        self.begun.retain(|object, _| living.contains(object));
        let who = match who {
            Share::Client(client) => Some(client),
            Share::Unknown => None,
        };
        self.begun.insert(new, who);
    }
}
