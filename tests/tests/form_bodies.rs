//! Forms as independent parsers read them (the standard library of Python, python-multipart), and as an independent
//! builder of requests (swagger-client) sends them for the same arguments.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::peers::Installed;
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

fn document() -> PathBuf {
    workspace::root().join("fixtures/documents/forms.yaml")
}

async fn serve(upstream: &Upstream) -> HttpServer {
    let document = document();
    Launch::program("mcpwright")
        .arguments(["serve", &*document.to_string_lossy(), "--preset", "tools", "--base-url", &upstream.url()])
        .http()
        .await
}

/// What independent parsers find in requests.
async fn parsed(installed: &Installed, requests: &[Recorded]) -> Vec<Value> {
    let plain: Vec<Value> = requests.iter().map(plain).collect();
    let report = installed.run("parse_requests.py", &plain.into()).await;
    report.as_array().expect("what is in each request").clone()
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

/// A part as the parsers tell of it.
fn part(name: &str, filename: Option<&str>, headers: Value, data: Value) -> Value {
    json!({ "disposition": "form-data", "name": name, "filename": filename, "headers": headers, "data": data })
}

/// Arguments, and the body that the parsers shall find.
fn forms() -> Vec<(&'static str, Value, Value)> {
    let typed = |media_type: &str| json!({ "content-type": media_type });
    vec![
        (
            "plain",
            json!({
                "id": "1",
                "body": {
                    "name": "Zoë & Co+=%41?#/", "note": null, "amount": 3, "exact": 5.0, "open": false,
                    "tags": ["a b", "", "c&d"], "at": { "x": "é", "n": { "k": [1] } },
                },
            }),
            json!({ "pairs": [
                ["name", "Zoë & Co+=%41?#/"], ["note", ""], ["amount", "3"], ["exact", "5"], ["open", "false"],
                ["tags", "a b"], ["tags", ""], ["tags", "c&d"], ["at", "{\"x\":\"é\",\"n\":{\"k\":[1]}}"],
            ] }),
        ),
        (
            "encoded",
            json!({
                "csv": ["a", "b c"], "spaces": ["a", "b"], "pipes": ["a", "b"], "deep": { "a": "1", "b": "2&" },
                "flat": { "c": "3", "d": "4" }, "json": { "k": [1, 2] },
            }),
            json!({ "pairs": [
                ["csv", "a,b c"], ["spaces", "a b"], ["pipes", "a|b"], ["deep[a]", "1"], ["deep[b]", "2&"],
                ["c", "3"], ["d", "4"], ["json", "{\"k\":[1,2]}"],
            ] }),
        ),
        (
            "files",
            json!({
                "file": { "data": "iVBORw0KGgr/AA==", "filename": "a \"b\".png" },
                "pictures": [
                    { "text": "one\r\n--x\r\n", "filename": "1.txt", "contentType": "text/plain" },
                    { "data": "AAEC/w==" },
                ],
                "raw": { "data": "AP8N" },
                "base64": "aGVsbG8=",
                "title": "Zoë", "count": 3, "tags": ["a", "b"],
                "at": { "x": "y", "n": { "k": [1] } },
                "items": [{ "sku": "1" }, { "sku": "2" }],
                "meta": { "k": "v" },
                "pages": "a,b\n1,2\n",
                "csv": ["a", "b"],
            }),
            json!([
                part("file", Some("a %22b%22.png"), typed("image/png"), json!({ "base64": "iVBORw0KGgr/AA==" })),
                part("pictures", Some("1.txt"), typed("text/plain"), json!("one\r\n--x\r\n")),
                part("pictures", Some("pictures"), typed("application/octet-stream"), json!({ "base64": "AAEC/w==" })),
                part("raw", Some("raw"), typed("application/octet-stream"), json!({ "base64": "AP8N" })),
                part("base64", None, json!({}), json!("aGVsbG8=")),
                part("title", None, json!({}), json!("Zoë")),
                part("count", None, json!({}), json!("3")),
                part("tags", None, json!({}), json!("a")),
                part("tags", None, json!({}), json!("b")),
                part("at", None, typed("application/json"), json!("{\"x\":\"y\",\"n\":{\"k\":[1]}}")),
                part("items", None, typed("application/json"), json!("{\"sku\":\"1\"}")),
                part("items", None, typed("application/json"), json!("{\"sku\":\"2\"}")),
                part(
                    "meta",
                    None,
                    json!({ "content-type": "application/vnd.forms+json", "x-part": "seven" }),
                    json!("{\"k\":\"v\"}")
                ),
                part("pages", None, typed("text/csv"), json!("a,b\n1,2\n")),
                part("csv", None, json!({}), json!("a,b")),
            ]),
        ),
        (
            "letters",
            json!({ "head": { "to": "Zoë" }, "text": "Hello" }),
            json!([
                { "disposition": null, "name": null, "filename": null, "headers": typed("application/json"), "data": "{\"to\":\"Zoë\"}" },
                { "disposition": null, "name": null, "filename": null, "headers": {}, "data": "Hello" },
            ]),
        ),
    ]
}

#[tokio::test]
async fn independent_parsers_find_the_fields_and_files_of_forms() {
    let Some(installed) = Installed::find() else { return };
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let server = serve(&upstream).await;
    let mut client = Client::http(&server, Era::Modern).await;
    let mut requests = Vec::new();
    for (tool, arguments, _) in forms() {
        let result = client.call(tool, arguments).await.unwrap_or_else(|error| panic!("{tool}: {error:?}"));
        assert_ne!(result["isError"], true, "{tool}: {result}");
        requests.push(upstream.take_one());
    }
    for ((tool, _, expected), found) in forms().into_iter().zip(parsed(&installed, &requests).await) {
        assert_eq!(found.get("error"), None, "{tool}: {}", String::from_utf8_lossy(&requests[0].body));
        let body = if expected.is_array() { &found["body"]["parts"] } else { &found["body"] };
        assert_eq!(*body, expected, "{tool}");
    }
}

/// Arguments of a tool, and the parameters and body that swagger-client is given for the same call. It writes a list
/// of a form with commas where the document says nothing, although each item is a field then.
fn same_calls() -> Vec<(&'static str, Value, Value, Value)> {
    vec![
        (
            "plain",
            json!({
                "id": "a/b c?#é", "tags": ["x y", "z&"], "kinds": ["a,b", "c"],
                "at": { "x": "1 2", "y": "[]&=" }, "X-Sizes": ["s", "m"],
                "body": { "name": "Zoë & Co+=?#/", "open": true },
            }),
            json!({
                "id": "a/b c?#é", "tags": ["x y", "z&"], "kinds": ["a,b", "c"],
                "at": { "x": "1 2", "y": "[]&=" }, "X-Sizes": ["s", "m"],
            }),
            json!({ "name": "Zoë & Co+=?#/", "open": true }),
        ),
        (
            "encoded",
            json!({ "list": ["a b", "c&d"], "csv": ["a", "b c"], "pipes": ["a", "b"], "deep": { "a": "x", "b": "y&" }, "flat": { "c": "p", "d": "q" } }),
            json!({}),
            json!({ "list": ["a b", "c&d"], "csv": ["a", "b c"], "pipes": ["a", "b"], "deep": { "a": "x", "b": "y&" }, "flat": { "c": "p", "d": "q" } }),
        ),
        (
            "files",
            json!({
                "file": { "data": "iVBORw0KGgr/AA==", "filename": "a \"b\".png", "contentType": "image/png" },
                "pictures": [
                    { "text": "one", "filename": "1.txt", "contentType": "text/plain" },
                    { "data": "AAEC/w==", "filename": "2.bin", "contentType": "application/octet-stream" },
                ],
                "title": "Zoë", "csv": ["a", "b"],
            }),
            json!({}),
            json!({
                "file": { "data": "iVBORw0KGgr/AA==", "filename": "a \"b\".png", "contentType": "image/png" },
                "pictures": [
                    { "text": "one", "filename": "1.txt", "contentType": "text/plain" },
                    { "data": "AAEC/w==", "filename": "2.bin", "contentType": "application/octet-stream" },
                ],
                "title": "Zoë", "csv": ["a", "b"],
            }),
        ),
    ]
}

#[tokio::test]
async fn an_independent_builder_of_requests_sends_the_same() {
    let Some(installed) = Installed::find() else { return };
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let server = serve(&upstream).await;
    let mut client = Client::http(&server, Era::Modern).await;
    for (tool, arguments, ..) in same_calls() {
        let result = client.call(tool, arguments).await.unwrap_or_else(|error| panic!("{tool}: {error:?}"));
        assert_ne!(result["isError"], true, "{tool}: {result}");
    }
    let ours = upstream.take();
    let calls: Vec<Value> = same_calls()
        .into_iter()
        .map(|(tool, _, parameters, body)| json!({ "operationId": tool, "parameters": parameters, "body": body }))
        .collect();
    let plan = json!({ "document": document().to_string_lossy(), "server": upstream.url(), "calls": calls });
    let statuses = installed.run_node("send_requests.mjs", &plan).await;
    assert_eq!(statuses.as_array().map(Vec::len), Some(calls.len()), "{statuses}");
    let theirs = upstream.take();
    assert_eq!((ours.len(), theirs.len()), (calls.len(), calls.len()), "one request for each call");
    let (ours, theirs) = (parsed(&installed, &ours).await, parsed(&installed, &theirs).await);
    for ((call, ours), theirs) in calls.iter().zip(ours).zip(theirs) {
        assert_eq!(ours.get("error"), None, "{call}");
        assert_eq!(ours, theirs, "{call}");
    }
}
