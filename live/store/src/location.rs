//! Where a node keeps its mail, as one text of its configuration: a folder, or a database's URL.

use std::path::Path;
use std::sync::Arc;

use crate::{EmbeddedStore, MailStore, Options, StoreError};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Opens the engine that a location names: `postgres://...` the distributed one, anything else the
/// embedded one in that folder.
///
/// # Errors
/// Where the engine cannot be opened, or this program was built without it.
pub async fn open(location: &str) -> Result<Arc<dyn MailStore>, StoreError> {
    if is_database(location) {
        return database(location).await;
    }
    if let Some((scheme, _)) = location.split_once("://") {
        let text = format!("no storage engine for {scheme}://: name a folder, or postgres://...");
        return Err(StoreError::Engine(text));
    }
    Ok(Arc::new(EmbeddedStore::open(Path::new(location), Options::default())?))
}

/// Whether the database that a location names answers and takes writes; asks once and changes nothing.
/// There is nothing to ask of a folder.
///
/// # Errors
/// Where it does not, or this program was built without its engine.
pub async fn reach(location: &str) -> Result<(), StoreError> {
    if is_database(location) { reach_database(location).await } else { Ok(()) }
}

#[cfg(feature = "postgres")]
async fn reach_database(url: &str) -> Result<(), StoreError> {
    crate::postgres::PostgresStore::reach(url).await
}

#[cfg(not(feature = "postgres"))]
async fn reach_database(url: &str) -> Result<(), StoreError> {
    database(url).await.map(drop)
}

/// Whether a location is a database, and not a folder.
pub fn is_database(location: &str) -> bool {
    SCHEMES.iter().any(|scheme| location.starts_with(scheme))
}

#[cfg(feature = "postgres")]
async fn database(url: &str) -> Result<Arc<dyn MailStore>, StoreError> {
    use crate::postgres::{Options, PostgresStore};
    Ok(Arc::new(PostgresStore::open(url, Options::default()).await?))
}

#[cfg(not(feature = "postgres"))]
async fn database(_url: &str) -> Result<Arc<dyn MailStore>, StoreError> {
    let text = "this program was built without the engine for PostgreSQL (feature `postgres`)";
    Err(StoreError::Engine(text.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_holds_the_embedded_engine() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path().join("mail").to_str().unwrap()).await.unwrap();
        assert!(!store.is_shared());
        store.close().await;
    }

    #[tokio::test]
    async fn an_unknown_scheme_is_not_taken_for_a_folder() {
        for location in ["mysql://host/mail", "http://host"] {
            let error = open(location).await.err().unwrap();
            assert!(error.to_string().contains("name a folder"), "{error}");
        }
    }

    #[test]
    fn a_database_is_known_by_its_scheme() {
        assert!(is_database("postgres://h/d") && is_database("postgresql://h/d"));
        assert!(!is_database("/var/lib/postgres") && !is_database("mail"));
    }
}
