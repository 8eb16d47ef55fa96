//! Requests that are answered the short way get the same answers as those that go through the protocol library.

use bytes::Bytes;
use mcpwright_runtime::{
    Error, ErrorKind, Server,
    component::{Hints, Prompt, Resource, ResourceTemplate, Tool},
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    context::{Context, Elicitation},
    message::{ListPage, Page, PromptResult, ToolInfo},
    middleware::{Middleware, Next},
    server::Options,
    testing::{LEGACY, MODERN, TestClient},
};
use serde_json::{Map, Value, json};

use super::http::Site;

async fn everything(_: Context, (): ()) -> Result<ToolResult, Error> {
    let contents = |body| ResourceContents {
        uri: "test://a".into(),
        media_type: Some("text/plain".into()),
        body,
        meta: Map::from_iter([("m".to_owned(), json!(1))]),
    };
    let structured =
        serde_json::value::RawValue::from_string("{\r\n  \"n\": 12345678901234567890.5,\n\t\"ü\": [null]}".into());
    Ok(ToolResult {
        content: vec![
            Content::Text("täxt \u{1f600} \"quoted\"".into()),
            Content::Image { data: Bytes::from_static(b"\x89PNG"), media_type: "image/png".into() },
            Content::Audio { data: Bytes::from_static(b"RIFF"), media_type: "audio/wav".into() },
            Content::Resource(contents(ResourceBody::Text("text".into()))),
            Content::Resource(contents(ResourceBody::Blob(Bytes::from_static(&[0, 1, 2])))),
            Content::Link { uri: "test://b".into(), name: "b".into(), description: Some("B".into()), media_type: None },
        ],
        structured: structured.ok(),
        is_error: false,
        meta: Map::from_iter([("x".to_owned(), json!({"y": [1, 2]}))]),
    })
}

async fn fails(_: Context, arguments: Map<String, Value>) -> Result<String, Error> {
    let kind = match arguments.get("kind").and_then(Value::as_str) {
        Some("not found") => ErrorKind::NotFound,
        Some("forbidden") => ErrorKind::Forbidden { scopes: vec!["a".into(), "b".into()] },
        Some("unauthorized") => ErrorKind::Unauthorized,
        Some("rate") => ErrorKind::RateLimited { retry_after: Some(std::time::Duration::from_millis(1500)) },
        Some("unsupported") => ErrorKind::Unsupported,
        Some("overloaded") => ErrorKind::Overloaded,
        Some("panic") => panic!("on purpose"),
        _ => ErrorKind::Failed,
    };
    Err(Error::new(kind, "It \"failed\".").with_data(json!({"why": ["so"]})))
}

async fn asks(context: Context, (): ()) -> Result<String, Error> {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let answer = context.elicit_schema("Who?", schema).await?;
    Ok(match answer {
        Elicitation::Accepted(answer) => answer.to_string(),
        _ => "nobody".to_owned(),
    })
}

async fn who(context: Context, (): ()) -> Result<String, Error> {
    let (client, capabilities) = (context.client(), context.client_capabilities());
    let headers = context.headers().map(|headers| headers.contains_key("x-test"));
    Ok(format!("{} {client:?} {capabilities:?} {:?} {headers:?}", context.protocol_version(), context.meta()))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Thing {
    id: String,
}

fn server() -> Server {
    let mut hints = Tool::new("hinted", "", who).hints(Hints::READ).title("With \"hints\"").tag("a").tag("b");
    hints = hints.output_schema(&json!({"type": "object", "properties": {"a": {"type": "string"}}}));
    Server::named("ways")
        .tool(Tool::new("everything", "All kinds of content.\nTwo lines.", everything))
        .tool(Tool::dynamic("fails", "Fails.", &json!({"type": "object"}), fails))
        .tool(Tool::new("asks", "Asks.", asks))
        .tool(Tool::new("who", "Who asks.", who))
        .tool(hints)
        .resource(Resource::text("test://text", "text", "täxt"))
        .resource_template(ResourceTemplate::new("test://t/{id}", "t", async |_: Context, id: Thing| {
            if id.id == "none" {
                return Err(Error::not_found("There is no such thing."));
            }
            Ok(id.id)
        }))
        .prompt(Prompt::new("p", "A prompt.", async |_: Context, (): ()| Ok(PromptResult::default())))
}

fn requests() -> Vec<(&'static str, Value)> {
    let mut all: Vec<(&'static str, Value)> =
        ["tools/list", "resources/list", "resources/templates/list", "prompts/list"]
            .into_iter()
            .flat_map(|method| {
                [json!({}), json!({"cursor": "page-1"}), json!({"cursor": "nonsense"})].map(|params| (method, params))
            })
            .collect();
    for kind in ["not found", "forbidden", "unauthorized", "rate", "unsupported", "overloaded", "panic", "other"] {
        all.push(("tools/call", json!({"name": "fails", "arguments": {"kind": kind}})));
    }
    for name in ["everything", "asks", "who", "hinted", "unknown", "\u{fc}"] {
        all.push(("tools/call", json!({"name": name})));
        all.push(("tools/call", json!({"name": name, "arguments": {"surplus": 1}})));
    }
    for uri in ["test://text", "test://t/1", "test://t/none", "test://nothing", "nonsense"] {
        all.push(("resources/read", json!({"uri": uri})));
    }
    all
}

/// The answer without what differs from call to call by its nature.
fn comparable(mut answer: Value) -> Value {
    if let Some(result) = answer.get_mut("result").and_then(Value::as_object_mut)
        && let Some(state) = result.get_mut("requestState")
    {
        assert!(state.is_string());
        *state = Value::Null;
    }
    answer
}

#[tokio::test]
async fn both_ways_give_the_same_answers_over_http() {
    let options = Options { page_size: 3, ..Options::default() };
    let site = Site::open_with(server(), options).await;
    for version in ["2026-07-28", "2025-11-25", "2025-06-18"] {
        for (method, params) in requests() {
            let mut answers = Vec::new();
            // Weights are what the short way leaves to the other.
            for accept in ["application/json, text/event-stream", "application/json;q=1.0, text/event-stream"] {
                let mut params = params.clone();
                let target = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
                if version == "2026-07-28" {
                    params["_meta"] = json!({
                        "io.modelcontextprotocol/protocolVersion": version,
                        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
                        "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
                        "other": [1],
                    });
                }
                let mut request = site
                    .client
                    .post(site.url("/mcp"))
                    .header("content-type", "application/json")
                    .header("accept", accept)
                    .header("mcp-protocol-version", version)
                    .header("x-test", "1")
                    .body(json!({"jsonrpc": "2.0", "id": "ä\"1", "method": method, "params": params}).to_string());
                if version == "2026-07-28" {
                    request = request.header("mcp-method", method);
                    if let Some(target) = target.filter(|target| target.is_ascii()) {
                        request = request.header("mcp-name", target);
                    }
                }
                let response = request.send().await.expect("an answer");
                let status = response.status();
                let media_type = response.headers().get("content-type").cloned();
                let text = response.text().await.expect("a text");
                let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                answers.push((status, media_type, comparable(answer)));
            }
            assert_eq!(answers[0], answers[1], "{version} {method} {params}");
        }
    }
}

#[tokio::test]
async fn both_ways_give_the_same_answers_over_pipes() {
    for version in [MODERN, LEGACY] {
        let client = TestClient::builder().version(version).start(server()).await.expect("a client");
        for (method, params) in requests() {
            let short = client.request(method, params.clone()).await;
            // An unknown member is what the short way leaves to the other.
            let mut params = params;
            params["unknown"] = json!(true);
            let long = client.request(method, params.clone()).await;
            let comparable = |answer: Result<Value, _>| match answer {
                Ok(result) => comparable(json!({"result": result})),
                Err(error) => json!(format!("{error:?}")),
            };
            assert_eq!(comparable(short), comparable(long), "{method} {params}");
        }
    }
}

/// Hides a tool by changing the page that it got, as an author of middleware may.
struct Hides;

#[async_trait::async_trait]
impl Middleware for Hides {
    async fn on_list_tools(
        &self,
        context: &Context,
        request: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        let hides = context.meta().contains_key("hide");
        let mut page = next.run(request).await?;
        if hides {
            page.items = page.items.iter().filter(|tool| tool.name != "who").cloned().collect();
        }
        Ok(page)
    }
}

#[tokio::test]
async fn a_list_that_was_kept_is_not_shown_to_whom_a_layer_shows_another() {
    let client = TestClient::start(server().middleware(Hides)).await.expect("a client");
    for hide in [false, true, false, true] {
        let params = if hide { json!({"_meta": {"hide": true}}) } else { json!({}) };
        let tools = client.request("tools/list", params).await.expect("tools");
        let shows = tools["tools"].as_array().expect("a list").iter().any(|tool| tool["name"] == "who");
        assert_eq!(shows, !hide);
    }
}

#[tokio::test]
async fn a_connection_that_only_went_the_short_way_outlives_notifications_and_noise() {
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#,
        "{bad",
        "[]",
        r#"{"jsonrpc":"2.0"}"#,
    ] {
        let client = TestClient::builder().version(MODERN).start(server()).await.expect("a client");
        client.list("tools").await.expect("tools");
        client.send_line(line).await;
        // Time for whoever would hang up.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        client.list("tools").await.unwrap_or_else(|error| panic!("after {line}: {error:?}"));
        client.request("prompts/get", json!({"name": "p"})).await.unwrap_or_else(|error| panic!("{line}: {error:?}"));
    }
}
