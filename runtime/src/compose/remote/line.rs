//! The line to the other server, as requests use it.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};

use crate::{
    Error,
    protocol::{Client, Failure},
};

/// How long a request waits for a server that is just being connected to.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the other server is there.
#[derive(Clone)]
pub(super) enum State {
    Connecting,
    Up(Arc<Client>),
    Down,
}

/// The line to the other server, as the handlers of its components hold it.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) state: watch::Receiver<State>,
    /// Fires when somebody wants to be connected, or found the connection broken.
    pub(super) wake: Arc<Notify>,
}

impl Line {
    /// The other server, if it is there or comes within a moment.
    pub(super) async fn client(&self) -> Result<Arc<Client>, Error> {
        let mut state = self.state.clone();
        let is_down = matches!(&*state.borrow_and_update(), State::Down);
        if is_down {
            // One more attempt, at once.
            self.wake.notify_one();
            let _ = tokio::time::timeout(PATIENCE, state.changed()).await;
        }
        let settled = state.wait_for(|state| !matches!(state, State::Connecting));
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(Ok(state)) => match &*state {
                State::Up(client) => Ok(client.clone()),
                State::Connecting | State::Down => Err(self.unreachable()),
            },
            _ => Err(self.unreachable()),
        }
    }

    fn unreachable(&self) -> Error {
        Error::failed(format!(
            "The server `{}`, which is behind this, cannot be reached now. Try again in a moment.",
            self.name
        ))
    }

    pub(super) fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Answered(error) => error,
            Failure::Broken(reason) => {
                tracing::warn!(server = self.name, reason, "a proxied server cannot be reached");
                self.wake.notify_one();
                self.unreachable()
            }
        }
    }
}
