//! What a handler sees of the request that it serves: who asks, how to report progress, how to ask back, what the server
//! keeps for it.

mod interaction;
mod link;
mod lookup;
mod rounds;
mod trace;

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

pub use interaction::{Elicitation, Root, Sampling, SamplingAnswer};
pub use link::{ClientCapabilities, ClientInfo};
pub(crate) use link::{Link, Question};
pub(crate) use rounds::{Outcome, Rounds, run};
pub use trace::TraceContext;

use crate::{
    Error, ErrorKind,
    engine::{Engine, Handle},
    message::LogLevel,
};

/// One request, as its handler sees it. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
    /// The server that is asked: within a mounted server that one.
    engine: Arc<Engine>,
    key: Option<Arc<str>>,
}

struct Inner {
    link: Arc<dyn Link>,
    cancelled: CancellationToken,
    state: Mutex<http::Extensions>,
    rounds: Rounds,
}

impl Context {
    pub(crate) fn new(link: Arc<dyn Link>, cancelled: CancellationToken, engine: Arc<Engine>, rounds: Rounds) -> Self {
        Self { inner: Arc::new(Inner { link, cancelled, state: Mutex::default(), rounds }), engine, key: None }
    }

    /// The same request, as a server within the server sees it.
    pub(crate) fn within(&self, engine: Arc<Engine>) -> Self {
        Self { inner: self.inner.clone(), engine, key: self.key.clone() }
    }

    pub(crate) fn link(&self) -> &dyn Link {
        &*self.inner.link
    }

    pub(crate) fn rounds(&self) -> &Rounds {
        &self.inner.rounds
    }

    /// The JSON-RPC id of the request.
    pub fn request_id(&self) -> String {
        self.inner.link.request_id()
    }

    /// The protocol version that the client speaks in this request: `2025-11-25` ….
    pub fn protocol_version(&self) -> &str {
        self.inner.link.protocol_version()
    }

    /// Who the client says it is. It proves nothing.
    pub fn client(&self) -> Option<ClientInfo> {
        self.inner.link.client()
    }

    /// What the client can do.
    pub fn client_capabilities(&self) -> ClientCapabilities {
        self.inner.link.client_capabilities()
    }

    /// The session, on transports that have one: the HTTP session of protocol versions up to 2025-11-25, or the
    /// connection over stdio.
    pub fn session_id(&self) -> Option<String> {
        self.inner.link.session_id()
    }

    /// `_meta` of the request.
    pub fn meta(&self) -> &Map<String, Value> {
        self.inner.link.meta()
    }

    /// The trace that the request is part of, where `_meta` says so in the way of W3C Trace Context.
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::of(self.meta())
    }

    /// The headers of the HTTP request; `None` over stdio.
    pub fn headers(&self) -> Option<&http::HeaderMap> {
        self.inner.link.http().map(|parts| &parts.headers)
    }

    /// A value that a layer in front put into the HTTP request's extensions, such as the authenticated principal.
    pub fn http_extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.inner.link.http().and_then(|parts| parts.extensions.get())
    }

    /// The value of type `T` that a lifespan of the server made at start, or one of a server around it.
    pub fn lifespan<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.engine.lifespan()?.get::<Arc<T>>().cloned()
    }

    /// A hold on the server, to add and remove components and to tell of changes.
    pub fn server(&self) -> Handle {
        Handle::new(&self.engine)
    }

    /// Keeps a value for the rest of this request: middleware and handler see the same. Returns what was there before.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).insert(value)
    }

    /// A value that was kept for this request.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).get().cloned()
    }

    /// A value that is kept for this request, the default one where there was none.
    pub(crate) fn get_or_default<T: Clone + Default + Send + Sync + 'static>(&self) -> T {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default::<T>().clone()
    }

    /// Keeps a value for the session, for as long as it lives and in this process: every later request of it sees the
    /// same. Returns what was there before.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where there is no session, as [`Context::session_id`] says: each request stands alone
    /// over HTTP from 2026-07-28 on, and with older clients where [`crate::Server::sessions`] is not set.
    pub fn session_insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Result<Option<T>, Error> {
        let session = self.inner.link.session().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "This needs a session, and the client's request stands alone.")
        })?;
        Ok(session.lock().unwrap_or_else(PoisonError::into_inner).insert(value))
    }

    /// A value that was kept for the session.
    pub fn session_get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.inner.link.session()?.lock().unwrap_or_else(PoisonError::into_inner).get().cloned()
    }

    /// Whether the client gave up, the connection is gone, or the server stops.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.is_cancelled()
    }

    /// Waits until the request is cancelled.
    pub async fn cancelled(&self) {
        self.inner.cancelled.cancelled().await;
    }

    /// The token that fires when the request is cancelled, for libraries that take one.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.inner.cancelled
    }

    /// From here on the call is a task, where the client knows tasks and [the tool's calls may become
    /// some](crate::component::Tool::task_when_started): the client gets its handle now, and what the handler returns
    /// is kept until the client asks for it. Does nothing otherwise.
    pub fn start_task(&self) {
        self.inner.link.start_task();
    }

    /// Reports progress, if the client wants to hear of it. `progress` has to grow with each report; `total` is unknown
    /// when `None`. More than some hundred reports a second are dropped.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.inner.link.progress(progress, total, message).await;
    }

    /// Sends a log message to the client, if the client wants messages of this level.
    pub async fn log(&self, level: LogLevel, data: impl Into<Value> + Send) {
        if self.inner.link.wants_log(level) {
            self.inner.link.log(level, data.into()).await;
        }
    }

    /// [`Context::log`] at the level `debug`.
    pub async fn debug(&self, message: impl Into<String> + Send) {
        self.log(LogLevel::Debug, message.into()).await;
    }

    /// [`Context::log`] at the level `info`.
    pub async fn info(&self, message: impl Into<String> + Send) {
        self.log(LogLevel::Info, message.into()).await;
    }

    /// [`Context::log`] at the level `warning`.
    pub async fn warning(&self, message: impl Into<String> + Send) {
        self.log(LogLevel::Warning, message.into()).await;
    }

    /// [`Context::log`] at the level `error`.
    pub async fn error(&self, message: impl Into<String> + Send) {
        self.log(LogLevel::Error, message.into()).await;
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("request_id", &self.request_id())
            .field("protocol_version", &self.protocol_version())
            .finish_non_exhaustive()
    }
}
