//! Calls the API: arguments become one HTTP request, the response becomes a result.
//!
//! ```no_run
//! # use mcpwright_runtime::{catalog::Api, upstream::{Settings, Upstream}};
//! # static API: Api = Api::DEFAULT;
//! let upstream = Upstream::builder(&API)
//!     .settings(Settings::from_environment("PETSTORE")?)
//!     .credential("api_key", "secret")
//!     .build()?;
//! # Ok::<_, mcpwright_runtime::upstream::ConfigurationError>(())
//! ```
//!
//! What arguments can never do: change the origin, the number of path segments, the set of headers that frame the
//! message, or the framing of the body. Redirects are followed within the same origin only. Inbound headers are handed
//! on only when they are listed. Messages hold no credential and no URL.

mod body;
mod call;
mod credentials;
mod encode;
mod environment;
mod freshness;
mod media;
mod mock;
mod received;
mod request;
mod result;
mod server;
mod settings;
mod style;
mod transport;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Body;
use http::{HeaderMap, HeaderName, Request, Response};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    Error,
    arguments::Validator,
    catalog::{Api, Operation, SecurityScheme, is_reserved_header, variable_part},
    content::{ResourceContents, ToolResult},
    context::TraceContext,
};
use server::Servers;
use transport::Transport;

pub use credentials::{Credential, Credentials, Variable, variables};
pub use freshness::Freshness;
pub(crate) use result::{ANSWER_META, HINTS};
pub use settings::{Settings, ValidateOutput};

/// What is wrong with the configuration, and which variable to set. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigurationError(String);

impl ConfigurationError {
    /// What is wrong.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// What a call knows about who asks.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The headers of the inbound HTTP request; empty on stdio. Only listed ones are handed on.
    pub headers: HeaderMap,
    /// Whether the client authenticated to this server. Its `Authorization` is then never handed on.
    pub authenticated: bool,
    /// Who vouches for `subject`: the issuer of the verified token.
    pub issuer: Option<String>,
    /// Who asks, for [`Credentials`] that differ by user: the subject of the verified token, unique with its issuer.
    pub subject: Option<String>,
    /// Ends the call early.
    pub cancelled: CancellationToken,
    /// Learns what the API says about keeping its answers.
    pub freshness: Freshness,
    /// The trace that the call is part of; the API is told.
    pub trace: Option<TraceContext>,
    /// The span that the call is part of; the API is told of a span within it instead of `trace`.
    #[cfg(feature = "otel")]
    pub span: Option<crate::telemetry::Parent>,
}

/// The API behind a server. Clones share connections, tokens and limits.
#[derive(Clone)]
pub struct Upstream {
    shared: Arc<Shared>,
}

struct Shared {
    api: &'static Api,
    prefix: String,
    settings: Settings,
    servers: Servers,
    transport: Transport,
    credentials: credentials::Store,
    permits: Semaphore,
    outputs: Mutex<HashMap<usize, Arc<Validator>>>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Upstream").field("api", &self.shared.api.name).finish_non_exhaustive()
    }
}

/// Settles how an API is called.
pub struct UpstreamBuilder {
    api: &'static Api,
    prefix: String,
    settings: Option<Settings>,
    credentials: BTreeMap<String, Arc<dyn Credentials>>,
    service: Option<Transport>,
    environment: Option<BTreeMap<String, String>>,
}

impl Upstream {
    /// An upstream for an API. Without [`UpstreamBuilder::settings`] the environment is read.
    pub fn builder(api: &'static Api) -> UpstreamBuilder {
        UpstreamBuilder {
            api,
            prefix: variable_part(api.name),
            settings: None,
            credentials: BTreeMap::new(),
            service: None,
            environment: None,
        }
    }

    /// Calls an operation as a tool. The arguments are expected to match the input schema; whatever they are, they
    /// cannot change the shape of the request.
    ///
    /// # Errors
    /// `InvalidParams` for arguments that no request can carry, `Failed` when the API cannot be reached or lacks a
    /// credential, `TimedOut`, `Cancelled`. A status other than 2xx is a result with `is_error`.
    pub async fn call_tool(
        &self,
        operation: &'static Operation,
        arguments: Map<String, Value>,
        scope: &Scope,
    ) -> Result<ToolResult, Error> {
        let kept = kept(operation, &arguments);
        let (received, applied) = self.received(operation, arguments, scope).await?;
        let result = self.source(operation, kept.as_ref(), &received, &applied).tool_result();
        self.shared.check_output(operation, result)
    }

    /// Calls an operation as a resource with the URI that the client asked for.
    ///
    /// # Errors
    /// As [`call_tool`](Self::call_tool); a status other than 2xx is an error too, `NotFound` for 404 and 410.
    pub async fn read_resource(
        &self,
        operation: &'static Operation,
        arguments: Map<String, Value>,
        uri: &str,
        scope: &Scope,
    ) -> Result<Vec<ResourceContents>, Error> {
        let kept = kept(operation, &arguments);
        let (received, applied) = self.received(operation, arguments, scope).await?;
        self.source(operation, kept.as_ref(), &received, &applied).contents(uri)
    }

    async fn received(
        &self,
        operation: &'static Operation,
        arguments: Map<String, Value>,
        scope: &Scope,
    ) -> Result<(received::Received, credentials::Applied), Error> {
        let (received, applied) = self.shared.call(operation, arguments, scope).await?;
        scope.freshness.note(&received.headers, received.cut.is_some(), &self.shared.settings.forward_headers);
        Ok((received, applied))
    }

    /// The API that is called.
    pub fn api(&self) -> &'static Api {
        self.shared.api
    }

    /// Whether answers are made up from examples and schemas.
    pub fn is_mock(&self) -> bool {
        self.shared.settings.mock
    }

    /// What would keep calls from succeeding: an unknown base URL, operations whose credential is not configured. For
    /// a warning at start; calls say the same.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.is_mock() {
            return warnings;
        }
        if let Err(error) = self.shared.servers.api() {
            warnings.push(error.to_string());
        }
        warnings
    }

    fn source<'a>(
        &'a self,
        operation: &'static Operation,
        arguments: Option<&'a Map<String, Value>>,
        received: &'a received::Received,
        applied: &'a credentials::Applied,
    ) -> result::Source<'a> {
        result::Source { api: self.shared.api, operation, arguments, prefix: &self.shared.prefix, received, applied }
    }
}

/// The arguments, where links may speak of them.
fn kept(operation: &Operation, arguments: &Map<String, Value>) -> Option<Map<String, Value>> {
    (!operation.links.is_empty()).then(|| arguments.clone())
}

impl Shared {
    fn check_output(&self, operation: &'static Operation, result: ToolResult) -> Result<ToolResult, Error> {
        if self.settings.validate_output == ValidateOutput::Off || result.is_error {
            return Ok(result);
        }
        let Some(validator) = self.output_validator(operation) else { return Ok(result) };
        let structured = match &result.structured {
            Some(json) => serde_json::from_str(json.get()).unwrap_or_default(),
            None => Value::Null,
        };
        let faults = validator.faults(&structured);
        if faults.is_empty() {
            return Ok(result);
        }
        tracing::warn!(operation = operation.name, ?faults, "the answer does not match the document");
        if self.settings.validate_output == ValidateOutput::Warn {
            return Ok(result);
        }
        Err(Error::failed(format!("the API's answer does not match its document: {}", faults.join("; "))))
    }

    /// Whether a JSON text, wrapped where the output is, matches the output schema.
    fn is_right(&self, operation: &'static Operation, json: &str) -> bool {
        let Ok(value) = serde_json::from_str::<Value>(json) else { return operation.output.is_none() };
        let value = match operation.output {
            Some(output) if output.wrapped => serde_json::json!({ "result": value }),
            _ => value,
        };
        self.output_validator(operation).is_none_or(|validator| validator.faults(&value).is_empty())
    }

    fn output_validator(&self, operation: &'static Operation) -> Option<Arc<Validator>> {
        let key = std::ptr::from_ref(operation).addr();
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = outputs.get(&key) {
            return Some(validator.clone());
        }
        let validator = Arc::new(Validator::new(crate::schema::output(self.api, operation)?));
        outputs.insert(key, validator.clone());
        Some(validator)
    }
}

impl UpstreamBuilder {
    /// The settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// The prefix of environment variables, instead of the API's name in `UPPER_SNAKE_CASE`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Variables that are read instead of the process's environment.
    #[must_use]
    pub fn environment<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.environment = Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// The credential of a security scheme: one for all calls, from a text or a [`Credential`]. It wins over the
    /// environment.
    #[must_use]
    pub fn credential(self, scheme: impl Into<String>, credential: impl Into<Credential>) -> Self {
        self.credentials(scheme, credential.into())
    }

    /// The credentials of a security scheme, for each call anew.
    #[must_use]
    pub fn credentials(mut self, scheme: impl Into<String>, credentials: impl Credentials) -> Self {
        self.credentials.insert(scheme.into(), Arc::new(credentials));
        self
    }

    /// Calls a service in this process instead of the network: an `axum::Router`, say, whose own document was
    /// generated from. Without a base URL the path of the document's server counts.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        self.service = Some(Transport::service(service));
        self
    }

    /// Checks everything that can be checked without calling the API.
    ///
    /// # Errors
    /// Says which variable, file or scheme is wrong.
    pub fn build(self) -> Result<Upstream, ConfigurationError> {
        let environment: &dyn environment::Environment = match &self.environment {
            Some(variables) => variables,
            None => &environment::Process,
        };
        let mut settings = match self.settings {
            Some(settings) => settings,
            None => Settings::read(&self.prefix, environment)?,
        };
        if self.service.is_some() && settings.base_url.is_none() {
            settings.base_url = Some(in_process_base(self.api));
        }
        for name in &settings.forward_headers {
            let legal = HeaderName::from_bytes(name.as_bytes()).is_ok() && !is_reserved_header(name);
            if !legal || matches!(name.to_ascii_lowercase().as_str(), "accept" | "content-type") {
                return Err(ConfigurationError::new(format!(
                    "{}_FORWARD_HEADERS names `{name}`, which cannot be handed on",
                    self.prefix
                )));
            }
        }
        let servers = Servers::new(self.api.servers, self.api.operations(), &settings, &self.prefix)?;
        let network = || Transport::network(&settings, &self.prefix);
        let transport = match self.service {
            Some(service) => service,
            None => network()?,
        };
        let mut store = credentials::Store {
            forwarded: settings.forward_headers.clone(),
            client_certificate: settings.client_certificate.is_some(),
            ..credentials::Store::default()
        };
        // Token endpoints are on the network even where the API is in this process.
        let tokens = match &transport {
            Transport::Service(_) if self.api.security_schemes.iter().any(|scheme| has_token_endpoint(scheme)) => {
                network()?
            }
            transport => transport.clone(),
        };
        let mut given = self.credentials;
        for scheme in self.api.security_schemes {
            let source = match given.remove(scheme.name) {
                Some(source) => Some(source),
                None => credentials::read(scheme, &self.prefix, environment, &tokens, servers.api().ok())?,
            };
            if let Some(source) = source {
                store.sources.insert(scheme.name, source);
            }
        }
        if let Some(unknown) = given.keys().next() {
            let known: Vec<&str> = self.api.security_schemes.iter().map(|scheme| scheme.name).collect();
            return Err(ConfigurationError::new(format!(
                "the document has no security scheme `{unknown}`; it has: {}",
                known.join(", ")
            )));
        }
        Ok(Upstream {
            shared: Arc::new(Shared {
                api: self.api,
                permits: Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
                prefix: self.prefix,
                servers,
                transport,
                credentials: store,
                settings,
                outputs: Mutex::default(),
            }),
        })
    }
}

fn has_token_endpoint(scheme: &SecurityScheme) -> bool {
    use crate::catalog::SecuritySchemeKind::{OAuth2, OpenIdConnect};
    matches!(scheme.kind, OAuth2 { .. } | OpenIdConnect { .. })
}

/// The path of the document's server on a host that does not exist.
fn in_process_base(api: &Api) -> String {
    let path = match api.servers.first() {
        Some(server) if server.url.starts_with('/') => server.url.to_owned(),
        Some(server) => url::Url::parse(server.url).map(|url| url.path().to_owned()).unwrap_or_default(),
        None => String::new(),
    };
    let path = if path.contains(['{', '?', '#']) { "" } else { path.as_str() };
    format!("http://in-process.invalid{path}")
}
