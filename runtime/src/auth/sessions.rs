//! Whose session it is. To know its id is no authentication (MCP security best practices, "session hijacking"): protocol
//! versions up to 2025-11-25 have sessions, and each belongs to the principal that began it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// The header with the id of a session.
pub(super) const SESSION: &str = "mcp-session-id";

/// More sessions than this are never open at once; the oldest is forgotten, and its client begins a new one.
const MAX_SESSIONS: usize = 100_000;

/// The principals of sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Owners>);

#[derive(Debug, Default)]
struct Owners {
    by_session: HashMap<Vec<u8>, String>,
    oldest_first: VecDeque<Vec<u8>>,
}

impl Sessions {
    /// Whether a session is that of a principal.
    pub(super) fn is_of(&self, session: &[u8], who: &str) -> bool {
        let owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        owners.by_session.get(session).is_some_and(|owner| owner == who)
    }

    /// Notes whose a session is. The first one counts.
    pub(super) fn keep(&self, session: &[u8], who: String) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

#[cfg(test)]
mod sessions_tests {
    use super::*;

    #[test]
    fn a_session_is_of_whoever_began_it_and_their_number_is_bounded() {
        let sessions = Sessions::default();
        assert!(!sessions.is_of(b"1", "me"), "one that was never begun is nobody's");
        sessions.keep(b"1", "me".to_owned());
        sessions.keep(b"1", "you".to_owned());
        assert!(sessions.is_of(b"1", "me") && !sessions.is_of(b"1", "you"));
        for index in 0..MAX_SESSIONS {
            sessions.keep(format!("s{index}").as_bytes(), "you".to_owned());
        }
        assert!(!sessions.is_of(b"1", "me"));
        assert_eq!(sessions.0.lock().unwrap().by_session.len(), MAX_SESSIONS);
    }
}
