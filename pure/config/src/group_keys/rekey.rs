//! Making a new key for a group, and handing its keys to those who were added.
//!
//! ```text
//! S             = BLAKE2b-32(group seed, key = "SessionGroupKeySeed")
//! key || nonce  = BLAKE2b-56(sorted member ids in hex || decimal generation || S, key = "SessionGroupKeyGen")
//! junk          = expand(BLAKE2b-32(key || nonce || group seed || GroupEd, key = "SessionGroupJunkMembers"))
//! supplement    : nonce = BLAKE2b-24(member ids in hex || list of keys || S, key = "SessionGroupKeyGen")
//! ```
//!
//! Nothing is random: two admins who change a group in the same way make the same bytes, and the
//! swarm keeps one copy.

use warren_account::Group;
use warren_crypto::aead::{self, XCHACHA_NONCE_BYTES};
use warren_crypto::expand::expand;
use warren_crypto::{Secret, hash, multi_recipient};
use warren_wire::bencode;
use warren_wire::value::{Dict, Value};
use warren_wire::{AccountId, AccountKind};

use super::message::{self, KEY_COPY_BYTES};
use super::{ADMIN_DOMAIN, GroupKeys, KeysError, MEMBER_DOMAIN, Pending};

/// The copies of a new key are filled up with junk to a multiple of this, which hides how many
/// members there are. libsession refuses other numbers of copies.
pub const COPIES_MULTIPLE: usize = 45;

/// What sets the secret behind new keys apart from other secrets of the admins.
const SEED_DOMAIN: &[u8] = b"SessionGroupKeySeed";
/// What sets the hash behind new keys and nonces apart from other hashes.
const KEY_DOMAIN: &[u8] = b"SessionGroupKeyGen";
/// What sets the seed of the junk apart from other hashes.
const JUNK_DOMAIN: &[u8] = b"SessionGroupJunkMembers";

impl GroupKeys {
    /// Makes a key of the next generation for `members` and returns what to store in namespace 12.
    ///
    /// `members` are all who shall read on, admins and those with a pending invitation included. The
    /// key is in use at once; information and members of the group are to be written again under it.
    ///
    /// # Errors
    /// [`KeysError::OtherGroup`] where the admin's key is another group's.
    pub fn rekey(&mut self, admin: &Group, members: &[AccountId]) -> Result<&[u8], KeysError> {
        if admin.id() != self.group {
            return Err(KeysError::OtherGroup);
        }
        let generation = match self.keys.newest() {
            Some(newest) => newest.generation.checked_add(1).ok_or(KeysError::NoGeneration)?,
            None => 0,
        };
        let members = sorted_people(members);
        let (key, nonce) = derive(admin, &members, generation)?;
        let mut dict = Dict::new();
        dict.insert("#".to_owned(), Value::Bytes(nonce.to_vec()));
        dict.insert("G".to_owned(), Value::Integer(generation.into()));
        let admins = admin.derive(ADMIN_DOMAIN)?;
        let copy = aead::xchacha_seal(&admins, &nonce, key.expose(), &[])?;
        dict.insert("K".to_owned(), Value::Bytes(copy));
        let mut copies = seal_copies(admin, &members, &nonce, key.expose());
        add_junk(admin, &key, &nonce, &mut copies)?;
        dict.insert("k".to_owned(), Value::List(copies));
        let message = message::write(admin, dict)?;
        self.needs_dump = true;
        let pending = self.pending.insert(Pending { generation, key, message });
        Ok(&pending.message)
    }

    /// Seals all keys that came from the swarm for `members`, who were added and may read what was
    /// said before. A pending key is not among them.
    ///
    /// # Errors
    /// Where there is no key, no member, or the admin's key is another group's.
    pub fn supplement(&self, admin: &Group, members: &[AccountId]) -> Result<Vec<u8>, KeysError> {
        if admin.id() != self.group {
            return Err(KeysError::OtherGroup);
        }
        let newest = self.keys.newest().ok_or(KeysError::NoKeys)?;
        let list = bencode::encode(&self.keys.to_value()).map_err(|_| KeysError::Malformed)?;
        let secret = admin.derive(SEED_DOMAIN)?;
        let ids = in_hex(members);
        let nonce = hash::blake2b_keyed(KEY_DOMAIN, &[ids.as_bytes(), &list, secret.expose()])?;
        let copies = seal_copies(admin, members, &nonce, &list);
        if copies.is_empty() {
            return Err(KeysError::NoMembers);
        }
        let mut dict = Dict::new();
        dict.insert("#".to_owned(), Value::Bytes(nonce.to_vec()));
        dict.insert("+".to_owned(), Value::List(copies));
        dict.insert("G".to_owned(), Value::Integer(newest.generation.into()));
        message::write(admin, dict)
    }
}

fn sorted_people(members: &[AccountId]) -> Vec<AccountId> {
    let mut members = members.to_vec();
    members.sort_unstable();
    members.dedup();
    members
}

fn in_hex(members: &[AccountId]) -> String {
    members.iter().map(ToString::to_string).collect()
}

fn derive(
    admin: &Group,
    members: &[AccountId],
    generation: i64,
) -> Result<(Secret<32>, [u8; XCHACHA_NONCE_BYTES]), KeysError> {
    let secret = admin.derive(SEED_DOMAIN)?;
    let ids = in_hex(members);
    let decimal = generation.to_string();
    let parts: [&[u8]; 3] = [ids.as_bytes(), decimal.as_bytes(), secret.expose()];
    let wide = Secret::<56>::take(&mut hash::blake2b_keyed(KEY_DOMAIN, &parts)?);
    let (key, nonce) = wide.expose().split_at(32);
    let key = Secret::from_slice(key).ok_or(KeysError::Malformed)?;
    Ok((key, nonce.try_into().map_err(|_| KeysError::Malformed)?))
}

/// One copy for each member whose key is one.
fn seal_copies(
    admin: &Group,
    members: &[AccountId],
    nonce: &[u8; XCHACHA_NONCE_BYTES],
    text: &[u8],
) -> Vec<Value> {
    let people = members.iter().filter(|member| member.kind() == AccountKind::Person);
    people
        .filter_map(|member| {
            let key = member.x25519();
            multi_recipient::seal(admin.x25519(), &key, MEMBER_DOMAIN, nonce, text).ok()
        })
        .map(Value::Bytes)
        .collect()
}

fn add_junk(
    admin: &Group,
    key: &Secret<32>,
    nonce: &[u8; XCHACHA_NONCE_BYTES],
    copies: &mut Vec<Value>,
) -> Result<(), KeysError> {
    let missing = copies.len().next_multiple_of(COPIES_MULTIPLE) - copies.len();
    let public = admin.signing_key().verifying_key();
    let parts: [&[u8]; 4] = [key.expose(), nonce, admin.seed().expose(), public.as_bytes()];
    let seed = Secret::take(&mut hash::blake2b_keyed(JUNK_DOMAIN, &parts)?);
    let junk = expand(&seed, missing * KEY_COPY_BYTES);
    copies.extend(junk.chunks(KEY_COPY_BYTES).map(|copy| Value::Bytes(copy.to_vec())));
    Ok(())
}
