//! What a call allocates does not depend on how many tools there are beside the one that is called.

use std::alloc::System;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::Request;
use mcpwright::{Generator, Preset, Source, descriptors};
use mcpwright_runtime::Server;
use mcpwright_runtime::server::Options;
use mcpwright_runtime::upstream::{Settings, Upstream as Api};
use mcpwright_tests::upstream::{Answer, Upstream};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A document with so many operations, of which one is called.
fn document(operations: usize) -> String {
    let operation = |number: usize| {
        let parameters = json!([{ "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } }]);
        let id = format!("operation{number}");
        let answer = json!({ "200": { "description": "", "content": { "application/json": { "schema": { "type": "object" } } } } });
        (
            format!("/things/{number}"),
            json!({ "get": { "operationId": id, "parameters": parameters, "responses": answer } }),
        )
    };
    let paths: serde_json::Map<String, Value> = (0..operations).map(operation).collect();
    json!({ "openapi": "3.1.0", "info": { "title": "Things", "version": "1" }, "paths": paths }).to_string()
}

async fn router(operations: usize, upstream: &Upstream) -> Router {
    let source = Source::Text { name: "things.json".to_owned(), text: document(operations) };
    let planned = Generator::from_source(source).preset(Preset::Tools).plan().expect("a plan");
    let catalog = descriptors::leak(&planned.plan);
    let settings = Settings { base_url: Some(upstream.url()), ..Settings::default() };
    let api = Api::builder(catalog).settings(settings).build().expect("an upstream");
    Server::new(catalog).upstream(api).into_router(&Options::default()).await.expect("a router")
}

async fn call(router: &Router, version: &str) -> String {
    let mut params = json!({ "name": "operation7", "arguments": { "limit": 10 } });
    if version == "2026-07-28" {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let request = Request::post("/mcp")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", version)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "operation7")
        .body(Body::from(message.to_string()))
        .expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// The fewest allocations of a call, and their bytes: now and then a connection or a buffer is made anew.
async fn cost(router: &Router, version: &str) -> (usize, usize) {
    for _ in 0..20 {
        let answer = call(router, version).await;
        assert!(answer.contains(r#""structuredContent":{"id":7}"#), "{answer}");
    }
    let mut least = (usize::MAX, usize::MAX);
    for _ in 0..200 {
        let region = Region::new(ALLOCATOR);
        call(router, version).await;
        let change = region.change();
        least = least.min((change.allocations + change.reallocations, change.bytes_allocated));
    }
    least
}

#[tokio::test]
async fn a_call_allocates_the_same_among_20_tools_and_among_1223() {
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "id": 7 }))).await;
    let (few, many) = (router(20, &upstream).await, router(1223, &upstream).await);
    for version in ["2025-11-25", "2026-07-28"] {
        let (few, many) = (cost(&few, version).await, cost(&many, version).await);
        assert_eq!(few, many, "allocations and bytes, {version}");
    }
}
