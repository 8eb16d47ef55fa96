//! What each version writes differently arrives as one model.

use mcpwright::api::{Api, Method, Operation, ParameterLocation, SecuritySchemeKind, Style};
use serde_json::{Value, json};

use super::load_text;

fn load(text: &str) -> Api {
    load_text(text).outcome.unwrap_or_else(|error| panic!("{error}"))
}

fn operation(text: &str) -> Operation {
    load(text).operations.into_iter().next().expect("an operation")
}

fn swagger(operation: Value) -> Operation {
    let document = json!({
        "swagger": "2.0", "info": {"title": "T", "version": "1"},
        "consumes": ["application/json"], "produces": ["application/json"],
        "paths": {"/a/{id}": {"post": operation}},
    });
    self::operation(&document.to_string())
}

#[test]
fn collection_formats_become_styles() {
    for (location, format, style, explode) in [
        ("query", None, Style::Form, false),
        ("query", Some("csv"), Style::Form, false),
        ("query", Some("multi"), Style::Form, true),
        ("query", Some("ssv"), Style::SpaceDelimited, false),
        ("query", Some("pipes"), Style::PipeDelimited, false),
        ("query", Some("tsv"), Style::TabDelimited, false),
        ("header", Some("csv"), Style::Simple, false),
        ("header", Some("multi"), Style::Simple, false),
        ("path", None, Style::Simple, false),
    ] {
        let mut parameter =
            json!({"name": "id", "in": location, "required": true, "type": "array", "items": {"type": "integer"}});
        if let Some(format) = format {
            parameter["collectionFormat"] = json!(format);
        }
        let operation = swagger(json!({"parameters": [parameter], "responses": {}}));
        let parameter = operation
            .parameters
            .iter()
            .find(|parameter| parameter.schema.get("type") == Some(&json!("array")))
            .expect("the parameter");
        assert_eq!((parameter.style, parameter.explode), (style, explode), "{location} {format:?}");
        assert_eq!(parameter.schema["items"]["type"], "integer");
    }
}

#[test]
fn a_body_parameter_becomes_the_body() {
    let operation = swagger(json!({
        "consumes": ["application/json", "text/xml"],
        "parameters": [{"name": "pet", "in": "body", "required": true, "description": "The pet",
            "schema": {"type": "object", "properties": {"name": {"type": "string", "xml": {"attribute": true}}}}}],
        "responses": {"201": {"description": "made", "schema": {"type": "object"}}},
    }));
    let body = operation.body.expect("a body");
    assert!(body.required);
    assert_eq!(body.description, "The pet");
    let media_types: Vec<&str> = body.content.iter().map(|content| content.media_type.as_str()).collect();
    assert_eq!(media_types, ["application/json", "text/xml"]);
    assert_eq!(body.content[0].schema.as_ref().unwrap()["properties"]["name"]["type"], "string");
    assert_eq!(body.content[1].xml.as_ref().unwrap()["properties"]["name"]["xml"]["attribute"], true);
    assert_eq!(operation.responses[0].content[0].media_type, "application/json");
}

#[test]
fn form_fields_become_an_object() {
    let operation = swagger(json!({
        "consumes": ["application/x-www-form-urlencoded"],
        "parameters": [
            {"name": "name", "in": "formData", "type": "string", "required": true, "description": "Its name"},
            {"name": "tags", "in": "formData", "type": "array", "items": {"type": "string"}, "collectionFormat": "tsv"},
        ],
        "responses": {},
    }));
    let body = operation.body.expect("a body");
    assert!(body.required);
    let content = &body.content[0];
    assert_eq!(content.media_type, "application/x-www-form-urlencoded");
    let schema = content.schema.as_ref().unwrap();
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["properties"]["name"]["description"], "Its name");
    assert_eq!(content.encoding[0].style, Some((Style::TabDelimited, false, false)));
}

#[test]
fn a_file_field_makes_the_body_multipart() {
    let operation = swagger(json!({
        "parameters": [{"name": "photo", "in": "formData", "type": "file"}],
        "responses": {"200": {"description": "ok", "schema": {"type": "file"}}},
    }));
    let content = &operation.body.expect("a body").content[0];
    assert_eq!(content.media_type, "multipart/form-data");
    assert!(content.schema.as_ref().unwrap()["properties"].get("photo").is_some());
}

#[test]
fn path_level_parameters_of_2_0_are_inherited_and_overridden() {
    let document = json!({
        "swagger": "2.0", "info": {"title": "T", "version": "1"}, "host": "api.example.com", "schemes": ["https"],
        "parameters": {"Limit": {"name": "limit", "in": "query", "type": "integer"}},
        "paths": {"/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": true, "type": "integer"}, {"$ref": "#/parameters/Limit"}],
            "get": {"parameters": [{"name": "limit", "in": "query", "type": "string"}], "responses": {}},
            "put": {"responses": {}},
        }},
    });
    let api = load(&document.to_string());
    assert_eq!(api.servers[0].url, "https://api.example.com");
    let limit = |operation: &Operation| {
        let limits: Vec<_> =
            operation.parameters.iter().filter(|parameter| parameter.name == "limit").cloned().collect();
        assert_eq!(limits.len(), 1);
        limits.into_iter().next().unwrap()
    };
    assert_eq!(limit(&api.operations[0]).schema["type"], "string");
    assert_eq!(limit(&api.operations[1]).component.as_deref(), Some("Limit"));
    assert_eq!(api.operations[1].parameters[0].name, "id");
}

#[test]
fn security_of_2_0_has_the_flows_of_3_0() {
    let api = load(
        r##"{"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {},
            "securityDefinitions": {
                "basic": {"type": "basic"},
                "oauth": {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://a", "tokenUrl": "https://t", "scopes": {"read": "Read"}}
            }}"##,
    );
    assert_eq!(api.security_schemes[0].kind, SecuritySchemeKind::HttpBasic);
    let SecuritySchemeKind::OAuth2 { flows } = &api.security_schemes[1].kind else { panic!("not OAuth") };
    assert_eq!(flows[0].kind, mcpwright::api::FlowKind::AuthorizationCode);
    assert_eq!(flows[0].scopes, [("read".to_owned(), "Read".to_owned())]);
}

#[test]
fn operations_of_3_2_have_any_method() {
    let api = load(
        "openapi: 3.2.0
info: {title: T, version: '1'}
paths:
  /a:
    query:
      operationId: search
      parameters: [{name: q, in: querystring, content: {application/x-www-form-urlencoded: {schema: {type: object}}}}]
      responses: {'200': {summary: Found, content: {application/jsonl: {itemSchema: {type: object}}}}}
    additionalOperations:
      LINK: {operationId: link, responses: {'204': {description: ok}}}
",
    );
    assert_eq!(api.operations[0].method, Method::Query);
    assert_eq!(api.operations[0].parameters[0].location, ParameterLocation::QueryString);
    assert_eq!(api.operations[0].parameters[0].content.as_deref(), Some("application/x-www-form-urlencoded"));
    let response = &api.operations[0].responses[0];
    assert_eq!(response.description, "Found");
    assert!(response.content[0].sequential);
    assert_eq!(api.operations[1].method, Method::Other("LINK"));
}

#[test]
fn security_schemes_of_3_1_and_3_2_are_known() {
    let api = load(
        "openapi: 3.2.0
info: {title: T, version: '1'}
paths: {}
components:
  securitySchemes:
    tls: {type: mutualTLS}
    device: {type: oauth2, flows: {deviceAuthorization: {deviceAuthorizationUrl: https://d, tokenUrl: token, scopes: {}}}}
    oidc: {type: openIdConnect, openIdConnectUrl: https://o}
",
    );
    assert_eq!(api.security_schemes[0].kind, SecuritySchemeKind::MutualTls);
    let SecuritySchemeKind::OAuth2 { flows } = &api.security_schemes[1].kind else { panic!("not OAuth") };
    assert_eq!((flows[0].authorization_url.as_str(), flows[0].token_url.as_str()), ("https://d", "token"));
    assert!(matches!(&api.security_schemes[2].kind, SecuritySchemeKind::OpenIdConnect { url } if url == "https://o"));
}

#[test]
fn parameters_have_the_defaults_of_their_location() {
    let operation = operation(
        "openapi: 3.2.0
info: {title: T, version: '1'}
paths:
  /a/{p}:
    get:
      parameters:
        - {name: p, in: path, required: true, schema: {}}
        - {name: q, in: query, schema: {}}
        - {name: d, in: query, style: deepObject, schema: {}}
        - {name: s, in: query, style: spaceDelimited, schema: {}}
        - {name: h, in: header, schema: {}}
        - {name: c, in: cookie, schema: {}}
        - {name: k, in: cookie, style: cookie, schema: {}}
      responses: {}
",
    );
    let found: Vec<(&str, Style, bool)> = operation
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.style, parameter.explode))
        .collect();
    assert_eq!(
        found,
        [
            ("p", Style::Simple, false),
            ("q", Style::Form, true),
            // The specification's default for every style but form is false; deepObject has no other way than pairs.
            ("d", Style::DeepObject, true),
            ("s", Style::SpaceDelimited, false),
            ("h", Style::Simple, false),
            ("c", Style::Form, true),
            ("k", Style::Cookie, true),
        ]
    );
}

#[test]
fn partial_segments_and_repeated_variables_have_one_parameter_each() {
    let operation = operation(
        "openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a/{x}.{y}:{verb}/{x}:
    get: {parameters: [{name: verb, in: path, required: true, schema: {type: string}}], responses: {}}
",
    );
    let names: Vec<&str> = operation.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["x", "y", "verb"]);
}

#[test]
fn security_and_servers_are_inherited_and_can_be_emptied() {
    let api = load(
        "openapi: 3.0.3
info: {title: T, version: '1'}
servers: [{url: 'https://{region}.example.com', variables: {region: {default: eu, enum: [eu, us]}}}]
security: [{a: [], b: [read]}, {}]
paths:
  /one:
    get: {responses: {}}
    put: {security: [], servers: [{url: https://other.example.com}], responses: {}}
  /two:
    servers: [{url: /two}]
    get: {security: [{b: [write]}], responses: {}}
components:
  securitySchemes:
    a: {type: http, scheme: Bearer}
    b: {type: oauth2, flows: {}}
",
    );
    let [get, put, two] = api.operations.as_slice() else { panic!("three operations") };
    assert_eq!(get.security.len(), 2);
    assert_eq!(get.security[0].len(), 2);
    assert!(get.security[1].is_empty());
    assert!(get.servers.is_empty());
    assert_eq!(api.servers[0].variables[0].values, ["eu", "us"]);
    assert!(put.security.is_empty());
    assert_eq!(put.servers[0].url, "https://other.example.com");
    assert_eq!(two.servers[0].url, "/two");
    assert_eq!(two.security[0][0].scopes, ["write"]);
}

#[test]
fn header_parameters_that_follow_from_elsewhere_are_ignored() {
    let operation = operation(
        "openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a:
    get:
      parameters:
        - {name: accept, in: header, schema: {type: string}}
        - {name: Authorization, in: header, schema: {type: string}}
        - {name: Content-Type, in: header, schema: {type: string}}
        - {name: X-Trace, in: header, schema: {type: string}}
      responses: {}
",
    );
    assert_eq!(operation.parameters.len(), 1);
}

#[test]
fn encodings_and_examples_of_bodies_are_kept() {
    let operation = operation(
        "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, properties: {meta: {type: object}, tags: {type: array}}}
            examples: {one: {value: {tags: [x]}}}
            encoding:
              meta: {contentType: application/json, headers: {X-Part: {schema: {const: meta}}}}
              tags: {style: pipeDelimited}
      responses: {}
",
    );
    let content = &operation.body.unwrap().content[0];
    assert_eq!(content.example, Some(json!({"tags": ["x"]})));
    assert_eq!(content.encoding[0].content_type, "application/json");
    assert_eq!(content.encoding[0].headers, [("X-Part".to_owned(), "meta".to_owned())]);
    assert_eq!(content.encoding[0].style, None);
    assert_eq!(content.encoding[1].style, Some((Style::PipeDelimited, false, false)));
}

#[test]
fn responses_keep_the_order_of_the_document_with_the_default_last() {
    let operation = operation(
        "openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a:
    get: {responses: {default: {description: d}, '404': {description: n}, 2xx: {description: s}, 200: {description: o}}}
",
    );
    let statuses: Vec<&str> = operation.responses.iter().map(|response| response.status.as_str()).collect();
    assert_eq!(statuses, ["404", "2XX", "200", "default"]);
}

#[test]
fn a_document_of_3_2_may_say_its_own_uri() {
    let api = load(
        "openapi: 3.2.0
$self: https://example.com/api/openapi.yaml
info: {title: T, version: '1'}
paths:
  /a:
    get:
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: 'https://example.com/api/openapi.yaml#/components/schemas/Pet'}}}}
        '404': {$ref: 'openapi.yaml#/components/responses/Missing'}
components:
  schemas: {Pet: {type: object}}
  responses: {Missing: {description: gone}}
",
    );
    let responses = &api.operations[0].responses;
    assert_eq!(responses[0].content[0].schema.as_deref(), Some(&json!({"$ref": "#/$defs/Pet"})));
    assert_eq!(responses[1].description, "gone");
}

#[test]
fn an_operation_has_the_tags_above_its_own() {
    let api = load(
        "openapi: 3.2.0
info: {title: T, version: '1'}
tags:
  - {name: animals, summary: All of them}
  - {name: cats, parent: animals}
  - {name: left, parent: right}
  - {name: right, parent: left}
paths:
  /a:
    get: {tags: [cats], responses: {}}
    put: {tags: [left], responses: {}}
    post: {tags: [animals, cats], responses: {}}
",
    );
    let tags: Vec<Vec<&str>> =
        api.operations.iter().map(|operation| operation.tags.iter().map(String::as_str).collect()).collect();
    assert_eq!(tags, [vec!["cats", "animals"], vec!["left", "right"], vec!["animals", "cats"]]);
    assert_eq!(api.tags[0].description, "All of them");
}

#[test]
fn a_file_of_2_0_is_no_json() {
    let api = load(
        "swagger: '2.0'
info: {title: T, version: '1'}
produces: [application/json]
paths:
  /a: {get: {responses: {'200': {description: ok, schema: {type: file}}}}}
  /b: {get: {produces: [application/pdf], responses: {'200': {description: ok, schema: {type: file}}}}}
",
    );
    let media_type = |index: usize| api.operations[index].responses[0].content[0].media_type.as_str();
    assert_eq!((media_type(0), media_type(1)), ("application/octet-stream", "application/pdf"));
}
