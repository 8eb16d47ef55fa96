//! Whose session it is. To know its id is no authentication (MCP security best practices, "session hijacking"): protocol
//! versions up to 2025-11-25 have sessions, and each belongs to the principal that began it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::storage::{self, Key, KvStore, digest};

/// The header with the id of a session.
pub(super) const SESSION: &str = "mcp-session-id";

/// More sessions than this are never open at once; the oldest is forgotten, and its client begins a new one.
const MAX_SESSIONS: usize = 100_000;

/// How long other instances know whose a session is, from its beginning.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The principals of sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    here: Mutex<Owners>,
    /// What all instances of the server know.
    shared: Option<Arc<dyn KvStore>>,
}

#[derive(Debug, Default)]
struct Owners {
    by_session: HashMap<Vec<u8>, String>,
    oldest_first: VecDeque<Vec<u8>>,
}

impl Sessions {
    pub(super) fn new(shared: Option<Arc<dyn KvStore>>) -> Self {
        Self { here: Mutex::default(), shared }
    }

    /// Whether a session is that of a principal. When nobody can say, it is not.
    pub(super) async fn is_of(&self, session: &[u8], who: &str) -> bool {
        if let Some(owner) = self.owner_here(session) {
            return owner == who;
        }
        let Some(store) = &self.shared else { return false };
        match shared(&**store, session, None).await {
            Ok(Some(owner)) => {
                self.note(session, owner.clone());
                owner == who
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "whose a session is cannot be found out");
                false
            }
        }
    }

    /// Notes whose a session is. The first one counts.
    pub(super) async fn keep(&self, session: &[u8], who: String) {
        if self.owner_here(session).is_some() {
            return;
        }
        if let Some(store) = &self.shared
            && let Err(error) = shared(&**store, session, Some(&who)).await
        {
            tracing::warn!(%error, "a session stays with this instance");
        }
        self.note(session, who);
    }

    fn owner_here(&self, session: &[u8]) -> Option<String> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner).by_session.get(session).cloned()
    }

    fn note(&self, session: &[u8], who: String) {
        let mut owners = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.by_session.contains_key(session) {
            return;
        }
        if owners.oldest_first.len() >= MAX_SESSIONS
            && let Some(oldest) = owners.oldest_first.pop_front()
        {
            owners.by_session.remove(&oldest);
        }
        owners.oldest_first.push_back(session.to_vec());
        owners.by_session.insert(session.to_vec(), who);
    }
}

/// Whose a session is, by the store; `first` becomes it where nobody is.
async fn shared(store: &dyn KvStore, session: &[u8], first: Option<&str>) -> Result<Option<String>, storage::Error> {
    let name = digest([&*String::from_utf8_lossy(session)]);
    let key = || Key::new("mcp-session-owners", &name);
    if let Some(first) = first {
        store.put_if_absent(key()?, first.as_bytes(), Some(LIFETIME)).await?;
    }
    let owner = store.get(key()?).await?;
    Ok(owner.map(|owner| String::from_utf8_lossy(&owner).into_owned()))
}

#[cfg(test)]
mod sessions_tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_of_whoever_began_it_and_their_number_is_bounded() {
        let sessions = Sessions::default();
        assert!(!sessions.is_of(b"1", "me").await, "one that was never begun is nobody's");
        sessions.keep(b"1", "me".to_owned()).await;
        sessions.keep(b"1", "you".to_owned()).await;
        assert!(sessions.is_of(b"1", "me").await && !sessions.is_of(b"1", "you").await);
        for index in 0..MAX_SESSIONS {
            sessions.keep(format!("s{index}").as_bytes(), "you".to_owned()).await;
        }
        assert!(!sessions.is_of(b"1", "me").await);
        assert_eq!(sessions.here.lock().unwrap().by_session.len(), MAX_SESSIONS);
    }

    #[tokio::test]
    async fn instances_over_one_store_agree_on_whose_a_session_is() {
        let store: Arc<dyn KvStore> = Arc::new(storage::MemoryStore::default());
        let (one, other) = (Sessions::new(Some(store.clone())), Sessions::new(Some(store)));
        one.keep(b"1", "me".to_owned()).await;
        assert!(other.is_of(b"1", "me").await && !other.is_of(b"1", "you").await);
        assert!(!other.is_of(b"2", "me").await);
    }
}
