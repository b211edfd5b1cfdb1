//! Namespaces: the numbered drawers of an account's mailbox, and who may open which.

use std::fmt;

/// A drawer of a mailbox, -32768 to 32767 (wire spec, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Namespace(i16);

/// Who may do what in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone stores, the owner retrieves.
    PublicInbox,
    /// Anyone stores and anyone retrieves: legacy closed groups.
    Open,
    /// The owner stores one message that replaces the one before; anyone retrieves.
    PublicOutbox,
    /// The owner alone.
    Private,
}

impl Namespace {
    /// One-to-one messages.
    pub const DIRECT: Self = Self(0);
    /// Legacy closed groups.
    pub const LEGACY_GROUP: Self = Self(-10);

    /// Wraps a number.
    pub const fn new(number: i16) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i16 {
        self.0
    }

    /// How the namespace stands in signed texts and in the message hash: decimal, empty for 0.
    pub fn signed_form(self) -> String {
        if self.0 == 0 { String::new() } else { self.0.to_string() }
    }

    /// Who may do what here.
    pub const fn access(self) -> Access {
        match self.0 {
            -10 => Access::Open,
            n if n % 10 == 0 => Access::PublicInbox,
            n if n < 0 && n.unsigned_abs() % 20 == 1 => Access::PublicOutbox,
            _ => Access::Private,
        }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_follows_the_number() {
        for (number, access) in [
            (0, Access::PublicInbox),
            (10, Access::PublicInbox),
            (-20, Access::PublicInbox),
            (-30, Access::PublicInbox),
            (-10, Access::Open),
            (-1, Access::PublicOutbox),
            (-21, Access::PublicOutbox),
            (-41, Access::PublicOutbox),
            (-11, Access::Private),
            (-31, Access::Private),
            (1, Access::Private),
            (2, Access::Private),
            (11, Access::Private),
            (21, Access::Private),
            (i16::MIN, Access::Private),
            (i16::MAX, Access::Private),
        ] {
            assert_eq!(Namespace::new(number).access(), access, "{number}");
        }
    }

    #[test]
    fn namespace_zero_is_signed_as_nothing() {
        assert_eq!(Namespace::DIRECT.signed_form(), "");
        assert_eq!(Namespace::new(-21).signed_form(), "-21");
    }
}
