//! Authentication in front of the HTTP transport.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use serde_json::json;
use url::Url;

use super::{
    ConfigError, Rejection, ScopeRule, StepUp, Verifier,
    bearer::{self, Presented},
    challenge::{Challenges, Refusal, is_scope},
    sessions::{SESSION, Sessions},
};
use crate::storage::{KvStore, digest};

/// What an HTTP server demands of its clients, and tells them about it.
#[derive(Clone)]
pub struct Auth {
    verifier: Arc<dyn Verifier>,
    resource: Option<String>,
    servers: Vec<String>,
    required: Vec<String>,
    supported: Vec<String>,
    rule: Option<ScopeRule>,
    session_store: Option<Arc<dyn KvStore>>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("verifier", &self.verifier)
            .field("resource", &self.resource)
            .field("servers", &self.servers)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

impl<V: Verifier> From<V> for Auth {
    fn from(verifier: V) -> Self {
        Self::new(Arc::new(verifier))
    }
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl Auth {
    /// Demands a token that the verifier accepts.
    pub fn new(verifier: Arc<dyn Verifier>) -> Self {
        Self {
            verifier,
            resource: None,
            servers: Vec::new(),
            required: Vec::new(),
            supported: Vec::new(),
            rule: None,
            session_store: None,
        }
    }

    /// The public URL of the MCP endpoint, as clients know it (RFC 8707, RFC 9728 `resource`). What a request calls
    /// its host is never believed.
    #[must_use]
    pub fn resource(mut self, url: impl Into<String>) -> Self {
        self.resource = Some(url.into());
        self
    }

    /// The issuer identifier of an authorization server where clients get tokens. May be called several times.
    #[must_use]
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.servers.push(issuer.into());
        self
    }

    /// Demands these scopes for every request.
    #[must_use]
    pub fn required_scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.required = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The scopes that clients may want to ask for, beside the required ones.
    #[must_use]
    pub fn supported_scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.supported = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Where other instances of the server find whose a session is.
    #[must_use]
    pub(crate) fn session_store(mut self, store: Option<Arc<dyn KvStore>>) -> Self {
        self.session_store = store;
        self
    }

    /// Says which scopes include which others. Equal ones always do.
    #[must_use]
    pub fn scope_rule(mut self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }

    /// Puts authentication in front of a router that serves the MCP endpoint at `path`, and the protected resource
    /// metadata beside it. `own_url` is the URL of the endpoint where none was configured.
    ///
    /// A request that gets through has its [`super::Principal`] (in an `Arc`) and a [`StepUp`] among its extensions, and no
    /// `Authorization` header any more.
    ///
    /// # Errors
    /// When the public URL, an authorization server or a scope cannot be used.
    pub fn protect(self, router: Router, path: &str, own_url: &str) -> Result<Router, ConfigError> {
        let resource = canonical(self.resource.as_deref().unwrap_or(own_url))?;
        for scope in self.required.iter().chain(&self.supported) {
            if !is_scope(scope) {
                return Err(ConfigError::new(format!("`{}` is no scope", scope.escape_debug())));
            }
        }
        for server in &self.servers {
            Url::parse(server).map_err(|_| {
                ConfigError::new(format!("the authorization server `{}` is no URL", server.escape_debug()))
            })?;
        }
        let resource_path = resource.path().trim_end_matches('/').to_owned();
        let mut metadata_url = resource.clone();
        metadata_url.set_path(&format!("{WELL_KNOWN}{resource_path}"));
        metadata_url.set_query(None);

        // Asking for refresh tokens is the client's own affair.
        let is_ours = |scope: &&String| scope.as_str() != "offline_access";
        let required: Vec<String> = self.required.iter().filter(is_ours).cloned().collect();
        let mut supported = required.clone();
        supported.extend(self.supported.iter().filter(is_ours).filter(|scope| !required.contains(scope)).cloned());
        let mut document = json!({
            "resource": resource.as_str().trim_end_matches('/'),
            "bearer_methods_supported": ["header"],
        });
        if !self.servers.is_empty() {
            document["authorization_servers"] = json!(self.servers);
        }
        if !supported.is_empty() {
            document["scopes_supported"] = json!(supported);
        }

        let metadata = metadata(document.to_string(), [resource_path.as_str(), path.trim_end_matches('/')]);
        let guard = Guard {
            verifier: self.verifier,
            challenges: Challenges { metadata: metadata_url.to_string(), scopes: required },
            required: self.required,
            rule: self.rule,
            sessions: Sessions::new(self.session_store),
        };
        Ok(router.layer(middleware::from_fn_with_state(Arc::new(guard), authenticate)).merge(metadata))
    }
}

/// The form of a resource identifier that RFC 8707 and MCP recommend: lower-case scheme and host, no fragment, no
/// final slash.
fn canonical(text: &str) -> Result<Url, ConfigError> {
    let wrong = |reason: &str| ConfigError::new(format!("the public URL `{}` {reason}", text.escape_debug()));
    let mut url = Url::parse(text).map_err(|_| wrong("is no URL"))?;
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return Err(wrong("must be https"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("must hold neither credentials nor a query"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// Serves the metadata at the root and after each path: clients look in both places.
fn metadata<'a>(document: String, paths: impl IntoIterator<Item = &'a str>) -> Router {
    let document: Arc<str> = document.into();
    let mut places = vec![WELL_KNOWN.to_owned()];
    for path in paths {
        let place = format!("{WELL_KNOWN}{path}");
        // Braces would be captures to the router.
        if !places.contains(&place) && !place.contains(['{', '}']) {
            places.push(place);
        }
    }
    places.into_iter().fold(Router::new(), |router, place| {
        let document = document.clone();
        router.route(
            &place,
            get(move || async move {
                let headers = [
                    (header::CONTENT_TYPE, "application/json"),
                    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
                    (header::CACHE_CONTROL, "public, max-age=300"),
                ];
                (headers, document.to_string()).into_response()
            }),
        )
    })
}

/// How many characters of granted scopes a challenge repeats: a header has to stay one.
const MOST_GRANTED: usize = 2_000;

struct Guard {
    verifier: Arc<dyn Verifier>,
    challenges: Challenges,
    required: Vec<String>,
    rule: Option<ScopeRule>,
    sessions: Sessions,
}

async fn authenticate(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let token = match bearer::take(&mut parts) {
        Presented::Token(token) => token,
        Presented::Nothing => return guard.challenges.answer(Refusal::NoToken),
        Presented::Malformed(reason) => return guard.challenges.answer(Refusal::InvalidRequest(reason)),
    };
    let mut principal = match guard.verifier.verify(&token).await {
        Ok(principal) => principal,
        Err(Rejection::Invalid(reason)) => {
            tracing::debug!(reason, "a token was refused");
            return guard.challenges.answer(Refusal::InvalidToken);
        }
        Err(Rejection::Unavailable(_)) => return guard.challenges.answer(Refusal::Unavailable),
    };
    principal.rule.clone_from(&guard.rule);
    if !principal.has_scopes(&guard.required) {
        return guard.challenges.answer(Refusal::InsufficientScope(&guard.to_ask_for(&principal, &[])));
    }
    let who = digest([&principal.issuer, &principal.subject]);
    if let Some(session) = parts.headers.get(SESSION)
        && !guard.sessions.is_of(session.as_bytes(), &who).await
    {
        // As if there were no such session: the client begins a new one.
        return http::StatusCode::NOT_FOUND.into_response();
    }
    let step_up = StepUp::default();
    let principal = Arc::new(principal);
    parts.extensions.insert(principal.clone());
    parts.extensions.insert(step_up.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(session) = response.headers().get(SESSION) {
        guard.sessions.keep(session.as_bytes(), who).await;
    }
    let mut demanded = step_up.demanded();
    // Names of scopes can come from a document: one that could break the header is left out.
    demanded.retain(|scope| is_scope(scope));
    if demanded.is_empty() {
        return response;
    }
    guard.challenges.answer(Refusal::InsufficientScope(&guard.to_ask_for(&principal, &demanded)))
}

impl Guard {
    /// The scopes that a token needs to get further: what every request needs, what this one does, and what the client
    /// has. It asks for exactly these, and would lose the others.
    fn to_ask_for(&self, principal: &super::Principal, demanded: &[String]) -> Vec<String> {
        let mut all = self.required.clone();
        all.extend(demanded.iter().filter(|scope| !self.required.contains(scope)).cloned());
        let granted = || principal.scopes.iter().filter(|scope| is_scope(scope));
        if granted().map(String::len).sum::<usize>() <= MOST_GRANTED {
            all.extend(granted().filter(|scope| !all.contains(scope)).cloned().collect::<Vec<_>>());
        }
        all
    }
}
