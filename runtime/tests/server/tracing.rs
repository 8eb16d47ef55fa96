use std::sync::{Arc, Mutex};

use axum::{extract::Request, response::IntoResponse};
use mcpwright_runtime::{
    Server,
    catalog::{Api, Operation, Parameter},
    testing::TestClient,
    upstream::{Settings, Upstream},
};
use serde_json::json;

static SPAN: Parameter = Parameter { name: "traceparent", schema: r#"{"type":"string"}"#, ..Parameter::HEADER };
static LOOK: Operation = Operation { id: "look", name: "look", path: "/look", ..Operation::DEFAULT };
static SEND: Operation =
    Operation { id: "send", name: "send", path: "/send", parameters: &[&SPAN], ..Operation::DEFAULT };
static API: Api = Api { name: "traced", operations: &[&[&LOOK, &SEND]], ..Api::DEFAULT };

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn the_api_learns_which_trace_a_call_is_part_of() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let application = axum::Router::new().fallback(move |request: Request| {
        let text =
            |name| request.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        log.lock().expect("a log").push((text("traceparent"), text("tracestate"), text("baggage")));
        async { ([("content-type", "application/json")], "{}").into_response() }
    });
    let settings = Settings { base_url: Some("http://traced.test/".into()), ..Settings::default() };
    let upstream = Upstream::builder(&API).settings(settings).service(application).build().expect("an upstream");
    let client = TestClient::start(Server::new(&API).upstream(upstream)).await.expect("a client");
    for (tool, arguments, meta) in [
        ("look", json!({}), json!({})),
        ("look", json!({}), json!({"traceparent": PARENT, "tracestate": "a=1", "baggage": "user=anna"})),
        ("look", json!({}), json!({"traceparent": "nonsense", "tracestate": "a=1"})),
        ("send", json!({"traceparent": "the argument"}), json!({"traceparent": PARENT})),
    ] {
        let call = json!({"name": tool, "arguments": arguments, "_meta": meta});
        client.request("tools/call", call).await.expect("a result");
    }
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        *seen.lock().expect("a log"),
        [(None, None, None), (text(PARENT), text("a=1"), None), (None, None, None), (text("the argument"), None, None),]
    );
}
