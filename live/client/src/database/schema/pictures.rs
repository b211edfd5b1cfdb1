//! Pictures of people and groups.

/// What people and groups look like. The picture itself lies here, small and made anew from what came;
/// it stays until another was fetched. `stored_at` is when the file server was last known to have it.
pub(super) const ACCOUNT_PICTURES_6: &str = "
CREATE TABLE pictures (
    owner      BLOB    NOT NULL PRIMARY KEY CHECK (length(owner) = 33),
    url        TEXT    NOT NULL,
    key        BLOB    NOT NULL CHECK (length(key) = 32),
    image      BLOB,
    is_fetched INTEGER NOT NULL DEFAULT 0 CHECK (is_fetched IN (0, 1)),
    stored_at  INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    next_try   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pictures_wanted ON pictures (next_try) WHERE is_fetched = 0;

INSERT INTO pictures (owner, url, key, stored_at)
    SELECT account_id, picture_url, picture_key, created FROM contacts
    WHERE picture_url IS NOT NULL AND length(picture_key) = 32;
CREATE TRIGGER contact_takes_picture AFTER DELETE ON contacts BEGIN
    DELETE FROM pictures WHERE owner = OLD.account_id;
END;
CREATE TRIGGER group_takes_picture AFTER DELETE ON groups BEGIN
    DELETE FROM pictures WHERE owner = OLD.id;
END;
";
