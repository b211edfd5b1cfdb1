//! What the account's owner says of themselves, and how their notes to self behave.
//!
//! | key | what |
//! |---|---|
//! | `n` | name |
//! | `p`, `q`, `t` | picture and its key as the owner chose them, and when anything here last changed (s) |
//! | `P`, `Q`, `T` | the same picture stored once more before it expired, and when; counts where `T` > `t` |
//! | `+` | priority of the notes to self; -1 hides them |
//! | `e` | timer of the notes to self (s) |
//! | `M` | 1 or 0: whether message requests from communities are taken |
//! | `f` | set of feature numbers |
//! | `s`, `E`, `A`, `G`, `I`, `R` | of Session Pro: kept, not touched |

use warren_wire::Millis;

use crate::base::tree::Value;
use crate::base::{Config, ConfigError};
use crate::entry::Entry;
use crate::synced::{Synced, account_config};
use crate::values::{
    MAX_NAME_BYTES, ProfilePicture, Seconds, bits, bytes, check_length, seconds, small, text,
    to_seconds,
};

/// The owner's profile: namespace 2.
pub struct UserProfile {
    config: Config,
}

account_config!(UserProfile, 2, "UserProfile");

impl Synced for UserProfile {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

impl UserProfile {
    const fn from_config(config: Config) -> Self {
        Self { config }
    }

    fn entry(&mut self) -> Entry<'_> {
        Entry::new(&mut self.config, &[])
    }

    /// The name, where there is one.
    pub fn name(&self) -> Option<String> {
        Some(text(self.config.data(), b"n")).filter(|name| !name.is_empty())
    }

    /// Changes the name; an empty one removes it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for more than 100 bytes: see [`truncated`](crate::values::truncated).
    pub fn set_name(&mut self, name: &str, now: Millis) -> Result<(), ConfigError> {
        check_length(name, MAX_NAME_BYTES)?;
        if self.name().unwrap_or_default() == name {
            return Ok(());
        }
        self.entry().text(b"n", name)?;
        self.touch(now)
    }

    /// The picture: the one that was stored again, where it is newer than the last change.
    pub fn picture(&self) -> Option<ProfilePicture> {
        let data = self.config.data();
        if seconds(data, b"t") >= seconds(data, b"T") {
            ProfilePicture::read(data)
        } else {
            ProfilePicture::read_keys(data, b"P", b"Q")
        }
    }

    /// Changes or removes the picture.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for an address that is empty or too long.
    pub fn set_picture(
        &mut self,
        picture: Option<&ProfilePicture>,
        now: Millis,
    ) -> Result<(), ConfigError> {
        if self.put_picture(b"p", b"q", picture)? {
            if picture.is_none() {
                self.set_stored_again(None, now)?;
            }
            self.entry().seconds(b"t", to_seconds(now))?;
        }
        Ok(())
    }

    /// Notes where the same picture was stored again, so that it does not expire.
    ///
    /// # Errors
    /// As [`UserProfile::set_picture`].
    pub fn set_stored_again(
        &mut self,
        picture: Option<&ProfilePicture>,
        now: Millis,
    ) -> Result<(), ConfigError> {
        if self.put_picture(b"P", b"Q", picture)? {
            self.entry().seconds(b"T", to_seconds(now))?;
        }
        Ok(())
    }

    /// Writes a picture; whether that changed anything.
    fn put_picture(
        &mut self,
        url: &'static [u8],
        key: &'static [u8],
        picture: Option<&ProfilePicture>,
    ) -> Result<bool, ConfigError> {
        ProfilePicture::check(picture)?;
        let data = self.config.data();
        let old = (bytes(data, url).unwrap_or_default(), bytes(data, key).unwrap_or_default());
        let new = picture.map_or((&b""[..], &b""[..]), |picture| {
            (picture.url.as_bytes(), picture.key.expose().as_slice())
        });
        if old == new {
            return Ok(false);
        }
        let mut entry = self.entry();
        entry.put(url, picture.map(|picture| picture.url.as_str().into()))?;
        entry.put(key, picture.map(|picture| picture.key.expose().as_slice().into()))?;
        Ok(true)
    }

    /// Notes that something changed, on the one of both times that counts.
    fn touch(&mut self, now: Millis) -> Result<(), ConfigError> {
        let data = self.config.data();
        let key = if seconds(data, b"t") >= seconds(data, b"T") { b"t" } else { b"T" };
        self.entry().seconds(key, to_seconds(now))
    }

    /// When the profile last changed; 0 where it never did.
    pub fn updated(&self) -> Seconds {
        let data = self.config.data();
        match seconds(data, b"t") {
            0 => 0,
            time => time.max(seconds(data, b"T")),
        }
    }

    /// Where notes to self stand in the list: higher first, 0 unpinned, -1 hidden.
    pub fn note_to_self_priority(&self) -> i32 {
        small(self.config.data(), b"+")
    }

    /// Pins, unpins or hides notes to self.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn set_note_to_self_priority(&mut self, priority: i32) -> Result<(), ConfigError> {
        self.entry().number(b"+", priority.into())
    }

    /// After how many seconds notes to self disappear.
    pub fn note_to_self_timer(&self) -> Option<Seconds> {
        Some(seconds(self.config.data(), b"e")).filter(|timer| *timer > 0)
    }

    /// Changes or (with `None`) stops the timer of notes to self.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn set_note_to_self_timer(&mut self, timer: Option<Seconds>) -> Result<(), ConfigError> {
        self.entry().seconds(b"e", timer.unwrap_or(0))
    }

    /// Whether message requests from communities are taken; `None` where nobody said.
    pub fn blinded_requests(&self) -> Option<bool> {
        self.config.get(&[b"M"])?.as_integer().map(|number| number != 0)
    }

    /// Takes or refuses message requests from communities, or leaves it to the app.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn set_blinded_requests(
        &mut self,
        taken: Option<bool>,
        now: Millis,
    ) -> Result<(), ConfigError> {
        if self.blinded_requests() == taken {
            return Ok(());
        }
        self.entry().put(b"M", taken.map(|taken| Value::from(i64::from(taken))))?;
        self.touch(now)
    }

    /// Bits of the features that the profile shows.
    pub fn features(&self) -> u64 {
        bits(self.config.data(), b"f")
    }
}
