//! Hostile documents: bounded time, bounded memory, no panic.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use mcpwright::{ReadOptions, Source};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Loaded, load_text, load_with};

const HEAD: &str = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n";

/// Loads within a time that no well-behaved loader needs, on any machine.
fn load_soon(text: &str) -> Loaded {
    let start = Instant::now();
    let loaded = load_text(text);
    assert!(start.elapsed() < Duration::from_secs(30), "took {:?}", start.elapsed());
    loaded
}

#[test]
fn billion_laughs_is_refused() {
    let mut text = format!("{HEAD}x-a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
    for level in 1..30 {
        let copies = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "x-a{level}: &a{level} [{copies}]").unwrap();
    }
    let error = load_soon(&text).outcome.unwrap_err().to_string();
    assert!(error.contains("alias"), "{error}");
}

#[test]
fn deep_nesting_is_refused_in_json_and_yaml() {
    let deep = 1_000;
    let json =
        format!(r#"{{"openapi":"3.1.0","info":{{}},"paths":{{}},"x-deep":{}1{}}}"#, "[".repeat(deep), "]".repeat(deep));
    let flow = format!("{HEAD}paths: {{}}\nx-deep: {}1{}\n", "[".repeat(deep), "]".repeat(deep));
    let block = format!("{HEAD}paths: {{}}\nx-deep:\n  {}1\n", "- ".repeat(deep));
    for text in [json, flow, block] {
        let error = load_soon(&text).outcome.unwrap_err().to_string();
        assert!(error.contains("nest"), "{error}");
    }
}

#[test]
fn a_document_over_the_limit_is_refused() {
    let source = Source::Text { name: "big".to_owned(), text: format!("{HEAD}# {}", "x".repeat(2_000_000)) };
    let options = ReadOptions { max_bytes: 1024 * 1024, ..ReadOptions::default() };
    let error = load_with(source, &options).outcome.unwrap_err().to_string();
    assert!(error.contains("larger than 1 MiB"), "{error}");
}

#[test]
fn ten_thousand_members_of_a_composition_are_read() {
    let members: Vec<String> =
        (0..10_000).map(|index| format!("{{properties: {{p{index}: {{type: string}}}}}}")).collect();
    let text = format!(
        "{HEAD}paths:\n  /a:\n    post:\n      operationId: a\n      requestBody:\n        content:\n          application/json:\n            schema: {{allOf: [{}]}}\n",
        members.join(", ")
    );
    assert_eq!(load_soon(&text).api().operations.len(), 1);
}

#[test]
fn references_that_double_at_each_step_stay_references() {
    let mut text = format!(
        "{HEAD}paths:\n  /a:\n    post:\n      operationId: a\n      requestBody: {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/S0'}}}}, application/xml: {{schema: {{$ref: '#/components/schemas/S0'}}}}}}}}\ncomponents:\n  schemas:\n"
    );
    for level in 0..60 {
        let next = level + 1;
        writeln!(text, "    S{level}: {{properties: {{a: {{$ref: '#/components/schemas/S{next}'}}, b: {{$ref: '#/components/schemas/S{next}'}}}}}}").unwrap();
    }
    text.push_str("    S60: {type: string}\n");
    let loaded = load_soon(&text);
    let body = loaded.api().operations[0].body.as_ref().unwrap();
    let size: usize =
        body.content.iter().filter_map(|content| content.xml.as_ref()).map(|xml| xml.to_string().len()).sum();
    assert!(size < 5_000_000, "{size} bytes");
}

#[test]
fn references_outside_of_schemas_that_double_at_each_step_are_bounded() {
    let mut text = format!("{HEAD}paths:\n");
    for index in 0..500 {
        writeln!(text, "  /a{index}: {{$ref: '#/components/pathItems/P'}}").unwrap();
    }
    text.push_str("components:\n  pathItems:\n    P:\n      parameters:\n");
    for index in 0..100 {
        writeln!(text, "        - {{name: q{index}, in: query, schema: {{type: string}}}}").unwrap();
    }
    text.push_str("      get: {responses: {'200': {description: ok}}}\n");
    assert_eq!(load_soon(&text).api().operations.len(), 500);
}

#[test]
fn cycles_of_every_kind_come_to_an_end() {
    let text = format!(
        "{HEAD}
paths:
  /a: {{$ref: '#/paths/~1b'}}
  /b: {{$ref: '#/paths/~1a'}}
  /c:
    parameters: [{{$ref: '#/paths/~1c/parameters/0'}}]
    get:
      requestBody: {{$ref: '#/components/requestBodies/R'}}
      responses:
        '200': {{$ref: '#/components/responses/X'}}
        '201': {{description: ok, content: {{application/json: {{schema: {{$ref: '#/components/schemas/Node'}}, examples: {{e: {{$ref: '#/components/examples/E'}}}}}}}}}}
components:
  requestBodies: {{R: {{$ref: '#/components/requestBodies/R'}}}}
  responses: {{X: {{$ref: '#/components/responses/Y'}}, Y: {{$ref: '#/components/responses/X'}}}}
  examples: {{E: {{$ref: '#/components/examples/E'}}}}
  schemas:
    Node: {{type: object, properties: {{next: {{$ref: '#/components/schemas/Node'}}, up: {{$ref: '#'}}}}, allOf: [{{$ref: '#/components/schemas/Node'}}]}}
    Bare: {{$ref: '#/components/schemas/Bare'}}
"
    );
    let loaded = load_soon(&text);
    assert!(loaded.api().operations.iter().any(|operation| operation.path == "/c"));
    assert!(loaded.findings().iter().any(|finding| finding.contains("reference-cycle")));
}

#[test]
fn names_of_any_characters_are_only_data() {
    let text = r##"{"openapi":"3.1.0","info":{"title":"\u0000\u001b[31m","version":""},"paths":{
        "/a{":{"get":{"responses":{}}}, "/{}":{"get":{"responses":{}}}, "/b}{c":{"get":{"responses":{}}},
        "/{a}{a}/{ }":{"get":{"operationId":"}}{{","responses":{}}},
        "":{"get":{"responses":{}}}, "/\u202e":{"get":{"tags":["",null,{"name":3}],"responses":{}}}},
        "components":{"schemas":{"":{"$ref":"#/components/schemas/"},"a/b~c d%25":{"$ref":"#/components/schemas/a~1b~0c%20d%2525"}}}}"##;
    assert_eq!(load_soon(text).api().operations.len(), 6);
}

/// Values of the shapes that documents are made of, many of them in the wrong place.
fn any_node() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let key = prop::sample::select(vec![
        "$ref",
        "type",
        "properties",
        "items",
        "allOf",
        "schema",
        "content",
        "application/json",
        "parameters",
        "name",
        "in",
        "required",
        "responses",
        "200",
        "default",
        "get",
        "post",
        "/a/{id}",
        "paths",
        "components",
        "schemas",
        "A",
        "security",
        "servers",
        "url",
        "variables",
        "enum",
        "description",
        "example",
        "examples",
        "encoding",
        "style",
        "explode",
        "requestBody",
        "headers",
        "links",
        "tags",
        "$defs",
        "$id",
        "$anchor",
        "discriminator",
        "mapping",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        prop::sample::select(vec![
            "#",
            "#/",
            "#/components/schemas/A",
            "#/paths/~1a~1{id}/get",
            "path",
            "query",
            "header",
            "body",
            "formData",
            "object",
            "array",
            "string",
            "A",
            "",
            "200",
            "form",
            "deepObject",
            "%",
            "#a",
            "file.yaml",
            "#/%ff",
        ])
        .prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_in_the_place_of_any_member_never_panics(
        version in prop::sample::select(vec![("openapi", "3.0.3"), ("openapi", "3.1.0"), ("openapi", "3.2.0"), ("swagger", "2.0")]),
        operation in any_node(), item in any_node(), schemas in any_node(), extra in any_node(),
    ) {
        let document = serde_json::json!({
            version.0: version.1,
            "info": extra.clone(),
            "paths": {"/a/{id}": {"get": operation.clone(), "parameters": item.clone(), "post": {"requestBody": item, "responses": extra.clone()}}, "/b": extra.clone()},
            "components": {"schemas": schemas.clone(), "parameters": extra.clone(), "securitySchemes": extra.clone()},
            "definitions": schemas,
            "parameters": extra.clone(),
            "servers": extra.clone(),
            "security": extra.clone(),
            "tags": extra.clone(),
        });
        let loaded = load_soon(&document.to_string());
        prop_assert!(loaded.outcome.is_ok());
        // Every finding has a place.
        loaded.findings();
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(openapi: 3\\.[0-2]\\.0\n)?[-a-z\"'{}\\[\\]:,&*#|>%@`!?\\\\ \n\t0-9.]{0,200}") {
        load_soon(&text).findings();
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("document");
        std::fs::write(&path, bytes).unwrap();
        super::load_file(&path).findings();
    }
}

#[test]
fn names_are_proposed_for_references_that_lead_nowhere_as_long_as_that_stays_cheap() {
    let schemas: Value = (0..1000).map(|number| (format!("Schema{number:04}"), json!({"type": "object"}))).collect();
    let reference = |number: usize| json!({"$ref": format!("#/components/schemas/Scheme{number:04}")});
    let answer = |number| json!({"description": "", "content": {"application/json": {"schema": reference(number)}}});
    let paths: Value =
        (0..100).map(|number| (format!("/{number}"), json!({"get": {"responses": {"200": answer(number)}}}))).collect();
    let document = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths, "components": {"schemas": schemas}});
    let findings = load_text(&document.to_string()).findings();
    let lost = findings.iter().filter(|finding| finding.contains("leads nowhere")).count();
    let helped = findings.iter().filter(|finding| finding.contains("did you mean `/components/schemas/Schema")).count();
    assert_eq!((lost, helped), (100, 20), "{findings:?}");
}
