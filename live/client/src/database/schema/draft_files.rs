//! Files that wait for a message.

/// Files that were handed in wait here; `draft` is JSON that names them. A message takes them by
/// emptying it.
pub(super) const ACCOUNT_DRAFT_FILES_5: &str = "
CREATE TABLE draft_files (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    draft   TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TRIGGER draft_file_goes AFTER DELETE ON draft_files BEGIN
    INSERT OR IGNORE INTO doomed_files (file)
        SELECT file FROM (SELECT OLD.draft ->> '$.file.name' AS file
            UNION SELECT OLD.draft ->> '$.thumbnail.name')
        WHERE file IS NOT NULL;
END;
";
