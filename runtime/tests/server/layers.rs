use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mcpwright_runtime::{
    Error, Server,
    component::{Resource, Tool},
    content::ToolResult,
    context::Context,
    message::{CallTool, ListPage, Notification, Page, Request, Response, ToolInfo},
    middleware::{Message, Middleware, Next, NextMessage},
    testing::{LEGACY, TestClient},
};
use serde_json::json;

type Log = Arc<Mutex<Vec<String>>>;

struct Tracing(&'static str, Log);

impl Tracing {
    fn note(&self, what: &str) {
        self.1.lock().expect("a log").push(format!("{} {what}", self.0));
    }
}

#[async_trait]
impl Middleware for Tracing {
    async fn on_message(&self, _: &Context, message: Message, next: NextMessage<'_>) -> Result<Response, Error> {
        self.note("message");
        next.run(message).await
    }

    async fn on_request(
        &self,
        _: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        self.note(request.method());
        next.run(request).await
    }

    async fn on_notification(
        &self,
        _: &Context,
        notification: Notification,
        next: Next<'_, Notification, ()>,
    ) -> Result<(), Error> {
        self.note(notification.method());
        next.run(notification).await
    }

    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        self.note("call");
        context.insert(self.0.to_owned());
        let result = next.run(call).await;
        self.note("called");
        result
    }
}

/// Hides a tool, and changes the arguments of another.
struct Changing;

#[async_trait]
impl Middleware for Changing {
    async fn on_call_tool(
        &self,
        _: &Context,
        mut call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        if call.name == "hidden" {
            return Err(Error::not_found("Unknown tool: hidden."));
        }
        call.arguments.clear();
        let mut result = next.run(call).await?;
        result.meta.insert("seen".into(), true.into());
        Ok(result)
    }

    async fn on_list_tools(
        &self,
        _: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        let mut page = next.run(page).await?;
        page.items = page.items.iter().filter(|tool| tool.name != "hidden").cloned().collect();
        Ok(page)
    }
}

async fn state(context: Context, (): ()) -> Result<String, Error> {
    Ok(context.get::<String>().unwrap_or_default())
}

fn server() -> Server {
    Server::named("layers")
        .tool(Tool::new("state", "Reads the state.", state))
        .tool(Tool::new("hidden", "Is not seen.", state))
        .resource(Resource::text("a:b", "r", "text"))
}

#[tokio::test]
async fn hooks_run_from_the_general_to_the_particular_and_the_first_layer_is_outermost() {
    let log = Log::default();
    let server = server().middleware(Tracing("outer", log.clone())).middleware(Tracing("inner", log.clone()));
    let client = TestClient::start(server).await.expect("a client");
    let result = client.call_tool("state", json!({})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], "inner", "layers and handler share the request's state");
    let expected = [
        "outer message",
        "outer tools/call",
        "outer call",
        "inner message",
        "inner tools/call",
        "inner call",
        "inner called",
        "outer called",
    ];
    assert_eq!(*log.lock().expect("a log"), expected);
}

#[tokio::test]
async fn layers_change_requests_results_and_lists() {
    let client = TestClient::start(server().middleware(Changing)).await.expect("a client");
    assert_eq!(client.list("tools").await.expect("tools").len(), 1);
    assert_eq!(client.call_tool("hidden", json!({})).await.expect_err("hidden").code, -32602);
    let result = client.call_tool("state", json!({"unknown": 1})).await.expect("a result");
    assert_eq!(result["_meta"]["seen"], true);
    assert_eq!(result["isError"], false, "the wrong argument was taken away: {result}");
    assert!(client.read_resource("a:b").await.is_ok(), "other requests pass");
}

#[tokio::test]
async fn layers_see_notifications_of_clients_without_a_handshake() {
    let log = Log::default();
    let client = TestClient::start(server().middleware(Tracing("layer", log.clone()))).await.expect("a client");
    client.call_tool("state", json!({})).await.expect("a result");
    client.notify("notifications/cancelled", json!({"requestId": 77, "reason": "tired"})).await;
    client.notify("notifications/own", json!({})).await;
    client.call_tool("state", json!({})).await.expect("a result");
    let seen = log.lock().expect("a log").join(", ");
    for method in ["notifications/cancelled", "notifications/own"] {
        assert_eq!(seen.matches(&format!("layer {method}")).count(), 1, "{seen}");
    }
}

#[tokio::test]
async fn layers_see_notifications_and_the_handshake() {
    let log = Log::default();
    let client = TestClient::builder()
        .version(LEGACY)
        .start(server().middleware(Tracing("layer", log.clone())))
        .await
        .expect("a client");
    client.call_tool("state", json!({})).await.expect("a result");
    let seen = log.lock().expect("a log").join(", ");
    assert!(seen.contains("layer initialize") && seen.contains("layer notifications/initialized"), "{seen}");
}
