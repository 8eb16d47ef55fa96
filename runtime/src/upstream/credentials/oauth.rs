//! Access tokens from a token endpoint (RFC 6749): fetched once for all waiting calls, renewed early.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex as StdMutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};
use url::{Host, Url};

use super::{Credential, Credentials};
use crate::{
    Error,
    catalog::{FlowKind, SecurityScheme, SecuritySchemeKind},
    error::ErrorKind,
    upstream::{ConfigurationError, Scope, transport::Transport},
};

/// How long the token endpoint has.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The largest answer of a token endpoint or discovery document.
const MAX_ANSWER: usize = 256 * 1024;
/// How long a token is kept at most, whatever its issuer says.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before its end a token is renewed, unless it lives for less than ten times that.
const EARLY: Duration = Duration::from_secs(60);

/// What is exchanged for access tokens.
pub(in crate::upstream) enum Grant {
    /// RFC 6749 §4.4
    ClientCredentials,
    /// RFC 6749 §6
    RefreshToken(SecretString),
    /// RFC 6749 §4.3
    Password { username: String, password: SecretString },
}

/// Fetches, keeps and renews the tokens of one security scheme.
pub(in crate::upstream) struct TokenSource {
    scheme: &'static SecurityScheme,
    variable: String,
    grant: Grant,
    transport: Transport,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    authentication: Option<Authentication>,
    /// Whether the endpoint turned down HTTP basic and took the secret in the form.
    prefers_form: AtomicBool,
    scopes: Option<String>,
    endpoint: Endpoint,
    discovered: OnceCell<Url>,
    /// The refresh token that came with the last access token.
    rotated: StdMutex<Option<SecretString>>,
    tokens: StdMutex<HashMap<String, Arc<Mutex<Option<Token>>>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Authentication {
    Basic,
    Form,
}

enum Endpoint {
    At(Url),
    Discover(Url),
    Unknown(String),
}

#[derive(Clone)]
struct Token {
    secret: SecretString,
    renew: Option<Instant>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    token_endpoint: String,
}

impl TokenSource {
    pub(super) fn new(scheme: &'static SecurityScheme, variable: &str, grant: Grant, transport: Transport) -> Self {
        Self {
            scheme,
            variable: variable.to_owned(),
            grant,
            transport,
            client_id: None,
            client_secret: None,
            authentication: None,
            prefers_form: AtomicBool::new(false),
            scopes: None,
            endpoint: Endpoint::Unknown(format!("set {variable}_TOKEN_URL to the token endpoint")),
            discovered: OnceCell::new(),
            rotated: StdMutex::default(),
            tokens: StdMutex::default(),
        }
    }

    pub(super) fn client(mut self, id: Option<String>, secret: Option<SecretString>) -> Self {
        self.client_id = id;
        self.client_secret = secret;
        self
    }

    pub(super) fn authentication(mut self, method: Option<&str>) -> Result<Self, ConfigurationError> {
        self.authentication = match method {
            None => None,
            Some("basic" | "client_secret_basic") => Some(Authentication::Basic),
            Some("post" | "client_secret_post") => Some(Authentication::Form),
            Some(other) => {
                return Err(ConfigurationError::new(format!(
                    "{}_CLIENT_AUTHENTICATION has to be basic or post, not {other:?}",
                    self.variable
                )));
            }
        };
        Ok(self)
    }

    pub(super) fn scopes(mut self, scopes: Option<String>) -> Self {
        self.scopes = scopes
            .map(|scopes| scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).collect::<Vec<_>>().join(" "));
        self
    }

    /// Settles the token endpoint: the configured one, the document's (relative to the API), or by discovery.
    pub(super) fn token_url(mut self, configured: Option<&str>, api: Option<&Url>) -> Result<Self, ConfigurationError> {
        if let Some(text) = configured {
            let url = Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
                .ok_or_else(|| {
                    ConfigurationError::new(format!("{}_TOKEN_URL is not an http or https URL", self.variable))
                })?;
            self.endpoint = Endpoint::At(url);
            return Ok(self);
        }
        let resolve = |text: &str| match (Url::parse(text), api) {
            (Ok(url), _) => Some(url),
            (Err(_), Some(api)) => api.join(text).ok(),
            (Err(_), None) => None,
        };
        let unknown = |why: &str| Endpoint::Unknown(format!("{why}; set {}_TOKEN_URL", self.variable));
        self.endpoint = match &self.scheme.kind {
            SecuritySchemeKind::OpenIdConnect { url } => match resolve(url) {
                Some(url) if is_trustworthy(&url, api) => Endpoint::Discover(url),
                _ => unknown("the document's discovery URL is not an https URL"),
            },
            SecuritySchemeKind::OAuth2 { flows } => {
                let wanted = match self.grant {
                    Grant::ClientCredentials => Some(FlowKind::ClientCredentials),
                    Grant::Password { .. } => Some(FlowKind::Password),
                    Grant::RefreshToken(_) => None,
                };
                let text = flows
                    .iter()
                    .filter(|flow| Some(flow.kind) == wanted)
                    .chain(flows.iter())
                    .map(|flow| match self.grant {
                        Grant::RefreshToken(_) if !flow.refresh_url.is_empty() => flow.refresh_url,
                        _ => flow.token_url,
                    })
                    .find(|url| !url.is_empty());
                match text.map(resolve) {
                    Some(Some(url)) if is_trustworthy(&url, api) => Endpoint::At(url),
                    Some(_) => unknown("the document's token endpoint is not an https URL"),
                    None => unknown("the document names no token endpoint"),
                }
            }
            _ => unknown("the scheme has no token endpoint"),
        };
        Ok(self)
    }

    fn failed(&self, why: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Failed, format!("no access token for the API (scheme `{}`): {why}", self.scheme.name))
    }

    async fn endpoint(&self) -> Result<Url, Error> {
        match &self.endpoint {
            Endpoint::At(url) => Ok(url.clone()),
            Endpoint::Unknown(why) => Err(self.failed(why)),
            Endpoint::Discover(url) => self.discovered.get_or_try_init(|| self.discover(url)).await.cloned(),
        }
    }

    /// OpenID Connect Discovery 1.0 §4: the issuer in the document has to be the one that was asked.
    async fn discover(&self, url: &Url) -> Result<Url, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let (status, body) = self.exchange(Method::GET, url, headers, None).await?;
        let discovery: Discovery =
            serde_json::from_slice(&body).ok().filter(|_| status.is_success()).ok_or_else(|| {
                self.failed(format!("the discovery document is not readable (status {})", status.as_u16()))
            })?;
        let expected = format!("{}/.well-known/openid-configuration", discovery.issuer.trim_end_matches('/'));
        if expected != url.as_str() {
            return Err(self.failed("the discovery document names another issuer"));
        }
        Url::parse(&discovery.token_endpoint)
            .ok()
            .filter(|endpoint| is_trustworthy(endpoint, Some(url)))
            .ok_or_else(|| self.failed("the discovery document's token endpoint is not an https URL"))
    }

    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Vec<u8>), Error> {
        let exchange = async {
            let mut answer = self.transport.send(&method, url, headers, body).await?;
            let mut bytes = Vec::new();
            while let Some(chunk) = answer.body.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() > MAX_ANSWER {
                    bytes.clear();
                    break;
                }
            }
            Ok::<_, crate::upstream::transport::TransportError>((answer.status, bytes))
        };
        match tokio::time::timeout(TIMEOUT, exchange).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(error.to_string().replace("the API", "the token endpoint"))),
            Err(_) => Err(self.failed("the token endpoint did not answer in time")),
        }
    }

    async fn fetch(&self, scopes: &str) -> Result<Token, Error> {
        let url = self.endpoint().await?;
        let form_first = match self.authentication {
            Some(method) => method == Authentication::Form,
            None => self.prefers_form.load(Ordering::Relaxed),
        };
        let (mut status, mut answer) = self.ask(&url, scopes, form_first).await?;
        let refused = status == StatusCode::UNAUTHORIZED || answer.error.as_deref() == Some("invalid_client");
        if refused && self.authentication.is_none() && !form_first && self.client_secret.is_some() {
            (status, answer) = self.ask(&url, scopes, true).await?;
            if status.is_success() {
                self.prefers_form.store(true, Ordering::Relaxed);
            }
        }
        let Some(token) = answer.access_token.filter(|token| status.is_success() && !token.is_empty()) else {
            let code = answer.error.unwrap_or_else(|| format!("status {}", status.as_u16()));
            let more = answer.error_description.map(|text| format!(" ({text})")).unwrap_or_default();
            let text: String =
                format!("{code}{more}").chars().filter(|character| !character.is_control()).take(300).collect();
            return Err(self.failed(format!("the token endpoint answered {text}")));
        };
        if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(self.failed("the token endpoint gave a token that is no bearer token"));
        }
        if let Some(refresh) = answer.refresh_token
            && matches!(self.grant, Grant::RefreshToken(_))
        {
            *self.rotated.lock().unwrap_or_else(PoisonError::into_inner) = Some(refresh.into());
        }
        let lifetime = answer.expires_in.and_then(|seconds| match seconds {
            serde_json::Value::String(text) => text.parse().ok(),
            seconds => seconds.as_f64(),
        });
        let renew = lifetime.map(|seconds: f64| {
            let lifetime = Duration::try_from_secs_f64(seconds).unwrap_or_default().min(MAX_LIFETIME);
            Instant::now() + lifetime.saturating_sub(EARLY.min(lifetime / 10))
        });
        Ok(Token { secret: token.into(), renew: renew.or_else(|| Instant::now().checked_add(MAX_LIFETIME)) })
    }

    async fn ask(&self, url: &Url, scopes: &str, secret_in_form: bool) -> Result<(StatusCode, Answer), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            match &self.grant {
                Grant::ClientCredentials => {
                    form.append_pair("grant_type", "client_credentials");
                }
                Grant::RefreshToken(first) => {
                    let rotated = self.rotated.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    form.append_pair("grant_type", "refresh_token");
                    form.append_pair("refresh_token", rotated.as_ref().unwrap_or(first).expose_secret());
                }
                Grant::Password { username, password } => {
                    form.append_pair("grant_type", "password");
                    form.append_pair("username", username);
                    form.append_pair("password", password.expose_secret());
                }
            }
            if !scopes.is_empty() {
                form.append_pair("scope", scopes);
            }
            match (&self.client_id, &self.client_secret) {
                (Some(id), Some(secret)) if !secret_in_form => {
                    let mut value =
                        HeaderValue::from_str(&basic(id, secret)).map_err(|_| self.failed("unusable client"))?;
                    value.set_sensitive(true);
                    headers.insert(header::AUTHORIZATION, value);
                }
                (Some(id), secret) => {
                    form.append_pair("client_id", id);
                    if let Some(secret) = secret {
                        form.append_pair("client_secret", secret.expose_secret());
                    }
                }
                (None, _) => {}
            }
            form.finish()
        };
        let (status, bytes) = self.exchange(Method::POST, url, headers, Some(body.into())).await?;
        let answer = serde_json::from_slice(&bytes).unwrap_or(Answer {
            access_token: None,
            token_type: None,
            expires_in: None,
            refresh_token: None,
            error: None,
            error_description: None,
        });
        Ok((status, answer))
    }

    fn slot(&self, scopes: &str) -> Arc<Mutex<Option<Token>>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).entry(scopes.to_owned()).or_default().clone()
    }
}

impl Credentials for TokenSource {
    fn credential<'a>(
        &'a self,
        _scheme: &'static SecurityScheme,
        scopes: &'static [&'static str],
        _scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Credential>, Error>> {
        Box::pin(async move {
            // A refresh token has its scopes already, and may be used once only: one slot for all operations.
            let scopes = match (&self.scopes, &self.grant) {
                (Some(scopes), _) => scopes.clone(),
                (None, Grant::RefreshToken(_)) => String::new(),
                (None, _) => {
                    let mut scopes = scopes.to_vec();
                    scopes.sort_unstable();
                    scopes.dedup();
                    scopes.join(" ")
                }
            };
            let slot = self.slot(&scopes);
            let mut held = slot.lock().await;
            if let Some(token) = held.as_ref()
                && token.renew.is_none_or(|renew| Instant::now() < renew)
            {
                return Ok(Some(Credential::Secret(token.secret.clone())));
            }
            let token = self.fetch(&scopes).await?;
            *held = Some(token.clone());
            Ok(Some(Credential::Secret(token.secret)))
        })
    }

    fn rejected<'a>(&'a self, _scheme: &'static SecurityScheme, credential: &'a Credential) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Credential::Secret(rejected) = credential else { return false };
            let slots: Vec<_> = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
            for slot in slots {
                let mut held = slot.lock().await;
                if held.as_ref().is_some_and(|token| token.secret.expose_secret() == rejected.expose_secret()) {
                    *held = None;
                }
            }
            true
        })
    }
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
fn basic(id: &str, secret: &SecretString) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose_secret()))))
}

/// Whether a URL that a document names may receive a secret: https, this machine, or the origin that is trusted anyway.
fn is_trustworthy(url: &Url, trusted: Option<&Url>) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    match url.scheme() {
        "https" => true,
        "http" => loopback || trusted.is_some_and(|trusted| trusted.origin() == url.origin()),
        _ => false,
    }
}
