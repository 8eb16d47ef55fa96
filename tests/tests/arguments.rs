//! Arguments on their way in: a wrong call is told everything that is wrong with it, once, and sends nothing upstream.

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::upstream::{Answer, Upstream};
use serde_json::{Value, json};

/// Serves `document` in front of an API that answers everything.
async fn serve(document: &Value) -> (Upstream, HttpServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("spec.json");
    std::fs::write(&path, document.to_string()).expect("a document can be written");
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*path.to_string_lossy(), "--preset", "tools", "--base-url", &upstream.url()])
        .http()
        .await;
    (upstream, server, folder)
}

fn orders() -> Value {
    let order = json!({
        "type": "object",
        "required": ["pet", "quantity"],
        "properties": {
            "pet": { "type": "string" },
            "quantity": { "type": "integer", "minimum": 1 },
            "address": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
        },
    });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "servers": [{ "url": "http://127.0.0.1" }],
        "paths": { "/shops/{shopId}/orders": { "post": {
            "operationId": "placeOrder",
            "parameters": [{ "name": "shopId", "in": "path", "required": true, "schema": { "type": "string" } }],
            "requestBody": { "required": true, "content": { "application/json": { "schema": order } } },
            "responses": { "200": { "description": "OK" } },
        } } },
    })
}

/// Wrong arguments, and the words that the message must have.
fn faults() -> Vec<(Value, &'static [&'static str])> {
    vec![
        (json!({}), &["shopId", "pet", "quantity"]),
        (json!({ "shopId": "a", "pet": 7, "quantity": 0 }), &["pet", "string", "quantity"]),
        (json!({ "shopId": "a", "pet": "Rex", "quantity": 1, "quantitty": 2 }), &["quantitty", "quantity"]),
        (json!({ "shopId": "a", "pet": "Rex", "quantity": 1, "address": {} }), &["address", "city"]),
    ]
}

#[tokio::test]
async fn a_wrong_call_is_told_every_fault_and_sends_nothing() {
    let (upstream, server, _folder) = serve(&orders()).await;
    for era in Era::BOTH {
        let mut client = Client::http(&server, era).await;
        for (arguments, expected) in faults() {
            let result = client.call("place_order", arguments.clone()).await.expect("a tool result");
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            assert_eq!(result["isError"], true, "{arguments}: {result}");
            for word in expected {
                assert!(text.contains(word), "{arguments}: {word} is told: {text}");
            }
            assert!(upstream.take().is_empty(), "{arguments}: nothing is sent");
        }
    }
}

#[tokio::test]
async fn an_object_that_arrives_as_text_is_understood() {
    let (upstream, server, _folder) = serve(&orders()).await;
    let mut client = Client::http(&server, Era::Modern).await;
    let arguments = json!({ "shopId": "a/b", "pet": "Rex", "quantity": 2, "address": "{\"city\":\"Bonn\"}" });
    let result = client.call("place_order", arguments).await.expect("a tool result");
    assert_ne!(result["isError"], true, "{result}");
    let request = upstream.take_one();
    assert_eq!(request.line(), "POST /shops/a%2Fb/orders");
    assert_eq!(request.json(), json!({ "pet": "Rex", "quantity": 2, "address": { "city": "Bonn" } }));
}

#[tokio::test]
async fn an_unknown_tool_is_told_the_nearest_name() {
    let (upstream, server, _folder) = serve(&orders()).await;
    let mut client = Client::http(&server, Era::Modern).await;
    let error = client.call("place_ordre", json!({})).await.expect_err("there is no such tool");
    assert_eq!(error.code, -32602, "{error:?}");
    assert!(error.message.contains("place_order"), "{error:?}");
    assert!(upstream.take().is_empty());
}
