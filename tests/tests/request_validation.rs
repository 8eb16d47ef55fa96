//! An independent validator (openapi-core) reads what goes upstream: for sampled arguments, each request is valid by
//! the document that the server was made of.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::peers::Installed;
use mcpwright_tests::process::Launch;
use mcpwright_tests::sample::{full_sample, sample};
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

#[tokio::test]
async fn requests_are_valid_by_the_document() {
    let Some(installed) = Installed::find() else { return };
    let document = workspace::root().join("fixtures/documents/warehouse.yaml");
    let found = validate(&installed, &document, &[]).await;
    assert_eq!(found.checked, 16, "two requests for each operation");
    assert!(found.wrong.is_empty(), "{}", found.wrong.join("\n"));
}

/// What the validator found.
struct Found {
    checked: usize,
    wrong: Vec<String>,
}

/// Serves a document, calls each tool with as few and with many arguments, and has the requests validated.
async fn validate(installed: &Installed, document: &Path, variables: &[(&str, &str)]) -> Found {
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let launch = Launch::program("mcpwright").arguments([
        "serve",
        &*document.to_string_lossy(),
        "--preset",
        "tools",
        "--base-url",
        &upstream.url(),
    ]);
    let launch = variables.iter().fold(launch, |launch, (name, value)| launch.variable(name, value));
    let server = launch.http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    let (mut names, mut requests) = (Vec::new(), Vec::new());
    for tool in client.list("tools/list", "tools").await {
        let name = tool["name"].as_str().unwrap_or_default();
        let schema = &tool["inputSchema"];
        for arguments in [sample(schema), full_sample(schema)].into_iter().flatten() {
            let result = client.call(name, arguments.clone()).await;
            let sent = upstream.take();
            let [request] = sent.as_slice() else {
                panic!("{name} {arguments}: {} requests, {result:?}", sent.len());
            };
            names.push(format!("{name} {arguments}: {}", request.line()));
            requests.push(plain(request));
        }
    }
    let plan = json!({ "document": document.to_string_lossy(), "requests": requests });
    let report = installed.run("validate_requests.py", &plan).await;
    let report = report.as_array().expect("a list of findings for each request");
    assert_eq!(report.len(), names.len(), "every request is judged");
    let wrong = names.iter().zip(report).filter(|(_, errors)| **errors != json!([]));
    Found { checked: names.len(), wrong: wrong.map(|(name, errors)| format!("{name}: {errors}")).collect() }
}

/// A request as the script reads it.
fn plain(request: &Recorded) -> Value {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    json!({
        "method": request.method,
        "target": request.target,
        "headers": headers,
        "body": STANDARD.encode(&request.body),
    })
}
