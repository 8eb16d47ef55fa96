//! Arguments, bodies, outputs and URIs.

use super::*;

fn body(content: &str, rest: &str) -> Planned {
    let indented: String = content.lines().map(|line| format!("        {line}\n")).collect();
    plan(
        &format!(
            "/a/{{id}}:\n  put:\n    operationId: a\n    parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]\n    requestBody:\n      {rest}\n      content:\n{indented}"
        ),
        "",
    )
}

#[test]
fn an_object_lies_flat_when_nothing_is_lost_and_under_body_otherwise() {
    for (schema, rest, argument) in [
        ("{type: object, properties: {name: {type: string}}, required: [name]}", "required: true", ""),
        ("{type: object, properties: {name: {type: string}}}", "required: false", ""),
        ("{type: object, properties: {name: {type: string}}, required: [name]}", "required: false", "body"),
        ("{type: object, properties: {id: {type: string}}}", "required: true", "body"),
        ("{type: object, properties: {'a b': {type: string}}}", "required: true", "body"),
        ("{type: object, properties: {a: {}}, additionalProperties: true}", "required: true", "body"),
        ("{type: object, additionalProperties: {type: string}}", "required: true", "body"),
        ("{type: object}", "required: true", "body"),
        ("{type: array, items: {type: string}}", "required: true", "body"),
        ("{type: string}", "required: true", "body"),
        ("true", "required: true", "body"),
    ] {
        let planned = body(&format!("application/json: {{schema: {schema}}}"), rest);
        assert_eq!(planned.component("a").body.as_ref().unwrap().argument, argument, "{schema} {rest}");
    }
    let planned = body(
        "application/json: {schema: {type: object, properties: {}, additionalProperties: false}}",
        "required: false",
    );
    assert!(planned.component("a").body.is_none(), "nothing could be sent");
}

#[test]
fn a_parameter_named_body_moves_the_body() {
    let planned = plan(
        "/a: {post: {operationId: a, parameters: [{name: body, in: query, schema: {}}], requestBody: {content: {application/json: {schema: {type: array}}}}}}",
        "",
    );
    assert_eq!(planned.component("a").body.as_ref().unwrap().argument, "request_body");
}

#[test]
fn the_media_type_is_chosen_by_kind_then_by_order() {
    for (types, chosen) in [
        (&["application/xml", "application/json"][..], "application/json"),
        (&["application/json-patch+json", "application/merge-patch+json"], "application/merge-patch+json"),
        (&["application/x-www-form-urlencoded", "application/vnd.api+json"], "application/vnd.api+json"),
        (&["multipart/form-data", "application/x-www-form-urlencoded"], "application/x-www-form-urlencoded"),
        (&["text/plain", "multipart/form-data"], "multipart/form-data"),
        (&["application/xml", "text/csv"], "text/csv"),
        (&["application/octet-stream", "application/xml"], "application/xml"),
        (&["application/pdf", "application/octet-stream"], "application/pdf"),
        (&["application/xml", "*/*"], "application/json"),
    ] {
        let content: String = types
            .iter()
            .map(|one| format!("'{one}': {{schema: {{type: object, properties: {{a: {{}}}}}}}}\n"))
            .collect();
        let planned = body(&content, "required: true");
        assert_eq!(planned.component("a").body.as_ref().unwrap().media_type, chosen, "{types:?}");
    }
    let paths = "/a: {post: {operationId: a, requestBody: {content: {application/json: {}, application/xml: {schema: {type: object, properties: {a: {}}}}}}}}";
    let planned = plan(paths, "[operations.a]\nmedia_type = \"Application/XML\"");
    let chosen = planned.component("a").body.as_ref().unwrap();
    assert_eq!(chosen.media_type, "application/xml");
    assert!(chosen.xml.is_some());
    let planned = plan(paths, "[operations.a]\nmedia_type = \"text/plain\"");
    assert_eq!(planned.findings(Severity::Warning), [("media-type-unmatched", "POST /a takes no `text/plain`")]);
}

#[test]
fn files_are_objects() {
    let planned = body(
        "multipart/form-data:\n  schema:\n    type: object\n    properties:\n      caption: {type: string}\n      photo: {type: string, format: binary, description: The photo}\n      pages: {type: array, maxItems: 3, items: {type: string, format: binary}}\n      logo: {type: string}\n      meta: {type: object, properties: {a: {type: string}}}\n      encoded: {type: string, contentEncoding: base64}\n  encoding: {logo: {contentType: 'image/png, image/jpeg'}, meta: {contentType: application/json}}",
        "required: true",
    );
    let body_of = planned.component("a").body.as_ref().unwrap();
    let files: Vec<_> = body_of
        .encoding
        .iter()
        .filter(|one| one.file)
        .map(|one| (one.name.as_str(), one.content_type.as_str()))
        .collect();
    assert_eq!(files, [("logo", "image/png, image/jpeg"), ("photo", ""), ("pages", "")]);
    let properties = &body_of.schema["properties"];
    assert_eq!(properties["photo"], body::file_schema(Some("The photo"), true));
    assert_eq!(properties["pages"]["items"], body::file_schema(None, true));
    assert_eq!(properties["pages"]["maxItems"], 3);
    assert_eq!(properties["caption"], json!({"type": "string"}));
    assert_eq!(properties["encoded"]["type"], "string");
    assert_eq!(properties["meta"]["type"], "object");

    for media_type in ["application/octet-stream", "image/*", "application/pdf", "application/cbor"] {
        let planned = body(&format!("'{media_type}': {{schema: {{type: string, format: binary}}}}"), "required: true");
        let body_of = planned.component("a").body.as_ref().unwrap();
        assert_eq!((body_of.argument.as_str(), body_of.media_type.as_str()), ("body", media_type));
        assert_eq!(body_of.schema, body::file_schema(None, false));
    }
    for (content, schema) in [
        ("application/x-ndjson: {schema: {type: object}}", json!({"type": "array", "items": {"type": "object"}})),
        ("application/x-ndjson: {schema: {type: string}}", json!({"type": "array", "items": true})),
        (
            "application/jsonl: {schema: {type: array, items: {type: object}}}",
            json!({"type": "array", "items": {"type": "object"}}),
        ),
        ("application/yaml: {schema: {type: object}}", json!({"type": "object"})),
        ("application/yaml: {}", json!({"type": "string"})),
        ("image/svg+xml: {}", json!({"type": "string"})),
    ] {
        let planned = body(content, "required: true");
        assert_eq!(planned.component("a").body.as_ref().unwrap().schema, schema, "{content}");
    }
    let planned = body("text/csv: {schema: {type: string, maxLength: 9}}", "description: Rows");
    assert_eq!(
        planned.component("a").body.as_ref().unwrap().schema,
        json!({"type": "string", "maxLength": 9, "description": "Rows"})
    );
}

#[test]
fn hidden_and_fixed_arguments_are_not_shown() {
    let paths = "
/a:
  post:
    operationId: a
    parameters:
    - {name: debug, in: query, schema: {type: boolean}}
    - {name: version, in: query, required: true, schema: {type: integer, default: 2}}
    - {name: tenant, in: header, required: true, schema: {type: string}}
    - {name: secret, in: header, required: true, schema: {type: string}}
    requestBody:
      required: true
      content:
        application/json:
          schema:
            type: object
            properties: {name: {type: string}, kind: {type: string}, source: {type: string}, trace: {type: string}}
            required: [name, kind, source]
";
    let planned = plan(
        paths,
        r#"
[operations.a]
hidden = ["debug", "version", "secret", "trace"]
fixed = { tenant = "acme", kind = "cat", source = null_replacement, sauce = 1 }
"#
        .replace("null_replacement", "[1, 2]")
        .as_str(),
    );
    let parameters: Vec<_> =
        planned.parameters("a").into_iter().map(|one| (one.name.as_str(), one.fixed.clone())).collect();
    assert_eq!(parameters, [("version", Some(json!(2))), ("tenant", Some(json!("acme"))), ("secret", None)]);
    let body = planned.component("a").body.as_ref().unwrap();
    assert_eq!(body.fixed, [("kind".to_owned(), json!("cat")), ("source".to_owned(), json!([1, 2]))]);
    assert_eq!(body.schema["properties"], json!({"name": {"type": "string"}}));
    assert_eq!(body.schema["required"], json!(["name"]));
    let codes: Vec<_> = planned.findings(Severity::Warning).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["hidden-required", "argument-unmatched"]);
}

#[test]
fn outputs_are_offered_when_every_success_has_them() {
    for (responses, expected) in [
        ("'200': {content: {application/json: {schema: {type: object, properties: {a: {}}}}}}", Some(false)),
        ("'200': {content: {application/json: {schema: {type: array, items: {type: string}}}}}", Some(true)),
        ("'200': {content: {application/json: {schema: {type: [object, 'null'], properties: {a: {}}}}}}", Some(true)),
        (
            "'200': {content: {application/json: {schema: {oneOf: [{type: object, required: [a]}, {type: object, required: [b]}]}}}}",
            Some(false),
        ),
        ("'200': {content: {application/json: {schema: {type: array}}}}, '204': {description: x}", None),
        (
            "'200': {content: {application/json: {schema: {type: array}}}}, '201': {content: {application/json: {schema: {type: string}}}}",
            None,
        ),
        (
            "'200': {content: {application/json: {schema: {type: array, items: {}}}}}, '201': {content: {application/json: {schema: {type: array, items: {}}}}}",
            Some(true),
        ),
        (
            "'200': {content: {application/json: {schema: {type: array, items: {}}}}}, default: {description: error}",
            Some(true),
        ),
        ("'200': {content: {text/plain: {schema: {type: string}}}}", None),
        ("'200': {content: {application/json: {schema: {}}}}", None),
        ("'200': {description: nothing}", None),
    ] {
        let planned = plan(&format!("/a: {{get: {{operationId: a, responses: {{{responses}}}}}}}"), "");
        assert_eq!(planned.component("a").output.as_ref().map(|output| output.wrapped), expected, "{responses}");
    }
    let paths = "/a: {get: {operationId: a, responses: {'200': {content: {application/json: {schema: {type: array, items: {}}}}}}}}";
    assert!(plan(paths, "output_budget = 0").component("a").output.is_none());
}

#[test]
fn accept_prefers_json_and_examples_are_kept() {
    for (content, accept, media_type, example) in [
        ("application/json: {example: {a: 1}}", "application/json", "application/json", "{\"a\":1}"),
        (
            "text/csv: {example: 'a,b'}, application/json: {}",
            "application/json, text/csv;q=0.5",
            "application/json",
            "",
        ),
        ("text/csv: {example: 'a,b'}, application/pdf: {}", "text/csv, application/pdf", "text/csv", "a,b"),
        ("'*/*': {}", "", "", ""),
        ("'application/json; charset=utf-8': {}", "application/json", "application/json", ""),
        ("\"a/b\\r\\nX: y\": {}", "", "", ""),
    ] {
        let planned =
            plan(&format!("/a: {{get: {{operationId: a, responses: {{'200': {{content: {{{content}}}}}}}}}}}"), "");
        let component = planned.component("a");
        let found = (component.accept.as_str(), component.media_type.as_str(), component.example.as_str());
        assert_eq!(found, (accept, media_type, example), "{content}");
    }
}

#[test]
fn uris_carry_paths_and_queries() {
    let id = "{name: id, in: path, required: true, schema: {type: string}}";
    for (path, parameters, uri, plain) in [
        ("/pets", "", "api://pets/pets", ""),
        ("/", "", "api://pets/", ""),
        ("/pets/{id}", id, "api://pets/pets/{id}", ""),
        ("/pets/{id}.json", id, "api://pets/pets/{id}.json", ""),
        ("/pets/{id}:archive", id, "api://pets/pets/{id}:archive", ""),
        ("/pets/", "{name: q, in: query, schema: {type: string}}", "api://pets/pets/{?q}", "api://pets/pets/"),
        (
            "/p",
            "{name: 'filter[a-b]', in: query, schema: {type: array}}, {name: q, in: query, schema: {anyOf: [{type: string}, {type: array}]}}",
            "api://pets/p{?filter_a_b*,q*}",
            "api://pets/p",
        ),
        ("/p", "{name: o, in: query, style: deepObject, schema: {type: object}}", "api://pets/p{?o}", "api://pets/p"),
        (
            "/p",
            "{name: c, in: query, content: {application/json: {schema: {type: array}}}}",
            "api://pets/p{?c}",
            "api://pets/p",
        ),
        ("/p?beta=true", "", "api://pets/p?beta=true", ""),
        ("/p?beta=true", "{name: q, in: query, schema: {}}", "api://pets/p?beta=true{&q}", "api://pets/p?beta=true"),
        ("/#Action=Do it", "", "api://pets/%23Action=Do%20it", ""),
        ("/a%2Fb/ü|<>", "", "api://pets/a%2Fb/%C3%BC%7C%3C%3E", ""),
    ] {
        let planned =
            plan(&format!("'{path}': {{get: {{operationId: a, parameters: [{parameters}]}}}}"), "name = \"Pets\"");
        let component = planned.component("a");
        assert_eq!((component.uri.as_str(), component.plain_uri.as_str()), (uri, plain), "{path}");
    }
    let planned = plan(
        &format!("/a/{{id}}: {{get: {{operationId: a, parameters: [{id}]}}}}"),
        "[operations.a]\nfixed = { id = \"x/y\" }",
    );
    assert_eq!(planned.component("a").uri, "api://pets/a/x%2Fy");
}

#[test]
fn templates_that_cannot_be_told_apart_are_reported() {
    let parameter =
        |name| format!("parameters: [{{name: {name}, in: path, required: true, schema: {{type: string}}}}]");
    let paths = format!(
        "'/a/{{x}}': {{get: {{operationId: a, {}}}}}\n'/a/{{y}}': {{get: {{operationId: b, {}}}}}\n'/a/{{y}}/c': {{get: {{operationId: c, {}}}}}",
        parameter("x"),
        parameter("y"),
        parameter("y")
    );
    let planned = plan(&paths, "");
    assert_eq!(planned.findings(Severity::Warning), [("same-uri", "GET /a/{x} and GET /a/{y} have the same URIs")]);
}

#[test]
fn component_parameters_are_shared_where_they_are_used_as_they_are() {
    let text = "
openapi: 3.1.0
info: {title: Pets, version: '1'}
paths:
  /a: {get: {operationId: a, parameters: [{$ref: '#/components/parameters/page-size'}]}}
  /b: {get: {operationId: b, parameters: [{$ref: '#/components/parameters/page-size'}, {name: limit, in: header, schema: {}}]}}
  /c: {get: {operationId: c, parameters: [{$ref: '#/components/parameters/page-size'}]}}
components:
  parameters:
    page-size: {name: limit, in: query, schema: {type: integer}}
    unused: {name: unused, in: query, schema: {type: integer}}
";
    let planned = plan_document(text, "[operations.c]\nfixed = { limit = 5 }");
    assert_eq!(planned.plan.shared_parameters.keys().collect::<Vec<_>>(), ["PAGE_SIZE"]);
    let shared = |name| {
        planned.component(name).parameters.iter().map(|one| matches!(one, ParameterUse::Shared(_))).collect::<Vec<_>>()
    };
    assert_eq!((shared("a"), shared("b"), shared("c")), (vec![true], vec![true, false], vec![false]));
}

#[test]
fn only_what_is_used_is_kept() {
    let text = "
openapi: 3.1.0
info: {title: 'Swagger Petstore', version: '1', description: '<p>Pets.</p>'}
security: [{key: []}]
paths:
  /a: {post: {operationId: a, requestBody: {required: true, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    other: {type: http, scheme: basic}
  schemas:
    Pet: {type: object, properties: {owner: {$ref: '#/components/schemas/Owner'}}}
    Owner: {type: object}
    Unused: {type: object}
";
    let planned = plan_document(text, "");
    let plan = &planned.plan;
    assert_eq!((plan.name.as_str(), plan.description.as_str()), ("petstore", "Pets."));
    assert_eq!(plan.security_schemes.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["key"]);
    assert_eq!(plan.definitions.keys().collect::<Vec<_>>(), ["Owner", "Pet"]);
    assert_eq!(planned.component("a").definitions, ["Owner", "Pet"]);
}

#[test]
fn the_report_is_the_contract() {
    let planned = plan(
        "/pets: {get: {operationId: listPets, tags: [pets], parameters: [{name: limit, in: query, schema: {type: integer}}]}, post: {operationId: createPet, responses: {'200': {content: {application/json: {schema: {type: array, items: {type: string}}}}}}}, trace: {}}",
        "[[route]]\npath = \"^/x\"",
    );
    insta::assert_json_snapshot!(report(&planned));
}

#[test]
fn headers_that_the_server_sets_itself_are_no_arguments() {
    let planned = plan(
        "/a: {get: {operationId: a, parameters: [{name: Host, in: header, required: true, schema: {type: string}}, {name: Mcp-Session-Id, in: header, schema: {}}, {name: X-Tenant, in: header, schema: {}}, {name: te, in: query, schema: {}}]}}",
        "",
    );
    let names: Vec<&str> = planned.parameters("a").iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["X-Tenant", "te"]);
    let findings = planned.findings(Severity::Note);
    assert!(findings.iter().all(|(code, _)| *code == "reserved-header"), "{findings:?}");
    assert_eq!(findings.len(), 2);
}

#[test]
fn a_multipart_body_that_is_no_object_is_reported_and_takes_any_parts() {
    let planned = plan(
        "/a: {post: {operationId: a, requestBody: {required: true, content: {multipart/form-data: {schema: {type: string, format: binary}}}}}}",
        "",
    );
    let body = planned.component("a").body.as_ref().unwrap();
    assert_eq!((body.argument.as_str(), &body.schema["type"]), ("body", &json!("object")));
    let findings = planned.findings(Severity::Warning);
    assert!(matches!(findings[..], [("multipart-not-object", _)]), "{findings:?}");
}
