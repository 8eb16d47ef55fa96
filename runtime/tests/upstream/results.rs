//! Responses as results: by status and media type, within limits.

use mcpwright_runtime::{
    ErrorKind,
    catalog::{Api, Definition, Method, Operation, Output, Parameter, Policy},
    content::{Content, ResourceBody, ToolResult},
    upstream::Scope,
};
use serde_json::{Map, Value, json};

use crate::recorder::{Recorder, Reply, call, response, structured, text};

static GET: Operation = Operation { path: "/x", ..Operation::DEFAULT };
static OBJECT: Operation = Operation {
    path: "/x",
    output: Some(&Output {
        schema: r#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#,
        ..Output::DEFAULT
    }),
    ..Operation::DEFAULT
};
static WRAPPED: Operation = Operation {
    path: "/x",
    output: Some(&Output { schema: r#"{"type":"array"}"#, wrapped: true, ..Output::DEFAULT }),
    ..Operation::DEFAULT
};

async fn result(
    operation: &'static Operation,
    status: &'static str,
    media_type: &'static str,
    body: impl Into<Vec<u8>>,
) -> ToolResult {
    let body = body.into();
    let server = Recorder::start(move |_, _| {
        let headers: &[(&str, &str)] = if media_type.is_empty() { &[] } else { &[("content-type", media_type)] };
        response(status, headers, &body)
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    call(&upstream, operation, json!({})).await.expect("a result")
}

fn http(result: &ToolResult) -> &Value {
    result.meta.values().next().expect("meta")
}

#[tokio::test]
async fn bodies_become_what_clients_can_use() {
    for (operation, status, media_type, body, expected_text, expected_structure) in [
        (&GET, "200 OK", "application/json", r#" {"a": 1} "#, r#"{"a": 1}"#, Some(json!({ "a": 1 }))),
        (
            &GET,
            "201 Created",
            "application/vnd.api+json; charset=utf-8",
            "[1,2]",
            "[1,2]",
            Some(json!({ "result": [1, 2] })),
        ),
        (&WRAPPED, "200 OK", "application/json", r#"{"a":1}"#, r#"{"a":1}"#, Some(json!({ "result": { "a": 1 } }))),
        (&OBJECT, "200 OK", "application/json", r#"{"a":1}"#, r#"{"a":1}"#, Some(json!({ "a": 1 }))),
        (&GET, "200 OK", "", r#"{"a":1}"#, r#"{"a":1}"#, Some(json!({ "a": 1 }))),
        (&GET, "200 OK", "text/plain", "hello", "hello", None),
        (&WRAPPED, "200 OK", "text/plain", "hello", "hello", Some(json!({ "result": "hello" }))),
        (&GET, "200 OK", "application/xml", "<a>1</a>", "<a>1</a>", Some(json!({ "a": "1" }))),
        (&GET, "200 OK", "application/json", "not json", "not json", None),
        (
            &GET,
            "200 OK",
            "application/x-ndjson",
            "{\"a\":1}\n{\"a\":2}\n",
            "{\"a\":1}\n{\"a\":2}\n",
            Some(json!({ "result": [{ "a": 1 }, { "a": 2 }] })),
        ),
        (
            &GET,
            "200 OK",
            "text/event-stream",
            "event: x\ndata: {\"a\":1}\n\ndata: [DONE]\n\n",
            "event: x\ndata: {\"a\":1}\n\ndata: [DONE]\n\n",
            Some(json!({ "result": [{ "a": 1 }] })),
        ),
        (&GET, "204 No Content", "", "", "Done: the API answered 204 No Content without a body.", None),
        (
            &WRAPPED,
            "204 No Content",
            "",
            "",
            "Done: the API answered 204 No Content without a body.",
            Some(json!({ "result": null })),
        ),
        (&GET, "200 OK", "text/csv", "a,b\n", "a,b\n", None),
        (&GET, "200 OK", "image/svg+xml", "<svg/>", "<svg/>", None),
        (&GET, "200 OK", "application/xml", "<a>", "<a>", None),
    ] {
        let result = result(operation, status, media_type, body).await;
        assert!(!result.is_error, "{media_type}");
        assert_eq!(
            (text(&result).as_str(), structured(&result)),
            (expected_text, expected_structure),
            "{media_type} {body}"
        );
    }
}

#[tokio::test]
async fn big_integers_and_key_order_pass_unchanged() {
    let body = r#"{"z":123456789012345678901234567890,"a":1.10}"#;
    let result = result(&GET, "200 OK", "application/json", body).await;
    assert_eq!(result.structured.map(|json| json.get().to_owned()).as_deref(), Some(body));
}

#[tokio::test]
async fn binary_answers_are_images_audio_or_blobs() {
    let png = b"\x89PNG\r\n\x1a\n\0\xff";
    let image = result(&GET, "200 OK", "image/png", *png).await;
    assert!(
        matches!(&image.content[0], Content::Image { data, media_type } if data.as_ref() == png && media_type == "image/png")
    );
    let audio = result(&GET, "200 OK", "audio/mpeg", *png).await;
    assert!(matches!(&audio.content[0], Content::Audio { .. }));
    for media_type in ["application/pdf", "application/octet-stream", ""] {
        let blob = result(&GET, "200 OK", media_type, *png).await;
        let Content::Resource(contents) = &blob.content[0] else { panic!("{blob:?}") };
        assert!(matches!(&contents.body, ResourceBody::Blob(data) if data.as_ref() == png));
    }
}

#[tokio::test]
async fn charsets_are_decoded() {
    let latin = result(&GET, "200 OK", "text/plain; charset=iso-8859-1", *b"caf\xe9").await;
    assert_eq!(text(&latin), "café");
    let bom = result(&GET, "200 OK", "application/json", *b"\xef\xbb\xbf{\"a\":1}").await;
    assert_eq!(structured(&bom), Some(json!({ "a": 1 })));
}

#[tokio::test]
async fn compressed_answers_are_unpacked() {
    // gzip of `{"a":1}`
    let packed: Vec<u8> =
        vec![31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 74, 84, 178, 50, 172, 5, 0, 175, 172, 27, 86, 7, 0, 0, 0];
    let server = Recorder::start(move |_, _| {
        response("200 OK", &[("content-type", "application/json"), ("content-encoding", "gzip")], &packed)
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    match call(&upstream, &GET, json!({})).await {
        Ok(result) => assert_eq!(structured(&result), Some(json!({ "a": 1 }))),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_long_answer_is_cut_and_says_so() {
    let body = format!("[{}]", vec![r#"{"name":"rex"}"#; 100].join(","));
    let server = Recorder::start(move |_, _| response("200 OK", &[("content-type", "application/json")], &body)).await;
    let upstream = server.with(&Api::DEFAULT, &[("T_MAX_RESPONSE_BYTES", "100")]).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    assert!(!result.is_error);
    assert_eq!(
        structured(&result).expect("JSON")["result"].as_array().map(Vec::len),
        Some(6),
        "whole elements are kept"
    );
    assert!(text(&result).contains("longer than 100 bytes"), "{}", text(&result));
    assert_eq!(http(&result)["truncated"], true);

    static SMALL: Operation = Operation {
        path: "/x",
        policy: Policy { max_response_bytes: Some(10), ..Policy::DEFAULT },
        ..Operation::DEFAULT
    };
    let cut = result_of(&SMALL, "text/plain", "ééééééééé").await;
    assert!(text(&cut).starts_with("ééééé\n[The API's answer is longer than 10 bytes"), "{}", text(&cut));
    let image = result_of(&SMALL, "image/png", "0123456789abc").await;
    assert!(image.is_error && text(&image).contains("T_MAX_RESPONSE_BYTES"), "{}", text(&image));
    static PROMISED: Operation = Operation {
        path: "/x",
        output: Some(&Output::DEFAULT),
        policy: Policy { max_response_bytes: Some(10), ..Policy::DEFAULT },
        ..Operation::DEFAULT
    };
    let broken = result_of(&PROMISED, "application/json", r#"{"a":"0123456789"}"#).await;
    assert!(broken.is_error, "a piece is not what was promised");
}

async fn result_of(operation: &'static Operation, media_type: &'static str, body: &'static str) -> ToolResult {
    result(operation, "200 OK", media_type, body).await
}

#[tokio::test]
async fn a_stream_that_stays_open_gives_what_came() {
    let server = Recorder::start(|_, _| {
        Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\"a\":1}\n\n".to_vec())
    })
    .await;
    let upstream = server.with(&Api::DEFAULT, &[("T_TIMEOUT", "0.4")]).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({})).await.expect("a result");
    assert!(text(&result).contains("still open"), "{}", text(&result));
    assert_eq!(structured(&result), Some(json!({ "result": [{ "a": 1 }] })));
}

#[tokio::test]
async fn headers_that_matter_and_the_next_page_are_told() {
    static PAGE: Parameter = Parameter { name: "page", schema: r#"{"type":"integer"}"#, ..Parameter::QUERY };
    static LIST: Operation = Operation { path: "/x", parameters: &[&PAGE], ..Operation::DEFAULT };
    let server = Recorder::start(|_, _| {
        response(
            "200 OK",
            &[
                ("content-type", "application/json"),
                ("link", "<https://api.test/x?page=2>; rel=\"next\""),
                ("x-ratelimit-remaining", "7"),
                ("x-request-id", "abc"),
                ("set-cookie", "session=secret"),
                ("server", "nginx"),
            ],
            "[]",
        )
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let result = call(&upstream, &LIST, json!({ "page": 1 })).await.expect("a result");
    assert_eq!(
        http(&result),
        &json!({
            "status": 200,
            "headers": { "link": "<https://api.test/x?page=2>; rel=\"next\"", "x-ratelimit-remaining": "7", "x-request-id": "abc" },
            "next": { "page": 2 },
        })
    );
    assert!(text(&result).contains(r#"call again with these arguments changed: {"page":2}"#), "{}", text(&result));
}

#[tokio::test]
async fn failures_say_what_a_model_can_act_on() {
    for (status, media_type, body, parts) in [
        (
            "404 Not Found",
            "application/problem+json",
            r#"{"title":"No such pet","detail":"7 is unknown","status":404}"#,
            &["404 Not Found", "GET /x", "No such pet: 7 is unknown"][..],
        ),
        (
            "400 Bad Request",
            "application/json",
            r#"{"message":"bad","errors":[{"field":"name","problem":"too short"}]}"#,
            &["bad", "too short"],
        ),
        ("500 Internal Server Error", "text/plain", "boom\n    at Main.java:1", &["500", "boom"]),
        ("418 I'm a teapot", "", "", &["418"]),
        (
            "500 Internal Server Error",
            "application/octet-stream",
            "\u{1}\u{2}",
            &["2 bytes of application/octet-stream"],
        ),
    ] {
        let result = result(&GET, status, media_type, body).await;
        assert!(result.is_error && result.structured.is_none());
        for part in parts {
            assert!(text(&result).contains(part), "{part} in {}", text(&result));
        }
        assert!(!text(&result).contains("Main.java"));
    }
}

#[tokio::test]
async fn resources_are_contents_or_errors() {
    let server = Recorder::start(|number, _| match number {
        0 => response("200 OK", &[("content-type", "application/json; charset=utf-8")], r#"{"a":1}"#),
        1 => response("200 OK", &[("content-type", "image/png")], b"\x89PNG\xff"),
        2 => response("404 Not Found", &[], ""),
        _ => response("403 Forbidden", &[], ""),
    })
    .await;
    let upstream = server.builder(&Api::DEFAULT).build().expect("an upstream");
    let scope = Scope::default();
    let contents = upstream.read_resource(&GET, Map::new(), "api://t/x", &scope).await.expect("contents");
    assert_eq!((contents[0].uri.as_str(), contents[0].media_type.as_deref()), ("api://t/x", Some("application/json")));
    assert!(matches!(&contents[0].body, ResourceBody::Text(text) if text == r#"{"a":1}"#));
    let contents = upstream.read_resource(&GET, Map::new(), "api://t/x", &scope).await.expect("contents");
    assert!(matches!(&contents[0].body, ResourceBody::Blob(_)));
    for kind in [ErrorKind::NotFound, ErrorKind::Failed] {
        let error = upstream.read_resource(&GET, Map::new(), "api://t/x", &scope).await.expect_err("an error");
        assert_eq!(error.kind, kind);
    }
}

#[tokio::test]
async fn output_is_checked_when_asked() {
    for (mode, is_error) in [("off", false), ("warn", false), ("error", true)] {
        let server = Recorder::start(|_, _| crate::recorder::json(r#"{"a":"x"}"#)).await;
        let upstream = server.with(&Api::DEFAULT, &[("T_VALIDATE_OUTPUT", mode)]).build().expect("an upstream");
        let result = call(&upstream, &OBJECT, json!({})).await;
        assert_eq!(result.is_err(), is_error, "{mode}");
        if let Err(error) = result {
            assert!(error.to_string().contains("`a`: \"x\" is not an integer"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_mock_answers_from_examples_and_schemas_and_still_checks_requests() {
    static API: Api = Api {
        definitions: &[Definition {
            name: "Pet",
            schema: r#"{"type":"object","properties":{"name":{"type":"string"}}}"#,
        }],
        ..Api::DEFAULT
    };
    static ID: Parameter = Parameter { name: "id", ..Parameter::PATH };
    static EXAMPLE: Operation =
        Operation { path: "/pets/{id}", parameters: &[&ID], example: r#"{"name":"Rex"}"#, ..Operation::DEFAULT };
    static SAMPLE: Operation = Operation {
        path: "/pets",
        output: Some(&Output {
            schema: r##"{"type":"array","items":{"$ref":"#/$defs/Pet"}}"##,
            definitions: &["Pet"],
            wrapped: true,
        }),
        ..Operation::DEFAULT
    };
    static NOTHING: Operation = Operation { method: Method::Delete, path: "/pets", ..Operation::DEFAULT };
    let server = Recorder::plain().await;
    let upstream = server.with(&API, &[("T_MOCK", "true")]).build().expect("an upstream");
    let result = call(&upstream, &EXAMPLE, json!({ "id": 1 })).await.expect("a result");
    assert_eq!(structured(&result), Some(json!({ "name": "Rex" })));
    assert!(call(&upstream, &EXAMPLE, json!({ "id": ".." })).await.is_err());
    let result = call(&upstream, &SAMPLE, json!({})).await.expect("a result");
    assert_eq!(structured(&result), Some(json!({ "result": [{ "name": "string" }] })));
    assert!(text(&call(&upstream, &NOTHING, json!({})).await.expect("a result")).contains("204"));
    assert_eq!(server.requests().len(), 0);
}
