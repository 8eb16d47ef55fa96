//! Two servers to compare with, as subcommands of the benchmark: what a person would write by hand on rmcp and
//! reqwest for one operation, and the floor, a handler that forwards the same JSON and knows nothing of MCP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::serve::ListenerExt;
use http::StatusCode;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorData, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler, ServiceExt};
use serde_json::{Value, json};

/// Where the API is, and a client for it.
#[derive(Clone)]
struct Api {
    base: Arc<str>,
    client: reqwest::Client,
}

impl Api {
    fn new(base: &str) -> Api {
        Api { base: base.into(), client: reqwest::Client::new() }
    }

    async fn get_pet(&self, id: i64) -> Result<bytes::Bytes, reqwest::Error> {
        let url = format!("{}/pets/{id}", self.base);
        self.client.get(url).send().await?.error_for_status()?.bytes().await
    }
}

/// The hand-written server: one tool.
#[derive(Clone)]
struct ByHand {
    api: Api,
    tool: Tool,
}

impl ByHand {
    fn new(base: &str) -> ByHand {
        let object = |value: Value| -> JsonObject { serde_json::from_value(value).unwrap_or_default() };
        let input = object(json!({
            "type": "object",
            "properties": { "petId": { "type": "integer" } },
            "required": ["petId"],
        }));
        let tool = Tool::new("get_pet", "A pet by its number", Arc::new(input));
        ByHand { api: Api::new(base), tool }
    }
}

impl ServerHandler for ByHand {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("by-hand", "1.0.0"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![self.tool.clone()]))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        (name == self.tool.name).then(|| self.tool.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let id = request.arguments.as_ref().and_then(|arguments| arguments.get("petId")).and_then(Value::as_i64);
        let id = id.ok_or_else(|| ErrorData::invalid_params("petId is missing", None))?;
        let body = self.api.get_pet(id).await.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let value =
            serde_json::from_slice(&body).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(CallToolResult::structured(value).into())
    }
}

/// Serves the hand-written server.
pub(crate) async fn by_hand(base: &str, http: Option<u16>) -> std::io::Result<()> {
    let handler = ByHand::new(base);
    let Some(port) = http else {
        let running = handler.serve(rmcp::transport::stdio()).await.map_err(std::io::Error::other)?;
        running.waiting().await.map_err(std::io::Error::other)?;
        return Ok(());
    };
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let factory = move || Ok(handler.clone());
    let service = StreamableHttpService::new(factory, Arc::new(NeverSessionManager::default()), config);
    listen(Router::new().nest_service("/mcp", service), port).await
}

/// Serves the floor: `GET /pets/{id}` of the API under the same path.
pub(crate) async fn floor(base: &str, port: u16) -> std::io::Result<()> {
    let forward = async |State(api): State<Api>, Path(id): Path<i64>| {
        let body = api.get_pet(id).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
        Ok::<_, StatusCode>(([("content-type", "application/json")], body))
    };
    listen(Router::new().route("/pets/{id}", get(forward)).with_state(Api::new(base)), port).await
}

async fn listen(router: Router, port: u16) -> std::io::Result<()> {
    let router = router.route("/health", get(async || "ok"));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let listener = listener.tap_io(|stream| {
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}
