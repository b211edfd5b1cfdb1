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

    /// What the members of a group say.
    pub const GROUP_MESSAGES: Self = Self(11);
    /// Which keys a group has.
    pub const GROUP_KEYS: Self = Self(12);
    /// What a group says to those whom it removed.
    pub const GROUP_REMOVALS: Self = Self(-11);

    /// Reserved for trying out clients: nothing can be stored here, and there is never anything.
    pub const TESTING: Self = Self(-3741);

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

    /// Whether subaccounts may still read here whose rights were revoked: negative numbers that end
    /// in 11, where groups leave word for those they removed.
    pub const fn outlives_revocation(self) -> bool {
        self.0 < 0 && self.0.unsigned_abs() % 100 == 11
    }

    /// Whether messages come here from people who need not say who they are.
    pub const fn takes_from_anyone(self) -> bool {
        matches!(self.access(), Access::PublicInbox | Access::Open)
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
            let from_anyone = [Access::PublicInbox, Access::Open].contains(&access);
            assert_eq!(Namespace::new(number).takes_from_anyone(), from_anyone, "{number}");
        }
    }

    #[test]
    fn revoked_subaccounts_may_read_only_where_a_negative_number_ends_in_11() {
        let outlives = |number| Namespace::new(number).outlives_revocation();
        assert!([-11, -111, -12_311].into_iter().all(outlives));
        assert!(![11, 111, -1, -10, -21, -1_101, i16::MIN].into_iter().any(outlives));
    }

    #[test]
    fn namespace_zero_is_signed_as_nothing() {
        assert_eq!(Namespace::DIRECT.signed_form(), "");
        assert_eq!(Namespace::new(-21).signed_form(), "-21");
    }
}
