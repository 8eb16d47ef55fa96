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
    let found = validate(&installed, &document, &[], usize::MAX).await;
    assert_eq!(found.checked, 16, "two requests for each operation");
    assert!(found.wrong.is_empty(), "{}", found.wrong.join("\n"));
}

/// How many operations of a real document are called, spread over it.
const SAMPLED: usize = 12;

#[tokio::test]
async fn requests_are_valid_by_real_documents() {
    let Some(installed) = Installed::find() else { return };
    let mut wrong = Vec::new();
    for (name, variables, least) in [
        ("v30-uspto.json", &[][..], 6),
        ("v31-museum.yaml", &["API_MUSEUM_PLACEHOLDER_AUTH_USERNAME", "API_MUSEUM_PLACEHOLDER_AUTH_PASSWORD"], 14),
        ("v31-adyen-checkout.json", &["API_API_KEY_AUTH"], 8),
        ("v30-petstore-expanded.yaml", &[], 8),
        ("v31-figma.yaml", &["API_PERSONAL_ACCESS_TOKEN"], 16),
        ("v31-readme.json", &["API_BEARER"], 16),
        ("v30-box.json", &["API_OAUTH2_SECURITY"], 16),
    ] {
        let Some(document) = workspace::real_document(name) else { continue };
        let found = validate(&installed, &document, variables, SAMPLED).await;
        assert!(found.checked >= least, "{name}: {} requests", found.checked);
        wrong.extend(found.wrong.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the validator found.
struct Found {
    checked: usize,
    wrong: Vec<String>,
}

/// Serves a document, calls up to `most` tools with as few and with many arguments, and has the requests validated.
async fn validate(installed: &Installed, document: &Path, credentials: &[&str], most: usize) -> Found {
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let launch = Launch::program("mcpwright").arguments([
        "serve",
        &*document.to_string_lossy(),
        "--preset",
        "tools",
        "--name",
        "api",
        "--base-url",
        &upstream.url(),
    ]);
    let launch = credentials.iter().fold(launch, |launch, name| launch.variable(name, "s3cret"));
    let server = launch.http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    let (mut names, mut requests) = (Vec::new(), Vec::new());
    let tools = client.list("tools/list", "tools").await;
    for tool in tools.iter().step_by(tools.len().div_ceil(most)) {
        let name = tool["name"].as_str().unwrap_or_default();
        let schema = &tool["inputSchema"];
        for arguments in [sample(schema), full_sample(schema)].into_iter().flatten() {
            let result = client.call(name, arguments.clone()).await;
            let sent = upstream.take();
            let [request] = sent.as_slice() else {
                // The samples are not always valid; then nothing is sent.
                assert!(sent.is_empty() && result.is_ok_and(|result| result["isError"] == true), "{name} {arguments}");
                continue;
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
