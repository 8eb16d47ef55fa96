use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalog::{Body, Method};

const BASE: &str = "https://api.test:8443/v1/";

fn build(operation: &Operation, arguments: Value) -> Result<Request, Error> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    Request::build(operation, arguments, &Url::parse(BASE).expect("a URL"))
}

/// Path and query of the final URL.
fn target(operation: &Operation, arguments: Value) -> String {
    let url = build(operation, arguments).and_then(|request| request.url()).expect("a request");
    url.as_str().strip_prefix("https://api.test:8443").expect("the same origin").to_owned()
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn operation(path: &'static str, parameters: &[Parameter]) -> Operation {
    let parameters: Vec<&'static Parameter> =
        parameters.iter().map(|parameter| leak(Parameter { ..*parameter })).collect();
    Operation { path, parameters: parameters.leak(), ..Operation::DEFAULT }
}

#[test]
fn templates_of_every_shape_expand() {
    let path = |name| Parameter { name, ..Parameter::PATH };
    for (template, names, arguments, expected) in [
        ("/pets/{id}", &["id"][..], json!({ "id": 7 }), "/v1/pets/7"),
        ("/{a}.{b}", &["a", "b"], json!({ "a": "x", "b": "tar gz" }), "/v1/x.tar%20gz"),
        ("/things/{id}:verb", &["id"], json!({ "id": "a:b" }), "/v1/things/a%3Ab:verb"),
        ("/files('{name}')/content", &["name"], json!({ "name": "it's" }), "/v1/files('it%27s')/content"),
        ("/pets/{id}/", &["id"], json!({ "id": "a/b?c#d" }), "/v1/pets/a%2Fb%3Fc%23d/"),
        ("/bucket/{Key+}", &["Key"], json!({ "Key": "k" }), "/v1/bucket/k"),
        ("/x?beta=true&flag", &[], json!({}), "/v1/x?beta=true&flag"),
        ("/x?id={id}", &["id"], json!({ "id": "1&admin=true" }), "/v1/x?id=1%26admin%3Dtrue"),
        ("/x#Action=List", &[], json!({}), "/v1/x"),
        ("/", &[], json!({}), "/v1/"),
        ("/a b/ü", &[], json!({}), "/v1/a%20b/%C3%BC"),
    ] {
        let parameters: Vec<Parameter> = names.iter().map(|name| path(name)).collect();
        assert_eq!(target(&operation(template, &parameters), arguments), expected, "{template}");
    }
}

#[test]
fn queries_follow_style_fixed_value_content_and_null() {
    let query = Parameter { name: "q", ..Parameter::QUERY };
    let with = |change: &dyn Fn(&mut Parameter)| {
        let mut parameter = Parameter { ..query };
        change(&mut parameter);
        operation("/x", &[parameter])
    };
    for (operation, arguments, expected) in [
        (with(&|_| {}), json!({}), "/v1/x"),
        (with(&|_| {}), json!({ "q": null }), "/v1/x"),
        (with(&|_| {}), json!({ "q": "" }), "/v1/x?q="),
        (with(&|_| {}), json!({ "q": [] }), "/v1/x"),
        (with(&|p| p.allow_empty_value = true), json!({ "q": null }), "/v1/x?q="),
        (with(&|p| p.allow_empty_value = true), json!({ "q": [] }), "/v1/x?q="),
        (with(&|p| p.required = true), json!({ "q": null }), "/v1/x?q="),
        (with(&|p| p.fixed = "[1,2]"), json!({}), "/v1/x?q=1&q=2"),
        (with(&|p| p.argument = "query_q"), json!({ "query_q": 1 }), "/v1/x?q=1"),
        (with(&|p| p.name = "filter[a b]"), json!({ "filter[a b]": 1 }), "/v1/x?filter%5Ba%20b%5D=1"),
        (with(&|p| p.allow_reserved = true), json!({ "q": "a/b?c=d&e#f" }), "/v1/x?q=a/b?c=d%26e%23f"),
        (
            with(&|p| p.content = "application/json"),
            json!({ "q": { "a": "x y" } }),
            "/v1/x?q=%7B%22a%22%3A%22x%20y%22%7D",
        ),
        (with(&|p| p.content = "application/json"), json!({ "q": "x" }), "/v1/x?q=%22x%22"),
        (with(&|p| p.content = "application/json"), json!({ "q": null }), "/v1/x?q=null"),
        (with(&|p| p.content = "text/plain"), json!({ "q": "x" }), "/v1/x?q=x"),
        (with(&|_| {}), json!({ "q": "1&admin=true" }), "/v1/x?q=1%26admin%3Dtrue"),
        (with(&|_| {}), json!({ "q": "a+b %26" }), "/v1/x?q=a%2Bb%20%2526"),
        (
            with(&|p| (p.location, p.content) = (Location::QueryString, "application/x-www-form-urlencoded")),
            json!({ "q": { "a": 1, "b": "x&y" } }),
            "/v1/x?a=1&b=x%26y",
        ),
        (
            with(&|p| (p.location, p.content) = (Location::QueryString, "application/json")),
            json!({ "q": { "a": 1 } }),
            "/v1/x?%7B%22a%22%3A1%7D",
        ),
    ] {
        assert_eq!(target(&operation, arguments.clone()), expected, "{arguments}");
    }
}

#[test]
fn headers_are_text_and_spec_ignored_ones_are_ignored() {
    let header = |name| Parameter { name, ..Parameter::HEADER };
    let operation = operation(
        "/x",
        &[
            header("X-Count"),
            header("X-List"),
            Parameter { explode: true, ..header("X-Object") },
            header("X-Flag"),
            header("Accept"),
            header("Authorization"),
            Parameter { content: "application/json", ..header("X-Json") },
            header("X-Gone"),
        ],
    );
    let request = build(
        &operation,
        json!({
            "X-Count": 5, "X-List": ["a", "b c"], "X-Object": { "R": 1, "G": 2 }, "X-Flag": true, "Accept": "text/evil",
            "Authorization": "evil", "X-Json": { "é": 1 }, "X-Gone": null,
        }),
    )
    .expect("a request");
    let headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    assert_eq!(
        headers,
        ["x-count: 5", "x-list: a,b c", "x-object: R=1,G=2", "x-flag: true", r#"x-json: {"\u00e9":1}"#, "accept: */*"]
    );
}

#[test]
fn cookies_are_pairs() {
    let cookie = |name| Parameter { name, ..Parameter::COOKIE };
    let operation = operation(
        "/x",
        &[
            cookie("session"),
            Parameter { explode: false, ..cookie("list") },
            cookie("many"),
            Parameter { style: Style::Cookie, ..cookie("raw") },
        ],
    );
    let request = build(&operation, json!({ "session": "a b", "list": ["1", "2"], "many": [1, 2], "raw": "a/b=c" }))
        .expect("a request");
    assert_eq!(request.cookie_header().as_deref(), Some("session=a%20b; list=1,2; many=1; many=2; raw=a/b=c"));
}

#[test]
fn missing_and_unknown_arguments_are_named() {
    let pets = operation(
        "/pets/{id}",
        &[Parameter { name: "id", ..Parameter::PATH }, Parameter { name: "q", required: true, ..Parameter::QUERY }],
    );
    for (arguments, name) in
        [(json!({ "q": 1 }), "id"), (json!({ "id": 1 }), "q"), (json!({ "id": 1, "q": 1, "other": 1 }), "other")]
    {
        let error = build(&pets, arguments).expect_err("an error");
        assert_eq!(error.kind, crate::ErrorKind::InvalidParams);
        assert!(error.message.contains(&format!("`{name}`")), "{error}");
    }
}

/// Cases U1 and U2 of the attack table.
#[test]
fn u1_path_arguments_cannot_leave_their_segment() {
    let one = operation("/users/{id}/posts", &[Parameter { name: "id", ..Parameter::PATH }]);
    for attack in [
        "..",
        ".",
        "../admin",
        "..%2f",
        "%2e%2e",
        "%252e%252e",
        "..\\",
        ".\t.",
        ".\r\n.",
        "..;/",
        "",
        "%2e",
        "..%00",
        ". .",
        "a/../b",
    ] {
        let error = build(&one, json!({ "id": attack })).expect_err(attack);
        assert_eq!(error.kind, crate::ErrorKind::InvalidParams, "{attack:?}");
    }
    for (harmless, expected) in [
        ("//evil", "%2F%2Fevil"),
        ("?x=", "%3Fx%3D"),
        ("#f", "%23f"),
        ("\0", "%00"),
        ("\r\n", "%0D%0A"),
        ("https://evil.test/", "https%3A%2F%2Fevil.test%2F"),
        ("@evil.test", "%40evil.test"),
        ("...", "..."),
        ("ключ", "%D0%BA%D0%BB%D1%8E%D1%87"),
    ] {
        assert_eq!(target(&one, json!({ "id": harmless })), format!("/v1/users/{expected}/posts"));
    }
    assert!(build(&one, json!({ "id": "x".repeat(100_000) })).is_err());
}

#[test]
fn u2_adjacent_variables_cannot_compose_a_dot_segment() {
    let path = |name| Parameter { name, ..Parameter::PATH };
    let two = operation("/x/{a}{b}/y", &[path("a"), path("b")]);
    assert!(build(&two, json!({ "a": ".", "b": "." })).is_err());
    assert!(build(&two, json!({ "a": "", "b": "" })).is_err());
    let label = operation("/x/{a}", &[Parameter { style: Style::Label, ..path("a") }]);
    assert!(build(&label, json!({ "a": "." })).is_err());
    assert!(build(&label, json!({ "a": "" })).is_err());
    let json_suffix = operation("/x/.{a}", &[path("a")]);
    assert!(build(&json_suffix, json!({ "a": "." })).is_err());
}

#[test]
fn u3_allow_reserved_never_unescapes_what_ends_a_segment() {
    for style in [Style::Simple, Style::Label, Style::Matrix] {
        for explode in [false, true] {
            let parameter = Parameter { name: "p", style, explode, allow_reserved: true, ..Parameter::PATH };
            for value in [json!("a/b?c#d"), json!(["a/b", "?c"]), json!({ "a/b": "c#d" })] {
                let target = target(&operation("/x/{p}/y", &[Parameter { ..parameter }]), json!({ "p": value }));
                assert_eq!(target.matches('/').count(), 4, "{target}");
                assert!(!target.contains(['?', '#']), "{target}");
            }
        }
    }
}

#[test]
fn u4_query_arguments_cannot_become_other_arguments() {
    let attacks = ["1&admin=true", "a=b", "+", "%26admin%3D1", "#f", "a;b=c", "a]=x&b[", "\r\n", "ü&"];
    let pairs = |operation: &Operation, arguments: Value| {
        let url = build(operation, arguments).and_then(|request| request.url()).expect("a request");
        url.query_pairs().into_owned().collect::<Vec<_>>()
    };
    let form = operation("/x", &[Parameter { name: "q", ..Parameter::QUERY }]);
    let deep = operation("/x", &[Parameter { name: "q", style: Style::DeepObject, explode: true, ..Parameter::QUERY }]);
    for attack in attacks {
        assert_eq!(pairs(&form, json!({ "q": attack })), [("q".to_owned(), attack.to_owned())]);
        let member = (format!("q[{attack}]"), attack.to_owned());
        assert_eq!(pairs(&deep, json!({ "q": { attack: attack } })), [member]);
    }
}

#[test]
fn u5_headers_carry_no_line_breaks_and_do_not_frame_the_message() {
    let plain = operation("/x", &[Parameter { name: "X-A", ..Parameter::HEADER }]);
    for attack in ["a\r\nX-Evil: 1", "a\nb", "a\0", "a\u{7f}"] {
        assert!(build(&plain, json!({ "X-A": attack })).is_err(), "{attack:?}");
    }
    assert!(build(&plain, json!({ "X-A": "tab\tand é" })).is_ok());
    for name in
        ["Host", "content-length", "Transfer-Encoding", "Cookie", "Connection", "Mcp-Session-Id", "Proxy-Authorization"]
    {
        let operation = operation("/x", &[Parameter { name, ..Parameter::HEADER }]);
        assert!(build(&operation, json!({ name: "evil" })).is_err(), "{name}");
    }
    let illegal = operation("/x", &[Parameter { name: "X A:", ..Parameter::HEADER }]);
    assert!(build(&illegal, json!({ "X A:": "v" })).is_err());
}

#[test]
fn u6_cookies_cannot_carry_another_cookie() {
    let raw = operation("/x", &[Parameter { name: "c", style: Style::Cookie, ..Parameter::COOKIE }]);
    for attack in ["a; session=x", "a,b", "\"a\"", "a\\b", "a\r\nb", "é"] {
        assert!(build(&raw, json!({ "c": attack })).is_err(), "{attack:?}");
    }
    let form = operation("/x", &[Parameter { name: "c", ..Parameter::COOKIE }]);
    let request = build(&form, json!({ "c": "a; session=x" })).expect("a request");
    assert_eq!(request.cookie_header().as_deref(), Some("c=a%3B%20session%3Dx"));
}

#[test]
fn bodies_are_what_no_parameter_takes() {
    let body = |body: Body| Operation {
        method: Method::Post,
        body: Some(leak(body)),
        ..operation("/x", &[Parameter { name: "id", ..Parameter::QUERY }])
    };
    let whole = |media_type| body(Body { media_type, argument: "body", ..Body::JSON });
    for (operation, arguments, expected) in [
        (
            body(Body::JSON),
            json!({ "id": 1, "a": null, "b": { "c": null } }),
            Some(("application/json", r#"{"a":null,"b":{"c":null}}"#)),
        ),
        (body(Body::JSON), json!({}), Some(("application/json", "{}"))),
        (body(Body { required: false, ..Body::JSON }), json!({ "id": 1 }), None),
        (
            body(Body { fixed: &[("kind", "\"dog\"")], ..Body::JSON }),
            json!({ "a": 1 }),
            Some(("application/json", r#"{"a":1,"kind":"dog"}"#)),
        ),
        (whole("application/json"), json!({ "body": [1, 2] }), Some(("application/json", "[1,2]"))),
        (whole("application/json"), json!({ "body": null }), Some(("application/json", "null"))),
        (
            whole("application/merge-patch+json"),
            json!({ "body": { "a": null } }),
            Some(("application/merge-patch+json", r#"{"a":null}"#)),
        ),
        (whole("application/json-patch+json"), json!({ "body": [] }), Some(("application/json-patch+json", "[]"))),
        (
            whole("application/x-ndjson"),
            json!({ "body": [{ "a": 1 }, 2] }),
            Some(("application/x-ndjson", "{\"a\":1}\n2\n")),
        ),
        (whole("application/json-seq"), json!({ "body": [1] }), Some(("application/json-seq", "\u{1e}1\n"))),
        (whole("application/octet-stream"), json!({ "body": "aGk=" }), Some(("application/octet-stream", "hi"))),
        (
            whole("application/octet-stream"),
            json!({ "body": { "data": "aGk=", "contentType": "image/gif" } }),
            Some(("image/gif", "hi")),
        ),
        (
            whole("image/*"),
            json!({ "body": { "data": "aGk=", "contentType": "image/gif" } }),
            Some(("image/gif", "hi")),
        ),
        (whole("image/*"), json!({ "body": "aGk=" }), Some(("application/octet-stream", "hi"))),
        (whole("text/plain; charset=utf-8"), json!({ "body": "é\n" }), Some(("text/plain; charset=utf-8", "é\n"))),
        (whole("application/yaml"), json!({ "body": { "a": 1 } }), Some(("application/yaml", r#"{"a":1}"#))),
        (whole("*/*"), json!({ "body": { "a": 1 } }), Some(("application/json", r#"{"a":1}"#))),
        (whole("application/xml"), json!({ "body": "<a/>" }), Some(("application/xml", "<a/>"))),
        (
            whole("application/x-www-form-urlencoded"),
            json!({ "body": { "a": "1&b=2" } }),
            Some(("application/x-www-form-urlencoded", "a=1%26b%3D2")),
        ),
    ] {
        let request = build(&operation, arguments.clone()).expect("a request");
        let sent = request.body.as_ref().map(|body| {
            let media_type = request.headers[http::header::CONTENT_TYPE].to_str().expect("text");
            (media_type, std::str::from_utf8(body).expect("text"))
        });
        assert_eq!(sent, expected, "{arguments}");
    }
    for (operation, arguments) in [
        (whole("application/json"), json!({})),
        (whole("application/octet-stream"), json!({ "body": "no base64!" })),
        (whole("application/octet-stream"), json!({ "body": { "data": "aGk=", "contentType": "a/b\r\nX: 1" } })),
        (whole("application/x-www-form-urlencoded"), json!({ "body": [1] })),
        (whole("application/json"), json!({ "body": 1, "other": 2 })),
    ] {
        assert!(build(&operation, arguments.clone()).is_err(), "{arguments}");
    }
}

fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        "[./\\\\%2eE;?#@:&= \t\r\n]{0,8}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    any_scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_style() -> impl Strategy<Value = (Style, bool, bool)> {
    let style = prop::sample::select(vec![
        Style::Simple,
        Style::Label,
        Style::Matrix,
        Style::Form,
        Style::SpaceDelimited,
        Style::PipeDelimited,
        Style::TabDelimited,
        Style::DeepObject,
        Style::Cookie,
    ]);
    (style, any::<bool>(), any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// No argument changes origin, segment count, header set or body framing.
    #[test]
    fn no_argument_changes_the_shape_of_the_request(
        (style, explode, allow_reserved) in any_style(),
        path in any_value(),
        second in any_scalar(),
        query in any_value(),
        header in any_value(),
        cookie in any_value(),
        body in any_value(),
    ) {
        let parameter = |name, defaults: Parameter| Parameter { name, style, explode, allow_reserved, ..defaults };
        let operation = Operation {
            method: Method::Post,
            body: Some(leak(Body { argument: "body", ..Body::JSON })),
            ..operation("/a/{p}/b/{q}.json", &[
                parameter("p", Parameter::PATH),
                Parameter { name: "q", ..Parameter::PATH },
                parameter("s", Parameter::QUERY),
                parameter("X-H", Parameter::HEADER),
                parameter("c", Parameter::COOKIE),
            ])
        };
        let arguments = json!({ "p": path, "q": second, "s": query, "X-H": header, "c": cookie, "body": body });
        match build(&operation, arguments) {
            Err(error) => prop_assert_eq!(error.kind, crate::ErrorKind::InvalidParams),
            Ok(request) => {
                let url = request.url().expect("a checked URL");
                prop_assert_eq!(url.origin().ascii_serialization(), "https://api.test:8443");
                prop_assert_eq!(url.path_segments().expect("a path").count(), 5);
                prop_assert!(url.fragment().is_none() && url.username().is_empty());
                for name in request.headers.keys() {
                    prop_assert!(["x-h", "accept", "content-type"].contains(&name.as_str()));
                }
                if let Some(cookies) = request.cookie_header() {
                    prop_assert!(cookies.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{}", cookies);
                }
                let sent: Value = serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON");
                prop_assert_eq!(sent, body);
            }
        }
    }

    /// A receiver that splits the query as forms are split gets exactly the one pair back.
    #[test]
    fn a_query_value_arrives_as_it_was(name in "[^\u{0}]{1,8}", value in any::<String>()) {
        let name: &'static str = name.leak();
        let operation = operation("/x", &[Parameter { name, ..Parameter::QUERY }]);
        let url = build(&operation, json!({ name: value.clone() })).and_then(|request| request.url()).expect("a request");
        let pairs: Vec<_> = url.query_pairs().collect();
        prop_assert_eq!(pairs, [(name.into(), value.into())]);
    }
}
