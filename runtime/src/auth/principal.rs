//! Who calls, and what they may do.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use serde_json::{Map, Value};

/// Whether one granted scope (the first argument) includes a required one (the second) that is not equal to it, as in
/// `repo` and `repo:read`. Equal scopes always satisfy each other.
pub type ScopeRule = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// Whom a verified token stands for.
#[derive(Clone)]
pub struct Principal {
    /// `sub`: the user or, for a token that a client got for itself, the client. Unique within its issuer.
    pub subject: String,
    /// `iss`: who vouches for the subject.
    pub issuer: String,
    /// `client_id` or `azp`: the application that uses the token.
    pub client: Option<String>,
    /// The granted scopes.
    pub scopes: BTreeSet<String>,
    /// When the token ends.
    pub expires: Option<SystemTime>,
    /// Every claim of the token.
    pub claims: Map<String, Value>,
    pub(crate) rule: Option<ScopeRule>,
}

impl Principal {
    /// A principal without scopes and claims.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            issuer: issuer.into(),
            client: None,
            scopes: BTreeSet::new(),
            expires: None,
            claims: Map::new(),
            rule: None,
        }
    }

    /// The same principal with these scopes granted.
    #[must_use]
    pub fn with_scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the principal was granted a scope, or one that includes it.
    pub fn has_scope(&self, required: &str) -> bool {
        self.scopes.contains(required)
            || self.rule.as_ref().is_some_and(|rule| self.scopes.iter().any(|granted| rule(granted, required)))
    }

    /// Whether the principal was granted all of these scopes.
    pub fn has_scopes<T: AsRef<str>>(&self, required: impl IntoIterator<Item = T>) -> bool {
        required.into_iter().all(|scope| self.has_scope(scope.as_ref()))
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Claims are personal data.
        f.debug_struct("Principal")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Carries the scopes that a request turned out to need back to the HTTP layer, in the request's extensions. The layer
/// then answers 403 with a challenge that names them all, so that the client can ask its user for more (RFC 6750
/// section 3.1, MCP authorization "scope challenge").
#[derive(Debug, Clone, Default)]
pub struct StepUp(Arc<Mutex<Vec<String>>>);

impl StepUp {
    /// Demands scopes that the principal lacks.
    pub fn demand<T: Into<String>>(&self, scopes: impl IntoIterator<Item = T>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = scopes.into_iter().map(Into::into).collect();
    }

    /// What was demanded; nothing, for most requests.
    pub fn demanded(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod principal_tests {
    use super::*;

    #[test]
    fn a_broader_scope_satisfies_a_narrower_one_where_a_rule_says_so() {
        let mut principal = Principal::new("https://issuer", "me").with_scopes(["repo", "user:read"]);
        assert!(principal.has_scope("repo") && !principal.has_scope("repo:read") && !principal.has_scope("user"));
        principal.rule = Some(Arc::new(|granted, required| required.starts_with(&format!("{granted}:"))));
        assert!(principal.has_scopes(["repo", "repo:read", "user:read"]));
        assert!(!principal.has_scope("user") && !principal.has_scope("repository"));
        assert!(principal.has_scopes([] as [&str; 0]));
    }

    #[test]
    fn debug_shows_no_claim() {
        let mut principal = Principal::new("https://issuer", "me");
        principal.claims.insert("email".into(), "me@home.example".into());
        assert!(!format!("{principal:?}").contains("home.example"));
    }
}
