//! Sessions that several instances of a server share: what a client said at `initialize`, in a store.

use std::{sync::Arc, time::Duration};

use rmcp::transport::streamable_http_server::session::store::{SessionState, SessionStore, SessionStoreError};

use crate::storage::{self, Key, KvStore, digest};

/// How long a session can be taken up by another instance, from its beginning.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

const COLLECTION: &str = "mcp-sessions";

/// [`SessionStore`] over any key-value store.
pub(in super::super) struct Kept(pub(in super::super) Arc<dyn KvStore>);

fn failed(error: storage::Error) -> SessionStoreError {
    tracing::warn!(%error, "the store of sessions");
    error.into()
}

#[async_trait::async_trait]
impl SessionStore for Kept {
    async fn load(&self, id: &str) -> Result<Option<SessionState>, SessionStoreError> {
        let name = digest([id]);
        let found = self.0.get(Key::new(COLLECTION, &name)?).await.map_err(failed)?;
        // What cannot be read is no session: the client begins a new one.
        Ok(found.and_then(|state| serde_json::from_slice(&state).ok()))
    }

    async fn store(&self, id: &str, state: &SessionState) -> Result<(), SessionStoreError> {
        let name = digest([id]);
        let state = serde_json::to_vec(state)?;
        self.0.put(Key::new(COLLECTION, &name)?, &state, Some(LIFETIME)).await.map_err(failed)
    }

    async fn delete(&self, id: &str) -> Result<(), SessionStoreError> {
        let name = digest([id]);
        self.0.delete(Key::new(COLLECTION, &name)?).await.map_err(failed)?;
        Ok(())
    }
}
