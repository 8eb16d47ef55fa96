//! Running the protocol over pipes and HTTP.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use http::Request;
use rmcp::{
    service::{QuitReason, ServerInitializeError, serve_server_with_ct},
    transport::{
        io::stdio_pipes,
        streamable_http_server::{
            StreamableHttpServerConfig, StreamableHttpService,
            session::{local::LocalSessionManager, never::NeverSessionManager},
        },
    },
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::{Service, util::BoxCloneSyncService};

use super::{
    Protocol, Shared,
    direct::{self, Direct},
    sessions::{self, Kept, Sessions},
};
use crate::{engine::Engine, storage::KvStore};

/// Serves one client over the process's standard input and output, until the client closes them or `stop` fires.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn serve_stdio(
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> Result<(), String> {
    let (input, output) = stdio_pipes();
    serve_pipe(engine, shared, input, output, stop).await
}

/// Serves one client over a pair of pipes, one JSON-RPC message per line.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn serve_pipe(
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: CancellationToken,
) -> Result<(), String> {
    let protocol = Protocol::new(engine, shared, true).with_session();
    let (pipes, keep) = direct::pipe(Direct::new(&protocol), input, output, &stop);
    let ended = match serve_server_with_ct(protocol, pipes, stop).await {
        Ok(running) => match running.waiting().await {
            Ok(QuitReason::JoinError(error)) => Err(error.to_string()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
        // A client that comes and goes without a word is no failure.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    keep.finish().await;
    ended
}

/// What HTTP needs to know.
#[derive(Debug, Clone)]
pub(crate) struct HttpSettings {
    /// Hosts that clients may name; everything when it holds `*`.
    pub(crate) allowed_hosts: Vec<String>,
    /// Origins that browsers may come from; everything when it holds `*`.
    pub(crate) allowed_origins: Vec<String>,
    /// The largest body, in bytes.
    pub(crate) max_body_bytes: usize,
    /// How many sessions of older protocol versions may live; 0 serves these versions without sessions.
    pub(crate) sessions: usize,
    /// When a session that says nothing ends.
    pub(crate) session_idle: Duration,
    /// Where the instances of the server find each other's sessions.
    pub(crate) session_store: Option<Arc<dyn KvStore>>,
}

pub(super) type HttpService = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// The protocol as an HTTP service.
pub(crate) fn http_service(
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    settings: &HttpSettings,
    stop: CancellationToken,
) -> HttpService {
    let any = |list: &[String]| list.iter().any(|item| item == "*");
    let mut config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_legacy_session_mode(settings.sessions > 0)
        .with_max_request_body_bytes(settings.max_body_bytes)
        .with_cancellation_token(stop.clone());
    config = if any(&settings.allowed_hosts) {
        config.disable_allowed_hosts()
    } else {
        config.with_allowed_hosts(settings.allowed_hosts.clone())
    };
    config = if any(&settings.allowed_origins) {
        config.disable_allowed_origins()
    } else {
        config.with_allowed_origins(settings.allowed_origins.clone()).enforce_origin_validation()
    };
    let protocol = Protocol::new(engine.clone(), shared.clone(), false);
    let direct = Direct::new(&protocol);
    if settings.sessions == 0 {
        let service =
            StreamableHttpService::new(move || Ok(protocol.clone()), Arc::new(NeverSessionManager::default()), config);
        return direct::gate(direct, settings, stop, boxed(service));
    }
    let mut manager = LocalSessionManager::default();
    manager.session_config.keep_alive = Some(settings.session_idle);
    config.session_store = settings.session_store.clone().map(|store| Arc::new(Kept(store)) as Arc<_>);
    let manager = Arc::new(Sessions::new(manager, settings.sessions));
    let service = StreamableHttpService::new(
        // Each session has a log level and subscriptions of its own.
        move || Ok(Protocol::new(engine.clone(), shared.clone(), true)),
        manager,
        config,
    );
    direct::gate(direct, settings, stop, limited(boxed(service)))
}

fn boxed<S, B>(service: S) -> HttpService
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: http_body_util::BodyExt<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    use tower::ServiceExt as _;
    BoxCloneSyncService::new(service.map_response(|response: http::Response<B>| response.map(Body::new)))
}

/// Says how it is when a session was refused.
fn limited(service: HttpService) -> HttpService {
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<Body>| {
        let mut service = service.clone();
        async move {
            let (response, refused) = sessions::watch(service.call(request)).await;
            if !refused {
                return response;
            }
            let mut response = Response::new(Body::from("Too many sessions. Try again later."));
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("10"));
            Ok(response)
        }
    }))
}
