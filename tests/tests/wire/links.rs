//! Links of the document as hints with values of the answer, and followed.

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::upstream::{Answer, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

/// The member of `_meta` that tells of the API's answer.
const HTTP: &str = "/_meta/io.github.mcpwright~1http/links";

async fn serve(upstream: &Upstream, preset: &str) -> HttpServer {
    let document = workspace::root().join("fixtures/documents/links.yaml");
    Launch::program("mcpwright")
        .arguments(["serve", &*document.to_string_lossy(), "--preset", preset, "--base-url", &upstream.url()])
        .http()
        .await
}

fn api(status: u16, body: Value) -> impl Fn(&mcpwright_tests::upstream::Recorded) -> Answer {
    move |request| match request.method.as_str() {
        "PUT" => Answer::new(204, "", ""),
        _ => Answer::json(status, &body).header("x-request-id", "42"),
    }
}

fn last_text(result: &Value) -> &str {
    let content = result["content"].as_array().expect("contents");
    content.last().and_then(|last| last["text"].as_str()).unwrap_or_default()
}

#[tokio::test]
async fn links_have_values_of_the_answer_and_can_be_followed() {
    let upstream = Upstream::start(api(201, json!({ "id": 7, "address": { "street": "Main", "town": "Ely" } }))).await;
    let server = serve(&upstream, "tools").await;
    let mut client = Client::http(&server, Era::Modern).await;
    let made = client.call("create_user", json!({ "name": "Zoë" })).await.expect("a result");
    let address = json!({
        "tool": "set_address",
        "arguments": {
            "id": 7, "X-Trace": "made-42-201", "fields": ["street", "town"], "street": "Main", "town": "Ely",
        },
    });
    // The request had no team, so that link says nothing of this answer.
    assert_eq!(
        made.pointer(HTTP),
        Some(&json!({
            "user": { "tool": "get_user", "arguments": { "id": 7 }, "description": "The user that was made." },
            "address": address,
        }))
    );
    let text = last_text(&made);
    assert!(text.contains("- user: `get_user` with {\"id\":7} (The user that was made.)"), "{text}");
    upstream.take();
    client.call("set_address", address["arguments"].clone()).await.expect("the link can be followed");
    let request = upstream.take_one();
    assert_eq!(request.line(), "PUT /users/7/address?fields=street&fields=town");
    assert_eq!(request.header("x-trace"), Some("made-42-201"));
    assert_eq!(request.json(), json!({ "street": "Main", "town": "Ely" }));
}

#[tokio::test]
async fn the_most_exact_status_decides_which_links_count() {
    for (status, expected) in [
        (201, json!({ "team": { "tool": "get_team", "arguments": { "team": 3 } } })),
        (202, Value::Null),
        (409, json!({ "search": { "tool": "find_users", "arguments": { "name": "Zoë" } } })),
    ] {
        let upstream = Upstream::start(api(status, json!({}))).await;
        let server = serve(&upstream, "tools").await;
        let mut client = Client::http(&server, Era::Modern).await;
        let made = client.call("create_user", json!({ "name": "Zoë", "team": 3 })).await.expect("a result");
        assert_eq!(made["isError"] == true, status == 409);
        let links = made.pointer(HTTP).cloned().unwrap_or_default();
        if status == 201 {
            assert_eq!(links["team"], expected["team"]);
            assert_eq!(links["user"], Value::Null, "the answer has no id");
        } else {
            assert_eq!(links, expected, "{status}: {made}");
        }
    }
}

#[tokio::test]
async fn resources_carry_links_and_are_linked_to() {
    let upstream = Upstream::start(api(200, json!({ "id": 7 }))).await;
    let server = serve(&upstream, "rest").await;
    let mut client = Client::http(&server, Era::Modern).await;
    let read = client.request("resources/read", json!({ "uri": "api://links/users/7" })).await.expect("a result");
    let contents = &read["contents"][0];
    assert_eq!(
        contents.pointer(HTTP),
        Some(&json!({ "address": { "tool": "set_address", "arguments": { "id": 7, "X-Trace": "42" } } })),
        "{contents}"
    );
    let upstream = Upstream::start(api(201, json!({ "id": 7 }))).await;
    let server = serve(&upstream, "rest").await;
    let mut client = Client::http(&server, Era::Modern).await;
    let made = client.call("create_user", json!({ "name": "Zoë" })).await.expect("a result");
    let user = made.pointer(HTTP).expect("links")["user"].clone();
    assert_eq!(user["resource"], "api://links/users/{id}");
    assert_eq!(user["arguments"], json!({ "id": 7 }));
}
