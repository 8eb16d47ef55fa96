//! A plain JSON-RPC client that speaks both protocol eras over both transports and shows every message as it is.

use base64::Engine as _;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use crate::process::{HttpServer, Process, StdioServer};

/// How client and server find together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// `initialize`, in version 2025-11-25.
    Legacy,
    /// Every request stands alone, in version 2026-07-28.
    Modern,
}

impl Era {
    /// Both.
    pub const BOTH: [Era; 2] = [Era::Legacy, Era::Modern];

    /// The protocol version.
    pub fn version(self) -> &'static str {
        match self {
            Era::Legacy => "2025-11-25",
            Era::Modern => "2026-07-28",
        }
    }
}

/// The error member of a JSON-RPC answer.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct RpcError {
    /// The code.
    pub code: i64,
    /// The message.
    pub message: String,
    /// What else the server says.
    pub data: Option<Value>,
}

/// A client of one server.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
    era: Era,
    next: u64,
}

#[derive(Debug)]
enum Transport {
    Stdio(Box<Pipes>),
    Http { client: reqwest::Client, endpoint: String, session: Option<String> },
}

#[derive(Debug)]
struct Pipes {
    /// Kept, since the process ends when this is dropped.
    _process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    /// Connects to a server on standard input and output, which lives as long as the client.
    ///
    /// # Panics
    /// When the handshake fails.
    pub async fn stdio(server: StdioServer, era: Era) -> Client {
        let StdioServer { process, input, output } = server;
        let pipes = Pipes { _process: process, input, output: BufReader::new(output) };
        Client::connect(Transport::Stdio(Box::new(pipes)), era).await
    }

    /// Connects to a server on HTTP.
    ///
    /// # Panics
    /// When the handshake fails.
    pub async fn http(server: &HttpServer, era: Era) -> Client {
        let client = reqwest::Client::builder().tcp_nodelay(true).build().expect("an HTTP client");
        Client::connect(Transport::Http { client, endpoint: server.endpoint(), session: None }, era).await
    }

    async fn connect(transport: Transport, era: Era) -> Client {
        let mut client = Client { transport, era, next: 0 };
        if era == Era::Legacy {
            let parameters = json!({
                "protocolVersion": era.version(),
                "capabilities": {},
                "clientInfo": { "name": "mcpwright-tests", "version": "0" },
            });
            let answer = client.request("initialize", parameters).await.expect("the server takes initialize");
            assert_eq!(answer["protocolVersion"], era.version(), "the server speaks the asked version");
            client.notify("notifications/initialized").await;
        }
        client
    }

    /// Sends a request and returns its result.
    ///
    /// # Errors
    /// What the server answers as a JSON-RPC error.
    ///
    /// # Panics
    /// When the server answers nothing that is JSON-RPC.
    pub async fn request(&mut self, method: &str, parameters: Value) -> Result<Value, RpcError> {
        self.next += 1;
        let message = self.message(Some(self.next), method, parameters);
        let mut answer = self.exchange(method, &message, Some(self.next)).await.expect("a request is answered");
        match answer.get_mut("error") {
            Some(error) => Err(serde_json::from_value(error.take()).expect("a JSON-RPC error")),
            None => Ok(answer.get_mut("result").expect("an answer has a result or an error").take()),
        }
    }

    /// All items of a paginated list.
    ///
    /// # Panics
    /// When the server answers with an error, or goes round in circles.
    pub async fn list(&mut self, method: &str, member: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut parameters = json!({});
        for _ in 0..10_000 {
            let mut page = self.request(method, parameters).await.expect("the list is answered");
            items.append(page[member].as_array_mut().expect("the list holds its items"));
            match page.get("nextCursor") {
                Some(cursor) => parameters = json!({ "cursor": cursor }),
                None => return items,
            }
        }
        panic!("{method} has no end");
    }

    /// `tools/call`.
    ///
    /// # Errors
    /// What the server answers as a JSON-RPC error.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, RpcError> {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// `resources/read`.
    ///
    /// # Errors
    /// What the server answers as a JSON-RPC error.
    pub async fn read(&mut self, uri: &str) -> Result<Value, RpcError> {
        self.request("resources/read", json!({ "uri": uri })).await
    }

    async fn notify(&mut self, method: &str) {
        let message = self.message(None, method, json!({}));
        self.exchange(method, &message, None).await;
    }

    /// A message with what the era wants in it.
    fn message(&self, id: Option<u64>, method: &str, mut parameters: Value) -> Value {
        if self.era == Era::Modern {
            parameters["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": self.era.version(),
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "mcpwright-tests", "version": "0" },
            });
        }
        let mut message = Map::new();
        message.insert("jsonrpc".to_owned(), "2.0".into());
        message.extend(id.map(|id| ("id".to_owned(), id.into())));
        message.insert("method".to_owned(), method.into());
        message.insert("params".to_owned(), parameters);
        Value::Object(message)
    }

    /// Sends a message and, where it has an id, waits for the answer to it.
    async fn exchange(&mut self, method: &str, message: &Value, id: Option<u64>) -> Option<Value> {
        match &mut self.transport {
            Transport::Stdio(pipes) => {
                pipes.input.write_all(format!("{message}\n").as_bytes()).await.expect("the server reads");
                id?;
                let mut line = String::new();
                loop {
                    line.clear();
                    let length = pipes.output.read_line(&mut line).await.expect("the server writes text");
                    assert!(length > 0, "the server closed its output before it answered {method}");
                    let answer: Value = serde_json::from_str(&line).expect("a line of output is a message");
                    if answer.get("id") == message.get("id") {
                        return Some(answer);
                    }
                }
            }
            Transport::Http { client, endpoint, session } => {
                let mut request = client
                    .post(&*endpoint)
                    .header("accept", "application/json, text/event-stream")
                    .header("content-type", "application/json");
                if method != "initialize" {
                    request = request.header("mcp-protocol-version", self.era.version());
                }
                if self.era == Era::Modern {
                    request = request.header("mcp-method", method);
                    if let Some(name) = name_of(message) {
                        request = request.header("mcp-name", header_value(name));
                    }
                }
                if let Some(session) = &session {
                    request = request.header("mcp-session-id", session);
                }
                let answer = request.body(message.to_string()).send().await.expect("the server answers");
                if let Some(opened) = answer.headers().get("mcp-session-id") {
                    *session = opened.to_str().ok().map(str::to_owned);
                }
                let status = answer.status();
                let body = answer.text().await.expect("the answer is text");
                id?;
                let answer = messages(&body).find(|answer| answer.get("id") == message.get("id"));
                Some(answer.unwrap_or_else(|| panic!("no answer to {method}: {status} {body}")))
            }
        }
    }
}

/// What the header `Mcp-Name` repeats of the body, for the methods that have it.
fn name_of(message: &Value) -> Option<&str> {
    let parameters = message.get("params")?;
    match message.get("method")?.as_str()? {
        "tools/call" | "prompts/get" => parameters.get("name")?.as_str(),
        "resources/read" => parameters.get("uri")?.as_str(),
        _ => None,
    }
}

/// A header value as the protocol encodes it: what is not plain ASCII goes in Base64 with a mark around it.
fn header_value(text: &str) -> String {
    let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    if plain && !text.starts_with("=?base64?") {
        return text.to_owned();
    }
    format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
}

/// The JSON-RPC messages of an HTTP answer: the one of a JSON body, or those of the events of a stream.
fn messages(body: &str) -> impl Iterator<Item = Value> + '_ {
    let events = body.lines().filter_map(|line| line.strip_prefix("data:"));
    std::iter::once(body).chain(events).filter_map(|text| serde_json::from_str(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_ascii_are_marked() {
        assert_eq!(header_value("get_pet"), "get_pet");
        assert_eq!(header_value("api://petstore/köter"), "=?base64?YXBpOi8vcGV0c3RvcmUva8O2dGVy?=");
    }

    #[test]
    fn messages_are_found_in_json_and_in_events() {
        let ids = |body| messages(body).map(|message| message["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(r#"{"id":1}"#), [json!(1)]);
        assert_eq!(ids("event: message\ndata: {\"id\":1}\n\ndata: {\"id\":2}\n\n"), [json!(1), json!(2)]);
    }
}
