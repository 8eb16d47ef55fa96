//! The built-in layers as somebody meets them who writes no code: chosen in `mcpwright.toml` and in the environment.

use std::path::PathBuf;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::{Answer, Upstream};
use serde_json::{Value, json};

const DOCUMENT: &str = "\
openapi: 3.0.3
info: { title: Shop, version: '1' }
servers: [{ url: 'http://127.0.0.1:1' }]
paths:
  /items/{id}:
    get:
      operationId: getItem
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { '200': { description: An item, content: { application/json: { schema: { type: object } } } } }
  /orders:
    post:
      operationId: placeOrder
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { item: { type: string }, pin: { type: string }, password: { type: string } } }
      responses: { '200': { description: Done, content: { application/json: { schema: { type: object } } } } }
";

const LAYERS: &str = r#"
[middleware.timing]
metrics = true

[middleware.logging]
arguments = true
redact = ["pin"]

[middleware.error_handling]
mask = true

[middleware.rate_limiting]
requests = 9
per_ms = 2592000000
algorithm = "sliding_window"

[middleware.response_limiting]
max_bytes = 2000

[middleware.response_caching]
resources_ms = 2592000000

[middleware.resources_as_tools]
"#;

/// The folder with document and configuration, and how to serve them.
fn shop(configuration: &str, upstream: &Upstream) -> (tempfile::TempDir, Launch) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    };
    let (document, configuration) = (file("openapi.yaml", DOCUMENT), file("mcpwright.toml", configuration));
    let launch = Launch::program("mcpwright")
        .arguments(["serve".into(), document.into_os_string(), "--config".into(), configuration.into_os_string()])
        .arguments(["--base-url", &upstream.url()])
        .variable("SHOP_LOG_FORMAT", "json");
    (folder, launch)
}

async fn shelves() -> Upstream {
    Upstream::start(|request| {
        let size = if request.target.ends_with("/large") { 5000 } else { 1 };
        let answer = Answer::json(200, &json!({ "path": request.target, "text": "x".repeat(size) }));
        if request.target.ends_with("/fresh") { answer.header("cache-control", "no-store") } else { answer }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_layer_of_the_configuration_does_its_work() {
    let upstream = shelves().await;
    let (_folder, launch) = shop(LAYERS, &upstream);
    let server = launch.http().await;
    let mut client = Client::http(&server, Era::Modern).await;

    let order = json!({ "item": "a", "pin": "s3cr3t", "password": "s3cr3t" });
    client.call("place_order", order.clone()).await.expect("an order");
    assert_eq!(upstream.take_one().json(), order, "the API learns what the log does not");
    for (item, asked) in [("7", 1), ("fresh", 2)] {
        for _ in 0..2 {
            let read = client.read(&format!("api://shop/items/{item}")).await.expect("an item");
            assert!(read["contents"][0]["text"].as_str().is_some_and(|text| text.contains(item)), "{read}");
        }
        assert_eq!(upstream.take().len(), asked, "{item}: as the API says");
    }
    let error = client.read("api://shop/items/large").await.expect_err("too large");
    assert!(error.message.contains("at most 2000"), "no secret of the server: {error:?}");
    // Counts twice, as a tool that is called and as a resource that is read.
    let read = client.call("read_resource", json!({ "uri": "api://shop/items/7" })).await.expect("a tool");
    assert!(read["content"].to_string().contains("/items/7"), "{read}");
    let tools = client.list("tools/list", "tools").await;
    let tools: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(tools, ["place_order", "list_resources", "read_resource"]);

    upstream.take();
    client.call("list_resources", json!({})).await.expect("the ninth");
    let refused = client.call("place_order", order).await.expect_err("the tenth");
    assert_eq!(refused.data.expect("data")["reason"], "rate limited");
    assert_eq!(upstream.take().len(), 0, "what was refused did not reach the API");

    let metrics = reqwest::get(format!("{}/metrics", server.origin())).await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    for line in [
        r#"mcp_request_duration_seconds_count{method="tools/call",target="place_order"} 2"#,
        r#"mcp_request_failures_total{method="tools/call",target="place_order"} 1"#,
        r#"mcp_request_duration_seconds_count{method="resources/read",target=""} 6"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }

    let orders = |log: &str| log.matches(r#""component":"place_order""#).count();
    let log = server.process.standard_error_when(|log| orders(log) == 2).await;
    assert!(!log.contains("s3cr3t"), "{log}");
    let mut outcomes = Vec::new();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["target", "message", "level"] {
            assert_eq!(line.matches(&format!(r#""{name}":"#)).count(), 1, "each name once: {line}");
        }
        if entry["component"] == "place_order" {
            assert!(entry["arguments"].as_str().is_some_and(|text| text.contains("(redacted)")), "{line}");
            outcomes.push(entry["level"].clone());
        }
    }
    assert_eq!(outcomes, ["INFO", "WARN"], "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_goes_before_the_configuration() {
    let upstream = shelves().await;
    let (_folder, launch) = shop(LAYERS, &upstream);
    let layers = r#"{"response_caching": null, "rate_limiting": {"requests": 2, "per_ms": 2592000000}}"#;
    let server = launch.variable("SHOP_MIDDLEWARE", layers).http().await;
    let mut client = Client::http(&server, Era::Legacy).await;
    for _ in 0..2 {
        client.read("api://shop/items/7").await.expect("an item");
    }
    assert_eq!(upstream.take().len(), 2, "nothing is kept");
    let refused = client.read("api://shop/items/7").await.expect_err("the third");
    assert_eq!(refused.data.expect("data")["reason"], "rate limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_cannot_be_used_keeps_the_server_from_starting_and_is_shown() {
    let upstream = shelves().await;
    let wrong = "[middleware.rate_limiting]\nrequests = 8\nper_ms = \"1m\"\n";
    for (configuration, variable, expected) in [
        (wrong, "", "mcpwright.toml:3:10"),
        ("", r#"{"rate_limiting": {"requests": 8, "per_ms": "1m"}}"#, "SHOP_MIDDLEWARE: `rate_limiting`: invalid type"),
        ("", r#"{"cache": {}}"#, "SHOP_MIDDLEWARE: there is no layer `cache`"),
    ] {
        let (_folder, launch) = shop(configuration, &upstream);
        let mut server = launch.variable("SHOP_MIDDLEWARE", variable).stdio();
        assert!(!server.process.wait().await.success());
        server.process.standard_error_when(|error| error.contains(expected)).await;
    }
}
