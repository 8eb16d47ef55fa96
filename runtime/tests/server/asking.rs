use mcpwright_runtime::{
    Error, Server,
    component::Tool,
    context::{Context, Elicitation, Sampling},
    testing::{LEGACY, RpcError, TestClient},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

async fn in_turn(context: Context, (): ()) -> Result<String, Error> {
    let Elicitation::Accepted(Name { name }) = context.elicit("Who are you?").await? else {
        return Ok("Never mind.".to_owned());
    };
    let answer = context.sample(Sampling::new(format!("Greet {name}"), 10)).await?;
    let roots = context.roots().await?;
    Ok(format!("{} ({} roots)", answer.text, roots.len()))
}

fn server() -> Server {
    Server::named("asker").tool(Tool::new("ask", "Asks.", in_turn))
}

fn answers(method: &str, params: &Value) -> Result<Value, RpcError> {
    Ok(match method {
        "elicitation/create" => {
            assert_eq!(params["message"], "Who are you?");
            assert_eq!(params["requestedSchema"]["properties"]["name"]["type"], "string");
            json!({"action": "accept", "content": {"name": "Ada"}})
        }
        "sampling/createMessage" => {
            assert_eq!(params["messages"][0]["content"]["text"], "Greet Ada");
            let content = json!({"type": "text", "text": "Hello Ada"});
            json!({"role": "assistant", "model": "m", "content": content})
        }
        "roots/list" => json!({"roots": [{"uri": "file:///home"}]}),
        other => panic!("{other} was not expected"),
    })
}

#[tokio::test]
async fn the_same_handler_asks_clients_of_both_eras() {
    for version in [LEGACY, "2026-07-28"] {
        let client = TestClient::builder()
            .version(version)
            .capabilities(json!({"elicitation": {}, "sampling": {}, "roots": {}}))
            .answers(answers)
            .start(server())
            .await
            .expect("a client");
        let result = client.call_tool("ask", json!({})).await.expect("a result");
        assert_eq!(result["content"][0]["text"], "Hello Ada (1 roots)", "{version}");
    }
}

#[tokio::test]
async fn a_user_may_decline() {
    let client = TestClient::builder()
        .capabilities(json!({"elicitation": {}}))
        .answers(|_, _| Ok(json!({"action": "decline"})))
        .start(server())
        .await
        .expect("a client");
    let result = client.call_tool("ask", json!({})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], "Never mind.");
}

#[tokio::test]
async fn a_client_that_cannot_answer_is_not_asked() {
    for version in [LEGACY, "2026-07-28"] {
        let client = TestClient::builder().version(version).start(server()).await.expect("a client");
        let error = client.call_tool("ask", json!({})).await.expect_err("an error");
        assert_eq!(error.code, -32021, "{version}");
        assert_eq!(error.data, Some(json!({"requiredCapabilities": {"elicitation": {}}})));
    }
}

#[tokio::test]
async fn a_state_serves_only_the_request_that_it_came_from() {
    let client = TestClient::builder()
        .capabilities(json!({"elicitation": {}, "sampling": {}}))
        .start(server())
        .await
        .expect("a client");
    let call = json!({"name": "ask", "arguments": {}});
    let first = client.request_once("tools/call", call.clone()).await.expect("a question");
    assert_eq!(first["resultType"], "input_required");
    let state = first["requestState"].as_str().expect("a state").to_owned();
    let with = |state: String, arguments: Value| {
        json!({"name": "ask", "arguments": arguments, "requestState": state,
            "inputResponses": {"elicitation-1": {"action": "accept", "content": {"name": "Ada"}}}})
    };
    let second = client.request_once("tools/call", with(state.clone(), json!({}))).await.expect("the next question");
    assert!(second["inputRequests"]["sampling-2"].is_object(), "{second}");
    for wrong in [with(format!("{state}x"), json!({})), with("forged".into(), json!({})), with(state, json!({"x": 1}))]
    {
        assert_eq!(client.request_once("tools/call", wrong).await.expect_err("refused").code, -32602);
    }
}

#[tokio::test]
async fn log_messages_and_progress_go_to_who_wants_them() {
    async fn tell(context: Context, (): ()) -> Result<(), Error> {
        context.progress(1.0, Some(2.0), Some("half")).await;
        context.debug("small").await;
        context.warning("large").await;
        Ok(())
    }
    let server = || Server::named("teller").tool(Tool::new("tell", "Tells.", tell));
    let call = |meta: Value| json!({"name": "tell", "arguments": {}, "_meta": meta});
    let methods = |client: &TestClient| -> Vec<String> {
        let told = client.notifications();
        told.iter().map(|told| told["method"].as_str().unwrap_or_default().to_owned()).collect()
    };

    let client = TestClient::start(server()).await.expect("a client");
    client.request("tools/call", call(json!({}))).await.expect("a result");
    assert!(methods(&client).is_empty(), "nobody asked");
    let meta = json!({"progressToken": 7, "io.modelcontextprotocol/logLevel": "warning"});
    client.request("tools/call", call(meta)).await.expect("a result");
    let told = client.notifications();
    assert_eq!(told[0]["params"]["progressToken"], 7);
    assert_eq!(told[1]["params"]["data"], "large");
    assert_eq!(told.len(), 2);

    let client = TestClient::builder().version(LEGACY).start(server()).await.expect("a client");
    client.request("logging/setLevel", json!({"level": "debug"})).await.expect("set");
    client.request("tools/call", call(json!({}))).await.expect("a result");
    assert_eq!(methods(&client), ["notifications/message", "notifications/message"]);
    client.request("logging/setLevel", json!({"level": "error"})).await.expect("set");
    client.request("tools/call", call(json!({}))).await.expect("a result");
    assert!(methods(&client).is_empty());
}
