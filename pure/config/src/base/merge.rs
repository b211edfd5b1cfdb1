//! What a device makes of the messages that others stored.

use std::collections::BTreeSet;

use warren_wire::Millis;

use super::config::{Config, ConfigError, State};
use super::message::Message;
use super::parts::PART;
use super::resolve::{Resolution, resolve};
use super::seal;
use super::tree::Dict;

/// A message that takes part in a merge.
struct Candidate {
    hashes: BTreeSet<String>,
    message: Message,
    mine: bool,
}

impl Config {
    /// Takes in messages from the swarm, each with its storage hash, unwrapped and still encrypted.
    /// Returns the hashes of those that could be read, whether they brought something or not; the
    /// others may be from the future and are to be left alone.
    ///
    /// # Errors
    /// [`ConfigError::NoKey`], or where the library refuses.
    pub fn merge(
        &mut self,
        messages: &[(String, Vec<u8>)],
        now: Millis,
    ) -> Result<BTreeSet<String>, ConfigError> {
        if self.keys.is_empty() {
            return Err(ConfigError::NoKey);
        }
        let mut good = BTreeSet::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (hash, sealed) in messages {
            let Some(plain) = self.open(sealed) else { continue };
            self.read(hash, &plain, now, &mut good, &mut candidates);
        }
        self.parts.expire(now);
        self.add_mine(&mut candidates)?;
        let read: Vec<&Message> = candidates.iter().map(|candidate| &candidate.message).collect();
        if let Some(resolution) = resolve(&read, !self.is_read_only()) {
            self.adopt(candidates, resolution)?;
        }
        Ok(good)
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.keys.iter().find_map(|key| seal::open(sealed, key, self.kind.domain).ok())
    }

    /// Reads a decrypted message, or joins a part to its set.
    fn read(
        &mut self,
        hash: &str,
        plain: &[u8],
        now: Millis,
        good: &mut BTreeSet<String>,
        candidates: &mut Vec<Candidate>,
    ) {
        let body = seal::unpad(plain);
        let mut hashes = BTreeSet::from([hash.to_owned()]);
        let joined;
        let body = if body.first() == Some(&PART) {
            let Ok((fresh, whole)) = self.parts.take(hash, body, now) else { return };
            self.needs_dump |= fresh;
            good.insert(hash.to_owned());
            let Some(whole) = whole else { return };
            hashes = whole.hashes.into_iter().collect();
            joined = whole.body;
            seal::unpad(&joined)
        } else {
            body
        };
        let trust = self.signing.trust();
        let message = seal::decompress(body).and_then(|bytes| Message::read(&bytes, trust).ok());
        if let Some(message) = message {
            good.insert(hash.to_owned());
            candidates.push(Candidate { hashes, message, mine: false });
        } else {
            good.retain(|hash| !hashes.contains(hash));
        }
    }

    /// Adds the current state as if it had come from the swarm: first where the swarm is known to have
    /// it, last otherwise, so that the same message coming from there takes its place.
    fn add_mine(&mut self, candidates: &mut Vec<Candidate>) -> Result<(), ConfigError> {
        if self.message.seqno == 0 && self.state != State::Dirty {
            return Ok(());
        }
        let bytes = self.message.write(self.signing.signer())?;
        if let Ok(message) = Message::read(&bytes, self.signing.trust()) {
            let at = if self.current.is_empty() { candidates.len() } else { 0 };
            let hashes = self.current.clone();
            candidates.insert(at, Candidate { hashes, message, mine: true });
        }
        Ok(())
    }

    fn adopt(
        &mut self,
        mut candidates: Vec<Candidate>,
        resolution: Resolution,
    ) -> Result<(), ConfigError> {
        let chosen = match resolution {
            Resolution::One(index) => Some(index),
            Resolution::Merged(_) => None,
        };
        let kept = chosen.and_then(|index| candidates.get(index)).map(|c| c.hashes.clone());
        let replaced = candidates.iter().filter(|c| Some(&c.hashes) != kept.as_ref());
        self.old.extend(replaced.flat_map(|candidate| candidate.hashes.iter().cloned()));
        match resolution {
            Resolution::Merged(message) => {
                // A message joined while nothing was being changed asserts all it holds, one joined
                // with changes under way nothing: so do other clients, and only equal bytes end a
                // conflict between two who resolve it at once.
                let dirty = self.state == State::Dirty;
                let base = if dirty { message.data.clone() } else { Dict::new() };
                self.message = (*message).into_changing(base);
                self.enter(State::Dirty);
            }
            Resolution::One(index) if index < candidates.len() => {
                let Candidate { hashes, message, mine } = candidates.swap_remove(index);
                if !mine && !self.is_current(&message)? {
                    self.message = message;
                    self.enter(State::Clean);
                    self.old.retain(|hash| !hashes.contains(hash));
                    self.current = hashes;
                }
            }
            Resolution::One(_) => {}
        }
        Ok(())
    }

    /// Whether a message is the one that this device pushed last or took over.
    fn is_current(&mut self, message: &Message) -> Result<bool, ConfigError> {
        if self.state == State::Dirty {
            return Ok(false);
        }
        self.message.settle(self.signing.signer())?;
        Ok((message.seqno, message.hash) == (self.message.seqno, self.message.hash))
    }
}
