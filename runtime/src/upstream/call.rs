//! One call under the policy: limits on time and concurrency, repetition where it is safe, redirects within the origin,
//! a second try with a new token after 401.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::{
    Scope, Shared, credentials::Applied, mock, received::Received, request::Request, transport::TransportError,
};
use crate::{Error, catalog::Operation, context::TraceContext, error::ErrorKind};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// The first pause before a repetition; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that is not asked for by the API.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Shared {
    /// Performs a call and reads its response.
    pub(super) async fn call(
        &self,
        operation: &'static Operation,
        arguments: Map<String, Value>,
        scope: &Scope,
    ) -> Result<(Received, Applied), Error> {
        if self.settings.mock {
            let base = Url::parse("http://mock.invalid").map_err(|_| Error::internal("no base URL"))?;
            Request::build(operation, arguments, &base)?;
            return Ok((
                mock::answer(self.api, operation, |example| self.is_right(operation, example)),
                Applied::default(),
            ));
        }
        let base = self
            .servers
            .base(operation, &self.prefix)
            .map_err(|error| Error::new(ErrorKind::Failed, error.to_string()))?;
        let request = Request::build(operation, arguments, &base)?;
        let timeout = match operation.policy.timeout_ms {
            Some(milliseconds) => Duration::from_millis(milliseconds.into()),
            None => self.settings.timeout,
        };
        let deadline = Instant::now() + timeout;
        let perform = async {
            let _permit = self.permits.acquire().await.map_err(|_| Error::internal("the server is stopping"))?;
            self.perform(operation, &request, scope, deadline).await
        };
        tokio::select! {
            biased;
            () = scope.cancelled.cancelled() => Err(Error::new(ErrorKind::Cancelled, "the call was cancelled")),
            result = tokio::time::timeout_at(deadline + Duration::from_millis(50), perform) => match result {
                Ok(result) => result,
                Err(_) => Err(timed_out(timeout)),
            },
        }
    }

    async fn perform(
        &self,
        operation: &'static Operation,
        request: &Request,
        scope: &Scope,
        deadline: Instant,
    ) -> Result<(Received, Applied), Error> {
        let retries = operation.policy.retries.unwrap_or(self.settings.retries);
        let mut attempt = 0;
        let mut renewed = false;
        #[cfg(feature = "otel")]
        let mut sent = 0..;
        loop {
            let mut ready = request.clone();
            self.credentials.forward(scope, &mut ready.headers);
            // A parameter of the document goes before what the client says beside the arguments.
            if let Some(trace) = scope.trace.as_ref().filter(|_| !TraceContext::is_in(&request.headers)) {
                trace.hand_on(&mut ready.headers);
            }
            let applied = self.credentials.apply(operation, &mut ready, scope, &self.prefix).await?;
            #[cfg(feature = "otel")]
            let span = scope
                .span
                .as_ref()
                .map(|parent| parent.request(operation, ready.url().ok().as_ref(), sent.next().unwrap_or_default()));
            #[cfg(feature = "otel")]
            if let Some(span) = span.as_ref().filter(|_| !TraceContext::is_in(&request.headers)) {
                span.hand_on(&mut ready.headers);
            }
            let outcome = self.send(operation, &ready, deadline).await;
            #[cfg(feature = "otel")]
            if let Some(span) = span {
                span.end(outcome.as_ref().map(|received| received.status).map_err(|error| error.name()));
            }
            let pause = match &outcome {
                Ok(received) if received.status == StatusCode::UNAUTHORIZED && !renewed => {
                    renewed = true;
                    if self.credentials.rejected(&applied).await {
                        continue;
                    }
                    None
                }
                Ok(received) if is_transient(received.status) && operation.method.is_idempotent() => {
                    Some(retry_after(received).unwrap_or_else(|| backoff(attempt)))
                }
                Err(error)
                    if error.is_transient() && (error.is_before_sending() || operation.method.is_idempotent()) =>
                {
                    Some(backoff(attempt))
                }
                _ => None,
            };
            if let Some(pause) = pause
                && attempt < retries
                && Instant::now() + pause < deadline
            {
                attempt += 1;
                tracing::debug!(operation = operation.name, attempt, ?pause, "the call is repeated");
                tokio::time::sleep(pause).await;
                continue;
            }
            return match outcome {
                Ok(received) => Ok((received, applied)),
                Err(TransportError::Timeout) => Err(timed_out(deadline.saturating_duration_since(Instant::now()))),
                Err(error) => {
                    let advice = match error {
                        TransportError::UnknownHost | TransportError::Refused | TransportError::Connect => {
                            format!(" (is {}_BASE_URL right?)", self.prefix)
                        }
                        TransportError::Tls => format!(" ({}_CA_FILE adds certificate authorities)", self.prefix),
                        _ => String::new(),
                    };
                    Err(Error::new(ErrorKind::Failed, format!("{error}{advice}")))
                }
            };
        }
    }

    /// Sends a request, follows redirects within its origin, reads the response.
    async fn send(
        &self,
        operation: &'static Operation,
        request: &Request,
        deadline: Instant,
    ) -> Result<Received, TransportError> {
        let limit = operation.policy.max_response_bytes.unwrap_or(self.settings.max_response_bytes);
        let mut url = request.url().map_err(|_| TransportError::Malformed)?;
        let mut method = request.method.clone();
        for redirects in 0.. {
            let mut headers = self.headers(request);
            let mut body = request.body.clone();
            if method != request.method {
                body = None;
                headers.remove(header::CONTENT_TYPE);
            }
            if body.is_none() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
                // Where a body is usual, its absence is said (RFC 9110 §8.6): some servers answer 411 otherwise.
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            let answer = self.transport.send(&method, &url, headers, body);
            let answer = tokio::time::timeout_at(deadline, answer).await.map_err(|_| TransportError::Timeout)??;
            let target = redirect(&url, answer.status, &answer.headers, &method);
            if let Some((target, next_method)) = target
                && redirects < MAX_REDIRECTS
            {
                (url, method) = (target, next_method);
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            return Received::read(answer, limit, left).await;
        }
        Err(TransportError::Malformed)
    }

    fn headers(&self, request: &Request) -> HeaderMap {
        let mut headers = request.headers.clone();
        if let Ok(agent) = HeaderValue::from_str(&self.settings.user_agent) {
            headers.entry(header::USER_AGENT).or_insert(agent);
        }
        if let Some(cookies) = request.cookie_header()
            && let Ok(mut cookies) = HeaderValue::from_str(&cookies)
        {
            cookies.set_sensitive(true);
            headers.insert(header::COOKIE, cookies);
        }
        headers
    }
}

/// Where a redirect leads, if it stays within the origin and may be followed without asking (RFC 9110 §15.4): reading
/// goes on reading, 303 turns into reading, 307 and 308 keep method and body.
fn redirect(url: &Url, status: StatusCode, headers: &HeaderMap, method: &Method) -> Option<(Url, Method)> {
    let reading = matches!(*method, Method::GET | Method::HEAD);
    let method = match status.as_u16() {
        301 | 302 if reading => method.clone(),
        307 | 308 => method.clone(),
        303 if reading => method.clone(),
        303 => Method::GET,
        _ => return None,
    };
    let target = url.join(headers.get(header::LOCATION)?.to_str().ok()?).ok()?;
    (target.origin() == url.origin() && target.username().is_empty() && target.password().is_none())
        .then_some((target, method))
}

fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// `Retry-After`, in seconds or as a date (RFC 9110 §10.2.3); a date that has passed asks for no pause.
fn retry_after(received: &Received) -> Option<Duration> {
    let value = received.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// Twice as long each time, with a random half so that callers do not come back together.
fn backoff(attempt: u8) -> Duration {
    let full = (FIRST_PAUSE * 2u32.saturating_pow(attempt.into())).min(LONGEST_PAUSE);
    let random = RandomState::new().build_hasher().finish() % 1_000;
    full / 2 + (full / 2).mul_f64(random as f64 / 1_000.0)
}

fn timed_out(after: Duration) -> Error {
    let message = match after.as_secs() {
        0 => "the API did not answer in time".to_owned(),
        seconds => format!("the API did not answer within {seconds} s"),
    };
    Error::new(ErrorKind::TimedOut, message)
}
