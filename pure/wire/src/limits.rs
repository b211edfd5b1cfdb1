//! Numbers that nodes and clients must agree on (wire spec, section 4).

/// Milliseconds since the Unix epoch, as every timestamp on this wire.
pub type Millis = u64;

/// One second.
pub const SECOND: Millis = 1_000;
/// One day.
pub const DAY: Millis = 24 * 60 * 60 * SECOND;

/// The most bytes of data one message may carry.
pub const MAX_DATA_BYTES: usize = 76_800;
/// The most bytes a request body may have.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The most values (numbers, texts, lists, dictionaries) that a request may hold: a deletion has one
/// for each message, a change of expiries two.
pub const MAX_VALUES: usize = 65_536;
/// The most lists and dictionaries among them, which take far more memory than their bytes: a batch
/// of 20 has some 50.
pub const MAX_CONTAINERS: usize = 4_096;
/// The same for bencode: a request read within [`MAX_VALUES`] is passed on with a few more.
pub const MAX_BENCODE_VALUES: usize = MAX_VALUES + 16;
/// As [`MAX_CONTAINERS`].
pub const MAX_BENCODE_CONTAINERS: usize = MAX_CONTAINERS + 16;
/// The shortest life a message may ask for.
pub const MIN_TTL: Millis = 10 * SECOND;
/// The longest life in a namespace where anyone may store.
pub const MAX_PUBLIC_TTL: Millis = 14 * DAY;
/// The longest life in a namespace where the owner signs.
pub const MAX_PRIVATE_TTL: Millis = 30 * DAY;
/// How long a client lets a message wait.
pub const MESSAGE_TTL: Millis = 14 * DAY;
/// How far a store's timestamp may lie in the future.
pub const STORE_FUTURE: Millis = 10 * SECOND;
/// How far a signature's timestamp may lie to either side.
pub const SIGNATURE_TOLERANCE: Millis = 60 * SECOND;
/// How far the clocks of two members of a swarm may lie apart: each ten minutes off.
pub const CLOCK_TOLERANCE: Millis = 20 * 60 * SECOND;
/// How far the timestamp of a request that a member passes on may lie from the time at which the
/// swarm took it in: what a client may, and what the members' clocks may.
pub const FORWARDED_TOLERANCE: Millis = CLOCK_TOLERANCE + SIGNATURE_TOLERANCE;
/// The most requests in a batch or sequence.
pub const MAX_BATCH: usize = 20;
/// What `max_size` -1 stands for: all that one reply may carry.
pub const MAX_RETRIEVE_BYTES: usize = 7_800_000;
/// The `max_size` of a client that names none.
pub const DEFAULT_MAX_SIZE: i64 = -5;
/// The most hops an onion may have.
pub const MAX_HOPS: u8 = 15;
/// The most subaccounts of one account that may be revoked, at once and in all.
pub const MAX_REVOKED: usize = 50;
/// The most characters of base64 that stand for [`MAX_DATA_BYTES`].
pub const MAX_DATA_BASE64: usize = MAX_DATA_BYTES.div_ceil(3) * 4;
