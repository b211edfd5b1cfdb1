//! Step 8 of an account's database: shares of recovery words.

/// `held_shares` are other people's, kept for them; `given_shares` says who keeps the owner's;
/// `share_requests` are people who say they lost an account, `asked_shares` whom the owner asked after
/// losing one, `returned_shares` what they gave back.
pub(super) const ACCOUNT_SHARES_8: &str = "
CREATE TABLE held_shares (
    owner       BLOB    NOT NULL CHECK (length(owner) = 33),
    set_name    TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    threshold   INTEGER NOT NULL,
    words       TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (owner, set_name, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE given_shares (
    friend    BLOB    NOT NULL CHECK (length(friend) = 33),
    set_name  TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    threshold INTEGER NOT NULL,
    given_at  INTEGER NOT NULL,
    kept_at   INTEGER,
    PRIMARY KEY (friend, set_name, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE share_requests (
    asker       BLOB    NOT NULL PRIMARY KEY CHECK (length(asker) = 33),
    account     BLOB    NOT NULL CHECK (length(account) = 33),
    asked_at    INTEGER NOT NULL,
    returned_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE asked_shares (
    friend   BLOB    NOT NULL PRIMARY KEY CHECK (length(friend) = 33),
    account  BLOB    NOT NULL CHECK (length(account) = 33),
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE returned_shares (
    friend      BLOB    NOT NULL CHECK (length(friend) = 33),
    words       TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (friend, words)
) STRICT, WITHOUT ROWID;
";
