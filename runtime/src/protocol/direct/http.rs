//! The short way over HTTP: in front of rmcp's service, for requests whose headers are all in order.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, uri::Authority};
use rmcp::model as wire;
use tokio_util::sync::CancellationToken;
use tower::{Service, util::BoxCloneSyncService};

use super::{
    super::serve::{HttpService, HttpSettings},
    Answer, Direct, Era, Plain,
};
use crate::message::Request as Asked;

/// Puts the short way in front of a service.
pub(in super::super) fn gate(
    direct: Direct,
    settings: &HttpSettings,
    stop: CancellationToken,
    service: HttpService,
) -> HttpService {
    let gate = std::sync::Arc::new(Gate {
        direct,
        hosts: settings.allowed_hosts.iter().map(|host| Host::new(host)).collect(),
        any_host: settings.allowed_hosts.iter().any(|host| host == "*"),
        any_origin: settings.allowed_origins.iter().any(|origin| origin == "*"),
        sessions: settings.sessions > 0,
        most: settings.max_body_bytes,
        stop,
    });
    BoxCloneSyncService::new(tower::service_fn(move |request: Request<Body>| {
        let (gate, mut service) = (gate.clone(), service.clone());
        async move {
            match gate.answer(request).await {
                Ok(response) => Ok(response),
                Err(request) => service.call(request).await,
            }
        }
    }))
}

struct Gate {
    direct: Direct,
    hosts: Vec<Host>,
    any_host: bool,
    any_origin: bool,
    /// Whether requests of older versions belong to sessions.
    sessions: bool,
    most: usize,
    stop: CancellationToken,
}

/// A host that clients may name, on one port or on all.
struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    fn new(text: &str) -> Self {
        match Authority::try_from(text.trim()) {
            Ok(authority) => Self { name: bare(authority.host()), port: authority.port_u16() },
            Err(_) => Self { name: bare(text.trim()), port: None },
        }
    }
}

/// Without the brackets of IPv6, in lower case.
fn bare(host: &str) -> String {
    host.trim_matches(['[', ']']).to_ascii_lowercase()
}

impl Gate {
    /// The answer, or the request back for rmcp.
    async fn answer(&self, request: Request<Body>) -> Result<Response, Request<Body>> {
        let Some(version) = self.version(&request) else { return Err(request) };
        let (parts, body) = request.into_parts();
        let Ok(bytes) = axum::body::to_bytes(body, self.most).await else {
            let mut refusal = Response::new(Body::from("The body is too large, or it broke off."));
            *refusal.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(refusal);
        };
        let plain = Plain::recognise(&bytes).and_then(|plain| self.matching(plain, version, &parts.headers));
        let Some(plain) = plain else { return Err(Request::from_parts(parts, Body::from(bytes))) };
        let era = plain.era;
        let cancelled = self.stop.child_token();
        // A client that goes away drops this future, and with it the guard.
        let _guard = cancelled.clone().drop_guard();
        tokio::select! {
            answer = self.direct.answer(plain, Some(parts), cancelled.clone()) => Ok(response(answer, era)),
            () = self.stop.cancelled() => {
                let mut refusal = Response::new(Body::from("The server stops."));
                *refusal.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Ok(refusal)
            }
        }
    }

    /// The protocol version that the headers name, when they are all in order.
    fn version(&self, request: &Request<Body>) -> Option<&'static str> {
        let headers = request.headers();
        let version = single(headers, "mcp-protocol-version")?;
        let known = wire::ProtocolVersion::KNOWN_VERSIONS.iter().find(|known| known.as_str() == version)?;
        let in_order = request.method() == Method::POST
            && self.is_allowed(headers)
            && (self.any_origin || !headers.contains_key(header::ORIGIN))
            && !headers.contains_key("mcp-session-id")
            && single(headers, header::CONTENT_TYPE.as_str()).is_some_and(is_json)
            && single(headers, header::ACCEPT.as_str()).is_some_and(accepts_both)
            && !headers.keys().any(|name| name.as_str().starts_with("mcp-param-"));
        in_order.then(|| known.as_str())
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let Some(authority) = single(headers, header::HOST.as_str()).and_then(|host| Authority::try_from(host).ok())
        else {
            return false;
        };
        let name = authority.host().trim_matches(['[', ']']);
        self.any_host
            || self.hosts.iter().any(|allowed| {
                allowed.name.eq_ignore_ascii_case(name)
                    && (allowed.port.is_none() || allowed.port == authority.port_u16())
            })
    }

    /// The request, when headers and body say the same of it.
    fn matching(&self, mut plain: Plain, version: &'static str, headers: &HeaderMap) -> Option<Plain> {
        if (plain.era == Era::Modern) != (version >= super::super::MODERN) {
            return None;
        }
        match plain.era {
            Era::Legacy if self.sessions => return None,
            Era::Legacy => plain.version = version,
            Era::Modern => {
                if single(headers, "mcp-method")? != plain.request.method() {
                    return None;
                }
                match plain.request.target() {
                    Some(target) if single(headers, "mcp-name")? != target => return None,
                    None if headers.contains_key("mcp-name") => return None,
                    _ => {}
                }
                // Arguments that are repeated in headers have to be compared.
                if let Asked::CallTool(call) = &plain.request
                    && self.direct.has_header_arguments(&call.name)
                {
                    return None;
                }
            }
        }
        self.direct.takes(&plain).then_some(plain)
    }
}

/// The value of a header that stands once, in plain ASCII.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn is_json(value: &str) -> bool {
    value.eq_ignore_ascii_case("application/json")
}

/// Both media types by name and without weights; everything else is looked at more closely elsewhere.
fn accepts_both(value: &str) -> bool {
    let has = |wanted: &str| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(wanted));
    has("application/json") && has("text/event-stream")
}

fn response(answer: Answer, era: Era) -> Response {
    let status = match answer.error.map(wire::ErrorCode) {
        Some(wire::ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY) if era == Era::Modern => StatusCode::BAD_REQUEST,
        Some(wire::ErrorCode::METHOD_NOT_FOUND) if era == Era::Modern => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    };
    let mut response = Response::new(Body::new(Pieces(answer.pieces.into_iter())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body of known pieces: its length goes out in front, and nothing is copied together.
struct Pieces(std::vec::IntoIter<Bytes>);

impl axum::body::HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(http_body::Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.as_slice().iter().map(|piece| piece.len() as u64).sum())
    }
}
