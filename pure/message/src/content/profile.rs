//! What a person wishes to be called and to look like, as every message of theirs says.

use std::fmt;

use warren_crypto::Secret;

use crate::proto;

/// The most bytes of a name (libsession's `MAX_NAME_LENGTH`).
pub const MAX_NAME_BYTES: usize = 100;
/// The most bytes of the address of a picture (libsession's `MAX_URL_LENGTH`).
pub const MAX_PICTURE_URL_BYTES: usize = 223;

/// A name that is not empty and has at most [`MAX_NAME_BYTES`].
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// The name, cut at the last character that fits; `None` where nothing is left.
    pub fn cut(name: &str) -> Option<Self> {
        let cut = name.get(..name.floor_char_boundary(MAX_NAME_BYTES))?;
        (!cut.is_empty()).then(|| Self(cut.to_owned()))
    }

    /// The name, never empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DisplayName {
    /// A log names nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayName(..)")
    }
}

/// Where a picture is, and what opens it.
#[derive(PartialEq, Eq)]
pub struct Picture {
    url: String,
    key: Secret<32>,
}

impl Picture {
    /// A picture; `None` where the address is empty or has more than [`MAX_PICTURE_URL_BYTES`].
    pub fn new(url: impl Into<String>, key: Secret<32>) -> Option<Self> {
        let url = url.into();
        let fits = (1..=MAX_PICTURE_URL_BYTES).contains(&url.len());
        fits.then_some(Self { url, key })
    }

    /// Where it is; a mark in it says how it is encrypted (see [`crate::attachment::url`]).
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What opens it.
    pub fn key(&self) -> &Secret<32> {
        &self.key
    }
}

impl Clone for Picture {
    fn clone(&self) -> Self {
        Self { url: self.url.clone(), key: self.key.duplicate() }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture(..)")
    }
}

/// What a sender tells about themselves.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// What they wish to be called.
    pub name: Option<DisplayName>,
    /// What they wish to look like.
    pub picture: Option<Picture>,
    /// When they last changed any of it, in seconds since the epoch: an older one says nothing new.
    pub updated: Option<u64>,
}

impl Profile {
    /// A profile that is a name alone; `None` where the name is empty.
    pub fn named(name: &str) -> Option<Self> {
        let name = Some(DisplayName::cut(name)?);
        Some(Self { name, ..Self::default() })
    }

    /// The profile and the key of its picture, which stand in two fields.
    pub(super) fn to_proto(&self) -> (Option<proto::Profile>, Option<Vec<u8>>) {
        let picture = self.picture.as_ref();
        let profile = proto::Profile {
            display_name: self.name.as_ref().map(|name| name.as_str().to_owned()),
            profile_picture: picture.map(|picture| picture.url.clone()),
            last_update_seconds: self.updated,
        };
        (Some(profile), picture.map(|picture| picture.key.expose().to_vec()))
    }

    /// Takes of a profile what can be used: a message is not lost to a bad picture.
    pub(super) fn read(profile: Option<proto::Profile>, key: Option<Vec<u8>>) -> Option<Self> {
        let profile = profile?;
        let key = key.and_then(|key| Secret::from_slice(&key));
        let picture = profile.profile_picture.zip(key);
        Some(Self {
            name: profile.display_name.and_then(|name| DisplayName::cut(&name)),
            picture: picture.and_then(|(url, key)| Picture::new(url, key)),
            updated: profile.last_update_seconds,
        })
    }
}

impl fmt::Debug for Profile {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = DisplayName::cut(&format!("x{}", "ß".repeat(60))).unwrap();
        assert_eq!(name.as_str(), format!("x{}", "ß".repeat(49)));
        assert_eq!(DisplayName::cut(""), None);
    }

    #[test]
    fn a_picture_without_its_key_is_no_picture_and_the_name_is_kept() {
        let profile = proto::Profile {
            display_name: Some("Alice".into()),
            profile_picture: Some("http://files/file/1".into()),
            last_update_seconds: Some(7),
        };
        for key in [None, Some(vec![1; 31])] {
            let read = Profile::read(Some(profile.clone()), key).unwrap();
            assert_eq!((read.name, read.updated), (DisplayName::cut("Alice"), Some(7)));
            assert_eq!(read.picture, None);
        }
        let read = Profile::read(Some(profile), Some(vec![1; 32])).unwrap();
        assert_eq!(read.picture.unwrap().url(), "http://files/file/1");
    }
}
