//! The way to a community: a link and what it is called.

use std::fmt;

use crate::proto;

/// An invitation to a community. Warren shows it and does not go there.
#[derive(Clone, PartialEq, Eq)]
pub struct CommunityInvitation {
    /// The link, with the server's key; never empty.
    url: String,
    /// What the sender calls the community.
    name: String,
}

impl CommunityInvitation {
    /// An invitation; `None` where there is no link.
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Option<Self> {
        let url = url.into();
        (!url.is_empty()).then(|| Self { url, name: name.into() })
    }

    /// The link, never empty.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the sender calls the community.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn to_proto(&self) -> proto::data_message::OpenGroupInvitation {
        proto::data_message::OpenGroupInvitation {
            url: Some(self.url.clone()),
            name: Some(self.name.clone()),
        }
    }

    pub(super) fn read(invitation: proto::data_message::OpenGroupInvitation) -> Option<Self> {
        Self::new(invitation.url?, invitation.name.unwrap_or_default())
    }
}

impl fmt::Debug for CommunityInvitation {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommunityInvitation(..)")
    }
}
