//! The engine in memory shows every behaviour an engine must show.

use std::sync::Arc;

use warren_store::{MailStore, MemoryStore};

warren_store::conformance_tests!({
    let store: Arc<dyn MailStore> = Arc::new(MemoryStore::default());
    ((), store)
});

warren_store::conformance_properties!(no_reopening: 128, (), async |(): &()| {
    Arc::new(MemoryStore::default()) as Arc<dyn MailStore>
});
