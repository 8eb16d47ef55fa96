//! Where requests go: servers of the document, of a path and of an operation, their variables, and the configuration.

use std::time::Duration;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::{Answer, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};
use tokio::process::Command;

/// A document whose servers are all the recording one, told apart by their paths.
fn document(origin: &str) -> Value {
    let operation = |id: &str| json!({ "operationId": id, "responses": { "204": { "description": "Done" } } });
    let with_server = |id: &str, server: Value| {
        let mut operation = operation(id);
        operation["servers"] = json!([server]);
        operation
    };
    json!({
        "openapi": "3.1.1",
        "info": { "title": "Servers", "version": "1" },
        "servers": [
            {
                "url": format!("{origin}/{{stage}}/{{version}}/"),
                "variables": { "stage": { "default": "live", "enum": ["live", "test"] }, "version": { "default": "v1" } },
            },
            { "url": format!("{origin}/sandbox"), "description": "Sandbox" },
        ],
        "paths": {
            "/plain": { "get": operation("plain") },
            "/path": {
                "servers": [{ "url": format!("{origin}/path-level") }],
                "get": operation("of_path"),
                "put": with_server("of_operation", json!({ "url": "/operation-level" })),
                "post": with_server("with_variable", json!({
                    "url": format!("{origin}/{{tenant}}"), "variables": { "tenant": { "default": "acme" } },
                })),
            },
        },
    })
}

/// The request lines of each operation under options and variables.
async fn lines(options: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let upstream = Upstream::start(|_| Answer::new(204, "", "")).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("servers.json");
    std::fs::write(&path, document(&upstream.url()).to_string()).expect("a document can be written");
    let options = options.iter().map(|option| option.replace("ORIGIN", &upstream.url()));
    let mut launch = Launch::program("mcpwright")
        .arguments(["serve", &*path.to_string_lossy(), "--preset", "tools"])
        .arguments(options);
    for (name, value) in variables {
        launch = launch.variable(name, value);
    }
    let server = launch.http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    let mut lines = Vec::new();
    for tool in ["plain", "of_path", "of_operation", "with_variable"] {
        client.call(tool, json!({})).await.unwrap_or_else(|error| panic!("{tool}: {error:?}"));
        lines.push(upstream.take_one().line());
    }
    lines
}

#[tokio::test]
async fn the_nearest_server_counts_and_its_variables_have_values() {
    assert_eq!(
        lines(&[], &[]).await,
        ["GET /live/v1/plain", "GET /path-level/path", "PUT /operation-level/path", "POST /acme/path"]
    );
    assert_eq!(
        lines(&["--server-variable", "stage=test,version=v2"], &[("SERVERS_SERVER_VARIABLES", "tenant=globex")]).await,
        ["GET /test/v2/plain", "GET /path-level/path", "PUT /operation-level/path", "POST /globex/path"],
        "options and the environment add up"
    );
    assert_eq!(
        lines(&["--server", "sandbox"], &[]).await,
        ["GET /sandbox/plain", "GET /path-level/path", "PUT /operation-level/path", "POST /acme/path"]
    );
}

#[tokio::test]
async fn a_configured_base_url_stands_for_every_server() {
    let expected = ["GET /mine/plain", "GET /mine/path", "PUT /mine/path", "POST /mine/path"];
    assert_eq!(lines(&["--base-url", "ORIGIN/mine/"], &[]).await, expected);
    let with_query = lines(&["--base-url", "ORIGIN/mine?key=a%20b"], &[]).await;
    assert_eq!(with_query[0], "GET /mine/plain?key=a%20b", "what the configuration says is sent with every request");
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_refused_at_start_with_what_to_change() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("servers.json");
    std::fs::write(&path, document("http://127.0.0.1:9").to_string()).expect("a document can be written");
    for (options, expected) in [
        (["--server-variable", "stage=prod"], "it has to be one of live, test"),
        (
            ["--server-variable", "stagge=test"],
            "`stagge`, which no server of the document has; they have: stage, tenant, version",
        ),
        (["--server-variable", "version=v1#x"], "`version` has `#` or `?` in its value"),
        (["--server-variable", "version=v1?x=1"], "`version` has `#` or `?` in its value"),
        (["--server", "staging"], "SERVERS_SERVER is \"staging\", but the document's servers are: 0 http"),
        (["--base-url", "http://127.0.0.1:9/v1#top"], "has a fragment (`#`), which is never sent"),
        (["--base-url", "127.0.0.1:9"], "SERVERS_BASE_URL"),
        (["--base-url", "http://me:secret@127.0.0.1:9"], "has a user name or password in it"),
    ] {
        let output = Command::new(workspace::program("mcpwright"))
            .arg("serve")
            .arg(&path)
            .args(["--preset", "tools"])
            .args(options)
            .args(["--transport", "http", "--port", "0"])
            .kill_on_drop(true)
            .output();
        // A server that is not refused would stay.
        let output = tokio::time::timeout(Duration::from_secs(60), output).await;
        let output = output.unwrap_or_else(|_| panic!("{options:?} started")).expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
