//! Opaque tokens, verified by asking their issuer (RFC 7662).

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{
    ConfigError, Principal, Rejection, Verifier,
    claims::{self, Demands},
    fetch::{self, Fetcher, Network},
};
use crate::storage::digest;

/// The largest answer in bytes.
const MAX_BYTES: usize = 64 << 10;
/// The most tokens that are remembered.
const MAX_CACHED: usize = 10_000;
/// The longest token in bytes.
const MAX_TOKEN: usize = 16 << 10;

const INVALID: fn(&'static str) -> Rejection = Rejection::Invalid;

/// Asks the introspection endpoint of an authorization server about each token, and remembers a positive answer for a
/// short while, never beyond the token's end. A token that was revoked is therefore accepted for at most
/// [`Introspection::remember`] longer.
pub struct Introspection {
    url: Url,
    fetcher: Fetcher,
    credentials: Credentials,
    issuer: Option<String>,
    demands: Demands,
    remember: Duration,
    cache: Mutex<HashMap<String, (Instant, Principal)>>,
}

#[derive(Clone)]
enum Credentials {
    None,
    Basic { id: String, secret: SecretString },
    Bearer(SecretString),
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Introspection {
    /// A verifier that asks the endpoint at `url`.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(url: &str, network: Network) -> Result<Self, ConfigError> {
        let url = Url::parse(url).map_err(|error| ConfigError::new(format!("`{url}` is no URL: {error}")))?;
        Ok(Self {
            fetcher: Fetcher::new(&url, network)?,
            url,
            credentials: Credentials::None,
            issuer: None,
            demands: Demands { audiences: Vec::new(), clients: Vec::new(), leeway: Duration::from_secs(30) },
            remember: Duration::from_secs(60),
            cache: Mutex::default(),
        })
    }

    /// Authenticates to the endpoint with the id and secret of this server (RFC 6749 section 2.3.1).
    #[must_use]
    pub fn basic(mut self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        self.credentials = Credentials::Basic { id: id.into(), secret: secret.into() };
        self
    }

    /// Authenticates to the endpoint with a token of this server.
    #[must_use]
    pub fn bearer(mut self, token: impl Into<SecretString>) -> Self {
        self.credentials = Credentials::Bearer(token.into());
        self
    }

    /// Accepts only tokens of this issuer. Answers may leave the issuer out; they are then believed to mean this one.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Accepts tokens for this audience. May be called several times.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.demands.audiences.push(audience.into());
        self
    }

    /// Accepts tokens of this application. May be called several times.
    #[must_use]
    pub fn client(mut self, id: impl Into<String>) -> Self {
        self.demands.clients.push(id.into());
        self
    }

    /// How long a positive answer is remembered, at most five minutes; not at all for zero. A minute, unless it is said.
    #[must_use]
    pub fn remember(mut self, time: Duration) -> Self {
        self.remember = time.min(Duration::from_secs(300));
        self
    }

    /// Tokens of any application for any server would be accepted otherwise.
    pub(super) fn checked(self) -> Result<Self, ConfigError> {
        if self.demands.audiences.is_empty() && self.demands.clients.is_empty() {
            return Err(ConfigError::new(format!(
                "introspection at `{}`: name the audience, or the client, of its tokens",
                self.url
            )));
        }
        Ok(self)
    }

    async fn ask(&self, token: &str) -> Result<Map<String, Value>, Rejection> {
        let unavailable = |reason: String| {
            tracing::warn!(url = %self.url, reason, "a token cannot be introspected");
            Rejection::Unavailable(reason)
        };
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        let request = self
            .fetcher
            .post(&self.url)
            .map_err(unavailable)?
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        let request = match &self.credentials {
            Credentials::None => request,
            Credentials::Basic { id, secret } => request.basic_auth(encode(id), Some(encode(secret.expose_secret()))),
            Credentials::Bearer(token) => request.bearer_auth(token.expose_secret()),
        };
        let answer = fetch::send(request.body(form), MAX_BYTES).await.map_err(unavailable)?;
        if answer.status != StatusCode::OK {
            return Err(unavailable(format!("the answer is {}", answer.status)));
        }
        serde_json::from_slice(&answer.body).map_err(|_| unavailable("the answer is no JSON object".to_owned()))
    }

    fn remembered(&self, name: &str) -> Option<Principal> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(name).filter(|(until, _)| *until > Instant::now()).map(|(_, principal)| principal.clone())
    }

    fn keep(&self, name: String, principal: &Principal) {
        let left =
            principal.expires.map_or(Duration::MAX, |end| end.duration_since(SystemTime::now()).unwrap_or_default());
        let time = self.remember.min(left);
        if time.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, (until, _)| *until > now);
        }
        // A full cache costs a question, not memory.
        if cache.len() < MAX_CACHED {
            cache.insert(name, (now + time, principal.clone()));
        }
    }
}

/// Ids and secrets are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[async_trait]
impl Verifier for Introspection {
    async fn verify(&self, token: &SecretString) -> Result<Principal, Rejection> {
        let token = token.expose_secret();
        if token.len() > MAX_TOKEN {
            return Err(INVALID("it is too long"));
        }
        let name = digest([token]);
        if let Some(principal) = self.remembered(&name) {
            return Ok(principal);
        }
        let claims = self.ask(token).await?;
        if claims.get("active") != Some(&Value::Bool(true)) {
            return Err(INVALID("it is not active"));
        }
        let issuer = match (claims.get("iss"), &self.issuer) {
            (Some(Value::String(issuer)), Some(expected)) if issuer != expected => {
                return Err(INVALID("unknown issuer"));
            }
            (Some(Value::String(issuer)), _) => issuer.clone(),
            (Some(_), _) => return Err(INVALID("`iss` is malformed")),
            (None, Some(expected)) => expected.clone(),
            (None, None) => self.url.origin().ascii_serialization(),
        };
        if claims.get("token_type").and_then(Value::as_str).is_some_and(|kind| kind.contains("refresh")) {
            return Err(INVALID("it is no access token"));
        }
        self.demands.check_audience(&claims)?;
        let expires = self.demands.check_times(&claims, false)?;
        claims::check_purpose(&claims)?;
        let principal = claims::principal(issuer, claims, expires)?;
        self.keep(name, &principal);
        Ok(principal)
    }
}
