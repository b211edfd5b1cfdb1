//! What a page says of itself: its title and the image it wants to be shown with.

use html5gum::{DefaultEmitter, Token, Tokenizer};
use warren_message::attachment::url::MAX_BYTES;

/// The most characters of a title.
const MOST_TITLE: usize = 200;

/// What a page says of itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct About {
    /// Its title; empty where it has none.
    pub(super) title: String,
    /// The address of its image, as it stands there.
    pub(super) image: Option<String>,
}

/// Reads the head of a page, or as much of it as there is.
pub(super) fn about(page: &[u8]) -> About {
    // The tokenizer takes text; whatever is none is replaced.
    let page = String::from_utf8_lossy(page);
    let (mut title, mut announced, mut image) = (None, None, None);
    let mut in_title = false;
    // Scripts are no markup.
    let mut emitter = DefaultEmitter::<()>::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(page.as_ref(), emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"title" => in_title = title.is_none(),
                b"body" => break,
                b"meta" => {
                    let value = |name: &[u8]| {
                        let found = tag.attributes.get(name)?;
                        Some(String::from_utf8_lossy(found).into_owned())
                    };
                    let name = value(b"property").or_else(|| value(b"name"));
                    let content = value(b"content").filter(|content| !content.is_empty());
                    match name.as_deref() {
                        Some("og:title") => announced = announced.or(content),
                        Some("og:image" | "og:image:secure_url") => image = image.or(content),
                        _ => {}
                    }
                }
                _ => {}
            },
            Token::String(text) if in_title => {
                let text = String::from_utf8_lossy(&text);
                title.get_or_insert_with(String::new).push_str(&text);
            }
            Token::EndTag(tag) => {
                in_title &= tag.name.as_slice() != b"title";
                if tag.name.as_slice() == b"head" {
                    break;
                }
            }
            _ => {}
        }
    }
    let title = announced.or(title).map(|title| tidy(&title)).unwrap_or_default();
    About { title, image: image.filter(|image| image.len() <= MAX_BYTES) }
}

/// A title on one line, of bounded length, without characters that cannot be seen.
fn tidy(title: &str) -> String {
    let words = title.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(MOST_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(page: &str) -> (String, Option<String>) {
        let about = about(page.as_bytes());
        (about.title, about.image)
    }

    #[test]
    fn a_page_says_what_it_is_called_and_shown_with() {
        let image = |url: &str| Some(url.to_owned());
        let page = "<!doctype html><head><title>\n A &amp; B </title>
            <META property=og:image content='/a.png'></head><title>x</title>";
        assert_eq!(read(page), ("A & B".to_owned(), image("/a.png")));
        let page = "<title>plain</title><meta name=\"og:title\" content=\"Said &lt;so&gt;\">
            <meta property=\"og:image\" content=\"https://h/1\"><meta property=\"og:image\" content=\"2\">";
        assert_eq!(read(page), ("Said <so>".to_owned(), image("https://h/1")));
        let page = "<head></head><body><title>no</title><meta property=og:title content=no>";
        assert_eq!(read(page), (String::new(), None));
        let script = "<script>var a = '<title>no</title>';</script><title>yes</title>";
        assert_eq!(read(script).0, "yes");
        assert_eq!(read(&format!("<title>{}", "ß".repeat(500))).0, "ß".repeat(MOST_TITLE));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_page_or_none(
            bytes: Vec<u8>, text in "(<title>|</title>|<meta property=og:image content=|[a-z<>&;'\"= é]){0,40}",
        ) {
            let _ = about(&bytes);
            let found = about(text.as_bytes());
            prop_assert!(found.title.chars().count() <= MOST_TITLE);
        }
    }
}
