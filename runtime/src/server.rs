//! A server: what it offers, put together by its author, and the ways to run it.
//!
//! ```no_run
//! use mcpwright_runtime::{Error, Server, component::Tool, context::Context};
//!
//! async fn ping(_: Context, (): ()) -> Result<&'static str, Error> {
//!     Ok("pong")
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     Server::named("pinger").version("1.0.0").tool(Tool::new("ping", "Answers.", ping)).main()
//! }
//! ```

mod configured;
mod lifespan;
mod list;
mod logging;
mod main;
mod options;
mod start;

use std::{borrow::Cow, collections::HashMap, future::Future, sync::Arc, time::Duration};

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

pub use options::{Limits, LogFormat, Options, Transport};
pub use start::StartError;

pub(crate) use start::Running;

use crate::{
    Error,
    catalog::{Api, Operation},
    component::{
        Call, CompletionHandler, Icon, IntoToolResult, Prompt, Resource, ResourceTemplate, Tool, Transform,
        WrapHandler, completion_handler, wrap_handler,
    },
    compose::Mounted,
    context::Context,
    message::{Complete, Completion, ServerInfo},
    middleware::Middleware,
    registry::Visibility,
    transport, upstream,
};
use lifespan::Lifespan;

/// Changes the HTTP application before it serves. Gets the router and where the MCP endpoint is.
pub(crate) type HttpLayer =
    Box<dyn FnOnce(Router, &Endpoint) -> Result<Router, Box<dyn std::error::Error + Send + Sync>> + Send>;

/// Where the MCP endpoint is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The path, `/mcp`.
    pub path: String,
    /// The whole URL as far as the server knows it: its own address, without what proxies make of it.
    pub url: String,
    /// Where the instances of the server find each other's sessions.
    #[cfg(feature = "auth")]
    pub(crate) session_store: Option<Arc<dyn crate::storage::KvStore>>,
}

/// A server in the making. Nothing fails here: what does not fit together is reported when it starts.
#[must_use = "a server does nothing until `main`, `serve_stdio`, `serve_http` or `into_router`"]
pub struct Server {
    info: ServerInfo,
    apis: Vec<ApiSource>,
    tools: Vec<Tool>,
    resources: Vec<Resource>,
    templates: Vec<ResourceTemplate>,
    prompts: Vec<Prompt>,
    completion: Option<CompletionHandler>,
    wrappers: Vec<(&'static Operation, WrapHandler)>,
    layers: Vec<Arc<dyn Middleware>>,
    lifespans: Vec<Lifespan>,
    http: Vec<HttpLayer>,
    sessions: usize,
    session_store: Option<Arc<dyn crate::storage::KvStore>>,
    visibility: Visibility,
    transforms: HashMap<String, Arc<Transform>>,
    inner: Vec<InnerServer>,
    #[cfg(feature = "proxy")]
    remote: Option<crate::compose::Remote>,
    #[cfg(feature = "auth")]
    auth: Option<crate::auth::Auth>,
}

/// An API of the server, and how it is called: by the author's own upstream, or one made from the options.
struct ApiSource {
    api: &'static Api,
    upstream: Option<upstream::Upstream>,
}

/// A server within the server.
struct InnerServer {
    prefix: String,
    mounted: Mounted,
    live: bool,
}

impl Server {
    /// A server that offers an API.
    pub fn new(api: &'static Api) -> Self {
        let mut server = Self::named(api.name).version(api.version);
        server.info.title = (!api.title.is_empty()).then(|| api.title.to_owned());
        server.info.instructions = (!api.description.is_empty()).then(|| api.description.to_owned());
        server.api(api)
    }

    /// A server that offers what is added to it. The name should be in `kebab-case`; in `UPPER_SNAKE_CASE` it is the
    /// prefix of the server's environment variables.
    pub fn named(name: impl Into<String>) -> Self {
        let info = ServerInfo {
            name: name.into(),
            title: None,
            version: "0.0.0".to_owned(),
            instructions: None,
            website_url: None,
            icons: Vec::new(),
        };
        Self {
            info,
            apis: Vec::new(),
            tools: Vec::new(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            completion: None,
            wrappers: Vec::new(),
            layers: Vec::new(),
            lifespans: Vec::new(),
            http: Vec::new(),
            sessions: 0,
            session_store: None,
            visibility: Visibility::default(),
            transforms: HashMap::new(),
            inner: Vec::new(),
            #[cfg(feature = "proxy")]
            remote: None,
            #[cfg(feature = "auth")]
            auth: None,
        }
    }

    /// Offers one more API. Its upstream is made from the command line and the environment when the server starts.
    pub fn api(mut self, api: &'static Api) -> Self {
        self.apis.push(ApiSource { api, upstream: None });
        self
    }

    /// Calls an API through an upstream of one's own: other credentials, or a service in this process. The API is added
    /// when the server does not offer it yet.
    pub fn upstream(mut self, upstream: upstream::Upstream) -> Self {
        let api = upstream.api();
        match self.apis.iter_mut().find(|source| std::ptr::eq(source.api, api)) {
            Some(source) => source.upstream = Some(upstream),
            None => self.apis.push(ApiSource { api, upstream: Some(upstream) }),
        }
        self
    }

    /// The server's version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.info.version = version.into();
        self
    }

    /// The server's name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.info.title = Some(title.into());
        self
    }

    /// How to use the server, for models.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.info.instructions = Some(instructions.into());
        self
    }

    /// A page about the server.
    pub fn website_url(mut self, url: impl Into<String>) -> Self {
        self.info.website_url = Some(url.into());
        self
    }

    /// Adds an icon.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.info.icons.push(icon);
        self
    }

    /// Adds a tool.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds a resource.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds a resource template.
    pub fn resource_template(mut self, template: ResourceTemplate) -> Self {
        self.templates.push(template);
        self
    }

    /// Adds a prompt.
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompts.push(prompt);
        self
    }

    /// Offers the components of this name or tag, also where the configuration of the generator hides them. Later calls
    /// of this and of [`Server::disable`] win over earlier ones.
    pub fn enable(mut self, name_or_tag: impl Into<String>) -> Self {
        self.visibility.add(name_or_tag.into(), true);
        self
    }

    /// Does not offer the components of this name or tag: they are neither listed nor found.
    pub fn disable(mut self, name_or_tag: impl Into<String>) -> Self {
        self.visibility.add(name_or_tag.into(), false);
        self
    }

    /// Offers the components of this name or tag, of those that are not named by a call of this or of
    /// [`Server::enable`] none. Holds for the components of mounted servers too, under their outer names.
    pub fn only(mut self, name_or_tag: impl Into<String>) -> Self {
        self.visibility.only(name_or_tag.into());
        self
    }

    /// Offers what another server offers, now and whenever it changes: tools and prompts as `prefix_name`, resources as
    /// `scheme://prefix/path`; under their own names when the prefix is empty. The layers and lifespans of the other
    /// server work for what is its own. Authentication and routes belong to the outer server.
    pub fn mount(mut self, prefix: impl Into<String>, server: impl Into<Mounted>) -> Self {
        self.inner.push(InnerServer { prefix: prefix.into(), mounted: server.into(), live: true });
        self
    }

    /// [`Server::mount`] of what the other server offers when it starts: what it adds and removes later does not show.
    pub fn import(mut self, prefix: impl Into<String>, server: impl Into<Mounted>) -> Self {
        self.inner.push(InnerServer { prefix: prefix.into(), mounted: server.into(), live: false });
        self
    }

    /// [`Server::mount`] of a server that runs elsewhere. While it is gone its components stay listed, and their use ends
    /// in an error that says so; it is connected to again as soon as it is back. The caller's headers and credentials are
    /// not passed on.
    #[cfg(feature = "proxy")]
    pub fn proxy(self, prefix: impl Into<String>, remote: crate::compose::Remote) -> Self {
        let mut server = Self::named(remote.name());
        server.remote = Some(remote);
        self.mount(prefix, server)
    }

    /// This server and all within it.
    fn tree(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(server) = found.get(next).copied() {
            found.extend(server.inner.iter().map(|inner| &inner.mounted.server));
            next += 1;
        }
        found
    }

    /// The only API of this server and all within it, if its upstream is to be made from the options.
    fn only_api(&self) -> Option<&'static Api> {
        let tree = self.tree();
        let mut sources = tree.iter().flat_map(|server| &server.apis);
        match (sources.next(), sources.next()) {
            (Some(source), None) if source.upstream.is_none() => Some(source.api),
            _ => None,
        }
    }

    /// Proposes values for every argument that has no proposals of its own.
    pub fn completion<F, Fut, R>(mut self, handler: F) -> Self
    where
        F: Fn(Context, Complete) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: Into<Completion>,
    {
        self.completion = Some(completion_handler(handler));
        self
    }

    /// Puts a handler around the tool of an operation. [`Call::proceed`] calls the API.
    pub fn wrap<F, Fut, R>(mut self, operation: &'static Operation, handler: F) -> Self
    where
        F: Fn(Context, Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: IntoToolResult + 'static,
    {
        self.wrappers.push((operation, wrap_handler(handler)));
        self
    }

    /// Offers a tool as something else: under another name, with other arguments, with a function around it. `tool` is
    /// the name that it has without; of several calls for one tool the last one counts. Works on tools of mounted servers
    /// too, under their outer names.
    pub fn transform(mut self, tool: impl Into<String>, transform: Transform) -> Self {
        self.transforms.insert(tool.into(), Arc::new(transform));
        self
    }

    /// Adds a layer around all messages. The first one added is the outermost.
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Makes a value when the server starts and keeps it until it stops: handlers get it from [`Context::lifespan`].
    /// Several start in order; the server does not start when one fails.
    pub fn lifespan<F, Fut, T, E>(mut self, start: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + Sync + 'static,
        E: std::fmt::Display + 'static,
    {
        self.lifespans.push(Lifespan::new(start, |_: Arc<T>| async {}));
        self
    }

    /// [`Server::lifespan`] with something to do when the server stops, also by a signal. Stops in the reverse order.
    pub fn lifespan_until<F, Fut, T, E, S, Stopped>(mut self, start: F, stop: S) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + Sync + 'static,
        E: std::fmt::Display + 'static,
        S: FnOnce(Arc<T>) -> Stopped + Send + 'static,
        Stopped: Future<Output = ()> + Send + 'static,
    {
        self.lifespans.push(Lifespan::new(start, stop));
        self
    }

    /// Serves protocol versions up to 2025-11-25 over HTTP with sessions, at most so many at once. Needed where handlers
    /// ask clients of these versions back, or tell them of changes. Without it each request stands alone.
    pub fn sessions(mut self, most: usize) -> Self {
        self.sessions = most;
        self
    }

    /// Lets several instances of the server take up each other's sessions: what clients said at `initialize`, and whose
    /// a session is, are kept here for a day. What handlers keep for a session, its log level and its subscriptions stay
    /// with the instance. Without this the variable `<PREFIX>_STORAGE` names the store.
    pub fn session_store(mut self, store: Arc<dyn crate::storage::KvStore>) -> Self {
        self.session_store = Some(store);
        self
    }

    /// Adds routes or layers to the HTTP application, such as authentication.
    pub fn http<F, E>(mut self, layer: F) -> Self
    where
        F: FnOnce(Router, &Endpoint) -> Result<Router, E> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.http.push(Box::new(move |router, endpoint| layer(router, endpoint).map_err(Into::into)));
        self
    }

    /// Demands tokens of clients over HTTP, as a verifier or a whole [`crate::auth::Auth`] says. The environment variable
    /// `<PREFIX>_AUTH` ([`crate::auth::AuthConfig`]) takes precedence. Over stdio nothing changes.
    #[cfg(feature = "auth")]
    pub fn auth(mut self, auth: impl Into<crate::auth::Auth>) -> Self {
        self.auth = Some(auth.into());
        self
    }

    /// The defaults of the options, for this server.
    pub fn options(&self) -> Options {
        let sessions = self.tree().iter().map(|server| server.sessions).max().unwrap_or_default();
        Options { sessions, ..Options::default() }
    }

    /// Serves one client over standard input and output until it closes them.
    ///
    /// # Errors
    /// When the server cannot start or the connection breaks.
    pub async fn serve_stdio(self) -> Result<(), StartError> {
        let options = self.options();
        let running = self.start(&options, None).await?;
        let served = running.serve_stdio(CancellationToken::new()).await;
        running.stop().await;
        served
    }

    /// Serves one client over a pair of pipes, one JSON-RPC message per line, until the client closes them.
    ///
    /// # Errors
    /// When the server cannot start or the connection breaks.
    pub async fn serve_pipe(
        self,
        input: impl AsyncRead + Send + Unpin + 'static,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<(), StartError> {
        let options = self.options();
        let running = self.start(&options, None).await?;
        let served = running.serve_pipe(input, output, CancellationToken::new()).await;
        running.stop().await;
        served
    }

    /// Serves HTTP until `stop` completes.
    ///
    /// # Errors
    /// When the server cannot start: the address in use, say.
    pub async fn serve_http(
        self,
        options: &Options,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let token = CancellationToken::new();
        let stopping = token.clone();
        let waiting = tokio::spawn(async move {
            stop.await;
            stopping.cancel();
        });
        let served = transport::http::serve(self, options, None, token).await;
        waiting.abort();
        served
    }

    /// The server as an axum application of its own: the MCP endpoint at [`Options::path`], `/health` and `/ready`, with
    /// everything that HTTP needs. Lifespans start now and stop when the router is dropped.
    ///
    /// Set `TCP_NODELAY` on the listener that serves it (`axum::serve::ListenerExt::tap_io`): streamed answers wait for
    /// 40 ms without.
    ///
    /// # Errors
    /// When the server cannot start.
    pub async fn into_router(self, options: &Options) -> Result<Router, StartError> {
        transport::http::router(self, options, None, CancellationToken::new()).await.map(|(router, _)| router)
    }

    /// Runs the server as the command line and the environment say, until it is told to stop: what `main` returns.
    ///
    /// Exit codes: 0 after serving, 1 when the server cannot start or breaks down, 2 for wrong options.
    pub fn main(self) -> std::process::ExitCode {
        main::main(self, std::env::args_os())
    }

    /// [`Server::main`] with a command line of one's own. The first argument is the program's name.
    pub fn run_with<I, T>(self, arguments: I) -> std::process::ExitCode
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        main::main(self, arguments)
    }
}

/// Puts authentication in front of everything else over HTTP, if any is configured.
#[cfg(feature = "auth")]
pub(crate) fn authenticate(server: &mut Server) -> Result<(), StartError> {
    let configured = crate::auth::AuthConfig::from_env(&prefix(&server.info.name))
        .and_then(|config| config.map(crate::auth::AuthConfig::build).transpose())
        .map_err(|error| StartError::Http(error.to_string()))?;
    if let Some(auth) = configured.or_else(|| server.auth.take()) {
        let layer = move |router: Router, endpoint: &Endpoint| {
            let auth = auth.session_store(endpoint.session_store.clone());
            auth.protect(router, &endpoint.path, &endpoint.url).map_err(Into::into)
        };
        server.http.push(Box::new(layer));
    }
    Ok(())
}

/// `petstore-2` as `PETSTORE_2`.
pub(crate) fn prefix(name: &str) -> Cow<'static, str> {
    crate::catalog::variable_part(name).into()
}

/// How long a list may be kept, where nothing else is said.
pub(crate) const LIST_TTL: Duration = Duration::from_secs(5 * 60);
