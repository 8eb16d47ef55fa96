//! Streamable HTTP on axum: the MCP endpoint, `/health` and `/ready`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ::http::{StatusCode, header};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt,
};
use clap::ArgMatches;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::body;
use crate::{
    protocol::{self, HttpSettings},
    server::{Endpoint, Options, Running, Server, StartError},
};

/// Listens and serves until `stop` fires; then waits for answers under way, within the limit.
pub(crate) async fn serve(
    server: Server,
    options: &Options,
    matches: Option<&ArgMatches>,
    stop: CancellationToken,
) -> Result<(), StartError> {
    // First the port: a lifespan that has started should not have to stop again for a port in use.
    let listener = listen(options).await?;
    let address = listener.local_addr().ok();
    let mut options = options.clone();
    if let Some(address) = address {
        options.port = address.port();
    }
    let (router, running) = router(server, &options, matches, stop.clone()).await?;
    let host = address.map_or_else(|| options.host.clone(), shown);
    tracing::info!("listening at http://{host}{}", options.path);
    // Without this each streamed answer waits for an acknowledgement, some 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
    });
    let stopping = stop.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
    let limit = async {
        stop.cancelled().await;
        tokio::time::sleep(options.limits.shutdown + Duration::from_secs(1)).await;
    };
    let served = tokio::select! {
        served = async { serving.await } => served.map_err(|error| StartError::Connection(error.to_string())),
        () = limit => {
            tracing::warn!("some requests did not end in time");
            Ok(())
        }
    };
    running.stop().await;
    served
}

async fn listen(options: &Options) -> Result<TcpListener, StartError> {
    let host = options.host.trim_start_matches('[').trim_end_matches(']');
    TcpListener::bind((host, options.port)).await.map_err(|error| {
        let address = format!("{}:{}", options.host, options.port);
        match error.kind() {
            std::io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
            _ => StartError::Listen { address, error },
        }
    })
}

/// The address for people: an unspecified one is this machine.
fn shown(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    address.to_string()
}

/// The whole HTTP application.
pub(crate) async fn router(
    #[cfg_attr(not(feature = "auth"), allow(unused_mut))] mut server: Server,
    options: &Options,
    matches: Option<&ArgMatches>,
    stop: CancellationToken,
) -> Result<(Router, Arc<Running>), StartError> {
    let path = options.path.as_str();
    if !path.starts_with('/') || path.contains(['{', '}', '*', '?', '#']) || ["/health", "/ready"].contains(&path) {
        let message = format!("--path has to begin with / and be plain, neither /health nor /ready; `{path}` is not");
        return Err(StartError::Option(message));
    }
    let mut settings = HttpSettings {
        allowed_hosts: with_local(&options.allowed_hosts, &["localhost", "127.0.0.1", "::1"], &options.host),
        allowed_origins: local_origins(options),
        max_body_bytes: options.limits.body_bytes,
        sessions: options.sessions,
        session_idle: options.limits.session_idle,
        session_store: None,
    };
    #[cfg(feature = "auth")]
    crate::server::authenticate(&mut server)?;
    let (running, layers) = server.start_parts(options, matches).await?;
    let running = Arc::new(running);
    settings.session_store.clone_from(&running.session_store);
    let service = {
        let stop = running.engine.drained(stop.clone(), options.limits.shutdown);
        protocol::http_service(running.engine.clone(), running.shared.clone(), &settings, stop)
    };
    let most = options.limits.body_bytes;
    let mut router = Router::new()
        .route_service(path, service)
        .layer(middleware::from_fn(move |request, next| body::check(most, request, next)));
    let endpoint = Endpoint {
        path: path.to_owned(),
        url: format!("http://{}:{}{path}", options.host, options.port),
        #[cfg(feature = "auth")]
        session_store: running.session_store.clone(),
    };
    for layer in layers {
        router = layer(router, &endpoint).map_err(|error| StartError::Http(error.to_string()))?;
    }
    router = router.layer(middleware::from_fn(one_host));
    let kept = running.clone();
    let health = Router::new().route("/health", get(|| async { plain(StatusCode::OK, "ok") })).route(
        "/ready",
        get(move || {
            // The route keeps the server alive for as long as the router lives.
            let (_kept, stopping) = (kept.clone(), stop.is_cancelled());
            async move {
                if stopping {
                    plain(StatusCode::SERVICE_UNAVAILABLE, "stopping")
                } else {
                    plain(StatusCode::OK, "ready")
                }
            }
        }),
    );
    Ok((router.merge(health), running))
}

/// Refuses requests to two hosts at once (RFC 9112 section 3.2): whoever looks at the first only lets the other pass.
async fn one_host(request: Request, next: Next) -> Response {
    if request.headers().get_all(header::HOST).iter().nth(1).is_some() {
        return plain(StatusCode::BAD_REQUEST, "more than one Host header").into_response();
    }
    next.run(request).await
}

fn plain(status: StatusCode, text: &'static str) -> impl IntoResponse {
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}

fn with_local(given: &[String], local: &[&str], host: &str) -> Vec<String> {
    let mut all: Vec<String> = local.iter().map(|host| (*host).to_owned()).collect();
    if !["0.0.0.0", "::", "[::]"].contains(&host) && !all.iter().any(|known| known == host) {
        all.push(host.to_owned());
    }
    all.extend(given.iter().cloned());
    all
}

fn local_origins(options: &Options) -> Vec<String> {
    let mut origins: Vec<String> =
        ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*", "https://localhost:*"]
            .iter()
            .map(|origin| (*origin).to_owned())
            .collect();
    origins.extend(options.allowed_origins.iter().cloned());
    origins
}
