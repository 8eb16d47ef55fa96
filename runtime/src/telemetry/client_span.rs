//! The span of a request to the API.

use http::{HeaderMap, StatusCode};
use opentelemetry::{
    Context as Current, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use url::Url;

use super::Parent;
use crate::catalog::Operation;

/// One request to the API, from its sending to the end of its answer. Ends when dropped too.
pub(crate) struct ClientSpan(Current);

impl Parent {
    /// Starts the span of the request that is sent as the `sent`th repetition of itself.
    pub(crate) fn request(&self, operation: &Operation, base: Option<&Url>, sent: u32) -> ClientSpan {
        let method = operation.method.as_str();
        let mut attributes =
            vec![KeyValue::new("http.request.method", method), KeyValue::new("url.template", operation.path)];
        if let Some(base) = base {
            attributes.extend(base.host_str().map(|host| KeyValue::new("server.address", host.to_owned())));
            attributes.extend(base.port_or_known_default().map(|port| KeyValue::new("server.port", i64::from(port))));
            attributes.push(KeyValue::new("url.scheme", base.scheme().to_owned()));
        }
        if sent > 0 {
            attributes.push(KeyValue::new("http.request.resend_count", i64::from(sent)));
        }
        let tracer = &self.telemetry.0.tracer;
        let span = tracer
            .span_builder(format!("{method} {}", operation.path))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .start_with_context(tracer, &self.current);
        ClientSpan(Current::new().with_span(span))
    }
}

impl ClientSpan {
    /// Tells the API that the request is part of this span.
    pub(crate) fn hand_on(&self, headers: &mut HeaderMap) {
        TraceContextPropagator::new().inject_context(&self.0, &mut HeaderInjector(headers));
        if headers.get("tracestate").is_some_and(http::HeaderValue::is_empty) {
            headers.remove("tracestate");
        }
    }

    /// Ends with the answer, or the name of what went wrong.
    pub(crate) fn end(self, outcome: Result<StatusCode, &'static str>) {
        let span = self.0.span();
        let failure = match outcome {
            Ok(status) => {
                span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
                (status.as_u16() >= 400).then(|| status.as_u16().to_string())
            }
            Err(failure) => Some(failure.to_owned()),
        };
        if let Some(failure) = failure {
            span.set_attribute(KeyValue::new("error.type", failure));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}
