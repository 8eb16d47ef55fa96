//! Whole requests as the API sees them.

use mcpwright_runtime::catalog::{Api, Body, Location, Method, Operation, Parameter, PartEncoding, Style};
use serde_json::json;

use crate::recorder::{Recorder, call};

static ID: Parameter = Parameter { name: "petId", ..Parameter::PATH };
static LIST: Parameter = Parameter { name: "tags", ..Parameter::QUERY };
static DEEP: Parameter = Parameter { name: "nest", style: Style::DeepObject, ..Parameter::QUERY };
static COUNT: Parameter = Parameter { name: "X-Count", ..Parameter::HEADER };
static COOKIE: Parameter = Parameter { name: "session", ..Parameter::COOKIE };
static WHOLE: Parameter = Parameter {
    name: "q",
    location: Location::QueryString,
    content: "application/x-www-form-urlencoded",
    ..Parameter::QUERY
};

static UPDATE: Operation = Operation {
    name: "update",
    method: Method::Patch,
    path: "/pets/{petId}",
    parameters: &[&ID, &LIST, &DEEP, &COUNT, &COOKIE],
    body: Some(&Body { media_type: "application/merge-patch+json", ..Body::JSON }),
    accept: "application/json, text/plain;q=0.5",
    ..Operation::DEFAULT
};

#[tokio::test]
async fn a_request_is_exactly_what_the_document_says() {
    let server = Recorder::plain().await;
    let upstream = server.with(&Api::DEFAULT, &[("T_USER_AGENT", "pets/1")]).build().expect("an upstream");
    call(
        &upstream,
        &UPDATE,
        json!({ "petId": "a/b", "tags": ["x y", "z&"], "nest": { "a": { "b": [1, 2] } }, "X-Count": 5, "session": "s;t", "nick": null, "age": 3 }),
    )
    .await
    .expect("a result");
    let request = server.only();
    assert_eq!(
        request.line,
        "PATCH /pets/a%2Fb?tags=x%20y&tags=z%26&nest%5Ba%5D%5Bb%5D%5B%5D=1&nest%5Ba%5D%5Bb%5D%5B%5D=2 HTTP/1.1"
    );
    assert_eq!(request.text(), r#"{"nick":null,"age":3}"#);
    let mut headers = request.headers.clone();
    headers.sort();
    headers.retain(|header| !header.starts_with("host:"));
    assert_eq!(
        headers,
        [
            "accept-encoding: gzip,deflate,br",
            "accept: application/json, text/plain;q=0.5",
            "content-length: 21",
            "content-type: application/merge-patch+json",
            "cookie: session=s%3Bt",
            "user-agent: pets/1",
            "x-count: 5",
        ]
    );
}

#[tokio::test]
async fn the_whole_query_string_may_be_one_parameter() {
    static SEARCH: Operation = Operation { path: "/search", parameters: &[&WHOLE], ..Operation::DEFAULT };
    let server = Recorder::plain().await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    call(&upstream, &SEARCH, json!({ "q": { "a": "1 2", "b": ["x", "y"] } })).await.expect("a result");
    assert_eq!(server.only().line, "GET /search?a=1%202&b=x&b=y HTTP/1.1");
}

#[tokio::test]
async fn methods_and_bodies_beyond_the_usual_go_through() {
    static DELETE: Operation =
        Operation { method: Method::Delete, path: "/x", body: Some(&Body::JSON), ..Operation::DEFAULT };
    static QUERY: Operation =
        Operation { method: Method::Query, path: "/x", body: Some(&Body::JSON), ..Operation::DEFAULT };
    static OTHER: Operation = Operation { method: Method::Other("PURGE"), path: "/x", ..Operation::DEFAULT };
    static POST: Operation = Operation { method: Method::Post, path: "/x", ..Operation::DEFAULT };
    static GET: Operation =
        Operation { path: "/x", body: Some(&Body { required: false, ..Body::JSON }), ..Operation::DEFAULT };
    for (operation, arguments, line, body) in [
        (&DELETE, json!({ "a": 1 }), "DELETE /x HTTP/1.1", r#"{"a":1}"#),
        (&QUERY, json!({ "a": 1 }), "QUERY /x HTTP/1.1", r#"{"a":1}"#),
        (&OTHER, json!({}), "PURGE /x HTTP/1.1", ""),
        (&POST, json!({}), "POST /x HTTP/1.1", ""),
        (&GET, json!({ "a": 1 }), "GET /x HTTP/1.1", r#"{"a":1}"#),
        (&GET, json!({}), "GET /x HTTP/1.1", ""),
    ] {
        let server = Recorder::plain().await;
        let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
        call(&upstream, operation, arguments).await.expect("a result");
        let request = server.only();
        assert_eq!((request.line.as_str(), request.text().as_str()), (line, body));
        assert_eq!(request.header("content-type").is_some(), !body.is_empty());
    }
}

#[tokio::test]
async fn a_multipart_upload_carries_real_bytes() {
    static UPLOAD: Operation = Operation {
        method: Method::Post,
        path: "/upload",
        body: Some(&Body {
            media_type: "multipart/form-data",
            encoding: &[PartEncoding { name: "file", file: true, ..PartEncoding::DEFAULT }],
            ..Body::JSON
        }),
        ..Operation::DEFAULT
    };
    let server = Recorder::plain().await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    call(
        &upstream,
        &UPLOAD,
        json!({ "file": { "data": "iVBORw0KGgo=", "filename": "dot.png", "contentType": "image/png" }, "note": "hello" }),
    )
    .await
    .expect("a result");
    let request = server.only();
    let boundary = request
        .header("content-type")
        .and_then(|value| value.split_once("boundary="))
        .expect("a boundary")
        .1
        .to_owned();
    let mut expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"dot.png\"\r\nContent-Type: image/png\r\n\r\n"
    )
    .into_bytes();
    expected.extend(b"\x89PNG\r\n\x1a\n");
    expected.extend(
        format!("\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--{boundary}--\r\n")
            .into_bytes(),
    );
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn the_base_url_s_own_path_and_query_stay() {
    let server = Recorder::plain().await;
    let base = format!("{}/api/v2/?key=1", server.url);
    let upstream = server.with(&Api::DEFAULT, &[("T_BASE_URL", &base)]).build().expect("an upstream");
    static PLAIN: Operation = Operation { path: "/pets", parameters: &[&LIST], ..Operation::DEFAULT };
    call(&upstream, &PLAIN, json!({ "tags": ["a"] })).await.expect("a result");
    assert_eq!(server.only().target(), "/api/v2/pets?key=1&tags=a");
}
