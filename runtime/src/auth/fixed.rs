//! Tokens that are written down: for development and tests.

use std::fmt;

use async_trait::async_trait;
use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{Digest, SHA256, digest},
};
use secrecy::{ExposeSecret, SecretString};

use super::{Principal, Rejection, Verifier};

/// A list of tokens, each with its principal. They never expire and cannot be revoked: use them for development only.
#[derive(Default)]
pub struct StaticTokens {
    tokens: Vec<(Digest, Principal)>,
}

impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticTokens").field("tokens", &self.tokens.len()).finish()
    }
}

impl StaticTokens {
    /// No token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts this token too.
    #[must_use]
    pub fn token(mut self, token: &SecretString, principal: Principal) -> Self {
        self.tokens.push((digest(&SHA256, token.expose_secret().as_bytes()), principal));
        self
    }
}

#[async_trait]
impl Verifier for StaticTokens {
    async fn verify(&self, token: &SecretString) -> Result<Principal, Rejection> {
        // Digests of one length are compared, all of them and each to its end, so that time tells nothing.
        let presented = digest(&SHA256, token.expose_secret().as_bytes());
        let mut found = None;
        for (expected, principal) in &self.tokens {
            if verify_slices_are_equal(expected.as_ref(), presented.as_ref()).is_ok() {
                found = Some(principal);
            }
        }
        found.cloned().ok_or(Rejection::Invalid("it is none of the static tokens"))
    }
}
