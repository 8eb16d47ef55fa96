//! Mistakes that bridges from OpenAPI to MCP are known to make, each with the right behaviour: requests that differ
//! from the document, answers that break a client, documents that lose a part without a word.

use std::process::Command;

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

/// Serves `document` as tools in front of an API.
async fn serve(
    document: &Value,
    answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
) -> (Upstream, HttpServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("api.json");
    std::fs::write(&path, document.to_string()).expect("a document can be written");
    let upstream = Upstream::start(answer).await;
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*path.to_string_lossy(), "--preset", "tools", "--base-url", &upstream.url()])
        .http()
        .await;
    (upstream, server, folder)
}

/// An operation that answers with nothing in particular.
fn operation(name: &str, rest: Value) -> Value {
    let mut operation = json!({ "operationId": name, "responses": { "200": { "description": "OK" } } });
    for (member, value) in rest.as_object().into_iter().flatten() {
        operation[member] = value.clone();
    }
    operation
}

fn parameter(name: &str, location: &str, schema: &Value, rest: Value) -> Value {
    let mut parameter = json!({ "name": name, "in": location, "required": location == "path", "schema": schema });
    for (member, value) in rest.as_object().into_iter().flatten() {
        parameter[member] = value.clone();
    }
    parameter
}

fn body(media_type: &str, schema: Value) -> Value {
    json!({ "requestBody": { "required": true, "content": { media_type: { "schema": schema } } } })
}

fn document(paths: Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Defects", "version": "1" },
        "servers": [{ "url": "http://127.0.0.1" }],
        "paths": paths,
    })
}

fn requests_document() -> Value {
    let strings = json!({ "type": "array", "items": { "type": "string" } });
    let object = json!({ "type": "object", "additionalProperties": true });
    let text = json!({ "type": "string" });
    let filter = json!({ "name": "filter", "in": "query", "content": { "application/json": { "schema": object } } });
    document(json!({
        "/headers": { "get": operation("headers", json!({ "parameters": [
            parameter("X-Count", "header", &json!({ "type": "integer" }), json!({})),
            parameter("X-Flag", "header", &json!({ "type": "boolean" }), json!({})),
            parameter("X-List", "header", &strings, json!({})),
            parameter("X-Name", "header", &text, json!({})),
            parameter("session", "cookie", &text, json!({})),
            parameter("tags", "cookie", &strings, json!({ "explode": false })),
        ] })) },
        "/lists/{ids}": { "get": operation("lists", json!({ "parameters": [parameter("ids", "path", &strings, json!({}))] })) },
        "/labels/{ids}": { "get": operation("labels", json!({ "parameters": [
            parameter("ids", "path", &strings, json!({ "style": "label" })),
        ] })) },
        "/objects/{filter}": { "get": operation("objects", json!({ "parameters": [
            parameter("filter", "path", &object, json!({ "explode": true })),
        ] })) },
        "/items/{id}": { "get": operation("items", json!({ "parameters": [parameter("id", "path", &text, json!({}))] })) },
        "/search": { "get": operation("search", json!({ "parameters": [
            parameter("nest", "query", &object, json!({ "style": "deepObject", "explode": true })),
            parameter("date", "query", &text, json!({ "allowReserved": true })),
            parameter("limit", "query", &json!({ "type": "integer", "minimum": 1, "maximum": 100 }), json!({})),
            parameter("kind", "query", &json!({ "enum": ["a", "b"] }), json!({})),
            filter,
        ] })) },
        "/listing": { "get": operation("listing", json!({ "parameters": [
            parameter("ids", "query", &strings, json!({ "required": true })),
        ] })) },
        "/people/{id}": { "patch": operation("change", {
            let mut rest = body("application/merge-patch+json", json!({
                "type": "object",
                "properties": { "name": { "type": ["string", "null"] }, "age": { "type": "integer" } },
            }));
            rest["parameters"] = json!([parameter("id", "path", &text, json!({}))]);
            rest
        }) },
        "/people": { "post": operation("create", body("application/json", json!({
            "type": "object",
            "required": ["id", "name"],
            "properties": { "id": { "type": "integer", "readOnly": true }, "name": { "type": "string" } },
        }))) },
        "/settings": { "put": operation("settings", body("application/json", json!({
            "type": "object", "properties": { "theme": { "type": "string" } },
        }))) },
        "/either": { "post": operation("either", json!({ "requestBody": { "required": true, "content": {
            "text/plain": { "schema": text },
            "application/json": { "schema": { "type": "object", "properties": { "a": { "type": "integer" } } } },
        } } })) },
        "/form": { "post": operation("form", json!({ "requestBody": { "required": true, "content": {
            "application/x-www-form-urlencoded": {
                "schema": { "type": "object", "properties": { "tags": strings, "at": object } },
                "encoding": { "tags": { "explode": false }, "at": { "style": "deepObject" } },
            },
        } } })) },
        "/bytes": { "post": operation("bytes", body("application/octet-stream", json!({}))) },
        "/xml": { "post": operation("xml", body("application/xml", json!({
            "type": "object",
            "xml": { "name": "pet" },
            "properties": { "id": { "type": "integer", "xml": { "attribute": true } }, "name": { "type": "string" } },
        }))) },
    }))
}

/// A call, and what has to arrive: the request line, some header fields, the body.
struct Call {
    defect: &'static str,
    tool: &'static str,
    arguments: Value,
    line: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

fn get(defect: &'static str, tool: &'static str, arguments: Value, line: &'static str) -> Call {
    Call { defect, tool, arguments, line, headers: &[], body: "" }
}

fn calls() -> Vec<Call> {
    vec![
        Call {
            defect: "numbers, flags and lists in headers raise a type error",
            headers: &[("x-count", "5"), ("x-flag", "true"), ("x-list", "a,b")],
            ..get("", "headers", json!({ "X-Count": 5, "X-Flag": true, "X-List": ["a", "b"] }), "GET /headers")
        },
        Call {
            defect: "a cookie's value ends it and begins another; lists are written as in a programming language",
            headers: &[("cookie", "session=v%3Bw%3D1; tags=a,b")],
            ..get("", "headers", json!({ "session": "v;w=1", "tags": ["a", "b"] }), "GET /headers")
        },
        get("lists in paths as in a programming language", "lists", json!({ "ids": ["a", "b"] }), "GET /lists/a,b"),
        get("the style of a path is ignored", "labels", json!({ "ids": ["a", "b"] }), "GET /labels/.a,b"),
        get("objects in paths", "objects", json!({ "filter": { "a": 1, "b": "c" } }), "GET /objects/a=1,b=c"),
        get("a slash in a value makes segments", "items", json!({ "id": "a/b?c#d" }), "GET /items/a%2Fb%3Fc%23d"),
        get(
            "objects within deep objects as in a programming language",
            "search",
            json!({ "nest": { "a": { "b": [1, 2] } } }),
            "GET /search?nest%5Ba%5D%5Bb%5D%5B%5D=1&nest%5Ba%5D%5Bb%5D%5B%5D=2",
        ),
        get(
            "a parameter with a media type is not written in it",
            "search",
            json!({ "filter": { "a": "x" } }),
            "GET /search?filter=%7B%22a%22%3A%22x%22%7D",
        ),
        get("allowReserved is ignored", "search", json!({ "date": "a/b:c&d" }), "GET /search?date=a/b:c%26d"),
        get("a required list without items vanishes", "listing", json!({ "ids": [] }), "GET /listing?ids="),
        Call {
            defect: "an explicit null is dropped, so that nothing can be cleared",
            headers: &[("content-type", "application/merge-patch+json")],
            body: r#"{"name":null}"#,
            ..get("", "change", json!({ "id": "7", "name": null }), "PATCH /people/7")
        },
        Call {
            defect: "a required body is left out when no argument fills it",
            headers: &[("content-type", "application/json")],
            body: "{}",
            ..get("", "settings", json!({}), "PUT /settings")
        },
        Call {
            defect: "the media type that happens to stand first is sent",
            headers: &[("content-type", "application/json")],
            body: r#"{"a":1}"#,
            ..get("", "either", json!({ "a": 1 }), "POST /either")
        },
        Call {
            defect: "the encoding of form fields is ignored",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: "tags=a,b&at%5Bx%5D=1",
            ..get("", "form", json!({ "tags": ["a", "b"], "at": { "x": 1 } }), "POST /form")
        },
        Call {
            defect: "bytes are sent as the text of their base64",
            headers: &[("content-type", "application/octet-stream")],
            body: "abc",
            ..get("", "bytes", json!({ "body": { "data": "YWJj" } }), "POST /bytes")
        },
        Call {
            defect: "XML is sent as JSON",
            headers: &[("content-type", "application/xml")],
            body: concat!(
                r#"<?xml version="1.0" encoding="UTF-8"?>"#,
                "\n",
                r#"<pet id="7"><name>Rex &amp; Co</name></pet>"#
            ),
            ..get("", "xml", json!({ "id": 7, "name": "Rex & Co" }), "POST /xml")
        },
        Call {
            defect: "what only the server may set is demanded of the caller",
            headers: &[("content-type", "application/json")],
            body: r#"{"name":"Rex"}"#,
            ..get("", "create", json!({ "name": "Rex" }), "POST /people")
        },
    ]
}

#[tokio::test]
async fn requests_are_what_the_document_says() {
    let (upstream, server, _folder) = serve(&requests_document(), |_| Answer::json(200, &json!({ "ok": true }))).await;
    let mut client = Client::http(&server, Era::Modern).await;
    let mut wrong = Vec::new();
    for call in calls() {
        let result = client.call(call.tool, call.arguments.clone()).await;
        let requests = upstream.take();
        let [request] = requests.as_slice() else {
            wrong.push(format!("{}: {} requests, {result:?}", call.defect, requests.len()));
            continue;
        };
        let mut expect = |what: &str, found: &str, expected: &str| {
            if found != expected {
                wrong.push(format!("{}: {what} is {found:?}, not {expected:?}", call.defect));
            }
        };
        expect("the request line", &request.line(), call.line);
        expect("the body", &String::from_utf8_lossy(&request.body), call.body);
        for (name, value) in call.headers {
            expect(name, request.header(name).unwrap_or("absent"), value);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is_sent() {
    let (upstream, server, _folder) = serve(&requests_document(), |_| Answer::json(200, &json!({ "ok": true }))).await;
    let mut client = Client::http(&server, Era::Modern).await;
    for (defect, tool, arguments, word) in [
        ("an empty segment makes another path", "items", json!({ "id": "" }), "id"),
        ("dots climb out of the path", "items", json!({ "id": ".." }), "id"),
        ("encoded dots climb out of the path", "items", json!({ "id": "%2e%2e" }), "id"),
        ("unknown arguments vanish", "items", json!({ "id": "a", "colour": "red" }), "colour"),
        ("a missing argument is found by the API", "listing", json!({}), "ids"),
        ("a wrong type is passed on", "search", json!({ "limit": "many" }), "limit"),
        ("a number out of range is passed on", "search", json!({ "limit": 1000 }), "limit"),
        ("a word that the list does not have is passed on", "search", json!({ "kind": "c" }), "kind"),
        ("a line break in a header begins another", "headers", json!({ "X-Name": "a\r\nX-Admin: 1" }), "X-Name"),
    ] {
        let result = client.call(tool, arguments).await.unwrap_or_else(|error| panic!("{defect}: {error:?}"));
        assert_eq!(result["isError"], true, "{defect}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(text.contains(word), "{defect}: {word} is named: {text}");
        assert!(upstream.take().is_empty(), "{defect}: nothing is sent");
    }
}

#[tokio::test]
async fn headers_of_the_client_stay_with_the_server() {
    let (upstream, server, _folder) = serve(&requests_document(), |_| Answer::json(200, &json!({ "ok": true }))).await;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "items", "arguments": { "id": "a" },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    } });
    let secrets = [
        ("authorization", "Bearer mine"),
        ("cookie", "a=b"),
        ("x-api-key", "mine"),
        ("x-tenant", "t"),
        ("x-forwarded-for", "1.2.3.4"),
    ];
    let mut request = reqwest::Client::new()
        .post(server.endpoint())
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "items")
        .body(call.to_string());
    for (name, value) in secrets {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
    let sent = upstream.take_one();
    for name in secrets.map(|(name, _)| name).into_iter().chain(["mcp-protocol-version", "mcp-method", "origin"]) {
        assert!(!sent.headers.contains_key(name), "{name} is not passed on");
    }
}

/// Every answer that is known to break a bridge: the schema that the document declares, and the answer.
fn answers() -> Vec<(&'static str, Value, Answer)> {
    let json_of = |schema: Value| json!({ "200": { "description": "OK", "content": { "application/json": { "schema": schema } } } });
    let bare = json!({ "200": { "description": "OK" } });
    vec![
        (
            "text",
            json!({ "200": { "description": "OK", "content": { "text/plain": { "schema": { "type": "string" } } } } }),
            Answer::new(200, "text/plain", "hello"),
        ),
        ("nothing", json_of(json!({ "type": "object" })), Answer::new(204, "", "")),
        (
            "image",
            json!({ "200": { "description": "OK", "content": { "image/png": {} } } }),
            Answer::new(200, "image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        ),
        ("binary", bare.clone(), Answer::new(200, "application/zip", &b"PK\x03\x04\xff\xfe"[..])),
        (
            "list",
            json_of(json!({ "type": "array", "items": { "type": "integer" } })),
            Answer::json(200, &json!([1, 2])),
        ),
        ("void", json_of(json!({ "type": ["object", "null"] })), Answer::json(200, &Value::Null)),
        ("broken", json_of(json!({ "type": "object" })), Answer::new(200, "application/json", "{\"a\": NaN}")),
        ("limited", bare.clone(), Answer::json(429, &json!({ "title": "Slow down" })).header("retry-after", "17")),
        ("page", bare.clone(), Answer::new(502, "text/html", "<html><body><h1>Bad gateway</h1></body></html>")),
        (
            "problem",
            bare.clone(),
            Answer::new(422, "application/problem+json", r#"{"title":"Wrong age","detail":"age has to be positive"}"#)
                .header("x-request-id", "r-1"),
        ),
        ("moved", bare, Answer::new(302, "", "").header("location", "http://elsewhere.example/")),
    ]
}

#[tokio::test]
async fn answers_reach_the_model_whatever_they_are() {
    let mut paths = serde_json::Map::new();
    for (name, responses, _) in answers() {
        paths.insert(format!("/{name}"), json!({ "post": { "operationId": name, "responses": responses } }));
    }
    let (_upstream, server, _folder) = serve(&document(paths.into()), |request| {
        let path = request.target.trim_start_matches('/').to_owned();
        answers().into_iter().find(|(name, ..)| *name == path).map_or(Answer::new(404, "", ""), |(.., answer)| answer)
    })
    .await;
    for era in Era::BOTH {
        let mut client = Client::http(&server, era).await;
        let tools = client.list("tools/list", "tools").await;
        let mut results = std::collections::BTreeMap::new();
        for (name, ..) in answers() {
            let result = client.call(name, json!({})).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let declared = tools.iter().any(|tool| tool["name"] == name && !tool["outputSchema"].is_null());
            if declared && result["isError"] != true {
                assert!(!result["structuredContent"].is_null(), "{name} keeps its promise of structure: {result}");
            }
            results.insert(name, result);
        }
        let first = |name: &str| results[name]["content"][0].clone();
        let text = |name: &str| results[name]["content"].to_string();
        assert_eq!(first("text")["text"], "hello");
        assert_ne!(results["nothing"]["isError"], true, "{}", results["nothing"]);
        assert_eq!(first("image")["type"], "image");
        assert_eq!(first("image")["mimeType"], "image/png");
        assert_eq!(first("image")["data"], "iVBORw0KGgo=");
        assert_eq!(first("binary")["resource"]["mimeType"], "application/zip");
        assert_eq!(first("binary")["resource"]["blob"], "UEsDBP/+");
        assert_eq!(
            first("list")["text"].as_str().map(|text| text.split_whitespace().collect::<String>()),
            Some("[1,2]".to_owned())
        );
        assert!(text("broken").contains("NaN") && text("broken").contains("promises"), "{}", results["broken"]);
        for name in ["limited", "page", "problem", "moved"] {
            assert_eq!(results[name]["isError"], true, "{name}: {}", results[name]);
        }
        assert!(text("limited").contains("429") && text("limited").contains("17"), "{}", results["limited"]);
        assert!(!text("page").contains('<') && text("page").contains("502"), "{}", results["page"]);
        for word in ["422", "Wrong age", "age has to be positive", "r-1"] {
            assert!(results["problem"].to_string().contains(word), "{word}: {}", results["problem"]);
        }
        assert!(text("moved").contains("302"), "{}", results["moved"]);
    }
}

#[tokio::test]
async fn xml_reaches_the_model_as_the_value_that_its_schema_describes() {
    let pet = json!({
        "type": "object",
        "properties": {
            "id": { "type": "integer", "xml": { "attribute": true } },
            "name": { "type": "string", "xml": { "prefix": "p", "namespace": "urn:pets" } },
            "tags": { "type": "array", "xml": { "wrapped": true }, "items": { "type": "string", "xml": { "name": "tag" } } },
        },
    });
    let answers = |schema: Value| json!({ "200": { "description": "OK", "content": { "application/xml": { "schema": schema } } } });
    let mut api = document(json!({
        "/pet": { "get": { "operationId": "pet", "responses": answers(json!({ "$ref": "#/components/schemas/Pet" })) } },
        "/pets": { "get": { "operationId": "pets", "responses": answers(json!({
            "type": "array", "items": { "$ref": "#/components/schemas/Pet" },
        })) } },
    }));
    api["components"] = json!({ "schemas": { "Pet": pet } });
    let rex = r#"<Pet id="7" xmlns:a="urn:pets"><a:name>0123</a:name><tags><tag>big</tag></tags></Pet>"#;
    let (_upstream, server, _folder) = serve(&api, move |request| {
        let text = if request.target == "/pets" { format!("<pets>{rex}</pets>") } else { rex.to_owned() };
        Answer::new(200, "application/xml", text)
    })
    .await;
    let value = json!({ "id": 7, "name": "0123", "tags": ["big"] });
    let mut client = Client::http(&server, Era::Modern).await;
    let result = client.call("pet", json!({})).await.expect("a result");
    assert_eq!(result["structuredContent"], value, "{result}");
    assert_eq!(result["content"][0]["text"], rex, "the text is as it came");
    let result = client.call("pets", json!({})).await.expect("a result");
    assert_eq!(result["structuredContent"], json!({ "result": [value] }), "one item is a list too: {result}");
    let tools = client.list("tools/list", "tools").await;
    let schema = |name: &str| tools.iter().find(|tool| tool["name"] == name).expect("a tool")["outputSchema"].clone();
    let pet = schema("pet");
    assert_eq!(pet.pointer("/$defs/Pet/properties/id/type"), Some(&json!("integer")), "XML has a schema too: {pet}");
    assert_eq!(schema("pets")["properties"]["result"]["type"], "array");
}

#[tokio::test]
async fn a_mock_answers_in_xml_where_the_api_does() {
    let schema = json!({
        "type": "object",
        "xml": { "name": "order" },
        "required": ["id", "lines"],
        "properties": {
            "id": { "type": "integer", "xml": { "attribute": true } },
            "lines": { "type": "array", "items": { "type": "string", "xml": { "name": "line" } } },
        },
    });
    let content = |schema: Value| json!({ "200": { "description": "OK", "content": { "application/xml": { "schema": schema } } } });
    let api = document(json!({
        "/order": { "get": { "operationId": "order", "responses": content(schema.clone()) } },
        "/orders": { "get": { "operationId": "orders", "responses": content(json!({ "type": "array", "items": schema })) } },
    }));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("orders.json");
    std::fs::write(&path, api.to_string()).expect("a document can be written");
    let server = Launch::program("mcpwright")
        .arguments(["serve", &*path.to_string_lossy(), "--preset", "tools"])
        .variable("DEFECTS_MOCK", "true")
        .http()
        .await;
    let mut client = Client::http(&server, Era::Modern).await;
    let one = client.call("order", json!({})).await.expect("a result");
    let text = one["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("<order id=\""), "{one}");
    assert!(one["structuredContent"]["id"].is_i64() && one["structuredContent"]["lines"].is_array(), "{one}");
    let all = client.call("orders", json!({})).await.expect("a result");
    assert!(all["structuredContent"]["result"][0]["id"].is_i64(), "{all}");
}

fn inspect(document: &str, name: &str) -> (Value, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, document).expect("a document can be written");
    let output = Command::new(workspace::program("mcpwright"))
        .args(["inspect".as_ref(), path.as_os_str(), "--json".as_ref(), "--preset".as_ref(), "tools".as_ref()])
        .output()
        .expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}")), said)
}

#[test]
fn documents_lose_nothing() {
    let string = json!({ "type": "string" });
    let (inspected, said) = inspect(
        &json!({
            "openapi": "3.1.0",
            "info": { "title": "Defects", "version": "1" },
            "servers": [{ "url": "https://{host}.example/api", "variables": { "host": { "default": "a" } } }],
            "paths": {
                "/escaped": { "get": operation("escaped", json!({ "parameters": [{ "$ref": "#/components/parameters/a~1b" }] })) },
                "/referenced": { "$ref": "#/components/pathItems/Item" },
                "/defs": { "post": operation("defs", body("application/json", json!({
                    "type": "object", "required": ["z"], "properties": { "z": { "$ref": "#/$defs/Z" } },
                    "$defs": { "Z": { "type": "integer" } }, "$id": "https://example.com/body",
                }))) },
                "/condition": { "post": operation("condition", body("application/json", json!({
                    "type": "object",
                    "properties": { "a": { "if": { "$ref": "#/components/schemas/A" }, "then": { "$ref": "#/components/schemas/A" }, "not": { "$ref": "#/components/schemas/B" } } },
                }))) },
                "/union": { "post": operation("union", body("application/json", json!({
                    "type": "object",
                    "properties": { "pet": {
                        "oneOf": [{ "$ref": "#/components/schemas/Cat" }, { "$ref": "#/components/schemas/Dog" }],
                        "discriminator": { "propertyName": "kind" },
                    } },
                }))) },
            },
            "components": {
                "parameters": { "a/b": parameter("slash", "query", &string, json!({})) },
                "pathItems": { "Item": { "get": operation("referenced", json!({})) } },
                "schemas": {
                    "A": { "type": "string" }, "B": { "type": "boolean" },
                    "Cat": { "type": "object", "required": ["kind"], "properties": { "kind": { "const": "cat" }, "lives": { "type": "integer" } } },
                    "Dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "const": "dog" }, "barks": { "type": "boolean" } } },
                },
            },
        })
        .to_string(),
        "three.json",
    );
    let tool = |name: &str| {
        let tools = inspected["tools"].as_array().expect("tools");
        tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("{name} is there: {said}")).clone()
    };
    assert_eq!(tool("escaped")["inputSchema"]["properties"]["slash"]["type"], "string");
    assert_eq!(tool("referenced")["path"], "/referenced");
    for name in ["defs", "condition", "union"] {
        let schema = tool(name)["inputSchema"].clone();
        dangling(&schema, &schema, name);
    }
    assert!(tool("defs").to_string().contains("integer"), "{}", tool("defs"));
    for member in ["lives", "barks"] {
        assert!(tool("union")["inputSchema"].to_string().contains(member), "{member} of a variant is kept");
    }
}

/// Asserts that every reference leads somewhere within the schema.
fn dangling(root: &Value, value: &Value, name: &str) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                assert!(target.is_some(), "{name}: {reference} leads nowhere in {root}");
            }
            members.values().for_each(|value| dangling(root, value, name));
        }
        Value::Array(items) => items.iter().for_each(|value| dangling(root, value, name)),
        _ => {}
    }
}

#[test]
fn a_reference_without_a_target_is_said() {
    let parameters = json!({ "parameters": [{ "$ref": "#/components/parameters/Gone" }] });
    let (inspected, _) =
        inspect(&document(json!({ "/a": { "get": operation("a", parameters) } })).to_string(), "gone.json");
    assert!(inspected["diagnostics"].to_string().contains("Gone"), "{inspected}");
}

#[tokio::test]
async fn a_document_of_version_2_is_read_with_its_body_its_types_and_its_host() {
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
    let pet = json!({ "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } });
    let old = json!({
        "swagger": "2.0",
        "info": { "title": "Old", "version": "1" },
        "schemes": ["http"],
        "host": upstream.url().trim_start_matches("http://"),
        "basePath": "/v1",
        "consumes": ["application/json"],
        "paths": { "/pets": { "post": operation("addPet", json!({ "parameters": [
            { "name": "pet", "in": "body", "required": true, "schema": pet },
            { "name": "limit", "in": "query", "type": "integer" },
        ] })) } },
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("old.json");
    std::fs::write(&path, old.to_string()).expect("a document can be written");
    let server =
        Launch::program("mcpwright").arguments(["serve", &*path.to_string_lossy(), "--preset", "tools"]).http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    let result = client.call("add_pet", json!({ "name": "Rex", "limit": "many" })).await.expect("a tool result");
    assert_eq!(result["isError"], true, "the type of a parameter is known: {result}");
    client.call("add_pet", json!({ "name": "Rex", "limit": 3 })).await.expect("a tool result");
    let request = upstream.take_one();
    assert_eq!(request.line(), "POST /v1/pets?limit=3");
    assert_eq!(request.json(), json!({ "name": "Rex" }));
}

#[test]
fn the_methods_of_newer_versions_are_read() {
    let newer = json!({
        "openapi": "3.2.0", "info": { "title": "New", "version": "1" }, "servers": [{ "url": "http://127.0.0.1" }],
        "paths": { "/pets": { "query": operation("findPets", body("application/json", json!({ "type": "object", "properties": { "name": { "type": "string" } } }))) } },
    });
    let (inspected, said) = inspect(&newer.to_string(), "new.json");
    assert_eq!(inspected["tools"][0]["method"], "QUERY", "{said}");
}
