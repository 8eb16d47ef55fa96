use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use mcpwright_runtime::{
    Error, Server,
    component::Tool,
    context::Context,
    server::{Limits, Options},
    testing::{LEGACY, MODERN, TestClient},
};
use serde_json::{Value, json};

async fn panicking(_: Context, (): ()) -> Result<(), Error> {
    panic!("this is on purpose")
}

async fn hanging(_: Context, (): ()) -> Result<(), Error> {
    std::future::pending().await
}

async fn fine(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("fine")
}

async fn flooding(context: Context, (): ()) -> Result<&'static str, Error> {
    for number in 0..20_000 {
        context.progress(f64::from(number), None, None).await;
    }
    Ok("flooded")
}

fn server() -> Server {
    Server::named("fence")
        .tool(Tool::new("panic", "Panics.", panicking))
        .tool(Tool::new("hang", "Hangs.", hanging))
        .tool(Tool::new("brief", "Hangs, but not for long.", hanging).timeout(Duration::from_millis(20)))
        .tool(Tool::new("flood", "Reports too much.", flooding))
        .tool(Tool::new("fine", "Works.", fine))
}

fn limits(limits: Limits) -> Options {
    Options { limits, ..Options::default() }
}

async fn works(client: &TestClient) {
    let result = client.call_tool("fine", json!({})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], "fine");
}

#[tokio::test]
async fn a_panic_ends_in_an_error_of_its_request() {
    let client = TestClient::start(server()).await.expect("a client");
    let result = client.call_tool("panic", json!({})).await.expect("a result");
    assert_eq!(result["isError"], true);
    assert!(!result["content"][0]["text"].to_string().contains("on purpose"), "internals stay inside");
    works(&client).await;
}

#[tokio::test]
async fn a_hang_ends_at_its_time() {
    let options = limits(Limits { handler: Duration::from_millis(50), ..Limits::default() });
    let client = TestClient::builder().options(options).start(server()).await.expect("a client");
    for (tool, seconds) in [("hang", "0.05 s"), ("brief", "0.02 s")] {
        let result = client.call_tool(tool, json!({})).await.expect("a result");
        assert!(result["content"][0]["text"].as_str().is_some_and(|text| text.contains(seconds)), "{result}");
    }
    works(&client).await;
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_at_once() {
    let options = limits(Limits { concurrency: 2, ..Limits::default() });
    let client = TestClient::builder().options(options).start(server()).await.expect("a client");
    let hang = || client.call_tool("hang", json!({}));
    let busy = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.call_tool("fine", json!({})).await.expect_err("busy")
    };
    let error = tokio::select! {
        _ = hang() => panic!("it hangs"),
        _ = hang() => panic!("it hangs"),
        error = busy => error,
    };
    assert_eq!(error.data, Some(json!({"reason": "overloaded"})));
}

#[tokio::test]
async fn a_flood_of_progress_is_thinned_out() {
    let client = TestClient::start(server()).await.expect("a client");
    let call = json!({"name": "flood", "arguments": {}, "_meta": {"progressToken": 1}});
    client.request("tools/call", call).await.expect("a result");
    let told = client.notifications().len();
    assert!((1..=5_000).contains(&told), "{told} reports");
    works(&client).await;
}

#[tokio::test]
async fn a_cancelled_request_stops() {
    static STOPPED: AtomicBool = AtomicBool::new(false);
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            STOPPED.store(true, Ordering::SeqCst);
        }
    }
    async fn guarded(_: Context, (): ()) -> Result<(), Error> {
        let _guard = Guard;
        std::future::pending().await
    }
    let server = server().tool(Tool::new("guarded", "Hangs.", guarded));
    let client = TestClient::builder().version(LEGACY).start(server).await.expect("a client");
    client.send_line(r#"{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"guarded"}}"#).await;
    works(&client).await;
    client.notify("notifications/cancelled", json!({"requestId": 77})).await;
    tokio::time::timeout(Duration::from_secs(10), async {
        while !STOPPED.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the handler is dropped");
    works(&client).await;
}

#[tokio::test]
async fn nonsense_on_the_line_does_no_harm() {
    let client = TestClient::builder().version(LEGACY).start(server()).await.expect("a client");
    for line in ["{bad", "", "[]", "null", "\u{0}", r#"{"jsonrpc":"2.0"}"#, r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#]
    {
        client.send_line(line).await;
    }
    works(&client).await;
    let told: Vec<Value> = client.notifications();
    // What is no JSON is passed over, as by the official SDKs: an answer to noise can begin a storm of noise.
    assert!(!told.is_empty() && told.iter().all(|told| told["error"]["code"] == -32600), "{told:?}");
}

#[tokio::test]
async fn large_results_go_through() {
    async fn large(_: Context, (): ()) -> Result<String, Error> {
        Ok("x".repeat(20 << 20))
    }
    let client = TestClient::start(server().tool(Tool::new("large", "Much.", large))).await.expect("a client");
    let (result, ()) = tokio::join!(client.call_tool("large", json!({})), works(&client));
    assert_eq!(result.expect("a result")["content"][0]["text"].as_str().map(str::len), Some(20 << 20));
}

/// Calls a tool over HTTP, as a client of the newest version or of an older one; the answer's length and text.
async fn call_over_http(http: &reqwest::Client, url: &str, tool: &str, modern: bool) -> (usize, String) {
    let mut params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": 1}});
    let mut request = http
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if modern {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/call");
        request = request.header("mcp-name", tool);
    } else {
        request = request.header("mcp-protocol-version", "2025-11-25");
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let answer = request.body(body.to_string()).send().await.expect("a response").bytes().await.expect("a body");
    let shown = String::from_utf8_lossy(&answer[answer.len().saturating_sub(300)..]).into_owned();
    (answer.len(), shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_a_handler_does_harms_another_request() {
    const MUCH: usize = 100 << 20;
    async fn large(_: Context, (): ()) -> Result<String, Error> {
        Ok("x".repeat(MUCH))
    }
    async fn ceaseless(context: Context, (): ()) -> Result<&'static str, Error> {
        for number in 0..2_000_000 {
            context.progress(f64::from(number), None, Some("more")).await;
            if number % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok("flooded")
    }
    let server = server().tool(Tool::new("large", "Much.", large)).tool(Tool::new("cease", "Reports.", ceaseless));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let options = limits(Limits { handler: Duration::from_secs(5), ..Limits::default() });
    let router = server.into_router(&options).await.expect("a router");
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut bad = Vec::new();
    for modern in [true, false] {
        for tool in ["panic", "hang", "cease", "large"] {
            let (http, url) = (http.clone(), url.clone());
            bad.push((tool, tokio::spawn(async move { call_over_http(&http, &url, tool, modern).await })));
        }
    }
    // The hanging calls last until their limit: whatever is answered before that was not held up by them.
    let mut served = 0;
    while bad.iter().any(|(tool, call)| *tool == "hang" && !call.is_finished()) {
        for modern in [true, false] {
            let (_, answer) = call_over_http(&http, &url, "fine", modern).await;
            assert!(answer.contains("fine"), "{answer}");
            served += usize::from(bad.iter().any(|(tool, call)| *tool == "hang" && !call.is_finished()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (tool, call) in bad {
        let (length, answer) = call.await.expect("a task");
        match tool {
            "panic" => assert!(answer.contains("isError") && !answer.contains("on purpose"), "{answer}"),
            "hang" => assert!(answer.contains("5 s"), "{answer}"),
            "large" => assert!(length > MUCH, "{length}"),
            _ => assert!(answer.contains("flooded") || answer.contains("5 s"), "{answer}"),
        }
    }
    assert!(served > 0, "nothing was answered while others hung");
    serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_a_handler_does_harms_another_request_of_the_same_pipe() {
    const MUCH: usize = 100 << 20;
    async fn large(_: Context, (): ()) -> Result<String, Error> {
        Ok("x".repeat(MUCH))
    }
    for version in [LEGACY, MODERN] {
        let server = server()
            .tool(Tool::new("large", "Much.", large))
            .tool(Tool::new("long", "Hangs for a while.", hanging).timeout(Duration::from_secs(3)));
        let client = TestClient::builder().version(version).start(server).await.expect("a client");
        let call = |name: &str| {
            let params = json!({"name": name, "arguments": {}, "_meta": {"progressToken": name}});
            client.request("tools/call", params)
        };
        // A pipe carries one message after the other: a large answer holds up those behind it for as long as it takes.
        let others = async {
            for _ in 0..50 {
                works(&client).await;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (panicked, hung, flooded, much, ()) =
            tokio::join!(call("panic"), call("long"), call("flood"), call("large"), others);
        assert_eq!(panicked.expect("a result")["isError"], true);
        let hung = hung.expect("a result");
        assert!(hung["content"][0]["text"].as_str().is_some_and(|text| text.contains("3 s")), "{hung}");
        assert_eq!(flooded.expect("a result")["content"][0]["text"], "flooded");
        assert_eq!(much.expect("a result")["content"][0]["text"].as_str().map(str::len), Some(MUCH));
    }
}
