//! What every kind of configuration offers, whatever it holds.

use std::collections::BTreeSet;

use warren_wire::{Millis, Namespace};

use crate::base::{Config, ConfigError, Push};

/// A configuration that devices keep in step. Of [`Config`]'s own functions use these, where there
/// are both: some kinds put things in order before a push and after a merge.
pub trait Synced {
    /// The configuration.
    fn config(&self) -> &Config;

    /// The configuration, to be changed.
    fn config_mut(&mut self) -> &mut Config;

    /// Where it is stored.
    fn namespace(&self) -> Namespace {
        self.config().kind().namespace
    }

    /// Whether there is something that the swarm has not confirmed.
    fn needs_push(&self) -> bool {
        self.config().needs_push()
    }

    /// What to store now; see [`Config::push`].
    ///
    /// # Errors
    /// As [`Config::push`].
    fn push(&mut self, now: Millis) -> Result<Push, ConfigError> {
        self.config_mut().push(now)
    }

    /// Notes that the swarm has what [`Synced::push`] gave; see [`Config::confirm_pushed`].
    fn confirm_pushed(&mut self, seqno: i64, hashes: Vec<String>) {
        self.config_mut().confirm_pushed(seqno, hashes);
    }

    /// Takes in messages from the swarm; see [`Config::merge`].
    ///
    /// # Errors
    /// As [`Config::merge`].
    fn merge(
        &mut self,
        messages: &[(String, Vec<u8>)],
        now: Millis,
    ) -> Result<BTreeSet<String>, ConfigError> {
        self.config_mut().merge(messages, now)
    }

    /// Whether [`Synced::dump`] would give something new.
    fn needs_dump(&self) -> bool {
        self.config().needs_dump()
    }

    /// The state, to be kept on this device; see [`Config::dump`].
    ///
    /// # Errors
    /// As [`Config::dump`].
    fn dump(&mut self, now: Millis) -> Result<Vec<u8>, ConfigError> {
        self.config_mut().dump(now)
    }

    /// The state, to be kept between two changes: as [`Synced::dump`], and a reload goes on changing
    /// the same message, where a dump's reload begins another.
    ///
    /// # Errors
    /// As [`Config::dump`].
    fn suspend(&mut self, now: Millis) -> Result<Vec<u8>, ConfigError> {
        let dump = self.dump(now)?;
        Ok(self.config().with_base(dump))
    }

    /// The storage hashes whose life must be prolonged.
    fn active_hashes(&self, now: Millis) -> BTreeSet<String> {
        self.config().active_hashes(now)
    }

    /// Takes back what [`Synced::push`] gave as obsolete, to be named by [`Synced::take_obsolete`]
    /// once the push is confirmed: for a device that may end in between.
    fn keep_obsolete(&mut self, hashes: Vec<String>) {
        self.config_mut().keep_obsolete(hashes);
    }

    /// The storage hashes that may be deleted though nothing is pushed.
    fn take_obsolete(&mut self) -> Vec<String> {
        self.config_mut().take_obsolete()
    }
}

/// Makes a kind of configuration that belongs to one account, encrypted with the account's seed.
macro_rules! account_config {
    ($kind:ident, $number:literal, $domain:literal) => {
        impl $kind {
            /// Where it is stored and under which name it is encrypted.
            pub const KIND: $crate::base::Kind = $crate::base::Kind {
                namespace: warren_wire::Namespace::new($number),
                domain: $domain,
                wrapped: true,
            };

            /// An empty one, encrypted with the account's Ed25519 seed.
            ///
            /// # Errors
            /// Never; the library's result is passed on.
            pub fn new(seed: warren_crypto::Secret<32>) -> Result<Self, $crate::base::ConfigError> {
                let signing = $crate::base::Signing::None;
                let mut config = $crate::base::Config::new(Self::KIND, signing)?;
                config.add_key(seed, true);
                Ok(Self::from_config(config))
            }

            /// The one that was dumped.
            ///
            /// # Errors
            /// [`ConfigError::Damaged`](crate::ConfigError::Damaged) where the bytes are no dump.
            pub fn load(
                seed: warren_crypto::Secret<32>,
                dump: &[u8],
                now: warren_wire::Millis,
            ) -> Result<Self, $crate::base::ConfigError> {
                let signing = $crate::base::Signing::None;
                let mut config = $crate::base::Config::load(Self::KIND, signing, dump, now)?;
                config.add_key(seed, true);
                Ok(Self::from_config(config))
            }
        }
    };
}

/// Makes a kind of configuration that belongs to a group: its admins sign, its keys encrypt.
macro_rules! group_config {
    ($kind:ident, $number:literal, $domain:literal) => {
        impl $kind {
            /// Where it is stored and under which name it is encrypted.
            pub const KIND: $crate::base::Kind = $crate::base::Kind {
                namespace: warren_wire::Namespace::new($number),
                domain: $domain,
                wrapped: false,
            };

            /// An empty one. Encryption keys come from the group's key messages.
            ///
            /// # Errors
            /// Never; the library's result is passed on.
            pub fn new(signing: $crate::base::Signing) -> Result<Self, $crate::base::ConfigError> {
                $crate::base::Config::new(Self::KIND, signing).map(Self::from_config)
            }

            /// The one that was dumped, without its encryption keys.
            ///
            /// # Errors
            /// [`ConfigError::Damaged`](crate::ConfigError::Damaged) where the bytes are no dump.
            pub fn load(
                signing: $crate::base::Signing,
                dump: &[u8],
                now: warren_wire::Millis,
            ) -> Result<Self, $crate::base::ConfigError> {
                $crate::base::Config::load(Self::KIND, signing, dump, now).map(Self::from_config)
            }
        }
    };
}

pub(crate) use {account_config, group_config};
