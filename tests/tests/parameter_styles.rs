//! The table of styles (OpenAPI 3.2 §4.12.2.4, with the notes of §4.12.2.2 and appendices C to E) through a served and
//! through a generated server: every location, style and explode with an empty string, a string, an array and an object,
//! as bytes.

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::RawUpstream;
use mcpwright_tests::workspace;
use serde_json::{Value, json};

/// One parameter called `color`, and what the request holds for each of [`values`]; `None` where the table says *n/a*.
struct Row {
    location: &'static str,
    style: &'static str,
    explode: bool,
    expected: [Option<&'static str>; 4],
}

const fn row(location: &'static str, style: &'static str, explode: bool, expected: [Option<&'static str>; 4]) -> Row {
    Row { location, style, explode, expected }
}

/// The values of the specification's table. Its column *undefined* is the absent argument.
fn values() -> [Value; 4] {
    [json!(""), json!("blue"), json!(["blue", "black", "brown"]), json!({ "R": 100, "G": 200, "B": 150 })]
}

/// The whole table, and what it says elsewhere of headers and cookies.
fn table() -> Vec<Row> {
    vec![
        row(
            "path",
            "matrix",
            false,
            [Some(";color"), Some(";color=blue"), Some(";color=blue,black,brown"), Some(";color=R,100,G,200,B,150")],
        ),
        row(
            "path",
            "matrix",
            true,
            [
                Some(";color"),
                Some(";color=blue"),
                Some(";color=blue;color=black;color=brown"),
                Some(";R=100;G=200;B=150"),
            ],
        ),
        // A label without a value would be the segment `.`, which the path cannot carry.
        row("path", "label", false, [None, Some(".blue"), Some(".blue,black,brown"), Some(".R,100,G,200,B,150")]),
        row("path", "label", true, [None, Some(".blue"), Some(".blue.black.brown"), Some(".R=100.G=200.B=150")]),
        // Without a value the segment would be empty, which makes another path.
        row("path", "simple", false, [None, Some("blue"), Some("blue,black,brown"), Some("R,100,G,200,B,150")]),
        row("path", "simple", true, [None, Some("blue"), Some("blue,black,brown"), Some("R=100,G=200,B=150")]),
        row(
            "query",
            "form",
            false,
            [Some("color="), Some("color=blue"), Some("color=blue,black,brown"), Some("color=R,100,G,200,B,150")],
        ),
        row(
            "query",
            "form",
            true,
            [Some("color="), Some("color=blue"), Some("color=blue&color=black&color=brown"), Some("R=100&G=200&B=150")],
        ),
        row(
            "query",
            "spaceDelimited",
            false,
            [None, None, Some("color=blue%20black%20brown"), Some("color=R%20100%20G%20200%20B%20150")],
        ),
        row(
            "query",
            "pipeDelimited",
            false,
            [None, None, Some("color=blue%7Cblack%7Cbrown"), Some("color=R%7C100%7CG%7C200%7CB%7C150")],
        ),
        // Before 3.0.4 the table gave these two for arrays, and tools still read them so.
        row("query", "spaceDelimited", true, [None, None, Some("color=blue&color=black&color=brown"), None]),
        row("query", "pipeDelimited", true, [None, None, Some("color=blue&color=black&color=brown"), None]),
        row(
            "query",
            "deepObject",
            true,
            [None, None, None, Some("color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150")],
        ),
        row("header", "simple", false, [Some(""), Some("blue"), Some("blue,black,brown"), Some("R,100,G,200,B,150")]),
        row("header", "simple", true, [Some(""), Some("blue"), Some("blue,black,brown"), Some("R=100,G=200,B=150")]),
        row(
            "cookie",
            "form",
            false,
            [Some("color="), Some("color=blue"), Some("color=blue,black,brown"), Some("color=R,100,G,200,B,150")],
        ),
        // The table's `&` of an exploded array or object is no separator of cookies: each is a cookie of its own.
        row(
            "cookie",
            "form",
            true,
            [
                Some("color="),
                Some("color=blue"),
                Some("color=blue; color=black; color=brown"),
                Some("R=100; G=200; B=150"),
            ],
        ),
        row(
            "cookie",
            "cookie",
            false,
            [Some("color="), Some("color=blue"), Some("color=blue,black,brown"), Some("color=R,100,G,200,B,150")],
        ),
        row(
            "cookie",
            "cookie",
            true,
            [
                Some("color="),
                Some("color=blue"),
                Some("color=blue; color=black; color=brown"),
                Some("R=100; G=200; B=150"),
            ],
        ),
    ]
}

const KINDS: [&str; 4] = ["empty", "string", "array", "object"];

/// A document with one operation per row and kind of value. The style `cookie` came with 3.2.
fn document(version: &str) -> Value {
    let schemas = [
        json!({ "type": "string" }),
        json!({ "type": "string" }),
        json!({ "type": "array", "items": { "type": "string" } }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
    ];
    let mut paths = serde_json::Map::new();
    for (number, row) in rows(version) {
        for (kind, schema) in KINDS.iter().zip(&schemas) {
            let variable = if row.location == "path" { "/{color}" } else { "" };
            let operation = json!({
                "operationId": format!("row{number}_{kind}"),
                "parameters": [{
                    "name": "color",
                    "in": row.location,
                    "required": row.location == "path",
                    "style": row.style,
                    "explode": row.explode,
                    "schema": schema,
                }],
                "responses": { "200": { "description": "OK" } },
            });
            paths.insert(format!("/{number}/{kind}{variable}"), json!({ "get": operation }));
        }
    }
    json!({
        "openapi": version,
        "info": { "title": "Styles", "version": "1" },
        "servers": [{ "url": "http://127.0.0.1" }],
        "paths": paths,
    })
}

fn rows(version: &str) -> Vec<(usize, Row)> {
    table().into_iter().enumerate().filter(|(_, row)| row.style != "cookie" || version.starts_with("3.2")).collect()
}

#[tokio::test]
async fn every_row_of_the_table_arrives_as_the_table_says() {
    for version in ["3.0.4", "3.1.1", "3.2.0"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("styles.json");
        std::fs::write(&path, document(version).to_string()).expect("a document can be written");
        let served = Launch::program("mcpwright").arguments(["serve", &*path.to_string_lossy(), "--preset", "tools"]);
        check(version, served).await;
    }
}

#[tokio::test]
async fn a_generated_server_sends_every_row_like_a_served_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("styles.json");
    std::fs::write(&path, document("3.2.0").to_string()).expect("a document can be written");
    check("3.2.0", Launch::path(workspace::generated(&path, "styles", &["--preset", "tools"]))).await;
}

/// Calls every operation of the table's document, and compares what arrives with the table.
async fn check(version: &str, launch: Launch) {
    let upstream = RawUpstream::start("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    let server = launch.arguments(["--base-url", &upstream.url()]).http().await;
    let mut client = Client::http(&server, Era::Modern).await;
    let mut wrong = Vec::new();
    for (number, row) in rows(version) {
        for ((kind, value), expected) in KINDS.iter().zip(values()).zip(row.expected) {
            let what = format!("{version} {} {} explode={} {kind}", row.location, row.style, row.explode);
            let result = client.call(&format!("row{number}_{kind}"), json!({ "color": value })).await;
            let result = result.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            let requests = upstream.take();
            let Some(expected) = expected else {
                // Not defined: a path without its value is refused, other ways to write it are nobody's business.
                if row.location == "path" && !(requests.is_empty() && result["isError"] == true) {
                    wrong.push(format!("{what}: a path without its value is sent"));
                }
                continue;
            };
            let [request] = requests.as_slice() else {
                wrong.push(format!("{what}: {} requests, {result}", requests.len()));
                continue;
            };
            let found = part(request, row.location, &format!("/{number}/{kind}"));
            if found.as_deref() != Some(expected) {
                wrong.push(format!("{what}: {found:?} is not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The part of a request's bytes where a location's parameters stand.
fn part(request: &[u8], location: &str, path: &str) -> Option<String> {
    let head = String::from_utf8_lossy(request).into_owned();
    let mut lines = head.split("\r\n");
    let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?.strip_prefix(path)?;
    let header = |name: &str| {
        lines.clone().take_while(|line| !line.is_empty()).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    match location {
        "path" => Some(target.strip_prefix('/')?.to_owned()),
        "query" => Some(target.strip_prefix('?')?.to_owned()),
        "header" => header("color"),
        _ => header("cookie"),
    }
}
