//! May this be stored, may that be read? The only place where such a claim becomes a checked request.

use warren_wire::limits::{
    CLOCK_TOLERANCE, DEFAULT_MAX_SIZE, FORWARDED_TOLERANCE, MAX_PRIVATE_TTL, MAX_PUBLIC_TTL,
    MAX_RETRIEVE_BYTES, MIN_TTL, SIGNATURE_TOLERANCE, STORE_FUTURE,
};
use warren_wire::record::{Rights, SubaccountToken};
use warren_wire::rpc::{
    GetExpiriesRequest, RetrieveRequest, RevokedRequest, StoreRequest, UnverifiedAuth, signed,
};
use warren_wire::{Access, AccountId, MessageHash, Millis, Namespace};

use crate::answer::Answer;
use crate::auth;

/// Who brought the request, which decides how old a signature may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client.
    Client,
    /// Another member of the swarm, which passes on what a client asks. Times are held against the
    /// time at which the swarm took the request in.
    Swarm,
    /// Another member of the swarm, which kept it, its expiry moved by later stores of the same
    /// message. Times as for [`Origin::Swarm`].
    Kept,
}

impl Origin {
    /// How far a signature's time may lie from the time it is held against.
    pub const fn tolerance(self) -> Millis {
        match self {
            Self::Client => SIGNATURE_TOLERANCE,
            Self::Swarm | Self::Kept => FORWARDED_TOLERANCE,
        }
    }

    /// How far clocks may lie apart besides.
    const fn skew(self) -> Millis {
        match self {
            Self::Client => 0,
            Self::Swarm | Self::Kept => CLOCK_TOLERANCE,
        }
    }
}

/// A message that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedStore {
    hash: MessageHash,
    request: StoreRequest,
    is_counted: bool,
}

impl CheckedStore {
    /// Checks lifetime, clock and, where the namespace needs one, the signature.
    ///
    /// `revoked` are the subaccounts without rights. There are none for what another member took
    /// in: it has asked, and what the swarm keeps does not fall with the right to store it.
    ///
    /// # Errors
    /// 403 for a lifetime or a drawer that takes nothing, 406 for a clock, 401 for a signature.
    pub fn check(
        request: StoreRequest,
        now: Millis,
        origin: Origin,
        revoked: &[SubaccountToken],
    ) -> Result<Self, Answer> {
        if request.namespace == Namespace::TESTING {
            return Err(Answer::refuse(403, "store: namespace -3741 is reserved for testing"));
        }
        let public = is_public(request.namespace);
        let longest = if public { MAX_PUBLIC_TTL } else { MAX_PRIVATE_TTL };
        let ttl = request.expiry.saturating_sub(request.timestamp);
        let slack = STORE_FUTURE + origin.skew();
        let fits = match origin {
            // An order may have moved the expiry of a copy before.
            Origin::Kept => request.expiry <= now.saturating_add(MAX_PRIVATE_TTL + slack),
            Origin::Client | Origin::Swarm => (MIN_TTL..=longest).contains(&ttl),
        };
        if !fits {
            return Err(Answer::refuse(403, "Provided expiry/TTL is not valid."));
        }
        let in_future = request.timestamp > now.saturating_add(slack);
        let expired = request.expiry < now.saturating_sub(slack);
        if in_future || expired {
            return Err(Answer::refuse(406, "Timestamp error: check your clock"));
        }
        if !public {
            check_store_signature(&request, now, origin, revoked)?;
        }
        let hash = MessageHash::compute(&request.account, request.namespace, &request.data)
            .map_err(|_| Answer::refuse(500, "request failed"))?;
        Ok(Self { hash, request, is_counted: false })
    }

    /// Has all members count it against the mailbox: it came from nobody who has a bucket of their own
    /// at the member that took it in.
    #[must_use]
    pub fn counted(self) -> Self {
        Self { is_counted: true, ..self }
    }

    /// Whether all members count it.
    pub const fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// The message's name.
    pub const fn hash(&self) -> &MessageHash {
        &self.hash
    }

    /// What is to be stored.
    pub const fn request(&self) -> &StoreRequest {
        &self.request
    }

    /// The signature, where one is needed: rights that the owner took count only then.
    pub fn needed_auth(&self) -> Option<&UnverifiedAuth> {
        self.request.auth.as_ref().filter(|_| !is_public(self.request.namespace))
    }

    /// Whether the message replaces all others in its drawer.
    pub fn replaces_all(&self) -> bool {
        self.request.namespace.access() == Access::PublicOutbox
    }
}

/// What is said of a signature under a store that does not fit, or is by a revoked subaccount.
pub const STORE_UNVERIFIED: &str = "store signature verification failed";
/// The same of a retrieve.
pub const RETRIEVE_UNVERIFIED: &str = "retrieve signature verification failed";
/// The same of a question about expiries.
pub const EXPIRIES_UNVERIFIED: &str = "get_expiries signature verification failed";

/// Whether anyone may store there.
const fn is_public(namespace: Namespace) -> bool {
    namespace.number() % 10 == 0
}

fn check_store_signature(
    request: &StoreRequest,
    now: Millis,
    origin: Origin,
    revoked: &[SubaccountToken],
) -> Result<(), Answer> {
    let namespace = request.namespace;
    let Some(claimed) = &request.auth else {
        return Err(Answer::refuse(
            401,
            format!("store: signature required to store to namespace {namespace}"),
        ));
    };
    if request.signed_at.abs_diff(now) > origin.tolerance() {
        return Err(Answer::refuse(406, "store signature timestamp too far from current time"));
    }
    let rights = match namespace.access() {
        Access::PublicOutbox => Rights::WRITE.and(Rights::DELETE),
        _ => Rights::WRITE,
    };
    let text = signed::store(namespace, request.signed_at);
    auth::verify(&request.account, claimed, rights, text.as_bytes(), revoked)
        .map_err(|_| Answer::refuse(401, STORE_UNVERIFIED))
}

/// A mailbox that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRetrieve {
    /// Whose mailbox.
    pub account: AccountId,
    /// Which drawer.
    pub namespace: Namespace,
    /// Only what this node received after that message.
    pub after: Option<MessageHash>,
    /// At most so many messages; with 0 there are none, and no more either.
    pub max_count: Option<usize>,
    /// At most so many bytes.
    pub max_size: usize,
    /// Whether the newest come first.
    pub newest_first: bool,
}

impl CheckedRetrieve {
    /// Checks the signature, where the namespace needs one or one is given.
    ///
    /// `revoked` are the subaccounts without rights; in some drawers they may read still.
    ///
    /// # Errors
    /// 401 for a signature, 406 for a clock.
    pub fn check(
        request: &RetrieveRequest,
        now: Millis,
        revoked: &[SubaccountToken],
    ) -> Result<Self, Answer> {
        let open = matches!(request.namespace.access(), Access::Open | Access::PublicOutbox);
        match &request.auth {
            Some((claimed, signed_at)) => {
                if signed_at.abs_diff(now) > SIGNATURE_TOLERANCE {
                    return Err(Answer::refuse(
                        406,
                        "retrieve timestamp too far from current time",
                    ));
                }
                let revoked =
                    if request.namespace.outlives_revocation() { &[][..] } else { revoked };
                let text = signed::retrieve(request.namespace, *signed_at);
                auth::verify(&request.account, claimed, Rights::READ, text.as_bytes(), revoked)
                    .map_err(|_| Answer::refuse(401, RETRIEVE_UNVERIFIED))?;
            }
            None if open => {}
            None => return Err(Answer::refuse(401, "retrieve: request signature required")),
        }
        let (max_count, max_size) = budget(request.max_count, request.max_size);
        let nothing = request.namespace == Namespace::TESTING;
        let max_count = if nothing { Some(0) } else { max_count };
        Ok(Self {
            account: request.account,
            namespace: request.namespace,
            after: request.after,
            max_count,
            max_size,
            newest_first: request.newest_first,
        })
    }
}

/// What a reply may hold. 0 counts as unsaid.
///
/// Of a size, -n is one n-th of the most a reply may carry. Of a count, -1 is none at all and less
/// is no bound, as the reference node's database has it; any count unlocks the largest size.
fn budget(max_count: Option<i64>, max_size: Option<i64>) -> (Option<usize>, usize) {
    let max_count = max_count.filter(|count| *count != 0);
    let max_size = match max_size.filter(|size| *size != 0) {
        None if max_count.is_none() => DEFAULT_MAX_SIZE,
        None => -1,
        Some(size) => size,
    };
    let max_count = match max_count {
        Some(-1) => Some(0),
        other => other.and_then(|count| usize::try_from(count).ok()),
    };
    let magnitude = usize::try_from(max_size.unsigned_abs()).unwrap_or(usize::MAX);
    let bytes = if max_size < 0 {
        MAX_RETRIEVE_BYTES / magnitude
    } else {
        magnitude.min(MAX_RETRIEVE_BYTES)
    };
    (max_count, bytes)
}

/// Checks that a question about expiries may be answered.
///
/// # Errors
/// 406 for a clock, 401 for a signature.
pub fn check_get_expiries(
    request: &GetExpiriesRequest,
    now: Millis,
    revoked: &[SubaccountToken],
) -> Result<(), Answer> {
    if request.timestamp.abs_diff(now) > SIGNATURE_TOLERANCE {
        return Err(Answer::refuse(406, "get_expiries timestamp too far from current time"));
    }
    let text = signed::get_expiries(request);
    auth::verify(&request.account, &request.auth, Rights::READ, text.as_bytes(), revoked)
        .map_err(|_| Answer::refuse(401, EXPIRIES_UNVERIFIED))
}

/// Checks that a question about revoked subaccounts may be answered.
///
/// # Errors
/// 406 for a clock, 401 for a signature.
pub fn check_revoked(request: &RevokedRequest, now: Millis) -> Result<(), Answer> {
    if request.timestamp.abs_diff(now) > SIGNATURE_TOLERANCE {
        return Err(Answer::refuse(406, "revoked_subaccounts timestamp too far from current time"));
    }
    let text = signed::revoked_subaccounts(request.timestamp);
    auth::verify_owner(&request.account, &request.auth, text.as_bytes())
        .map_err(|_| Answer::refuse(401, "revoked_subaccounts signature verification failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_reply_follows_what_the_client_says() {
        assert_eq!(budget(None, None), (None, MAX_RETRIEVE_BYTES / 5));
        assert_eq!(budget(Some(0), Some(0)), (None, MAX_RETRIEVE_BYTES / 5));
        assert_eq!(budget(Some(7), None), (Some(7), MAX_RETRIEVE_BYTES));
        assert_eq!(budget(None, Some(-3)), (None, MAX_RETRIEVE_BYTES / 3));
        assert_eq!(budget(None, Some(i64::MIN)), (None, 0));
        assert_eq!(budget(None, Some(1_000)), (None, 1_000));
        assert_eq!(budget(None, Some(i64::MAX)), (None, MAX_RETRIEVE_BYTES));
        assert_eq!(budget(Some(-2), Some(1)), (None, 1));
        assert_eq!(budget(Some(-2), None), (None, MAX_RETRIEVE_BYTES));
        assert_eq!(budget(Some(i64::MIN), Some(0)), (None, MAX_RETRIEVE_BYTES));
        assert_eq!(budget(Some(-1), None), (Some(0), MAX_RETRIEVE_BYTES));
    }
}
