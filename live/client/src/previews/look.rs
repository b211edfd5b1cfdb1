//! The owner's setting, and the looking up.

use std::io::Cursor;
use std::time::Duration;

use warren_transport::web::{Web, WebAccess, checked_proxy, join};
use warren_wire::address::is_public;

use super::page::about;
use crate::attachments::thumbnail::Thumbnail;
use crate::attachments::{AttachmentError, blocking};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;
use crate::outgoing::DraftFile;

/// Under which name the database keeps that previews are wanted.
const WANTED: &str = "link previews";
/// Under which it keeps the proxy they are looked up through.
const PROXY: &str = "link previews: proxy";
/// How a link starts that is looked up: nothing is fetched without TLS.
const SCHEME: &str = "https://";
/// The most bytes of a link.
const MOST_LINK: usize = 2_048;
/// The most bytes of a page that are read for what its head says.
const MOST_PAGE: usize = 512 * 1024;
/// The most bytes of an image.
const MOST_IMAGE: usize = 5 * 1024 * 1024;
/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether what links lead to is looked up when a message is sent. It is not, unless the owner says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PreviewSetting {
    /// Whether it is.
    pub on: bool,
    /// The proxy it goes through, `socks5://HOST:PORT` or `http://HOST:PORT`; without one the site sees
    /// this device's address.
    pub proxy: Option<String>,
}

/// What a link in a message leads to, as it is sent.
#[derive(Debug, Clone)]
pub struct DraftPreview {
    /// The link, as it stands in the text.
    pub url: String,
    /// The title of the page; may be empty where there is an image.
    pub title: String,
    /// A small image of it, encoded anew.
    pub image: Option<DraftFile>,
}

impl Messenger {
    /// Whether what links lead to is looked up. On this device alone.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn previews(&self) -> Result<PreviewSetting, ClientError> {
        self.db.with(|db| {
            let proxy = db.setting(PROXY)?.and_then(|proxy| String::from_utf8(proxy).ok());
            Ok(PreviewSetting { on: db.setting(WANTED)?.is_some(), proxy })
        })
    }

    /// Sets what [`Messenger::previews`] gives.
    ///
    /// # Errors
    /// [`ClientError::Proxy`] where the proxy is none, or where the database fails.
    pub fn set_previews(&self, setting: &PreviewSetting) -> Result<(), ClientError> {
        let proxy = setting.proxy.as_deref().map(checked_proxy).transpose()?;
        self.db.with(|db| {
            db.set_setting(WANTED, setting.on.then_some(b"1".as_slice()))?;
            db.set_setting(PROXY, proxy.as_deref().map(str::as_bytes))
        })?;
        self.publish(Event::AccountChanged);
        Ok(())
    }

    /// Looks up what the first link of a text leads to, where the owner wants that; `None` where they
    /// do not, there is no link, or the site says nothing of itself. A site that does not answer keeps
    /// nobody from writing.
    ///
    /// # Errors
    /// Where the disk or the database fails.
    pub async fn preview_of(&self, text: &str) -> Result<Option<DraftPreview>, ClientError> {
        let PreviewSetting { on, proxy } = self.previews()?;
        if !on || link_in(text).is_none() {
            return Ok(None);
        }
        let access = WebAccess { allowed: is_public, proxy, extra_roots: Vec::new() };
        match Web::new(access) {
            Ok(web) => self.preview_through(&web, text).await,
            Err(_) => Ok(None),
        }
    }

    /// As [`Messenger::preview_of`], whatever the owner set, by a way into the web that the caller
    /// knows.
    ///
    /// # Errors
    /// Where the disk or the database fails.
    pub async fn preview_through(
        &self,
        web: &Web,
        text: &str,
    ) -> Result<Option<DraftPreview>, ClientError> {
        let Some(link) = link_in(text) else { return Ok(None) };
        let Ok(page) = web.get(link, MOST_PAGE, PATIENCE).await else { return Ok(None) };
        if page.media_type != "text/html" && page.media_type != "application/xhtml+xml" {
            return Ok(None);
        }
        let found = about(&page.start);
        let image = match found.image.and_then(|image| join(&page.url, &image)) {
            Some(url) => self.preview_image(web, &url).await?,
            None => None,
        };
        let url = link.to_owned();
        let preview = DraftPreview { url, title: found.title, image };
        Ok(Some(preview).filter(|preview| !preview.title.is_empty() || preview.image.is_some()))
    }

    /// A small image of a page, of which nothing but pixels is left.
    async fn preview_image(&self, web: &Web, url: &str) -> Result<Option<DraftFile>, ClientError> {
        let image = match web.get(url, MOST_IMAGE, PATIENCE).await {
            Ok(image) if image.is_whole => image.start,
            _ => return Ok(None),
        };
        let store = self.files.clone();
        let made = blocking(move || {
            let Ok(small) = Thumbnail::of(Cursor::new(image)) else { return Ok(None) };
            Ok::<_, AttachmentError>(Some((store.put(&small.bytes)?, small.media_type)))
        });
        Ok(made.await?.map(|(file, media_type)| DraftFile::preview(file, media_type)))
    }
}

/// The first link of a text that may be looked up.
fn link_in(text: &str) -> Option<&str> {
    let starts = |word: &&str| {
        word.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
    };
    let word = text.split(char::is_whitespace).map(|word| word.trim_start_matches(['(', '<', '"']));
    let link = word.into_iter().find(starts)?;
    let end = |c: char| ['.', ',', ';', ':', '!', '?', ')', ']', '>', '"', '\''].contains(&c);
    let link = link.trim_end_matches(end);
    (SCHEME.len() < link.len() && link.len() <= MOST_LINK).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_link_over_tls_is_meant_without_the_marks_around_it() {
        for (text, link) in [
            ("see https://a.example/x?y=1, or https://b.example", Some("https://a.example/x?y=1")),
            ("(HTTPS://a.example).", Some("HTTPS://a.example")),
            ("http://a.example https://b.example!", Some("https://b.example")),
            ("xhttps://a.example", None),
            ("https://", None),
            ("nothing", None),
        ] {
            assert_eq!(link_in(text), link, "{text}");
        }
    }
}
