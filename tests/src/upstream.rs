//! The HTTP API behind a server under test: records every request, answers what the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The request target as sent: path and query, still encoded.
    pub target: String,
    /// The header fields, names in lower case, order and repetition kept.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Recorded {
    /// The value of a header field, if it was sent once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body of the recorded request is JSON")
    }

    /// Method and target, as on the request line.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// What the upstream says to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// A JSON answer.
    ///
    /// # Panics
    /// When `status` is no HTTP status.
    pub fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json", body.to_string())
    }

    /// An answer of any media type.
    ///
    /// # Panics
    /// When `status` is no HTTP status or `media_type` no header value.
    pub fn new(status: u16, media_type: &str, body: impl Into<Bytes>) -> Answer {
        let status = StatusCode::from_u16(status).expect("a status between 100 and 999");
        let answer = Answer { status, headers: HeaderMap::new(), body: body.into() };
        if media_type.is_empty() { answer } else { answer.header("content-type", media_type) }
    }

    /// The same answer with one more header field.
    ///
    /// # Panics
    /// When name or value is not what HTTP allows.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        let name = header::HeaderName::try_from(name).expect("a header name");
        self.headers.append(name, value.parse().expect("a header value"));
        self
    }
}

/// A recording HTTP API on an ephemeral loopback port. Stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    recorded: Arc<Mutex<Vec<Recorded>>>,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Starts an API that answers each request with what `answer` makes of it.
    ///
    /// # Panics
    /// When no loopback port can be had.
    pub async fn start(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Upstream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let log = Arc::clone(&recorded);
        let service = axum::Router::new().fallback(move |request: Request<Body>| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move { respond(request, &log, &*answer).await }
        });
        let task = tokio::spawn(async move {
            // The only way out is the end of the task.
            let _ = axum::serve(listener, service).await;
        });
        Upstream { address, recorded, task }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call of this function, in order of arrival.
    pub fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.recorded.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The one request since the last call.
    ///
    /// # Panics
    /// When there was none, or more than one.
    #[track_caller]
    pub fn take_one(&self) -> Recorded {
        let mut requests = self.take();
        let lines: Vec<_> = requests.iter().map(Recorded::line).collect();
        assert_eq!(requests.len(), 1, "exactly one request went upstream: {lines:?}");
        requests.remove(0)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(
    request: Request<Body>,
    log: &Mutex<Vec<Recorded>>,
    answer: &(dyn Fn(&Recorded) -> Answer + Send + Sync),
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap_or_default();
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), |target| target.as_str().to_owned());
    let recorded = Recorded { method: parts.method.to_string(), target, headers: parts.headers, body };
    let answer = answer(&recorded);
    log.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// A TCP listener on an ephemeral loopback port that records the bytes of each connection and answers fixed bytes: for
/// what an HTTP library would tidy up on its way. Stops when dropped.
#[derive(Debug)]
pub struct RawUpstream {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl RawUpstream {
    /// Starts a listener that writes `answer` once a connection's first request is complete, then closes it.
    ///
    /// # Panics
    /// When no loopback port can be had.
    pub async fn start(answer: impl Into<Vec<u8>>) -> RawUpstream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let connections = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&connections);
        let answer: Vec<u8> = answer.into();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut received = Vec::new();
                while !complete(&received) {
                    match stream.read_buf(&mut received).await {
                        Ok(1..) => {}
                        _ => break,
                    }
                }
                log.lock().unwrap_or_else(PoisonError::into_inner).push(received);
                // A client that went away is nothing to the next one.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        RawUpstream { address, connections, task }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bytes of each connection since the last call.
    pub fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for RawUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether `bytes` hold a whole request: the head and as much body as `Content-Length` or the last chunk says.
fn complete(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let (head, body) = bytes.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with(b"0\r\n\r\n");
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0);
    body.len() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_complete_when_its_body_is() {
        assert!(!complete(b"GET / HTTP/1.1\r\nhost: a\r\n"));
        assert!(complete(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        assert!(!complete(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"));
        assert!(complete(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"));
        assert!(!complete(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"));
        assert!(complete(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"));
    }
}
