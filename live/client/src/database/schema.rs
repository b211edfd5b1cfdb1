//! The tables of both databases, as the steps that lead to them.
//!
//! A step that was released is never edited; a change is a further step. `user_version` counts
//! the steps a file has seen.

mod draft_files;
mod messenger;
mod pictures;
mod shares;
mod tripwires;

use draft_files::ACCOUNT_DRAFT_FILES_5;
use messenger::ACCOUNT_MESSENGER_4;
use pictures::ACCOUNT_PICTURES_6;
use shares::ACCOUNT_SHARES_8;
use tripwires::ACCOUNT_TRIPWIRES_9;

/// The steps of one kind of database.
pub(super) struct Schema {
    /// What errors call it.
    pub(super) database: &'static str,
    /// SQL, oldest first.
    pub(super) steps: &'static [&'static str],
}

impl Schema {
    /// What `user_version` says of a file that has seen every step.
    pub(super) fn version(&self) -> i64 {
        i64::try_from(self.steps.len()).unwrap_or(i64::MAX)
    }
}

/// Makes the words that the search knows anew from the messages, and has deleted ones overwritten.
pub(super) const SEARCH_FROM_MESSAGES: &str = "
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
INSERT INTO search (search) VALUES ('rebuild');
";

/// The index of a store.
pub(super) const INDEX: Schema =
    Schema { database: "index", steps: &[INDEX_1, INDEX_NOTIFICATIONS_2] };

const INDEX_1: &str = "
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY,
    account_id BLOB    NOT NULL UNIQUE CHECK (length(account_id) = 33),
    label      TEXT    NOT NULL,
    display_name TEXT,
    seed       BLOB    NOT NULL CHECK (length(seed) = 32),
    file       TEXT    NOT NULL UNIQUE CHECK (length(file) = 16),
    db_key     BLOB    NOT NULL CHECK (length(db_key) = 32),
    created    INTEGER NOT NULL
) STRICT;
";

/// How soon the owner of an account wants to hear of new messages.
const INDEX_NOTIFICATIONS_2: &str = "
ALTER TABLE accounts ADD COLUMN notifications TEXT NOT NULL DEFAULT 'instant';
";

/// `data/<random>.db`.
pub(super) const ACCOUNT: Schema = Schema {
    database: "account",
    steps: &[
        ACCOUNT_PEOPLE_1,
        ACCOUNT_NETWORK_2,
        ACCOUNT_DIRECTORIES_3,
        ACCOUNT_MESSENGER_4,
        ACCOUNT_DRAFT_FILES_5,
        ACCOUNT_PICTURES_6,
        ACCOUNT_SEARCH_7,
        ACCOUNT_SHARES_8,
        ACCOUNT_TRIPWIRES_9,
    ],
};

/// Contacts, messages, what was deleted, the outbox, and the list of conversations.
///
/// A fetched message is known by its hash in the account's mailbox and by the fingerprint of what
/// its author signed; one of our own by peer and timestamp too, so that it and its copy fetched
/// back from the mailbox are one row. `contacts.name_at` is the timestamp of the message that set
/// the name. A tombstone holds what a deleted message is known by: peer and timestamp of an own one
/// alone.
const ACCOUNT_PEOPLE_1: &str = "
CREATE TABLE contacts (
    account_id BLOB    NOT NULL PRIMARY KEY CHECK (length(account_id) = 33),
    name       TEXT    NOT NULL,
    petname    TEXT    COLLATE NOCASE UNIQUE,
    approved   INTEGER NOT NULL CHECK (approved IN (0, 1)),
    created    INTEGER NOT NULL,
    name_at    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB    UNIQUE CHECK (length(hash) = 32),
    fingerprint BLOB    UNIQUE CHECK (length(fingerprint) = 32),
    peer        BLOB    NOT NULL CHECK (length(peer) = 33),
    outgoing    INTEGER NOT NULL CHECK (outgoing IN (0, 1)),
    body        TEXT,
    content_raw BLOB,
    timestamp   INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    state       INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    read        INTEGER NOT NULL CHECK (read IN (0, 1)),
    CHECK ((body IS NULL) <> (content_raw IS NULL)),
    CHECK (outgoing = 0 OR read = 1)
) STRICT;
CREATE UNIQUE INDEX messages_own ON messages (peer, timestamp) WHERE outgoing = 1;
CREATE INDEX messages_of_peer ON messages (peer, timestamp, id);
CREATE INDEX messages_in_time ON messages (timestamp, id);
CREATE INDEX messages_unread ON messages (timestamp, id) WHERE read = 0;
CREATE INDEX messages_unread_of_peer ON messages (peer, timestamp, id) WHERE read = 0;

CREATE TABLE tombstones (
    id          INTEGER PRIMARY KEY,
    hash        BLOB    CHECK (length(hash) = 32),
    fingerprint BLOB    CHECK (length(fingerprint) = 32),
    peer        BLOB    CHECK (length(peer) = 33),
    timestamp   INTEGER,
    deleted_at  INTEGER NOT NULL,
    CHECK ((peer IS NULL) = (timestamp IS NULL))
) STRICT;
CREATE INDEX tombstones_by_hash ON tombstones (hash);
CREATE INDEX tombstones_by_fingerprint ON tombstones (fingerprint);
CREATE INDEX tombstones_own ON tombstones (peer, timestamp);
CREATE INDEX tombstones_in_time ON tombstones (deleted_at);

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id   INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    purpose      INTEGER NOT NULL CHECK (purpose IN (0, 1)),
    target       BLOB    NOT NULL CHECK (length(target) = 33),
    namespace    INTEGER NOT NULL,
    data         BLOB    NOT NULL,
    timestamp    INTEGER NOT NULL,
    ttl          INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_of_message ON outbox (message_id);
CREATE INDEX outbox_due ON outbox (next_attempt, id);

CREATE TABLE conversations (
    peer           BLOB    NOT NULL PRIMARY KEY,
    last_message   INTEGER NOT NULL,
    last_timestamp INTEGER NOT NULL,
    unread         INTEGER NOT NULL CHECK (unread >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_in_time ON conversations (last_timestamp, last_message);

CREATE TRIGGER conversation_gains AFTER INSERT ON messages BEGIN
    INSERT INTO conversations (peer, last_message, last_timestamp, unread)
    VALUES (NEW.peer, NEW.id, NEW.timestamp, 1 - NEW.read)
    ON CONFLICT (peer) DO UPDATE SET
        unread = unread + excluded.unread,
        last_message = iif((excluded.last_timestamp, excluded.last_message)
            > (last_timestamp, last_message), excluded.last_message, last_message),
        last_timestamp = max(last_timestamp, excluded.last_timestamp);
END;

CREATE TRIGGER conversation_is_read AFTER UPDATE OF read ON messages BEGIN
    UPDATE conversations SET unread = unread + OLD.read - NEW.read WHERE peer = NEW.peer;
END;

CREATE TRIGGER conversation_loses AFTER DELETE ON messages BEGIN
    UPDATE conversations SET unread = unread - (1 - OLD.read) WHERE peer = OLD.peer;
    DELETE FROM conversations WHERE peer = OLD.peer
        AND NOT EXISTS (SELECT 1 FROM messages WHERE peer = OLD.peer);
    UPDATE conversations SET (last_message, last_timestamp) = (
        SELECT id, timestamp FROM messages WHERE peer = OLD.peer
        ORDER BY timestamp DESC, id DESC LIMIT 1
    ) WHERE peer = OLD.peer AND last_message = OLD.id;
END;
";

/// What the account knows of the network. Kept for each account apart, so that no two accounts
/// on a device share a guard or a path.
const ACCOUNT_NETWORK_2: &str = "
CREATE TABLE cursors (
    node      BLOB    NOT NULL CHECK (length(node) = 32),
    namespace INTEGER NOT NULL,
    last_hash BLOB    NOT NULL CHECK (length(last_hash) = 32),
    PRIMARY KEY (node, namespace)
) STRICT, WITHOUT ROWID;

CREATE TABLE node_list (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    list          TEXT    NOT NULL,
    fetched_at    INTEGER NOT NULL,
    issued        INTEGER NOT NULL DEFAULT 0,
    newest_issued INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE guard (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    node          BLOB    NOT NULL CHECK (length(node) = 32),
    since         INTEGER NOT NULL,
    failures      INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    first_failure INTEGER,
    CHECK ((failures = 0) = (first_failure IS NULL))
) STRICT;

CREATE TABLE path (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    hops    TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT;
";

/// The newest list of each directory, so that what was seen of one says nothing about another.
/// `directory` is the hash of the keys that must have signed.
const ACCOUNT_DIRECTORIES_3: &str = "
DROP TABLE node_list;

CREATE TABLE node_lists (
    directory  BLOB    NOT NULL PRIMARY KEY CHECK (length(directory) = 32),
    list       TEXT    NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The full-text index with an index of beginnings of two characters alone: those of longer ones
/// would make it more than twice as large, and what begins so is gathered in a few milliseconds.
const ACCOUNT_SEARCH_7: &str = "
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    body, files, chat, content = 'searchable', content_rowid = 'place',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2'
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
INSERT INTO search (search) VALUES ('rebuild');
";
