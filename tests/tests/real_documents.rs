//! Real documents from end to end: generate, check, build, serve, and see what goes upstream. They lie beside the
//! checkout where there are any; the tests pass without them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use mcpwright_runtime::catalog::uri_variable;
use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::sample::sample;
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

#[tokio::test]
async fn github_becomes_a_crate_of_tools_that_stays_fresh_builds_and_serves() {
    let Some(document) = workspace::real_document("v30-github.json") else { return };
    let folder = generate(&document, "github-mcp", "tools");

    let before = files(&folder);
    generate(&document, "github-mcp", "tools");
    assert!(before == files(&folder), "a second run touches no file");

    let output = mcpwright(&document, &folder, &["--preset", "tools", "--check"]);
    assert_eq!(output.status.code(), Some(0), "an unchanged document is fresh: {}", text(&output));
    let changed = folder.with_extension("changed.json");
    let original = std::fs::read_to_string(&document).expect("the document is text");
    std::fs::write(&changed, original.replacen("GitHub API Root", "GitHub API root", 1))
        .expect("a copy can be written");
    let output = mcpwright(&changed, &folder, &["--preset", "tools", "--check"]);
    assert_eq!(output.status.code(), Some(1), "a changed document is stale: {}", text(&output));
    assert!(before == files(&folder), "a check changes nothing");

    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let server = Launch::path(build(&folder, "github-mcp")).arguments(["--base-url", &upstream.url()]).http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    let tools = client.list("tools/list", "tools").await;
    assert_eq!(tools.len(), 1223, "every operation is a tool");
    drive_each_kind(&document, &["--preset", "tools", "--name", "github"], &server, &upstream).await;
}

#[tokio::test]
async fn stripe_becomes_a_crate_of_resources_and_tools_that_builds_and_serves() {
    let Some(document) = workspace::real_document("v30-stripe.yaml") else { return };
    let folder = generate(&document, "stripe-mcp", "rest");
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let server = Launch::path(build(&folder, "stripe-mcp"))
        .arguments(["--base-url", &upstream.url()])
        .variable("STRIPE_BEARER_AUTH", "s3cret")
        .http()
        .await;
    drive_each_kind(&document, &["--name", "stripe"], &server, &upstream).await;
}

#[tokio::test]
async fn jira_is_served_without_a_build() {
    serve("v30-jira.json", "jira", &["JIRA_OAUTH2", "JIRA_BASIC_AUTH_USERNAME", "JIRA_BASIC_AUTH_PASSWORD"]).await;
}

#[tokio::test]
async fn box_is_served_without_a_build() {
    serve("v30-box.json", "box", &["BOX_OAUTH2_SECURITY"]).await;
}

#[tokio::test]
async fn twilio_is_served_without_a_build() {
    serve(
        "v30-twilio.yaml",
        "twilio",
        &["TWILIO_ACCOUNT_SID_AUTH_TOKEN_USERNAME", "TWILIO_ACCOUNT_SID_AUTH_TOKEN_PASSWORD"],
    )
    .await;
}

#[tokio::test]
async fn xero_is_served_without_a_build() {
    serve("v30-xero.yaml", "xero", &["XERO_OAUTH2"]).await;
}

/// Serves a document with something for each of its credentials, which no server behind checks.
async fn serve(document: &str, name: &str, credentials: &[&str]) {
    let Some(document) = workspace::real_document(document) else { return };
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let launch = Launch::program("mcpwright").arguments([
        "serve",
        &*document.to_string_lossy(),
        "--name",
        name,
        "--base-url",
        &upstream.url(),
    ]);
    let launch = credentials.iter().fold(launch, |launch, credential| launch.variable(credential, "s3cret"));
    let server = launch.http().await;
    drive_each_kind(&document, &["--name", name], &server, &upstream).await;
}

/// Lists what a server offers, compares it with what `inspect` says of the document, and uses every component: the
/// request that goes upstream has the operation's method and path.
async fn drive_each_kind(document: &Path, options: &[&str], server: &HttpServer, upstream: &Upstream) {
    let inspected = inspect(document, options);
    let mut client = Client::http(server, Era::Modern).await;

    let tools = client.list("tools/list", "tools").await;
    assert_eq!(names(&tools), names(components(&inspected, "tools")), "tools as inspected");
    let resources = client.list("resources/list", "resources").await;
    let plain = components(&inspected, "resourceTemplates").iter().filter(|template| template["plainUri"].is_string());
    let expected = components(&inspected, "resources").len() + plain.count();
    assert_eq!(resources.len(), expected, "resources as inspected, and the plain form of templates");
    let templates = client.list("resources/templates/list", "resourceTemplates").await;
    assert_eq!(names(&templates), names(components(&inspected, "resourceTemplates")), "templates as inspected");

    let (mut used, mut skipped) = (0, Vec::new());
    for tool in components(&inspected, "tools") {
        let Some(arguments) = sample(&tool["inputSchema"]) else {
            skipped.push(text_of(tool, "name"));
            continue;
        };
        let result = client.call(text_of(tool, "name"), arguments.clone()).await;
        let result = result.unwrap_or_else(|error| panic!("{} {arguments}: {error:?}", tool["name"]));
        sent(tool, &result, upstream);
        used += 1;
    }
    for resource in components(&inspected, "resources") {
        read(&mut client, resource, text_of(resource, "uri"), upstream).await;
        used += 1;
    }
    for template in components(&inspected, "resourceTemplates") {
        let arguments = sample(&template["inputSchema"]);
        let uri = arguments.and_then(|arguments| expand(text_of(template, "uriTemplate"), &arguments));
        let Some(uri) = uri else {
            skipped.push(text_of(template, "name"));
            continue;
        };
        read(&mut client, template, &uri, upstream).await;
        used += 1;
    }
    assert!(skipped.len() * 20 <= used, "{used} were used, and no sample was found for these: {skipped:?}");
}

/// Reads a resource of a component, and asserts on what went upstream.
async fn read(client: &mut Client, component: &Value, uri: &str, upstream: &Upstream) {
    let result = client.read(uri).await.unwrap_or_else(|error| panic!("{uri}: {error:?}"));
    sent(component, &result, upstream);
}

/// Asserts that exactly one request went upstream, and that it is the component's.
fn sent(component: &Value, result: &Value, upstream: &Upstream) {
    let requests = upstream.take();
    let [request] = requests.as_slice() else {
        panic!("{}: {} requests, and {result}", component["name"], requests.len());
    };
    let expected = format!("{} {}", text_of(component, "method"), text_of(component, "path"));
    assert!(goes_to(request, component), "{} is not {expected}", request.line());
}

/// Whether a request has the method and, segment by segment, the path of an operation.
fn goes_to(request: &Recorded, component: &Value) -> bool {
    let target = request.target.split('?').next().unwrap_or_default();
    let path = text_of(component, "path").split(['?', '#']).next().unwrap_or_default();
    let (target, path): (Vec<_>, Vec<_>) = (target.split('/').collect(), path.split('/').collect());
    // A server's URL may have a path of its own in front.
    let Some(start) = target.len().checked_sub(path.len() - 1) else { return false };
    request.method.eq_ignore_ascii_case(text_of(component, "method"))
        && target[start..].iter().zip(&path[1..]).all(|(sent, segment)| segment.contains('{') || sent == segment)
}

/// Expands a template (RFC 6570): simple variables of the path, and those of the query that there are arguments for.
fn expand(template: &str, arguments: &Value) -> Option<String> {
    let arguments: HashMap<String, &Value> =
        arguments.as_object()?.iter().map(|(name, value)| (uri_variable(name), value)).collect();
    let mut uri = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (expression, after) = after.split_once('}')?;
        uri.push_str(before);
        match expression.strip_prefix(['?', '&']) {
            None => uri.push_str(&encoded(arguments.get(expression)?)?),
            Some(names) => {
                let mut mark = &expression[..1];
                for name in names.split(',').map(|name| name.trim_end_matches('*')) {
                    for value in arguments.get(name).into_iter().flat_map(|value| items(value)) {
                        uri.push_str(&format!("{mark}{name}={}", encoded(value)?));
                        mark = "&";
                    }
                }
            }
        }
        rest = after;
    }
    uri.push_str(rest);
    Some(uri)
}

/// The values under one name of a query.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A scalar in a URI.
fn encoded(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(_) | Value::Object(_) => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(encoded)
}

/// Generates a crate into a folder that later runs find again.
fn generate(document: &Path, name: &str, preset: &str) -> PathBuf {
    let folder = workspace::scratch("real-documents").join(name);
    let runtime = format!("path:{}", workspace::root().join("runtime").display());
    let output = mcpwright(document, &folder, &["--preset", preset, "--runtime", &runtime]);
    assert_eq!(output.status.code(), Some(0), "the document generates: {}", text(&output));
    folder
}

/// `mcpwright generate` for a server that is called as its folder, less `-mcp`.
fn mcpwright(document: &Path, folder: &Path, options: &[&str]) -> Output {
    let name = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    Command::new(workspace::program("mcpwright"))
        .arg("generate")
        .arg(document)
        .arg("--out")
        .arg(folder)
        .args(["--name", name.trim_end_matches("-mcp")])
        .args(options)
        .output()
        .expect("the command starts")
}

fn inspect(document: &Path, options: &[&str]) -> Value {
    let output = Command::new(workspace::program("mcpwright"))
        .arg("inspect")
        .arg(document)
        .arg("--json")
        .args(options)
        .output()
        .expect("the command starts");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("inspect writes JSON: {error}: {}", text(&output)))
}

/// Builds a generated crate against the workspace's runtime, with the workspace's versions of everything, and nothing
/// fetched. All such crates share one target folder, so that the dependencies are built once.
fn build(folder: &Path, name: &str) -> PathBuf {
    std::fs::copy(workspace::root().join("Cargo.lock"), folder.join("Cargo.lock"))
        .expect("the lock file can be copied");
    let target = workspace::scratch("generated");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-Dwarnings")
        .current_dir(folder)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the generated crate builds without a warning: {}", text(&output));
    target.join("debug").join(name)
}

/// Every file of a folder with the time of its last change.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be listed") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let changed = path.metadata().and_then(|metadata| metadata.modified()).expect("the file is there");
                found.push((path, changed));
            }
        }
    }
    found.sort();
    found
}

fn components<'a>(inspected: &'a Value, kind: &str) -> &'a [Value] {
    inspected[kind].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn names(components: &[Value]) -> Vec<&str> {
    components.iter().map(|component| text_of(component, "name")).collect()
}

fn text_of<'a>(component: &'a Value, member: &str) -> &'a str {
    component[member].as_str().unwrap_or_default()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
