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
async fn styles_of_multipart_parts_count_since_version_3_1() {
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
    for (version, styled) in [("3.0.4", false), ("3.1.1", true), ("3.2.0", true)] {
        let document = document(version, "multipart/form-data", &content);
        let body = text(&sent(&document, std::slice::from_ref(&arguments)).await[0]);
        assert_eq!(body.contains("name=\"codes\"\r\n\r\na|b/c\r\n"), styled, "{version}: {body}");
        assert_eq!(body.contains("name=\"at[x]\"\r\n\r\n1\r\n"), styled, "{version}: {body}");
        assert_eq!(body.matches("name=\"codes\"").count(), if styled { 1 } else { 2 }, "{version}: {body}");
        assert_eq!(body.contains("Content-Type: application/json\r\n\r\n{\"x\":1}\r\n"), !styled, "{version}: {body}");

        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("bodies.json");
        std::fs::write(&path, document.to_string()).expect("a document can be written");
        let output = Command::new(workspace::program("mcpwright")).arg("inspect").arg(&path).output();
        let output = output.expect("the command starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let finding = "`style`, `explode`, `allowReserved` has no effect on parts of multipart/form-data";
        assert_eq!(said.contains(finding), !styled, "{version}: {said}");
    }
}
