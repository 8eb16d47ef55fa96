//! Proxied servers that mean ill, or are broken: they harm neither the server before them nor one another.

use std::time::{Duration, Instant};

use axum::{Router, http::StatusCode, response::IntoResponse, routing::post};
use mcpwright_runtime::{
    Error, Server,
    component::Tool,
    compose::Remote,
    context::Context,
    testing::{LEGACY, MODERN, TestClient},
};
use serde_json::{Value, json};

async fn fine(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("fine")
}

fn near() -> Server {
    Server::named("near").tool(Tool::new("fine", "Works.", fine))
}

async fn works(client: &TestClient) {
    let result = client.call_tool("fine", json!({})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], "fine");
}

/// A server that answers what `answer` makes of a method and its parameters; a text goes out as it is.
async fn site(answer: fn(&str, &Value) -> Value) -> Remote {
    let answering = async move |body: String| {
        let request: Value = serde_json::from_str(&body).expect("a request is JSON");
        let method = request["method"].as_str().unwrap_or_default();
        let Some(id) = request.get("id") else { return StatusCode::ACCEPTED.into_response() };
        let result = match method {
            "initialize" => json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
                "serverInfo": {"name": "far", "version": "1"},
            }),
            "server/discover" => Value::Null,
            _ => answer(method, &request["params"]),
        };
        let text = match result {
            Value::String(raw) => raw,
            Value::Null => {
                let error = json!({"code": -32601, "message": "no such method"});
                json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string()
            }
            result => json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string(),
        };
        ([("content-type", "application/json")], text).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/mcp", post(answering));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Remote::http(format!("http://{address}/mcp")).named("far")
}

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

#[tokio::test]
async fn lists_without_end_are_cut() {
    let remote = site(|method, params| match method {
        "tools/list" => {
            let first = params["cursor"].as_str().map_or(0, |cursor| cursor.parse::<u32>().expect("it is ours"));
            let tools: Vec<Value> = (first..first + 3000).map(|number| tool(&format!("tool{number}"))).collect();
            json!({"tools": tools, "nextCursor": (first + 3000).to_string()})
        }
        "resources/list" => json!({"resources": [{"uri": "far:a", "name": "a"}], "nextCursor": "more"}),
        _ => Value::Null,
    });
    let client = TestClient::start(near().proxy("far", remote.await)).await.expect("it starts");
    works(&client).await;
    let tools = client.list("tools").await.expect("tools");
    assert_eq!(tools.len(), 10_001, "{:?}", tools.last());
    assert_eq!(client.list("resources").await.expect("resources").len(), 1, "a cursor that leads to itself");
}

#[tokio::test]
async fn names_and_uris_that_mean_ill_do_no_harm() {
    let remote = site(|method, params| match method {
        "tools/list" => json!({"tools": [
            tool("a b"), tool("a_b"), tool("a\u{202e}b"), tool(""), tool(&"x".repeat(5000)), tool("../../fine"), tool("fine"),
        ]}),
        "resources/list" => json!({"resources": [
            {"uri": "no scheme", "name": "a"},
            {"uri": "far:{brace}", "name": "b"},
            {"uri": "far://host/\r\nx: y", "name": "c"},
            {"uri": "far://ok", "name": "d"},
            {"uri": "far://ok", "name": "e"},
        ]}),
        "resources/templates/list" => json!({"resourceTemplates": [
            {"uriTemplate": "far:{", "name": "a"},
            {"uriTemplate": "{+all}", "name": "b"},
            {"uriTemplate": "far:///{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}", "name": "c"},
        ]}),
        "prompts/list" => json!({"prompts": [{"name": ""}, {"name": "p"}, {"name": "p"}]}),
        "tools/call" => json!({"content": [{"type": "text", "text": params["name"]}]}),
        _ => Value::Null,
    })
    .await;
    for version in [LEGACY, MODERN] {
        let server = near().proxy("far", remote.clone());
        let client = TestClient::builder().version(version).start(server).await.expect("it starts");
        works(&client).await;
        let tools = client.list("tools").await.expect("tools");
        let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        let legal = |name: &&str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        assert!(names.iter().all(legal), "{names:?}");
        assert!(names.contains(&"far_fine") && names.contains(&"fine"), "{names:?}");
        let called = client.call_tool("far_a_b", json!({})).await.expect("a result");
        assert_eq!(called["content"][0]["text"], "a b", "the first of two stays");
        assert_eq!(client.list("prompts").await.expect("prompts").len(), 2);
        let resources = client.list("resources").await.expect("resources");
        assert!(resources.iter().any(|resource| resource["name"] == "d"), "{resources:?}");
        assert!(client.read_resource(&format!("far://far/{}", "a".repeat(20_000))).await.is_err());
        works(&client).await;
    }
}

#[tokio::test]
async fn answers_that_are_nonsense_or_too_large_end_in_an_error() {
    let remote = site(|method, params| match (method, params["name"].as_str()) {
        ("tools/list", _) => {
            json!({"tools": [tool("nonsense"), tool("half"), tool("other"), tool("large"), tool("deep")]})
        }
        ("tools/call", Some("nonsense")) => Value::String("<html>".to_owned()),
        ("tools/call", Some("half")) => Value::String(r#"{"jsonrpc":"2.0","id":"#.to_owned()),
        ("tools/call", Some("other")) => json!({"content": "no list", "isError": "maybe"}),
        ("tools/call", Some("deep")) => Value::String("[".repeat(1 << 20)),
        ("tools/call", Some("large")) => Value::String(" ".repeat(129 << 20)),
        _ => Value::Null,
    });
    let client = TestClient::start(near().proxy("far", remote.await)).await.expect("it starts");
    for name in ["nonsense", "half", "other", "deep", "large"] {
        let tool = format!("far_{name}");
        let call = client.call_tool(&tool, json!({}));
        let (answer, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), call), works(&client));
        let answer = answer.expect("an answer in time").expect("a result");
        assert_eq!(answer["isError"], true, "{name}: {answer}");
        let said = answer["content"][0]["text"].as_str().unwrap_or_default();
        assert!(said.len() < 1000 && !said.contains("127.0.0.1"), "{name}: {said}");
    }
    works(&client).await;
}

#[cfg(unix)]
#[tokio::test]
async fn commands_that_write_nonsense_without_end_are_left_alone() {
    let commands =
        ["yes garbage", "cat /dev/zero", r#"while :; do echo '{"jsonrpc":"2.0","id":99,"result":{}}'; done"#, "exit 1"];
    let mut server = near();
    for (index, command) in commands.iter().enumerate() {
        server = server.proxy(format!("far{index}"), Remote::command("sh").argument("-c").argument(*command));
    }
    let began = Instant::now();
    let client = TestClient::start(server).await.expect("it starts");
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    for _ in 0..20 {
        works(&client).await;
    }
    assert_eq!(client.list("tools").await.expect("tools").len(), 1);
}
