//! Text that may hold a password: read from the configuration or a file, and never shown.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

/// What is shown in its place.
const HIDDEN: &str = "(hidden)";
/// Where systemd puts what `LoadCredential=` names.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Text that is not shown. Where it is printed or serialised, `(hidden)` stands in its place.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself, for whom it is meant.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// Where a secret's file lies: a path that is not absolute is looked for among the credentials that
/// systemd hands over.
pub fn locate(file: &Path) -> PathBuf {
    match std::env::var_os(CREDENTIALS) {
        Some(folder) if file.is_relative() => PathBuf::from(folder).join(file),
        _ => file.to_owned(),
    }
}

/// Replaces the user and the password of every URL in a text.
pub fn redact(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let ends = |c: char| c == '/' || c.is_whitespace() || matches!(c, '"' | '\'' | '`');
        let authority = after.split(ends).next().unwrap_or_default();
        rest = match authority.rfind('@') {
            Some(at) => {
                shown.push_str(HIDDEN);
                after.get(at..).unwrap_or_default()
            }
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_password_is_not_shown() {
        let secret = SecretText::from("postgres://u:pass@host/db".to_owned());
        assert_eq!(format!("{secret:?}"), HIDDEN);
        assert_eq!(serde_json::to_string(&secret).unwrap(), format!("\"{HIDDEN}\""));
        for (text, shown) in [
            ("a \"postgres://u:p@ss@host/db\" b", "a \"postgres://(hidden)@host/db\" b"),
            ("https://host/a@b and s3://k:s@h", "https://host/a@b and s3://(hidden)@h"),
            ("no url at all", "no url at all"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }
}
