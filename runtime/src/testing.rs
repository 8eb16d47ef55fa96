//! A client in memory, to test servers without a process or a port, in both protocol eras.
//!
//! ```
//! use mcpwright_runtime::{Error, Server, component::Tool, context::Context, testing::TestClient};
//! use serde_json::json;
//!
//! async fn ping(_: Context, (): ()) -> Result<&'static str, Error> {
//!     Ok("pong")
//! }
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let server = Server::named("pinger").tool(Tool::new("ping", "Answers.", ping));
//! let client = TestClient::start(server).await.unwrap();
//! let result = client.call_tool("ping", json!({})).await.unwrap();
//! assert_eq!(result["content"][0]["text"], "pong");
//! # });
//! ```

mod pipe;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::server::{Options, Server, StartError};
use pipe::Pipe;

/// The newest protocol version that begins with `initialize`.
pub const LEGACY: &str = "2025-11-25";
/// The newest protocol version.
pub const MODERN: &str = "2026-07-28";

/// How often a client answers questions to one request.
const MAX_ROUNDS: usize = 10;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An error of JSON-RPC.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct RpcError {
    /// The code.
    pub code: i64,
    /// The message.
    pub message: String,
    /// The data.
    pub data: Option<Value>,
}

/// A client that is connected to a server in the same process. The server stops when the client is dropped.
pub struct TestClient {
    pipe: Pipe,
    version: String,
    capabilities: Value,
}

/// A client in the making.
#[must_use]
pub struct TestClientBuilder {
    version: String,
    capabilities: Value,
    options: Option<Options>,
    answers: pipe::Answers,
}

impl TestClient {
    /// Connects a client of the newest protocol version that can do nothing of its own.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn start(server: Server) -> Result<Self, StartError> {
        Self::builder().start(server).await
    }

    /// A client in the making.
    pub fn builder() -> TestClientBuilder {
        TestClientBuilder {
            version: MODERN.to_owned(),
            capabilities: json!({}),
            options: None,
            answers: Box::new(|method, _| {
                Err(RpcError { code: -32601, message: format!("the test does not answer {method}"), data: None })
            }),
        }
    }

    fn is_modern(&self) -> bool {
        self.version.as_str() >= MODERN
    }

    /// Sends a request and returns its result. Questions on the way are answered.
    ///
    /// # Errors
    /// What the server answers, or -32000 when no answer comes.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let mut params = if let Value::Object(params) = params { params } else { Map::new() };
        for _ in 0..MAX_ROUNDS {
            let result = self.request_once(method, Value::Object(params.clone())).await?;
            if result.get("resultType").and_then(Value::as_str) != Some("input_required") {
                return Ok(result);
            }
            let mut responses = Map::new();
            let questions = result.get("inputRequests").and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, question) in questions {
                let method = question.get("method").and_then(Value::as_str).unwrap_or_default();
                responses.insert(key, self.pipe.answer(method, question.get("params").unwrap_or(&Value::Null))?);
            }
            params.insert("inputResponses".to_owned(), Value::Object(responses));
            params.shift_remove("requestState");
            if let Some(state) = result.get("requestState") {
                params.insert("requestState".to_owned(), state.clone());
            }
        }
        Err(RpcError { code: -32000, message: format!("still asked after {MAX_ROUNDS} rounds"), data: None })
    }

    /// [`TestClient::request`] that answers no questions: they are the result.
    ///
    /// # Errors
    /// As [`TestClient::request`].
    pub async fn request_once(&self, method: &str, mut params: Value) -> Result<Value, RpcError> {
        if self.is_modern()
            && let Some(params) = params.as_object_mut()
        {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                let mut add = |key: &str, value: Value| {
                    meta.entry(format!("io.modelcontextprotocol/{key}")).or_insert(value);
                };
                add("protocolVersion", self.version.as_str().into());
                add("clientCapabilities", self.capabilities.clone());
                add("clientInfo", json!({"name": "test", "version": "0"}));
            }
        }
        let gave_up = || RpcError { code: -32000, message: format!("no answer to {method}"), data: None };
        tokio::time::timeout(PATIENCE, self.pipe.request(method, params)).await.unwrap_or_else(|_| Err(gave_up()))
    }

    /// Sends a notification.
    pub async fn notify(&self, method: &str, params: Value) {
        self.pipe.send(&json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
    }

    /// Sends a line as it is.
    pub async fn send_line(&self, line: &str) {
        self.pipe.send_line(line).await;
    }

    /// The notifications that came since the last look, in order.
    pub fn notifications(&self) -> Vec<Value> {
        self.pipe.take_notifications()
    }

    /// Waits for the next notification of a method; those before it stay for [`TestClient::notifications`].
    pub async fn notification(&self, method: &str) -> Option<Value> {
        tokio::time::timeout(PATIENCE, self.pipe.notification(method)).await.ok()
    }

    /// `tools/call`
    ///
    /// # Errors
    /// As [`TestClient::request`]. A tool that failed is a result with `isError`.
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<Value, RpcError> {
        self.request("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// `resources/read`
    ///
    /// # Errors
    /// As [`TestClient::request`].
    pub async fn read_resource(&self, uri: &str) -> Result<Value, RpcError> {
        self.request("resources/read", json!({"uri": uri})).await
    }

    /// `prompts/get`
    ///
    /// # Errors
    /// As [`TestClient::request`].
    pub async fn get_prompt(&self, name: &str, arguments: Value) -> Result<Value, RpcError> {
        self.request("prompts/get", json!({"name": name, "arguments": arguments})).await
    }

    /// Everything that the server offers, as clients see it: for a snapshot that shows in a review what a change does
    /// to them.
    ///
    /// ```
    /// # use mcpwright_runtime::{Server, testing::TestClient};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let client = TestClient::start(Server::named("empty")).await.unwrap();
    /// let offers = client.offers().await.unwrap();
    /// // insta::assert_json_snapshot!(offers);
    /// assert_eq!(offers["tools"].as_array().map(Vec::len), Some(0));
    /// # });
    /// ```
    ///
    /// # Errors
    /// As [`TestClient::request`].
    pub async fn offers(&self) -> Result<Value, RpcError> {
        let mut offers = Map::new();
        for what in ["tools", "resources", "resourceTemplates", "prompts"] {
            offers.insert(what.to_owned(), self.list(what).await?.into());
        }
        Ok(Value::Object(offers))
    }

    /// All pages of a list: `tools`, `resources`, `resourceTemplates` or `prompts`.
    ///
    /// # Errors
    /// As [`TestClient::request`].
    pub async fn list(&self, what: &str) -> Result<Vec<Value>, RpcError> {
        let method = match what {
            "resourceTemplates" => "resources/templates/list".to_owned(),
            other => format!("{other}/list"),
        };
        let mut items = Vec::new();
        let mut params = json!({});
        loop {
            let mut page = self.request(&method, params).await?;
            if let Some(Value::Array(found)) = page.get_mut(what).map(Value::take) {
                items.extend(found);
            }
            match page.get("nextCursor") {
                Some(cursor) => params = json!({"cursor": cursor}),
                None => return Ok(items),
            }
        }
    }
}

impl TestClientBuilder {
    /// Speaks this protocol version: [`LEGACY`], [`MODERN`] or any other.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Declares capabilities, as the specification writes them: `{"elicitation": {}, "sampling": {}}`.
    pub fn capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Runs the server with these options.
    pub fn options(mut self, options: Options) -> Self {
        self.options = Some(options);
        self
    }

    /// Answers the server's questions: gets the method and the parameters, returns the result.
    pub fn answers(
        mut self,
        answers: impl Fn(&str, &Value) -> Result<Value, RpcError> + Send + Sync + 'static,
    ) -> Self {
        self.answers = Box::new(answers);
        self
    }

    /// Connects the client.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn start(self, server: Server) -> Result<TestClient, StartError> {
        let options = self.options.unwrap_or_else(|| server.options());
        let running = server.start(&options, None).await?;
        let pipe = Pipe::open(running, self.answers);
        let client = TestClient { pipe, version: self.version, capabilities: self.capabilities };
        if !client.is_modern() {
            let params = json!({
                "protocolVersion": client.version,
                "capabilities": client.capabilities,
                "clientInfo": {"name": "test", "version": "0"},
            });
            client
                .request_once("initialize", params)
                .await
                .map_err(|error| StartError::Connection(format!("initialize failed: {error}")))?;
            client.notify("notifications/initialized", json!({})).await;
        }
        Ok(client)
    }
}
