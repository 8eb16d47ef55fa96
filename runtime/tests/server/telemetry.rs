//! What a collector gets of calls over HTTP. The SDK reads the environment of its process, which tests share: the server
//! runs in a process of its own, this test program again.

use std::{
    io::Read,
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::Request, http::HeaderMap, response::IntoResponse, routing::post};
use mcpwright_runtime::{
    Server,
    catalog::{Api, Operation, Parameter},
    server::Options,
    upstream::{Settings, Upstream},
};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value as Any},
    metrics::v1::{HistogramDataPoint, metric::Data},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use serde_json::json;

use super::http::Site;

static WORD: Parameter = Parameter { name: "word", schema: r#"{"type":"string"}"#, ..Parameter::QUERY };
static LOOK: Operation =
    Operation { id: "look", name: "look", path: "/look", parameters: &[&WORD], ..Operation::DEFAULT };
static LOSE: Operation = Operation { id: "lose", name: "lose", path: "/lose", ..Operation::DEFAULT };
static HANG: Operation = Operation { id: "hang", name: "hang", path: "/hang", ..Operation::DEFAULT };
static API: Api = Api { name: "told", operations: &[&[&LOOK, &LOSE, &HANG]], ..Api::DEFAULT };

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// What a proxy in front of the server may say. What the client says in `_meta` goes before it.
const HEADER_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "00f067aa0ba902b7";
/// Neither arguments nor the header of the exporter may show up.
const SECRETS: [&str; 2] = ["a-secret-word", "a-secret-key"];

#[derive(Default)]
struct Seen {
    spans: Vec<Span>,
    metrics: Vec<ExportMetricsServiceRequest>,
    keys: Vec<String>,
    parents: Vec<String>,
    raw: Vec<Bytes>,
    service: Option<String>,
}

/// A collector and an API behind one address.
async fn site(seen: Arc<Mutex<Seen>>) -> SocketAddr {
    let (traces, metrics, api) = (seen.clone(), seen.clone(), seen);
    let key = |headers: &HeaderMap| headers["x-key"].to_str().expect("text").to_owned();
    let application = Router::new()
        .route(
            "/v1/traces",
            post(move |headers: HeaderMap, body: Bytes| async move {
                let request = ExportTraceServiceRequest::decode(body.clone()).expect("spans");
                let mut seen = traces.lock().expect("a lock");
                seen.keys.push(key(&headers));
                seen.raw.push(body);
                for spans in request.resource_spans {
                    let resource = spans.resource.expect("a resource");
                    seen.service = Some(text(&resource.attributes, "service.name"));
                    seen.spans.extend(spans.scope_spans.into_iter().flat_map(|scope| scope.spans));
                }
            }),
        )
        .route(
            "/v1/metrics",
            post(move |body: Bytes| async move {
                let mut plain = Vec::new();
                flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).expect("gzip");
                let body = Bytes::from(plain);
                let mut seen = metrics.lock().expect("a lock");
                seen.metrics.push(ExportMetricsServiceRequest::decode(body.clone()).expect("metrics"));
                seen.raw.push(body);
            }),
        )
        .fallback(move |request: Request| {
            let parent = request.headers().get("traceparent").map(|value| value.to_str().expect("text").to_owned());
            api.lock().expect("a lock").parents.push(parent.unwrap_or_default());
            let path = request.uri().path().to_owned();
            let status = if path == "/lose" { 404 } else { 200 };
            let status = axum::http::StatusCode::from_u16(status).expect("a status");
            async move {
                if path == "/hang" {
                    std::future::pending::<()>().await;
                }
                (status, [("content-type", "application/json")], "{}").into_response()
            }
        });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, application).await.expect("a server") });
    address
}

/// Runs [`calls`] in a process of its own that tells this collector; whether all went well there.
async fn run(api: SocketAddr, collector: &str) -> bool {
    let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["telemetry::calls", "--exact", "--ignored"])
        .env("TOLD_TEST_API", format!("http://{api}/"))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("x-key={}", SECRETS[1]))
        .env("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip")
        .env("OTEL_SERVICE_NAME", "the-service")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    let status = tokio::task::spawn_blocking(move || command.status()).await.expect("a task");
    status.expect("a process").success()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "other tests run it in a process of its own"]
async fn calls() {
    let Ok(base) = std::env::var("TOLD_TEST_API") else { return };
    let settings = Settings { base_url: Some(base), ..Settings::default() };
    let upstream = Upstream::builder(&API).settings(settings).build().expect("an upstream");
    let mut options = Options::default();
    options.limits.handler = Duration::from_secs(2);
    let site = Site::open_with(Server::new(&API).upstream(upstream), options).await;
    let long = "x".repeat(10_000);
    for (tool, arguments, meta, is_error) in [
        ("look", json!({"word": SECRETS[0]}), json!({"traceparent": format!("00-{TRACE}-{CALLER}-01")}), false),
        ("lose", json!({}), json!({}), true),
        ("no_such_tool", json!({}), json!({}), true),
        ("hang", json!({}), json!({}), true),
        (&long, json!({}), json!({}), true),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": meta}});
        let request = site.client.post(site.url("/mcp")).header("content-type", "application/json");
        let request = request.header("accept", "application/json, text/event-stream");
        let answer = request.header("mcp-protocol-version", "2025-06-18");
        let answer = answer.header("traceparent", format!("00-{HEADER_TRACE}-{CALLER}-01")).body(body.to_string());
        let answer = answer.send().await.expect("an answer").text().await.expect("a body");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let failed = answer["result"]["isError"] == json!(true) || answer.get("error").is_some();
        assert_eq!(failed, is_error, "{tool}: {answer}");
    }
    site.close().await;
}

fn find<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Any> {
    attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    match find(attributes, name) {
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn points(metrics: &[ExportMetricsServiceRequest]) -> Vec<&HistogramDataPoint> {
    let metrics = metrics.last().into_iter().flat_map(|request| &request.resource_metrics);
    let metrics = metrics.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics);
    let metric = metrics.filter(|metric| metric.name == "mcp.server.operation.duration" && metric.unit == "s");
    let points = metric.filter_map(|metric| match &metric.data {
        Some(Data::Histogram(histogram)) => Some(&histogram.data_points),
        _ => None,
    });
    points.flatten().collect()
}

#[tokio::test]
async fn a_collector_gets_the_spans_and_measurements_of_calls() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let address = site(seen.clone()).await;
    assert!(run(address, &format!("http://{address}")).await);
    let seen = seen.lock().expect("a lock");
    assert!(!seen.keys.is_empty() && seen.keys.iter().all(|key| key == SECRETS[1]));
    assert_eq!(seen.service.as_deref(), Some("the-service"));

    let span = |name: &str| seen.spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}"));
    let server = span("tools/call look");
    assert_eq!((hex(&server.trace_id), hex(&server.parent_span_id)), (TRACE.to_owned(), CALLER.to_owned()));
    assert_eq!(server.kind(), SpanKind::Server);
    for (name, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.tool.name", "look"),
        ("gen_ai.operation.name", "execute_tool"),
        ("mcp.protocol.version", "2025-06-18"),
        ("jsonrpc.request.id", "7"),
        ("network.transport", "tcp"),
        ("error.type", ""),
    ] {
        assert_eq!(text(&server.attributes, name), value, "{name}");
    }

    let client = span("GET /look");
    assert_eq!((&client.trace_id, &client.parent_span_id), (&server.trace_id, &server.span_id));
    assert_eq!(client.kind(), SpanKind::Client);
    for (name, value) in [
        ("http.request.method", "GET"),
        ("url.template", "/look"),
        ("server.address", "127.0.0.1"),
        ("server.port", &address.port().to_string()),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(text(&client.attributes, name), value, "{name}");
    }
    assert_eq!(seen.parents[0], format!("00-{TRACE}-{}-01", hex(&client.span_id)), "the API is told of its span");

    let (failed, refused, unknown) = (span("tools/call lose"), span("GET /lose"), span("tools/call no_such_tool"));
    for span in [failed, refused, unknown] {
        assert_eq!(hex(&span.trace_id), HEADER_TRACE, "{}", span.name);
    }
    assert_eq!(seen.parents[1], format!("00-{HEADER_TRACE}-{}-01", hex(&refused.span_id)));
    for (span, failure) in [(failed, "tool_error"), (refused, "404"), (unknown, "-32602")] {
        assert_eq!(text(&span.attributes, "error.type"), failure, "{}", span.name);
        assert_eq!(span.status.as_ref().map(|status| status.code()), Some(StatusCode::Error));
    }

    let given_up = span("tools/call hang");
    assert_eq!(text(&given_up.attributes, "error.type"), "cancelled");
    let long = seen.spans.iter().find(|span| span.name.starts_with("tools/call xxx")).expect("the span of a long name");
    assert_eq!((long.name.len(), text(&long.attributes, "gen_ai.tool.name").len()), (256, 256));

    let points = points(&seen.metrics);
    let measured: Vec<_> = points.iter().map(|point| text(&point.attributes, "gen_ai.tool.name")).collect();
    assert_eq!(points.len(), 4, "{measured:?}");
    let count: u64 = points.iter().map(|point| point.count).sum();
    assert_eq!(count, 5, "both unknown tools are one series");
    for point in points {
        assert_eq!(point.bucket_counts.len(), 15);
        assert_eq!((point.explicit_bounds[0], point.explicit_bounds[13]), (0.01, 300.0));
        assert_eq!(find(&point.attributes, "jsonrpc.request.id"), None);
    }
    for name in ["", "look", "lose", "hang"] {
        assert!(measured.iter().any(|known| known == name), "{name}: {measured:?}");
    }

    for secret in SECRETS {
        let shows = |body: &Bytes| body.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!seen.raw.iter().any(shows), "{secret}");
    }
}

#[tokio::test]
async fn a_collector_that_is_gone_harms_no_call() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let address = site(seen.clone()).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let dead = free.local_addr().expect("an address");
    drop(free);
    assert!(run(address, &format!("http://{dead}")).await);
    let seen = seen.lock().expect("a lock");
    assert_eq!((seen.parents.len(), seen.spans.len()), (3, 0));
}
