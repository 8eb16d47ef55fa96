//! Several verifiers at once.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{Principal, Rejection, Verifier};

/// Accepts what one of several verifiers accepts, asked in their order.
#[derive(Debug, Clone, Default)]
pub struct AnyOf {
    verifiers: Vec<Arc<dyn Verifier>>,
}

impl AnyOf {
    /// A verifier that accepts what any of these does.
    pub fn new(verifiers: impl IntoIterator<Item = Arc<dyn Verifier>>) -> Self {
        Self { verifiers: verifiers.into_iter().collect() }
    }

    /// Adds one more verifier, asked last.
    #[must_use]
    pub fn or(mut self, verifier: impl Verifier) -> Self {
        self.verifiers.push(Arc::new(verifier));
        self
    }
}

#[async_trait]
impl Verifier for AnyOf {
    async fn verify(&self, token: &SecretString) -> Result<Principal, Rejection> {
        let mut rejection = Rejection::Invalid("there is no verifier");
        for verifier in &self.verifiers {
            match verifier.verify(token).await {
                Ok(principal) => return Ok(principal),
                // One that cannot decide may be the one that would accept: the token is not called invalid then.
                Err(invalid @ Rejection::Invalid(_)) if matches!(rejection, Rejection::Invalid(_)) => {
                    rejection = invalid;
                }
                Err(unavailable @ Rejection::Unavailable(_)) => rejection = unavailable,
                Err(Rejection::Invalid(_)) => {}
            }
        }
        Err(rejection)
    }
}
