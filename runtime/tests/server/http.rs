use std::{net::SocketAddr, sync::Arc, time::Duration};

use mcpwright_runtime::{
    Error, Server,
    component::Tool,
    context::Context,
    server::{Limits, Options},
    storage::{KvStore, MemoryStore},
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;

async fn echo(context: Context, (): ()) -> Result<String, Error> {
    let header = context.headers().and_then(|headers| headers.get("x-test")).and_then(|value| value.to_str().ok());
    Ok(header.unwrap_or("no header").to_owned())
}

async fn slow(_: Context, (): ()) -> Result<&'static str, Error> {
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok("slow")
}

async fn panicking(_: Context, (): ()) -> Result<(), Error> {
    panic!("this is on purpose")
}

fn server() -> Server {
    Server::named("web")
        .tool(Tool::new("echo", "Echoes a header.", echo))
        .tool(Tool::new("slow", "Takes a moment.", slow))
        .tool(Tool::new("panic", "Panics.", panicking))
}

pub(super) struct Site {
    address: SocketAddr,
    pub(super) client: Client,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<Result<(), String>>,
}

impl Site {
    async fn open(options: Options) -> Self {
        Self::open_with(server(), options).await
    }

    pub(super) async fn open_with(server: Server, options: Options) -> Self {
        // A port that was free a moment ago: the server wants to bind it itself.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let options = Options { port: address.port(), ..options };
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            server.serve_http(&options, stop).await.map_err(|error| error.to_string())
        });
        for _ in 0..3_000 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { address, client, stop: Some(stop), served }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops the server, and waits until it has stopped.
    pub(super) async fn close(mut self) {
        let _ = self.stop.take().expect("a switch").send(());
        assert_eq!(self.served.await.expect("a task"), Ok(()));
    }

    fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        self.client
            .post(self.url("/mcp"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body.to_string())
    }

    fn modern(&self, method: &str, name: &str, mut params: Value) -> reqwest::RequestBuilder {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut request = self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
        request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        if name.is_empty() { request } else { request.header("mcp-name", name) }
    }

    fn call(&self, tool: &str) -> reqwest::RequestBuilder {
        self.modern("tools/call", tool, json!({"name": tool, "arguments": {}}))
    }
}

async fn json_of(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("a response");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn both_eras_are_served_at_one_endpoint() {
    let site = Site::open(Options::default()).await;
    let (status, answer) = json_of(site.call("echo").header("x-test", "hello")).await;
    assert_eq!((status, &answer["result"]["content"][0]["text"]), (StatusCode::OK, &json!("hello")));
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let (_, answer) =
        json_of(site.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}))).await;
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(answer["result"]["capabilities"]["tools"], json!({}), "no changes are told without a session");
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let (_, answer) = json_of(site.post(&call).header("mcp-protocol-version", "2025-06-18")).await;
    assert_eq!(answer["result"]["content"][0]["text"], "no header");
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let site = Site::open(Options::default()).await;
    for path in ["/health", "/ready"] {
        let response = site.client.get(site.url(path)).send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn strangers_are_kept_out() {
    let allowed = Options {
        allowed_hosts: vec!["mcp.example".into()],
        allowed_origins: vec!["https://app.example".into()],
        ..Options::default()
    };
    let site = Site::open(allowed).await;
    for (header, value, expected) in [
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("origin", "http://localhost:3000", StatusCode::OK),
        ("origin", "https://app.example", StatusCode::OK),
        ("host", "evil.example", StatusCode::FORBIDDEN),
        ("host", "mcp.example", StatusCode::OK),
        ("host", "mcp.example:8443", StatusCode::OK),
        ("host", "localhost", StatusCode::OK),
    ] {
        let (status, answer) = json_of(site.call("echo").header(header, value)).await;
        assert_eq!(status, expected, "{header}: {value}: {answer}");
    }
}

#[tokio::test]
async fn malformed_bodies_get_json_rpc_errors() {
    let site =
        Site::open(Options { limits: Limits { body_bytes: 1000, ..Limits::default() }, ..Options::default() }).await;
    let raw = |body: String| {
        site.client
            .post(site.url("/mcp"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
    };
    for (body, status, code) in [
        ("{bad".to_owned(), StatusCode::BAD_REQUEST, -32700),
        (String::new(), StatusCode::BAD_REQUEST, -32700),
        ("[]".to_owned(), StatusCode::BAD_REQUEST, -32600),
        (r#"{"jsonrpc":"2.0"}"#.to_owned(), StatusCode::BAD_REQUEST, -32600),
    ] {
        let (found, answer) = json_of(raw(body.clone())).await;
        assert_eq!((found, answer["error"]["code"].as_i64()), (status, Some(code)), "{body}: {answer}");
    }
    let (status, _) = json_of(raw(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(2000)))).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_panic_does_not_leave_the_client_waiting() {
    let site = Site::open(Options::default()).await;
    let (status, answer) = json_of(site.call("panic")).await;
    assert_eq!((status, &answer["result"]["isError"]), (StatusCode::OK, &json!(true)));
    let (_, answer) = json_of(site.call("echo")).await;
    assert_eq!(answer["result"]["isError"], false);
}

#[tokio::test]
async fn stopping_waits_for_answers_under_way() {
    let mut site = Site::open(Options::default()).await;
    let slow = tokio::spawn(json_of(site.call("slow")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _ = site.stop.take().expect("a switch").send(());
    let (status, answer) = slow.await.expect("a task");
    assert_eq!((status, &answer["result"]["content"][0]["text"]), (StatusCode::OK, &json!("slow")));
    let served = tokio::time::timeout(Duration::from_secs(8), site.served).await.expect("it stops");
    assert_eq!(served.expect("a task"), Ok(()));
}

#[tokio::test]
async fn sessions_are_limited() {
    let site = Site::open(Options { sessions: 2, ..Options::default() }).await;
    let open = || {
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        site.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})).send()
    };
    let first = open().await.expect("a response");
    let session = first.headers().get("mcp-session-id").expect("a session").clone();
    open().await.expect("a response").text().await.expect("a body");
    assert_eq!(open().await.expect("a response").status(), StatusCode::SERVICE_UNAVAILABLE);
    let gone = site.client.delete(site.url("/mcp")).header("mcp-session-id", session).send().await.expect("a response");
    assert!(gone.status().is_success());
    assert_eq!(open().await.expect("a response").status(), StatusCode::OK);
    let (status, _) = json_of(site.call("echo")).await;
    assert_eq!(status, StatusCode::OK, "requests without a session go on");
}

#[tokio::test]
async fn instances_over_one_store_take_up_each_other_s_sessions() {
    let store: Arc<dyn KvStore> = Arc::new(MemoryStore::default());
    let open = async || {
        let options = Options { sessions: 1, ..Options::default() };
        Site::open_with(server().session_store(store.clone()), options).await
    };
    let (one, other, third) = (open().await, open().await, open().await);
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let begun = one.post(&initialize).send().await.expect("a response");
    let session = begun.headers().get("mcp-session-id").expect("a session").clone();
    begun.text().await.expect("a body");

    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {}}});
    let ask = async |site: &Site, session: &str| {
        let request = site.post(&call).header("mcp-session-id", session).header("x-test", "hello");
        let response = request.send().await.expect("a response");
        (response.status(), response.text().await.expect("a body"))
    };
    let id = session.to_str().expect("a plain id");
    for site in [&one, &other, &other] {
        let (status, body) = ask(site, id).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(body.contains("hello"), "{body}");
    }
    assert_eq!(ask(&other, "another-session").await.0, StatusCode::NOT_FOUND);

    // What one instance takes up counts there.
    let second = third.post(&initialize).send().await.expect("a response");
    assert_eq!(second.status(), StatusCode::OK);
    assert_eq!(ask(&third, id).await.0, StatusCode::SERVICE_UNAVAILABLE);

    let gone = one.client.delete(one.url("/mcp")).header("mcp-session-id", id).send().await.expect("a response");
    assert!(gone.status().is_success());
    assert_eq!(ask(&open().await, id).await.0, StatusCode::NOT_FOUND, "what its client ended is nowhere taken up");
}

#[tokio::test]
async fn neither_a_burst_nor_a_header_opens_more_sessions_than_allowed() {
    let site = Site::open(Options { sessions: 3, ..Options::default() }).await;
    let params =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let burst = (0..20).map(|number| {
        let request = site.post(&initialize);
        let request = if number % 2 == 0 { request } else { request.header("mcp-protocol-version", "2026-07-28") };
        tokio::spawn(async move {
            let response = request.send().await.expect("a response");
            (response.status(), response.headers().contains_key("mcp-session-id"))
        })
    });
    let mut opened = 0;
    for answer in burst.collect::<Vec<_>>() {
        let (status, has_session) = answer.await.expect("a task");
        opened += usize::from(has_session);
        assert!(
            has_session || status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::BAD_REQUEST,
            "{status}"
        );
    }
    assert!((1..=3).contains(&opened), "{opened} sessions");
}
