//! The sessions of protocol versions up to 2025-11-25 over HTTP: not more than allowed, however fast clients open them.

mod kept;

use std::{cell::Cell, sync::Arc};

use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::session::{
        EventStore, RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
        local::{LocalSessionManager, LocalSessionManagerError},
    },
};
use tokio::sync::Mutex;

pub(super) use kept::Kept;

tokio::task_local! {
    /// Whether the request of this task was refused a session.
    static REFUSED: Cell<bool>;
}

/// Serves a request; says whether it was refused a session.
pub(super) async fn watch<T>(serving: impl Future<Output = T>) -> (T, bool) {
    let serving = async {
        let served = serving.await;
        (served, REFUSED.with(Cell::get))
    };
    REFUSED.scope(Cell::new(false), serving).await
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SessionsError {
    #[error("there are too many sessions")]
    Full,
    #[error(transparent)]
    Local(#[from] LocalSessionManagerError),
}

/// Sessions in memory, up to a number.
pub(super) struct Sessions {
    local: LocalSessionManager,
    most: usize,
    /// One session at a time is opened, so that the number holds.
    opening: Mutex<()>,
}

impl Sessions {
    pub(super) fn new(local: LocalSessionManager, most: usize) -> Self {
        Self { local, most, opening: Mutex::default() }
    }

    /// # Errors
    /// When there is none for one more.
    async fn room(&self) -> Result<(), SessionsError> {
        if self.local.sessions.read().await.len() < self.most {
            return Ok(());
        }
        // Outside a request nobody asks.
        let _ = REFUSED.try_with(|refused| refused.set(true));
        Err(SessionsError::Full)
    }
}

impl SessionManager for Sessions {
    type Error = SessionsError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let _opening = self.opening.lock().await;
        self.room().await?;
        Ok(self.local.create_session().await?)
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        Ok(self.local.initialize_session(id, message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.local.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        Ok(self.local.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.local.create_stream(id, message).await?)
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        Ok(self.local.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.local.create_standalone_stream(id).await?)
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.local.resume(id, last_event_id).await?)
    }

    async fn restore_session(&self, id: SessionId) -> Result<RestoreOutcome<Self::Transport>, Self::Error> {
        let _opening = self.opening.lock().await;
        self.room().await?;
        Ok(self.local.restore_session(id).await?)
    }

    fn event_store(&self) -> Option<Arc<dyn EventStore>> {
        self.local.event_store()
    }
}
