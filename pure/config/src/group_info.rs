//! What a group is called and how it behaves, as its admins say: signed by the group's key.
//!
//! | key | what |
//! |---|---|
//! | `n`, `o` | name, description |
//! | `p`, `q` | picture and its key |
//! | `c` | when the group was created (s) |
//! | `E` | after how many seconds messages disappear, counted from sending |
//! | `d`, `D` | messages, or attachments, from before this time (s) are deleted |
//! | `!` | 1 where the group is destroyed, for good |

use crate::base::{Config, ConfigError};
use crate::entry::Entry;
use crate::synced::{Synced, group_config};
use crate::values::{
    MAX_NAME_BYTES, ProfilePicture, Seconds, check_length, flag, seconds, tame_seconds, text,
};

/// The most bytes of UTF-8 in a group's description.
pub const MAX_DESCRIPTION_BYTES: usize = 2000;

/// What a group is: namespace 13 of the group.
pub struct GroupInfo {
    config: Config,
}

group_config!(GroupInfo, 13, "groups::Info");

impl Synced for GroupInfo {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

impl GroupInfo {
    const fn from_config(config: Config) -> Self {
        Self { config }
    }

    fn entry(&mut self) -> Entry<'_> {
        Entry::new(&mut self.config, &[])
    }

    fn text(&self, key: &[u8]) -> Option<String> {
        Some(text(self.config.data(), key)).filter(|text| !text.is_empty())
    }

    fn time(&self, key: &[u8]) -> Option<Seconds> {
        Some(tame_seconds(seconds(self.config.data(), key))).filter(|time| *time > 0)
    }

    /// The name, where there is one.
    pub fn name(&self) -> Option<String> {
        self.text(b"n")
    }

    /// Changes the name; an empty one removes it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for more than 100 bytes, [`ConfigError::ReadOnly`] for a member.
    pub fn set_name(&mut self, name: &str) -> Result<(), ConfigError> {
        check_length(name, MAX_NAME_BYTES)?;
        self.entry().text(b"n", name)
    }

    /// The description, where there is one.
    pub fn description(&self) -> Option<String> {
        self.text(b"o")
    }

    /// Changes the description; an empty one removes it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for more than 2000 bytes, [`ConfigError::ReadOnly`] for a member.
    pub fn set_description(&mut self, description: &str) -> Result<(), ConfigError> {
        check_length(description, MAX_DESCRIPTION_BYTES)?;
        self.entry().text(b"o", description)
    }

    /// The picture, where there is one.
    pub fn picture(&self) -> Option<ProfilePicture> {
        ProfilePicture::read(self.config.data())
    }

    /// Changes or removes the picture.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for an address that is too long, [`ConfigError::ReadOnly`] for a member.
    pub fn set_picture(&mut self, picture: Option<&ProfilePicture>) -> Result<(), ConfigError> {
        ProfilePicture::check(picture)?;
        self.entry().picture(picture)
    }

    /// After how many seconds messages disappear.
    pub fn expiry_timer(&self) -> Option<Seconds> {
        Some(seconds(self.config.data(), b"E")).filter(|timer| *timer > 0)
    }

    /// Changes or (with `None`) stops the timer.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] for a member.
    pub fn set_expiry_timer(&mut self, timer: Option<Seconds>) -> Result<(), ConfigError> {
        self.entry().seconds(b"E", timer.unwrap_or(0))
    }

    /// When the group was created.
    pub fn created(&self) -> Option<Seconds> {
        self.time(b"c")
    }

    /// Notes when the group was created.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] for a member.
    pub fn set_created(&mut self, time: Option<Seconds>) -> Result<(), ConfigError> {
        self.entry().seconds(b"c", tame_seconds(time.unwrap_or(0)))
    }

    /// Before when messages are deleted.
    pub fn delete_before(&self) -> Option<Seconds> {
        self.time(b"d")
    }

    /// Has all delete the messages from before a time.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] for a member.
    pub fn set_delete_before(&mut self, time: Option<Seconds>) -> Result<(), ConfigError> {
        self.entry().seconds(b"d", tame_seconds(time.unwrap_or(0)))
    }

    /// Before when attachments are deleted.
    pub fn delete_attachments_before(&self) -> Option<Seconds> {
        self.time(b"D")
    }

    /// Has all delete the attachments from before a time.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] for a member.
    pub fn set_delete_attachments_before(
        &mut self,
        time: Option<Seconds>,
    ) -> Result<(), ConfigError> {
        self.entry().seconds(b"D", tame_seconds(time.unwrap_or(0)))
    }

    /// Whether the group is gone, for everybody and for good.
    pub fn is_destroyed(&self) -> bool {
        flag(self.config.data(), b"!")
    }

    /// Destroys the group.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] for a member.
    pub fn destroy(&mut self) -> Result<(), ConfigError> {
        self.entry().flag(b"!", true)
    }
}
