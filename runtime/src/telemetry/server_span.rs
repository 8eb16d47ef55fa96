//! The span and the measurement of a request of a client.

use std::time::Instant;

use async_trait::async_trait;
use http::HeaderMap;
use opentelemetry::{
    Context as Current, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{SpanKind, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::Telemetry;
use crate::{
    Error,
    context::Context,
    message::{Request, Response},
    middleware::{Middleware, Next},
    protocol,
};

/// The span that what a request leads to is part of.
#[derive(Clone, Debug)]
pub struct Parent {
    pub(super) telemetry: Telemetry,
    pub(super) current: Current,
}

#[async_trait]
impl Middleware for Telemetry {
    fn name(&self) -> &'static str {
        "Telemetry"
    }

    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        let is_tool = matches!(request, Request::CallTool(_));
        let target = target(&request);
        let name = match &target {
            Some(target) => bounded(&format!("{} {}", request.method(), target.value)),
            None => request.method().to_owned(),
        };
        let mut about = about(&request, context);
        let attributes = about.iter().chain(&target).cloned().chain(details(&request, context));
        let span = self.0.tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(attributes);
        let current = Current::new().with_span(span.start_with_context(&self.0.tracer, &parent(context)));
        let outer = context.insert(Parent { telemetry: self.clone(), current: current.clone() });
        about.extend(target.filter(|_| is_known(&request, context)));
        let mut measurement = Measurement {
            telemetry: self,
            current,
            about,
            start: Instant::now(),
            failure: Some("cancelled".to_owned()),
        };
        let answer = next.run(request).await;
        measurement.failure = failure(is_tool, &answer);
        drop(measurement);
        if let Some(outer) = outer {
            context.insert(outer);
        }
        answer
    }
}

/// A request under way. Told when it is over, also when nobody waits for it any more: it was cancelled, or took too long.
struct Measurement<'a> {
    telemetry: &'a Telemetry,
    current: Current,
    about: Vec<KeyValue>,
    start: Instant,
    failure: Option<String>,
}

impl Drop for Measurement<'_> {
    fn drop(&mut self) {
        let span = self.current.span();
        if let Some(failure) = self.failure.take() {
            let failure = KeyValue::new("error.type", failure);
            span.set_attribute(failure.clone());
            span.set_status(Status::error(""));
            self.about.push(failure);
        }
        span.end();
        self.telemetry.0.duration.record(self.start.elapsed().as_secs_f64(), &self.about);
    }
}

/// The trace that the request belongs to: of the request around this one, as `_meta` says, or as the headers say.
fn parent(context: &Context) -> Current {
    if let Some(outer) = context.get::<Parent>() {
        return outer.current;
    }
    let extract = |headers: &HeaderMap| {
        TraceContextPropagator::new().extract_with_context(&Current::new(), &HeaderExtractor(headers))
    };
    if let Some(trace) = context.trace() {
        let mut headers = HeaderMap::new();
        trace.hand_on(&mut headers);
        return extract(&headers);
    }
    context.headers().map(extract).unwrap_or_default()
}

/// The longest text of a client's that a span takes, in characters: many spans wait at a time.
const LONGEST: usize = 256;

fn bounded(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// Whether there is the tool or prompt: clients may invent any number of names, which are not measured by.
fn is_known(request: &Request, context: &Context) -> bool {
    match request {
        Request::CallTool(call) => context.tool_info(&call.name).is_some(),
        Request::GetPrompt(get) => context.prompt_info(&get.name).is_some(),
        _ => false,
    }
}

/// The tool or prompt. URIs of resources have no end, and are no target.
fn target(request: &Request) -> Option<KeyValue> {
    match request {
        Request::CallTool(call) => Some(KeyValue::new("gen_ai.tool.name", bounded(&call.name))),
        Request::GetPrompt(get) => Some(KeyValue::new("gen_ai.prompt.name", bounded(&get.name))),
        _ => None,
    }
}

/// What both the span and the measurement say.
fn about(request: &Request, context: &Context) -> Vec<KeyValue> {
    let mut about = vec![
        KeyValue::new("mcp.method.name", request.method()),
        KeyValue::new("mcp.protocol.version", context.protocol_version().to_owned()),
    ];
    if context.headers().is_some() {
        about.extend([KeyValue::new("network.transport", "tcp"), KeyValue::new("network.protocol.name", "http")]);
    } else {
        about.push(KeyValue::new("network.transport", "pipe"));
    }
    if matches!(request, Request::CallTool(_)) {
        about.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
    }
    about
}

/// What only the span says: of these there are too many to measure by.
fn details(request: &Request, context: &Context) -> Vec<KeyValue> {
    let mut details = vec![KeyValue::new("jsonrpc.request.id", bounded(&context.request_id()))];
    details.extend(context.session_id().map(|session| KeyValue::new("mcp.session.id", session)));
    if let Request::ReadResource(_) | Request::Subscribe(_) | Request::Unsubscribe(_) = request
        && let Some(uri) = request.target()
    {
        let uri = uri.split(['?', '#']).next().unwrap_or_default();
        details.push(KeyValue::new("mcp.resource.uri", bounded(uri)));
    }
    details
}

/// `tool_error` where the client gets a result with `isError`, or the code of the JSON-RPC error that it gets.
fn failure(is_tool: bool, answer: &Result<Response, Error>) -> Option<String> {
    match answer {
        Ok(Response::Tool(result)) if result.is_error => Some("tool_error".to_owned()),
        Ok(_) => None,
        Err(error) => Some(match protocol::error_code(is_tool, error) {
            Some(code) => code.to_string(),
            None => "tool_error".to_owned(),
        }),
    }
}
