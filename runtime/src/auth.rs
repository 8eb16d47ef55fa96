//! Who calls: verification of the access tokens that clients send over HTTP (OAuth 2.1 section 5, MCP authorization).
//!
//! A `Verifier` turns a token into a [`Principal`] or refuses it; `Auth` puts verifiers in front of the HTTP
//! transport, answers refusals as RFC 6750 says and tells clients where to get a token (RFC 9728). The token itself
//! goes no further than this module: it is never passed on to the API behind the server.
//!
//! Over stdio there is no token and no principal: whoever starts the process is its user.

mod principal;

#[cfg(feature = "auth")]
mod address;
#[cfg(feature = "auth")]
mod bearer;
#[cfg(feature = "auth")]
mod challenge;
#[cfg(feature = "auth")]
mod claims;
#[cfg(feature = "auth")]
mod config;
#[cfg(feature = "auth")]
mod fetch;
#[cfg(feature = "auth")]
mod fixed;
#[cfg(feature = "auth")]
mod introspection;
#[cfg(feature = "auth")]
mod jwks;
#[cfg(feature = "auth")]
mod jwt;
#[cfg(feature = "auth")]
mod layer;
#[cfg(feature = "auth")]
mod preset;
#[cfg(feature = "auth")]
mod sessions;
#[cfg(feature = "auth")]
mod several;
#[cfg(all(test, feature = "auth"))]
mod tests;

pub use principal::{Principal, ScopeRule, StepUp};

#[cfg(feature = "auth")]
pub use self::{
    config::AuthConfig,
    fetch::Network,
    fixed::StaticTokens,
    introspection::Introspection,
    jwt::{JwtIssuer, JwtVerifier},
    layer::Auth,
    preset::Preset,
    several::AnyOf,
};

#[cfg(feature = "auth")]
use async_trait::async_trait;
#[cfg(feature = "auth")]
use secrecy::SecretString;

/// Decides whom an access token stands for.
#[cfg(feature = "auth")]
#[async_trait]
pub trait Verifier: std::fmt::Debug + Send + Sync + 'static {
    /// The principal of a valid token.
    ///
    /// # Errors
    /// A [`Rejection`]. A verifier that cannot decide, because someone it must ask does not answer, says so: it never
    /// lets a token pass.
    async fn verify(&self, token: &SecretString) -> Result<Principal, Rejection>;
}

/// Why a token was not accepted.
#[cfg(feature = "auth")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The token is not valid here. The reason is for the log: clients learn no more than that.
    #[error("invalid token: {0}")]
    Invalid(&'static str),
    /// It cannot be decided at the moment.
    #[error("the token cannot be verified at the moment: {0}")]
    Unavailable(String),
}

/// Why the configuration of authentication cannot be used. Messages hold no secret.
#[cfg(feature = "auth")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("authentication is not configured correctly: {0}")]
pub struct ConfigError(pub(crate) String);

#[cfg(feature = "auth")]
impl ConfigError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}
