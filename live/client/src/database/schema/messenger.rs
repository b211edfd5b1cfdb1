//! Step 4 of an account's database: all that a messenger keeps.
//!
//! The step reads the account's own id from the one row of `temp.owner`, which stands there while
//! steps are applied.

/// Conversations with settings, whole messages with what belongs to them, jobs, the state of
/// configuration messages, groups, and the full-text index.
///
/// `messages.kind`: 0 text, with or without files; 1 a change that is shown, as JSON in `control`;
/// 2 unknown, whole in `content_raw`; 3 deleted by its author, nothing left. `messages.place` is
/// the order in time as one number, and the row number in the full-text index. A fingerprint is
/// looked up with conversation and author. `message_hashes` holds what `messages.hash` has no room
/// for. `early` holds what came before the message it is about. A job waits while it `needs` others;
/// one that was given up has no `next_attempt`. `doomed_files` are to be deleted from the disk.
/// `priority` is above 0 for a pinned conversation, below 0 for a hidden one. Timers are seconds.
pub(super) const ACCOUNT_MESSENGER_4: &str = "
DROP TRIGGER conversation_gains;
DROP TRIGGER conversation_is_read;
DROP TRIGGER conversation_loses;
DROP INDEX messages_own;
DROP INDEX messages_of_peer;
DROP INDEX messages_in_time;
DROP INDEX messages_unread;
DROP INDEX messages_unread_of_peer;
DROP INDEX conversations_in_time;
ALTER TABLE messages RENAME TO messages_3;
ALTER TABLE conversations RENAME TO conversations_3;

ALTER TABLE contacts ADD COLUMN approved_me INTEGER NOT NULL DEFAULT 0
    CHECK (approved_me IN (0, 1));
ALTER TABLE contacts ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1));
ALTER TABLE contacts ADD COLUMN picture_url TEXT;
ALTER TABLE contacts ADD COLUMN picture_key BLOB;

CREATE TABLE conversations (
    id             BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 33),
    priority       INTEGER NOT NULL DEFAULT 0,
    archived       INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    is_request     INTEGER NOT NULL DEFAULT 0 CHECK (is_request IN (0, 1)),
    muted_until    INTEGER NOT NULL DEFAULT 0,
    notify         INTEGER NOT NULL DEFAULT 0 CHECK (notify BETWEEN 0 AND 2),
    marked_unread  INTEGER NOT NULL DEFAULT 0 CHECK (marked_unread IN (0, 1)),
    draft          TEXT    NOT NULL DEFAULT '',
    last_read      INTEGER NOT NULL DEFAULT 0,
    read_elsewhere INTEGER NOT NULL DEFAULT 0,
    unread         INTEGER NOT NULL DEFAULT 0 CHECK (unread >= 0),
    mentioned      INTEGER NOT NULL DEFAULT 0 CHECK (mentioned >= 0),
    last_message   INTEGER,
    last_timestamp INTEGER NOT NULL,
    expiry_mode    INTEGER NOT NULL DEFAULT 0 CHECK (expiry_mode BETWEEN 0 AND 2),
    expiry_timer   INTEGER NOT NULL DEFAULT 0,
    created        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation    BLOB    NOT NULL CHECK (length(conversation) = 33),
    author          BLOB    NOT NULL CHECK (length(author) = 33),
    outgoing        INTEGER NOT NULL CHECK (outgoing IN (0, 1)),
    kind            INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    timestamp       INTEGER NOT NULL,
    received_at     INTEGER NOT NULL,
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
    read            INTEGER NOT NULL CHECK (read IN (0, 1)),
    mentions_me     INTEGER NOT NULL DEFAULT 0 CHECK (mentions_me IN (0, 1)),
    expiry_mode     INTEGER NOT NULL DEFAULT 0 CHECK (expiry_mode BETWEEN 0 AND 2),
    expiry_timer    INTEGER NOT NULL DEFAULT 0,
    expires_at      INTEGER,
    edited_at       INTEGER,
    hash            BLOB    CHECK (length(hash) = 32),
    fingerprint     BLOB    CHECK (length(fingerprint) = 32),
    body            TEXT,
    files           TEXT,
    control         TEXT,
    content_raw     BLOB,
    quote_author    BLOB    CHECK (length(quote_author) = 33),
    quote_timestamp INTEGER,
    quote_text      TEXT,
    preview_url     TEXT,
    preview_title   TEXT,
    failure         TEXT,
    place INTEGER GENERATED ALWAYS AS
        ((min(timestamp, 8796093022207) << 20) | (id & 1048575)) VIRTUAL,
    CHECK ((body IS NOT NULL) = (kind = 0)),
    CHECK ((control IS NOT NULL) = (kind = 1)),
    CHECK ((content_raw IS NOT NULL) = (kind = 2)),
    CHECK ((quote_author IS NULL) = (quote_timestamp IS NULL)),
    CHECK (outgoing = 0 OR read = 1)
) STRICT;

INSERT INTO messages (id, conversation, author, outgoing, kind, timestamp, received_at, state, read,
        hash, fingerprint, body, content_raw)
    SELECT id, peer, iif(outgoing, owner.account, peer), outgoing, iif(body IS NULL, 2, 0),
        timestamp, received_at, state, read, hash, fingerprint, body, content_raw
    FROM messages_3 JOIN temp.owner ORDER BY id;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'messages_3')
    WHERE name = 'messages';
INSERT INTO sqlite_sequence (name, seq) SELECT 'messages', seq FROM sqlite_sequence
    WHERE name = 'messages_3' AND NOT EXISTS (SELECT 1 FROM messages);

CREATE UNIQUE INDEX messages_by_hash ON messages (hash) WHERE hash IS NOT NULL;
CREATE INDEX messages_by_fingerprint ON messages (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE UNIQUE INDEX messages_own ON messages (conversation, timestamp) WHERE outgoing = 1;
CREATE INDEX messages_of_conversation ON messages (conversation, timestamp, id);
CREATE INDEX messages_in_time ON messages (timestamp, id);
CREATE INDEX messages_unread ON messages (timestamp, id) WHERE read = 0;
CREATE INDEX messages_unread_of_conversation ON messages (conversation, timestamp, id)
    WHERE read = 0;
CREATE INDEX messages_expiring ON messages (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX messages_quoting ON messages (quote_timestamp) WHERE quote_timestamp IS NOT NULL;
CREATE INDEX messages_by_place ON messages (place);

INSERT INTO conversations (id, is_request, unread, last_message, last_timestamp, created)
    SELECT peer,
        substr(peer, 1, 1) = x'05'
            AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = peer AND outgoing = 1)
            AND NOT EXISTS (SELECT 1 FROM contacts WHERE account_id = peer AND approved = 1),
        unread, last_message, last_timestamp,
        (SELECT min(received_at) FROM messages WHERE conversation = peer)
    FROM conversations_3;
CREATE INDEX conversations_listed ON conversations
    (is_request, archived, priority, last_timestamp, id);

CREATE TABLE message_hashes (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    mailbox    BLOB    NOT NULL CHECK (length(mailbox) = 33),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (hash, mailbox)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_hashes_of_message ON message_hashes (message_id);

CREATE TABLE reactions (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    author     BLOB    NOT NULL CHECK (length(author) = 33),
    emoji      TEXT    NOT NULL,
    timestamp  INTEGER NOT NULL,
    removed    INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    PRIMARY KEY (message_id, author, emoji)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    reader     BLOB    NOT NULL CHECK (length(reader) = 33),
    read_at    INTEGER NOT NULL,
    PRIMARY KEY (message_id, reader)
) STRICT, WITHOUT ROWID;

CREATE TABLE early (
    id           INTEGER PRIMARY KEY,
    conversation BLOB    CHECK (length(conversation) = 33),
    author       BLOB    NOT NULL CHECK (length(author) = 33),
    timestamp    INTEGER NOT NULL,
    sender       BLOB    NOT NULL CHECK (length(sender) = 33),
    sent_at      INTEGER NOT NULL,
    kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 5),
    text         TEXT,
    received_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX early_by_message ON early (timestamp, author);
CREATE INDEX early_in_time ON early (received_at);

CREATE TABLE attachments (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id     INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position       INTEGER NOT NULL,
    kind           INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 5),
    content_type   TEXT    NOT NULL,
    name           TEXT,
    caption        TEXT,
    size           INTEGER NOT NULL,
    width          INTEGER,
    height         INTEGER,
    duration       INTEGER,
    url            TEXT,
    key            BLOB,
    digest         BLOB,
    state          INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
    progress       INTEGER NOT NULL DEFAULT 0,
    transfer       TEXT,
    failure        TEXT,
    file           TEXT,
    file_key       BLOB    CHECK (length(file_key) = 32),
    file_size      INTEGER,
    thumbnail      TEXT,
    thumbnail_key  BLOB    CHECK (length(thumbnail_key) = 32),
    thumbnail_size INTEGER,
    UNIQUE (message_id, position)
) STRICT;
CREATE INDEX attachments_unfinished ON attachments (state) WHERE state IN (1, 4);

CREATE TABLE doomed_files (
    file TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER attachment_goes AFTER DELETE ON attachments BEGIN
    INSERT OR IGNORE INTO doomed_files (file)
        SELECT file FROM (SELECT OLD.file AS file UNION SELECT OLD.thumbnail)
        WHERE file IS NOT NULL;
END;
CREATE TRIGGER attachment_is_replaced AFTER UPDATE OF file, thumbnail ON attachments BEGIN
    INSERT OR IGNORE INTO doomed_files (file) SELECT OLD.file
        WHERE OLD.file IS NOT NULL AND OLD.file IS NOT NEW.file;
    INSERT OR IGNORE INTO doomed_files (file) SELECT OLD.thumbnail
        WHERE OLD.thumbnail IS NOT NULL AND OLD.thumbnail IS NOT NEW.thumbnail;
END;

CREATE TABLE configs (
    owner      BLOB    NOT NULL CHECK (length(owner) = 33),
    namespace  INTEGER NOT NULL,
    dump       BLOB    NOT NULL,
    needs_push INTEGER NOT NULL CHECK (needs_push IN (0, 1)),
    seqno      INTEGER NOT NULL,
    hashes     BLOB    NOT NULL CHECK (length(hashes) % 32 = 0),
    pushed_at  INTEGER,
    PRIMARY KEY (owner, namespace)
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 33),
    name       TEXT    NOT NULL,
    auth       BLOB,
    admin_seed BLOB    CHECK (length(admin_seed) = 32),
    state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
    invited_by BLOB    CHECK (length(invited_by) = 33),
    joined_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 5),
    message_id   INTEGER REFERENCES messages (id) ON DELETE CASCADE,
    attachment   INTEGER REFERENCES attachments (id) ON DELETE CASCADE,
    purpose      INTEGER NOT NULL DEFAULT 0 CHECK (purpose IN (0, 1)),
    target       BLOB    CHECK (length(target) = 33),
    namespace    INTEGER,
    data         BLOB    NOT NULL,
    name         TEXT,
    timestamp    INTEGER NOT NULL,
    ttl          INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER
) STRICT;
INSERT INTO jobs (id, kind, message_id, purpose, target, namespace, data, timestamp, ttl, attempts,
        next_attempt)
    SELECT id, 0, message_id, purpose, target, namespace, data, timestamp, ttl, attempts,
        next_attempt
    FROM outbox ORDER BY id;
INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs', seq FROM sqlite_sequence
    WHERE name = 'outbox' AND NOT EXISTS (SELECT 1 FROM jobs);
UPDATE sqlite_sequence SET seq = max(seq, (SELECT seq FROM sqlite_sequence WHERE name = 'outbox'))
    WHERE name = 'jobs';
CREATE INDEX jobs_of_message ON jobs (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX jobs_of_attachment ON jobs (attachment) WHERE attachment IS NOT NULL;
CREATE INDEX jobs_due ON jobs (next_attempt, id) WHERE next_attempt IS NOT NULL;
DROP TABLE outbox;
DROP TABLE messages_3;
DROP TABLE conversations_3;

CREATE TABLE job_needs (
    job   INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    needs INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (job, needs)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_needs_of ON job_needs (needs);

ALTER TABLE tombstones ADD COLUMN author BLOB CHECK (length(author) = 33);
UPDATE tombstones SET author = (SELECT account FROM temp.owner) WHERE peer IS NOT NULL;

ALTER TABLE cursors RENAME TO cursors_3;
CREATE TABLE cursors (
    node      BLOB    NOT NULL CHECK (length(node) = 32),
    mailbox   BLOB    NOT NULL CHECK (length(mailbox) = 33),
    namespace INTEGER NOT NULL,
    last_hash BLOB    NOT NULL CHECK (length(last_hash) = 32),
    PRIMARY KEY (node, mailbox, namespace)
) STRICT, WITHOUT ROWID;
INSERT INTO cursors (node, mailbox, namespace, last_hash)
    SELECT node, owner.account, namespace, last_hash FROM cursors_3 JOIN temp.owner;
DROP TABLE cursors_3;

CREATE TRIGGER conversation_gains AFTER INSERT ON messages BEGIN
    INSERT INTO conversations (id, last_message, last_timestamp, unread, mentioned, created,
        is_request)
    VALUES (NEW.conversation, NEW.id, NEW.timestamp, 1 - NEW.read,
        (1 - NEW.read) * NEW.mentions_me, NEW.received_at,
        NEW.outgoing = 0 AND substr(NEW.conversation, 1, 1) = x'05' AND NOT EXISTS
            (SELECT 1 FROM contacts WHERE account_id = NEW.conversation AND approved = 1))
    ON CONFLICT (id) DO UPDATE SET
        unread = unread + excluded.unread,
        mentioned = mentioned + excluded.mentioned,
        last_message = iif(last_message IS NULL OR (excluded.last_timestamp, excluded.last_message)
            > (last_timestamp, last_message), excluded.last_message, last_message),
        last_timestamp = iif(last_message IS NULL, excluded.last_timestamp,
            max(last_timestamp, excluded.last_timestamp)),
        priority = iif(priority < 0 AND NEW.kind <> 1, 0, priority),
        archived = iif(NEW.kind <> 1 AND muted_until <= NEW.received_at, 0, archived),
        is_request = iif(NEW.outgoing, 0, is_request);
END;

CREATE TRIGGER conversation_is_read AFTER UPDATE OF read, mentions_me ON messages BEGIN
    UPDATE conversations SET unread = unread + OLD.read - NEW.read,
        mentioned = mentioned + (1 - NEW.read) * NEW.mentions_me
            - (1 - OLD.read) * OLD.mentions_me
    WHERE id = NEW.conversation;
END;

CREATE TRIGGER conversation_loses AFTER DELETE ON messages BEGIN
    UPDATE conversations SET unread = unread - (1 - OLD.read),
        mentioned = mentioned - (1 - OLD.read) * OLD.mentions_me
    WHERE id = OLD.conversation;
    UPDATE conversations SET last_message = (
        SELECT id FROM messages WHERE conversation = OLD.conversation
        ORDER BY timestamp DESC, id DESC LIMIT 1
    ) WHERE id = OLD.conversation AND last_message = OLD.id;
    UPDATE conversations SET last_timestamp = (SELECT timestamp FROM messages m
        WHERE m.id = last_message)
    WHERE id = OLD.conversation AND last_message IS NOT NULL;
END;

CREATE TRIGGER contact_is_approved AFTER UPDATE OF approved ON contacts WHEN NEW.approved = 1 BEGIN
    UPDATE conversations SET is_request = 0 WHERE id = NEW.account_id AND is_request = 1;
END;
CREATE TRIGGER contact_comes_approved AFTER INSERT ON contacts WHEN NEW.approved = 1 BEGIN
    UPDATE conversations SET is_request = 0 WHERE id = NEW.account_id AND is_request = 1;
END;

CREATE VIEW searchable AS
    SELECT place, body, files, hex(conversation) AS chat FROM messages WHERE kind = 0;
CREATE VIRTUAL TABLE search USING fts5 (
    body, files, chat, content = 'searchable', content_rowid = 'place',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7'
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
INSERT INTO search (search) VALUES ('rebuild');

CREATE TRIGGER search_gains AFTER INSERT ON messages WHEN NEW.kind = 0 BEGIN
    INSERT INTO search (rowid, body, files, chat)
    VALUES (NEW.place, NEW.body, NEW.files, hex(NEW.conversation));
END;
CREATE TRIGGER search_changes AFTER UPDATE OF body, files, kind ON messages BEGIN
    INSERT INTO search (search, rowid, body, files, chat)
        SELECT 'delete', OLD.place, OLD.body, OLD.files, hex(OLD.conversation) WHERE OLD.kind = 0;
    INSERT INTO search (rowid, body, files, chat)
        SELECT NEW.place, NEW.body, NEW.files, hex(NEW.conversation) WHERE NEW.kind = 0;
END;
CREATE TRIGGER search_loses AFTER DELETE ON messages WHEN OLD.kind = 0 BEGIN
    INSERT INTO search (search, rowid, body, files, chat)
    VALUES ('delete', OLD.place, OLD.body, OLD.files, hex(OLD.conversation));
END;
";
