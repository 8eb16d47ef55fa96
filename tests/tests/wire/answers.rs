//! Answers by status, media type and charset, and what is promised of them.

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::upstream::{Answer, Upstream};
use serde_json::{Value, json};
use tempfile::TempDir;

fn document(responses: &Value) -> Value {
    json!({
        "openapi": "3.1.1",
        "info": { "title": "Answers", "version": "1" },
        "servers": [{ "url": "http://127.0.0.1" }],
        "paths": { "/get": { "get": { "operationId": "get", "responses": responses } } },
    })
}

async fn serve(responses: &Value, upstream: &Upstream, options: &[&str]) -> (HttpServer, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("answers.json");
    std::fs::write(&path, document(responses).to_string()).expect("a document can be written");
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*path.to_string_lossy(), "--preset", "tools", "--base-url", &upstream.url()])
        .arguments(options)
        .http()
        .await;
    (server, folder)
}

/// The result of the only tool, where the API answers so.
async fn result(responses: &Value, answer: Answer, options: &[&str]) -> Value {
    let upstream = Upstream::start(move |_| answer.clone()).await;
    let (server, _folder) = serve(responses, &upstream, options).await;
    Client::http(&server, Era::Modern).await.call("get", json!({})).await.expect("a result")
}

#[tokio::test]
async fn text_is_read_by_its_charset() {
    let responses =
        json!({ "200": { "description": "OK", "content": { "text/plain": { "schema": { "type": "string" } } } } });
    for (media_type, bytes) in [
        ("text/plain; charset=utf-8", "Zoë".as_bytes().to_vec()),
        ("text/plain; charset=ISO-8859-1", vec![b'Z', b'o', 0xeb]),
        ("text/plain; charset=\"windows-1252\"", vec![b'Z', b'o', 0xeb]),
        ("text/plain;charset=utf-16le", vec![b'Z', 0, b'o', 0, 0xeb, 0]),
        ("text/plain", "\u{feff}Zoë".as_bytes().to_vec()),
    ] {
        let result = result(&responses, Answer::new(200, media_type, bytes), &[]).await;
        assert_eq!(result["content"][0]["text"], "Zoë", "{media_type}: {result}");
    }
}

#[tokio::test]
async fn what_is_accepted_is_what_the_successes_offer() {
    let content = |names: &[&str]| -> Value {
        json!({ "description": "One", "content": names.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<serde_json::Map<_, _>>() })
    };
    for (responses, expected) in [
        (json!({ "200": content(&["application/json"]) }), "application/json"),
        (
            json!({ "2XX": content(&["application/vnd.a+json"]), "404": content(&["text/html"]) }),
            "application/vnd.a+json",
        ),
        (json!({ "default": content(&["application/problem+json"]) }), "application/problem+json"),
        (json!({ "204": { "description": "None" } }), "*/*"),
    ] {
        let upstream = Upstream::start(|_| Answer::new(204, "", "")).await;
        let (server, _folder) = serve(&responses, &upstream, &[]).await;
        Client::http(&server, Era::Modern).await.call("get", json!({})).await.expect("a result");
        let accept = upstream.take_one().header("accept").map(str::to_owned).unwrap_or_default();
        let first = accept.split([',', ';']).next().unwrap_or_default();
        assert_eq!(first, expected, "{accept}");
    }
}

#[tokio::test]
async fn sequences_of_values_are_arrays() {
    let lines = "{\"n\":1}\n{\"n\":2}\n";
    let events = "event: a\ndata: {\"n\":1}\n\ndata: {\"n\":\ndata: 2}\n\n";
    for (media_type, text) in [
        ("application/x-ndjson", lines),
        ("application/jsonl", lines),
        ("application/json-seq", "\u{1e}{\"n\":1}\n\u{1e}{\"n\":2}\n"),
        ("text/event-stream", events),
    ] {
        let responses = json!({ "200": { "description": "OK", "content": { media_type: {} } } });
        let result = result(&responses, Answer::new(200, media_type, text), &[]).await;
        assert_eq!(
            result["structuredContent"],
            json!({ "result": [{ "n": 1 }, { "n": 2 }] }),
            "{media_type}: {result}"
        );
    }
}

#[tokio::test]
async fn answers_are_checked_where_that_is_asked_for() {
    let schema = json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } });
    let responses = json!({ "2XX": { "description": "OK", "content": { "application/json": { "schema": schema } } } });
    let wrong = Answer::json(200, &json!({ "id": "seven" }));
    for (option, refused) in [("off", false), ("warn", false), ("error", true)] {
        let result = result(&responses, wrong.clone(), &["--validate-output", option]).await;
        assert_eq!(result["isError"] == true, refused, "{option}: {result}");
        if refused {
            let said = result["content"][0]["text"].as_str().unwrap_or_default();
            assert!(said.contains("does not match its document") && said.contains("id"), "{said}");
        } else {
            assert_eq!(result["structuredContent"], json!({ "id": "seven" }), "{result}");
        }
    }
    let right = result(&responses, Answer::json(206, &json!({ "id": 7 })), &["--validate-output", "error"]).await;
    assert_eq!(right["structuredContent"], json!({ "id": 7 }), "a range of statuses has its schema too: {right}");
}

#[tokio::test]
async fn a_structure_that_is_promised_is_there_or_the_result_says_why() {
    let object = json!({ "200": { "description": "OK", "content": { "application/json": { "schema": {
        "type": "object", "properties": { "id": { "type": "integer" } },
    } } } } });
    let list = json!({ "200": { "description": "OK", "content": { "application/json": { "schema": {
        "type": "array", "items": { "type": "integer" },
    } } } } });
    for (responses, answer, expected) in [
        (&object, Answer::json(200, &json!({ "id": 7 })), Some(json!({ "id": 7 }))),
        (&list, Answer::json(200, &json!([1, 2])), Some(json!({ "result": [1, 2] }))),
        (&list, Answer::json(200, &json!([])), Some(json!({ "result": [] }))),
        (&object, Answer::new(200, "application/json", ""), Some(json!({}))),
        (&object, Answer::new(200, "text/html", "<title>Log in</title>"), None),
        (&object, Answer::new(200, "application/json", "{\"id\":"), None),
    ] {
        let result = result(responses, answer, &[]).await;
        assert_eq!(result.get("structuredContent"), expected.as_ref(), "{result}");
        assert_eq!(result["isError"] == true, expected.is_none(), "{result}");
    }
}

#[tokio::test]
async fn xml_is_the_structure_that_its_schema_promises_or_the_result_says_why() {
    let responses = json!({ "200": { "description": "OK", "content": { "application/xml": { "schema": {
        "type": "object", "xml": { "name": "pet" }, "required": ["tags"],
        "properties": { "id": { "type": "integer" }, "tags": { "type": "array", "items": { "type": "string" } } },
    } } } } });
    for (text, expected) in [
        ("<pet><id>7</id><tags>a</tags></pet>", Some(json!({ "id": 7, "tags": ["a"] }))),
        ("<pet/>", Some(json!({ "tags": [] }))),
        ("<Envelope><id>7</id></Envelope>", Some(json!({ "id": 7, "tags": [] }))),
        ("<error><code>1</code></error>", None),
        ("<pet>", None),
    ] {
        let result = result(&responses, Answer::new(200, "application/xml", text), &[]).await;
        assert_eq!(result.get("structuredContent"), expected.as_ref(), "{text}: {result}");
        assert_eq!(result["isError"] == true, expected.is_none(), "{text}: {result}");
        assert_eq!(result["content"][0]["text"], text);
    }
}
