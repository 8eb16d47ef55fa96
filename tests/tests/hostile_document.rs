//! A document that tries to be more than data: what it says reaches clients as text, and the generated crate as
//! literals, whatever it holds.

use std::process::Command;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::Launch;
use mcpwright_tests::workspace;
use serde_json::{Value, json};

/// Ends a string, a raw string, a comment, a template, a line; starts code, a test of the documentation, a link.
const HOSTILE: &str = "\"#; }} */ --> {{ 7 * 7 }} {% for a in b %} ${HOME} $(id) `id` \u{1b}[31m \u{202e} \\\" '\n\
    ```rust\nstd::process::abort();\n```\n[a](javascript:alert(1)) <script>alert(1)</script>\r\n//! #![allow(unsafe_code)]\n\
    [package]\nbuild = \"evil.rs\"\n";

fn document() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": format!("Shop {HOSTILE}"), "version": HOSTILE, "description": HOSTILE },
        "servers": [{ "url": "http://127.0.0.1", "description": HOSTILE }],
        "tags": [{ "name": HOSTILE, "description": HOSTILE }],
        "paths": {
            "/pets/{id}": { "post": {
                "operationId": HOSTILE,
                "summary": HOSTILE,
                "description": HOSTILE,
                "tags": [HOSTILE],
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "description": HOSTILE, "schema": { "type": "string" } },
                    { "name": HOSTILE, "in": "query", "schema": { "type": "string", "default": HOSTILE, "enum": [HOSTILE] } },
                ],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } } },
                "responses": { "200": { "description": HOSTILE } },
            } },
            "/\"}/*{self}": { "get": { "responses": { "200": { "description": "OK" } } } },
        },
        "components": {
            "schemas": { "Pet": {
                "type": "object",
                "title": HOSTILE,
                "description": HOSTILE,
                "properties": { HOSTILE: { "type": "string", "pattern": "^\"#\\}\\{\\{$", "example": HOSTILE } },
            } },
            "securitySchemes": { "type": { "type": "apiKey", "in": "header", "name": "X-Key", "description": HOSTILE } },
        },
    })
}

#[tokio::test]
async fn a_hostile_document_is_only_data_in_the_crate_and_for_clients() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("spec.json");
    std::fs::write(&path, document().to_string()).expect("a document can be written");
    let out = workspace::scratch("hostile").join("hostile-mcp");
    // What an earlier run left names a document that is gone.
    let _ = std::fs::remove_dir_all(&out);
    let output = Command::new(workspace::program("mcpwright"))
        .args(["generate".as_ref(), path.as_os_str(), "--out".as_ref(), out.as_os_str()])
        .args(["--name", "hostile", "--preset", "tools", "--runtime"])
        .arg(format!("path:{}", workspace::root().join("runtime").display()))
        .output()
        .expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "no control characters on the terminal: {said:?}");

    std::fs::copy(workspace::root().join("Cargo.lock"), out.join("Cargo.lock")).expect("the lock file can be copied");
    let target = workspace::scratch("generated");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-Dwarnings")
        .current_dir(&out)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "builds without a warning: {}", String::from_utf8_lossy(&output.stderr));

    let server = Launch::path(target.join("debug/hostile-mcp")).arguments(["--mock"]).http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    for tool in client.list("tools/list", "tools").await {
        let name = tool["name"].as_str().unwrap_or_default();
        let legal = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        assert!(!name.is_empty() && name.len() <= 64 && name.chars().all(legal), "{name:?}");
        let description = tool["description"].as_str().unwrap_or_default();
        assert!(!description.contains('\u{1b}') && !description.contains("<script>"), "{description:?}");
    }
}
