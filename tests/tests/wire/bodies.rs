//! Bodies of requests by their media type, and what each version of OpenAPI says about them.

use std::process::Command;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

/// A document of one version with one operation `send` that takes one body.
fn document(version: &str, media_type: &str, content: &Value) -> Value {
    json!({
        "openapi": version,
        "info": { "title": "Bodies", "version": "1" },
        "servers": [{ "url": "http://127.0.0.1" }],
        "paths": { "/send": { "post": {
            "operationId": "send",
            "requestBody": { "required": true, "content": { media_type: content } },
            "responses": { "204": { "description": "Done" } },
        } } },
    })
}

/// What arrives when `send` is called with each of the arguments.
async fn sent(document: &Value, calls: &[Value]) -> Vec<Recorded> {
    let upstream = Upstream::start(|_| Answer::new(204, "", "")).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bodies.json");
    std::fs::write(&path, document.to_string()).expect("a document can be written");
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*path.to_string_lossy(), "--preset", "tools", "--base-url", &upstream.url()])
        .http()
        .await;
    let mut client = Client::http(&server, Era::Modern).await;
    let mut requests = Vec::new();
    for arguments in calls {
        let result = client.call("send", arguments.clone()).await.expect("a result");
        let mut arrived = upstream.take();
        assert_eq!(arrived.len(), 1, "{arguments}: {result}");
        requests.append(&mut arrived);
    }
    requests
}

fn text(request: &Recorded) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

#[tokio::test]
async fn styles_count_in_the_parts_of_forms_and_of_nothing_else() {
    let content = json!({
        "schema": { "type": "object", "properties": {
            "codes": { "type": "array", "items": { "type": "string" } },
            "at": { "type": "object", "properties": { "x": { "type": "integer" } } },
        } },
        "encoding": {
            "codes": { "style": "pipeDelimited", "explode": false, "allowReserved": true },
            "at": { "style": "deepObject" },
        },
    });
    let arguments = json!({ "codes": ["a", "b/c"], "at": { "x": 1 } });
    for (version, media_type, styled) in [
        ("3.0.4", "multipart/form-data", true),
        ("3.1.1", "multipart/form-data", true),
        ("3.2.0", "multipart/form-data", true),
        ("3.1.1", "multipart/mixed", false),
    ] {
        let document = document(version, media_type, &content);
        if styled {
            let body = text(&sent(&document, std::slice::from_ref(&arguments)).await[0]);
            assert!(body.contains("name=\"codes\"\r\n\r\na|b/c\r\n"), "{version}: {body}");
            assert!(body.contains("name=\"at[x]\"\r\n\r\n1\r\n"), "{version}: {body}");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("bodies.json");
        std::fs::write(&path, document.to_string()).expect("a document can be written");
        let output = Command::new(workspace::program("mcpwright")).arg("inspect").arg(&path).output();
        let output = output.expect("the command starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let finding = format!("`style`, `explode`, `allowReserved` has no effect on parts of {media_type}");
        assert_eq!(said.contains(&finding), !styled, "{version} {media_type}: {said}");
    }
}

#[tokio::test]
async fn an_absent_body_is_said_to_be_empty_and_null_is_absent_where_nothing_can_be_null() {
    let content = json!({ "schema": { "type": "object", "properties": {
        "reason": { "type": "string" }, "note": { "type": ["string", "null"] },
    } } });
    let mut document = document("3.1.1", "application/json", &content);
    document["paths"]["/send"]["post"]["requestBody"]["required"] = json!(false);
    let requests =
        sent(&document, &[json!({}), json!({ "reason": null }), json!({ "reason": null, "note": null })]).await;
    for request in &requests[..2] {
        assert_eq!((request.header("content-length"), request.header("content-type")), (Some("0"), None));
        assert!(request.body.is_empty());
    }
    assert_eq!(requests[2].json(), json!({ "note": null }), "what can be null is sent so");
}

#[tokio::test]
async fn sequences_and_roots_of_lists_are_whole_documents() {
    let line = json!({ "itemSchema": { "type": "object", "properties": { "n": { "type": "integer" } } } });
    let calls = [json!({ "body": [{ "n": 1 }, { "n": 2 }] })];
    for (media_type, expected) in [
        ("application/x-ndjson", "{\"n\":1}\n{\"n\":2}\n"),
        ("application/jsonl", "{\"n\":1}\n{\"n\":2}\n"),
        ("application/json-seq", "\u{1e}{\"n\":1}\n\u{1e}{\"n\":2}\n"),
    ] {
        let requests = sent(&document("3.2.0", media_type, &line), &calls).await;
        assert_eq!(requests[0].header("content-type"), Some(media_type));
        assert_eq!(text(&requests[0]), expected, "{media_type}");
    }
    let list = json!({ "schema": { "type": "array", "items": {
        "type": "object", "xml": { "name": "item" }, "properties": { "n": { "type": "integer" } },
    } } });
    let requests = sent(&document("3.1.1", "application/xml", &list), &calls).await;
    let sent = text(&requests[0]);
    let (_, root) = sent.split_once("?>\n").expect("a declaration");
    assert_eq!(root, "<root><item><n>1</n></item><item><n>2</n></item></root>", "one root");
}
