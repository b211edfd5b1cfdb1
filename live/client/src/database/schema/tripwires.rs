//! Step 9 of an account's database: friends who can wipe a device.

/// `trusted_sets` and `trusted_friends` are the owner's sets and who has a share of each, without the
/// shares; `held_tripwires` are shares for devices of others, whose secret is gone once they are
/// dropped or revoked, so that an offer that is read once more brings none back; `wipe_codes` wait
/// for whoever wipes to type them.
pub(super) const ACCOUNT_TRIPWIRES_9: &str = "
CREATE TABLE trusted_sets (
    set_id     BLOB    NOT NULL PRIMARY KEY CHECK (length(set_id) = 8),
    inbox      BLOB    NOT NULL CHECK (length(inbox) = 33),
    place      INTEGER NOT NULL,
    threshold  INTEGER NOT NULL,
    device     TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE trusted_friends (
    set_id      BLOB    NOT NULL REFERENCES trusted_sets (set_id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    friend      BLOB    NOT NULL CHECK (length(friend) = 33),
    taken_at    INTEGER,
    declined_at INTEGER,
    tested_at   INTEGER,
    PRIMARY KEY (set_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE held_tripwires (
    owner        BLOB    NOT NULL CHECK (length(owner) = 33),
    set_id       BLOB    NOT NULL CHECK (length(set_id) = 8),
    number       INTEGER NOT NULL,
    threshold    INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    secret       BLOB    CHECK (length(secret) = 32),
    inbox        BLOB    NOT NULL CHECK (length(inbox) = 33),
    device       TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    test_sent_at INTEGER,
    heard_at     INTEGER,
    ordered_at   INTEGER,
    gone_at      INTEGER,
    PRIMARY KEY (owner, set_id, number),
    CHECK ((secret IS NULL) = (gone_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE wipe_codes (
    owner       BLOB    NOT NULL PRIMARY KEY CHECK (length(owner) = 33),
    inbox       BLOB    NOT NULL CHECK (length(inbox) = 33),
    code        TEXT    NOT NULL,
    valid_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";
