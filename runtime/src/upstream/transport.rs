//! Carries one request to the API: over the network, or to a service in this process.

use std::{error::Error as _, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Service, ServiceExt};

use super::{ConfigurationError, Settings};

/// Where requests go.
#[derive(Clone)]
pub(super) enum Transport {
    /// HTTP/1.1 over TCP and TLS, pooled.
    Network(reqwest::Client),
    /// A service in this process.
    Service(Arc<dyn Fn(Request<Body>) -> BoxFuture<'static, Response<Body>> + Send + Sync>),
}

/// The head of a response and its body as it arrives.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: BoxStream<'static, Result<Bytes, TransportError>>,
}

/// Why no response came, or not a whole one. Holds no URL, since a URL may hold a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TransportError {
    #[error("the name of the API's host cannot be resolved (DNS)")]
    UnknownHost,
    #[error("the API refuses connections")]
    Refused,
    #[error("no TLS connection with the API: its certificate or protocol is not acceptable")]
    Tls,
    #[error("no connection to the API in time")]
    ConnectTimeout,
    #[error("no connection to the API")]
    Connect,
    #[error("the connection to the API broke off")]
    Interrupted,
    #[error("the API's answer is not readable as HTTP")]
    Malformed,
    #[error("the API did not answer in time")]
    Timeout,
}

impl TransportError {
    /// Whether the API cannot have seen the request.
    pub(super) fn is_before_sending(self) -> bool {
        matches!(self, Self::UnknownHost | Self::Refused | Self::Tls | Self::ConnectTimeout | Self::Connect)
    }

    /// A name for statistics.
    #[cfg(feature = "otel")]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UnknownHost => "unknown_host",
            Self::Refused => "refused",
            Self::Tls => "tls",
            Self::ConnectTimeout => "connect_timeout",
            Self::Connect => "connect",
            Self::Interrupted => "interrupted",
            Self::Malformed => "malformed",
            Self::Timeout => "timeout",
        }
    }

    /// Whether trying again may help.
    pub(super) fn is_transient(self) -> bool {
        matches!(self, Self::Refused | Self::ConnectTimeout | Self::Connect | Self::Interrupted)
    }

    fn of(error: &reqwest::Error) -> Self {
        let mut causes = String::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<std::io::Error>()
                && error.kind() == std::io::ErrorKind::ConnectionRefused
            {
                return Self::Refused;
            }
            causes.push_str(&error.to_string().to_ascii_lowercase());
            cause = error.source();
        }
        if error.is_connect() {
            return if error.is_timeout() {
                Self::ConnectTimeout
            } else if causes.contains("dns error") || causes.contains("failed to lookup") {
                // A certificate for another name speaks of DNS names too.
                Self::UnknownHost
            } else if ["certificate", "tls", "handshake", "corrupt message", "alert"]
                .iter()
                .any(|word| causes.contains(word))
            {
                Self::Tls
            } else {
                Self::Connect
            };
        }
        // With TLS 1.3 the API refuses a client's certificate, or the lack of it, after the handshake.
        if causes.contains("fatal alert") {
            return Self::Tls;
        }
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_decode() {
            Self::Malformed
        } else {
            Self::Interrupted
        }
    }
}

impl Transport {
    /// A service in this process.
    pub(super) fn service<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        Self::Service(Arc::new(move |request| {
            let service = service.clone();
            Box::pin(async move {
                match service.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            })
        }))
    }

    /// A pooled client. It follows no redirect: [`call`](super::call) decides about those.
    pub(super) fn network(settings: &Settings, prefix: &str) -> Result<Self, ConfigurationError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_timeout)
            .tcp_nodelay(true);
        match settings.proxy.as_deref() {
            None => {}
            Some("none") => builder = builder.no_proxy(),
            Some(url) => {
                let proxy = reqwest::Proxy::all(url)
                    .map_err(|_| ConfigurationError::new(format!("{prefix}_PROXY is not the URL of a proxy")))?;
                builder = builder.proxy(proxy);
            }
        }
        let read = |path: &std::path::Path, variable: &str| {
            std::fs::read(path).map_err(|error| {
                ConfigurationError::new(format!("cannot read the file {path:?} of {prefix}_{variable}: {error}"))
            })
        };
        if let Some(path) = &settings.ca_file {
            let wrong = || ConfigurationError::new(format!("{path:?} of {prefix}_CA_FILE has no certificate in PEM"));
            let certificates = reqwest::Certificate::from_pem_bundle(&read(path, "CA_FILE")?).map_err(|_| wrong())?;
            if certificates.is_empty() {
                return Err(wrong());
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(path) = &settings.client_certificate {
            let mut pem = read(path, "CLIENT_CERTIFICATE")?;
            if let Some(key) = &settings.client_key {
                pem.push(b'\n');
                pem.extend(read(key, "CLIENT_KEY")?);
            }
            let identity = reqwest::Identity::from_pem(&pem).map_err(|_| {
                ConfigurationError::new(format!(
                    "{prefix}_CLIENT_CERTIFICATE and {prefix}_CLIENT_KEY have to hold a certificate and its key in PEM"
                ))
            })?;
            builder = builder.identity(identity);
        }
        builder.build().map(Self::Network).map_err(|error| {
            ConfigurationError::new(format!("the HTTP client cannot be set up: {}", error.without_url()))
        })
    }

    /// Sends a request and waits for the head of the response.
    pub(super) async fn send(
        &self,
        method: &http::Method,
        url: &url::Url,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Answer, TransportError> {
        match self {
            Self::Network(client) => {
                let mut request = reqwest::Request::new(method.clone(), url.clone());
                *request.headers_mut() = headers;
                *request.body_mut() = body.map(reqwest::Body::from);
                let mut response = client.execute(request).await.map_err(|error| TransportError::of(&error))?;
                Ok(Answer {
                    status: response.status(),
                    headers: std::mem::take(response.headers_mut()),
                    body: response
                        .bytes_stream()
                        .map(|chunk| chunk.map_err(|error| TransportError::of(&error)))
                        .boxed(),
                })
            }
            Self::Service(service) => {
                let mut request = Request::new(body.map_or_else(Body::empty, Body::from));
                *request.method_mut() = method.clone();
                *request.uri_mut() = url.as_str().parse().map_err(|_| TransportError::Malformed)?;
                *request.headers_mut() = headers;
                let (head, body) = service(request).await.into_parts();
                Ok(Answer {
                    status: head.status,
                    headers: head.headers,
                    body: body.into_data_stream().map(|chunk| chunk.map_err(|_| TransportError::Interrupted)).boxed(),
                })
            }
        }
    }
}
