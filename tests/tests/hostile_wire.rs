//! Both ends of the wire are hostile: an API that answers without end, and arguments that try to be more than values.
//! Memory and time stay bounded, and a request has the shape of its document.

use std::io::Write as _;
use std::time::Duration;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::upstream::{Answer, RawUpstream, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Serves a document with one operation, in front of `url`.
async fn serve(operation: &Value, path: &str, url: &str) -> (HttpServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("api.json");
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Wire", "version": "1" },
        "paths": { path: { "post": operation } },
    });
    std::fs::write(&file, document.to_string()).expect("a document can be written");
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*file.to_string_lossy(), "--preset", "tools", "--name", "api", "--base-url", url])
        .variable("API_TIMEOUT", "3")
        .variable("API_RETRIES", "0")
        .http()
        .await;
    (server, folder)
}

fn plain() -> Value {
    json!({ "operationId": "a", "responses": { "200": { "description": "OK" } } })
}

/// An API that writes a head once and then the same bytes for ever. Returns its URL.
async fn endless(head: &'static str, again: &'static [u8]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port");
    let url = format!("http://{}", listener.local_addr().expect("a bound address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let mut next = head.as_bytes();
                while stream.write_all(next).await.is_ok() {
                    next = again;
                }
            });
        }
    });
    url
}

/// A gigabyte of zeros, packed (RFC 1952) into about one megabyte.
fn bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&vec![0; 1 << 20]).and_then(|()| encoder.flush()).expect("zeros can be packed");
    let start = encoder.get_ref().len();
    // What is packed after a flush stands alone as long as it refers to nothing before it but zeros.
    encoder.write_all(&vec![0; 1 << 20]).and_then(|()| encoder.flush()).expect("zeros can be packed");
    let packed = encoder.get_ref().clone();
    let (head, chunk) = packed.split_at(start);
    [head, &chunk.repeat(1023)].concat()
}

#[tokio::test]
async fn an_api_that_answers_without_end_costs_bounded_memory_and_time() {
    const HTTP: &str = "HTTP/1.1 200 OK\r\n";
    let packed = bomb();
    assert!(packed.len() < 8 << 20, "{} bytes", packed.len());
    let head =
        format!("{HTTP}content-type: text/plain\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len());
    let bomb = RawUpstream::start([head.as_bytes(), &packed].concat()).await;
    for (what, url) in [
        ("text", endless("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n", &[b'a'; 65_536]).await),
        ("JSON", endless("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", &[b'['; 65_536]).await),
        ("bytes", endless("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n", &[0; 65_536]).await),
        ("XML", endless("HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\n\r\n", b"<a><a><a><a><a><a><a><a>").await),
        ("events", endless("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n", b"data: 1\n\n").await),
        ("an error", endless("HTTP/1.1 500 Oh\r\ncontent-type: application/problem+json\r\n\r\n", b"{\"a\":[").await),
        ("headers", endless("HTTP/1.1 200 OK\r\n", b"x-page-a: b\r\n").await),
        ("statuses", endless("HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n").await),
        ("a bomb", bomb.url()),
    ] {
        let (server, _folder) = serve(&plain(), "/a", &url).await;
        let mut client = Client::http(&server, Era::Modern).await;
        // The server's own limit is 3 s; this one only keeps the test from hanging.
        let result = tokio::time::timeout(Duration::from_secs(120), client.call("a", json!({}))).await;
        let result = result.unwrap_or_else(|_| panic!("{what}: the call goes on"));
        let result = result.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let size = result.to_string().len();
        assert!(size < 16 << 20, "{what}: {size} bytes reach the client");
        let said = result["content"].to_string();
        assert!(result["isError"] == true || said.contains("longer than"), "{what}: {:.300}", said);
        if let Some(usage) = server.process.usage() {
            assert!(usage.peak < 200 << 20, "{what}: {} MiB were resident", usage.peak >> 20);
        }
    }
}

#[tokio::test]
async fn a_redirect_leads_to_no_file_no_other_host_and_no_other_port() {
    let other = Upstream::start(|_| Answer::json(200, &json!({ "secret": true }))).await;
    let port = other.url();
    for location in [
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        &*port,
        &*format!("//{}", port.trim_start_matches("http://")),
        "http://user:password@127.0.0.1/",
        "javascript:alert(1)",
        "\\\\evil.example\\x",
    ] {
        let target = location.to_owned();
        let upstream = Upstream::start(move |_| Answer::new(307, "", "").header("location", &target)).await;
        let (server, _folder) = serve(&plain(), "/a", &upstream.url()).await;
        let result = Client::http(&server, Era::Modern).await.call("a", json!({})).await.expect("a result");
        assert_eq!(result["isError"], true, "{location}: {result}");
        assert_eq!(upstream.take().len(), 1, "{location}");
        assert!(other.take().is_empty(), "{location}");
    }
}

/// What tries to end a value, and to begin something else.
const HOSTILE: [&str; 14] = [
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1",
    "a\r\n\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n",
    "a\u{0}b",
    "../../evil",
    "..%2f..%2fevil",
    "%2e%2e/evil",
    "..;/evil",
    "..\\evil",
    "/evil",
    "//evil.example/x",
    "http://evil.example/x",
    "a?evil=1#evil",
    "a&evil=1; evil=1",
];

#[tokio::test]
async fn no_argument_is_more_than_a_value() {
    let text = json!({ "type": "string" });
    let parameter =
        |location: &str| json!({ "name": location, "in": location, "required": location == "path", "schema": text });
    let operation = json!({
        "operationId": "a",
        "parameters": [parameter("path"), parameter("query"), parameter("header"), parameter("cookie")],
        "requestBody": { "content": { "multipart/form-data": { "schema": { "type": "object", "properties": {
            "field": text, "file": { "type": "string", "format": "binary" },
        } } } } },
        "responses": { "200": { "description": "OK" } },
    });
    let upstream = RawUpstream::start("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    let (server, _folder) = serve(&operation, "/in/{path}/side", &upstream.url()).await;
    let mut client = Client::http(&server, Era::Modern).await;
    for value in HOSTILE {
        let file = |member: &str| {
            let mut file = json!({ "text": "x", "filename": "a", "contentType": "text/plain" });
            file[member] = value.into();
            file
        };
        for (member, argument) in [
            ("path", json!(value)),
            ("query", json!(value)),
            ("header", json!(value)),
            ("cookie", json!(value)),
            ("field", json!(value)),
            ("file", file("filename")),
            ("file", file("contentType")),
        ] {
            let mut arguments = json!({ "path": "p", "query": "q", "header": "h", "cookie": "c", "field": "f" });
            arguments[member] = argument.clone();
            let result = client.call("a", arguments).await.expect("a result");
            let what = format!("{member} {argument}");
            let requests = upstream.take();
            if requests.is_empty() {
                assert_eq!(result["isError"], true, "{what}: {result}");
                continue;
            }
            assert_eq!(requests.len(), 1, "{what}");
            shape(&String::from_utf8_lossy(&requests[0]), &what);
        }
    }
}

/// Asserts that a request is the one of the document: its line, its headers, its two or three parts.
fn shape(request: &str, what: &str) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    let line = lines.next().expect("a request line");
    let target = line.strip_prefix("POST ").and_then(|line| line.strip_suffix(" HTTP/1.1")).expect("the method");
    let (path, query) = target.split_once('?').expect("a query");
    assert!(path.starts_with("/in/") && path.ends_with("/side"), "{what}: {line}");
    assert_eq!(path.split('/').count(), 4, "{what}: {line}");
    assert!(query.starts_with("query=") && !query.contains(['&', '#', ' ']), "{what}: {line}");
    let names: Vec<&str> = lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    for name in &names {
        let known =
            ["accept", "accept-encoding", "content-length", "content-type", "cookie", "header", "host", "user-agent"];
        assert!(known.contains(name), "{what}: the header {name}");
    }
    let cookie = head.split("\r\n").find_map(|line| line.strip_prefix("cookie: ")).expect("a cookie");
    assert!(cookie.starts_with("cookie=") && !cookie.contains(';'), "{what}: {cookie}");
    let disposition = "Content-Disposition: form-data; name=\"";
    for part in body.split("\r\n--mcpwright-").filter(|part| !part.ends_with("--\r\n")) {
        let (head, _) = part.split_once("\r\n\r\n").unwrap_or((part, ""));
        for line in head.split("\r\n").skip(1) {
            assert!(line.starts_with(disposition) || line.starts_with("Content-Type: "), "{what}: {line}");
        }
    }
}
