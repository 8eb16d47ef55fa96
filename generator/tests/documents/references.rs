//! References wherever documents have them, within one file and across files.

use std::path::Path;

use mcpwright::{ReadOptions, Source, api::Api};
use serde_json::{Value, json};

use super::{Loaded, load_file, load_text, load_with};

/// Writes files, the first one being the root, and loads them.
fn load_files(files: &[(&str, &str)]) -> Loaded {
    load_files_with(files, &ReadOptions::default())
}

fn load_files_with(files: &[(&str, &str)], options: &ReadOptions) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    load_with(Source::Path(folder.path().join(files[0].0)), options)
}

fn response_schema(api: &Api, operation: usize) -> &Value {
    api.operations[operation].responses[0].content[0].schema.as_ref().expect("a schema")
}

/// What a schema means once its references are followed for one step.
fn behind<'a>(api: &'a Api, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let name = reference.strip_prefix("#/$defs/").expect("a definition");
            &api.definitions.get(name).unwrap_or_else(|| panic!("no definition `{name}`")).schema
        }
        None => schema,
    }
}

#[test]
fn everything_outside_of_schemas_may_be_a_reference() {
    let loaded = load_text(
        "openapi: 3.1.0
info: {title: T, version: '1'}
tags: [{name: t, description: {$ref: '#/x-texts/tag'}}]
paths:
  /a: {$ref: '#/components/pathItems/A', summary: own}
components:
  pathItems:
    A:
      parameters: [{$ref: '#/components/parameters/P'}]
      post: {$ref: '#/x-operations/post'}
  parameters:
    P: {$ref: '#/components/parameters/Q'}
    Q: {name: q, in: query, description: {$ref: '#/x-texts/parameter'}, schema: {type: integer}, example: {$ref: '#/components/examples/Three'}}
  examples: {Three: {value: 3}}
  requestBodies: {B: {required: true, content: {$ref: '#/x-content'}}}
  responses: {R: {description: {$ref: '#/x-texts/response'}, headers: {$ref: '#/x-headers'}, content: {$ref: '#/x-content'}, links: {next: {$ref: '#/components/links/L'}}}}
  headers: {H: {schema: {type: string}}}
  links: {L: {operationId: next}}
x-content: {application/json: {$ref: '#/x-media'}}
x-media: {schema: {type: object, properties: {$ref: '#/x-properties'}}}
x-properties: {id: {type: string, description: {$ref: '#/x-texts/parameter'}}}
x-headers: {X-Id: {$ref: '#/components/headers/H'}}
x-operations: {post: {operationId: postA, description: {$ref: '#/x-texts/operation'}, requestBody: {$ref: '#/components/requestBodies/B'}, responses: {'200': {$ref: '#/components/responses/R'}}}}
x-texts: {tag: Tag, parameter: Parameter, response: Response, operation: Operation}
",
    );
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    assert_eq!(api.tags[0].description, "Tag");
    let operation = &api.operations[0];
    assert_eq!(
        (operation.id.as_deref(), operation.summary.as_str(), operation.description.as_str()),
        (Some("postA"), "own", "Operation")
    );
    let parameter = &operation.parameters[0];
    assert_eq!(
        (parameter.name.as_str(), parameter.component.as_deref(), parameter.description.as_str()),
        ("q", Some("P"), "Parameter")
    );
    assert_eq!(parameter.schema["examples"], json!([3]));
    let response = &operation.responses[0];
    assert_eq!((response.description.as_str(), response.headers.as_slice()), ("Response", &["X-Id".to_owned()][..]));
    assert_eq!(response.links["next"]["operationId"], "next");
    assert_eq!(response_schema(api, 0)["properties"]["id"]["type"], "string");
    assert_eq!(response_schema(api, 0)["properties"]["id"]["description"], "Parameter");
    assert!(operation.body.as_ref().is_some_and(|body| body.required));
}

#[test]
fn references_are_relative_to_the_file_that_has_them() {
    let loaded = load_files(&[
        (
            "api/openapi.yaml",
            "openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /pets: {$ref: './paths/pets.yaml'}
  /cats: {$ref: 'paths/all.json#/~1cats'}
components: {schemas: {Pet: {$ref: 'schemas/Pet.yaml'}, Error: {type: object, properties: {root: {type: string}}}}}
",
        ),
        (
            "api/paths/pets.yaml",
            "get:
  parameters: [{$ref: '../parameters.yaml#/limit'}]
  responses:
    '200': {description: ok, content: {application/json: {schema: {$ref: '../schemas/Pet.yaml'}}}}
    '400': {description: bad, content: {application/json: {schema: {$ref: '../openapi.yaml#/components/schemas/Error'}}}}
    '500': {description: worse, content: {application/json: {schema: {$ref: '../schemas/Error.yaml'}}}}
",
        ),
        ("api/paths/all.json", r#"{"/cats": {"get": {"responses": {"200": {"$ref": "../responses.yaml#/Cats%20all"}}}}}"#),
        ("api/parameters.yaml", "limit: {name: limit, in: query, schema: {$ref: 'schemas/Limit.yaml'}}"),
        ("api/responses.yaml", "Cats all: {description: ok, content: {application/json: {schema: {type: array, items: {$ref: 'schemas/Pet.yaml'}}}}}"),
        ("api/schemas/Pet.yaml", "type: object\nproperties:\n  self: {$ref: '#'}\n  owner: {$ref: 'Owner.yaml#/definitions/Owner'}\n"),
        ("api/schemas/Owner.yaml", "definitions: {Owner: {type: object, properties: {name: {$ref: '#/definitions/Name'}}}, Name: {type: string}}"),
        ("api/schemas/Limit.yaml", "type: integer"),
        ("api/schemas/Error.yaml", "type: object\nproperties: {other: {type: string}}"),
    ]);
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    assert_eq!(api.operations.len(), 2);
    let pet = behind(api, behind(api, response_schema(api, 0)));
    assert_eq!(pet["type"], "object");
    let owner = behind(api, &pet["properties"]["owner"]);
    assert_eq!(behind(api, &owner["properties"]["name"])["type"], "string");
    let own = behind(api, behind(api, &pet["properties"]["self"]));
    assert_eq!(own, pet);
    let errors: Vec<&Value> = [1, 2]
        .iter()
        .map(|index| behind(api, api.operations[0].responses[*index].content[0].schema.as_ref().unwrap()))
        .collect();
    assert!(errors[0]["properties"].get("root").is_some());
    assert!(errors[1]["properties"].get("other").is_some());
    assert_eq!(behind(api, &api.operations[0].parameters[0].schema)["type"], "integer");
}

#[test]
fn a_file_and_a_component_that_is_only_a_reference_to_it_are_one_definition() {
    let loaded = load_files(&[
        (
            "openapi.yaml",
            "openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: Pet.yaml}}}}}}}
components: {schemas: {Pet: {$ref: Pet.yaml}}}
",
        ),
        ("Pet.yaml", "type: object\nproperties: {next: {$ref: Pet.yaml}}\n"),
    ]);
    let names: Vec<&str> = loaded.api().definitions.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Pet"]);
}

#[test]
fn files_outside_of_the_folder_are_read_only_when_allowed() {
    let files = [
        (
            "api/openapi.yaml",
            "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {$ref: '../shared/a.yaml'}, /b: {get: {responses: {}}}}\n",
        ),
        ("shared/a.yaml", "get: {operationId: outside, responses: {}}"),
    ];
    let confined = load_files(&files);
    assert_eq!(confined.api().operations.len(), 1);
    assert!(confined.findings()[0].contains("unresolved-reference"), "{:?}", confined.findings());
    let allowed = load_files_with(&files, &ReadOptions { allow_outside: true, ..ReadOptions::default() });
    assert_eq!(allowed.api().operations.len(), 2);
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let api = folder.path().join("api");
    std::fs::create_dir(&api).unwrap();
    std::fs::write(folder.path().join("secret.yaml"), "get: {operationId: secret, responses: {}}").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.yaml"), api.join("a.yaml")).unwrap();
    let root = api.join("openapi.yaml");
    std::fs::write(&root, "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {$ref: a.yaml}}").unwrap();
    assert!(load_file(&root).api().operations.is_empty());
}

#[test]
fn text_without_a_folder_refers_to_no_file() {
    let loaded = load_text("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {/a: {$ref: /etc/hostname}}");
    assert!(loaded.api().operations.is_empty());
    assert!(loaded.findings()[0].contains("unresolved-reference"));
}

#[test]
fn u10_references_lead_neither_into_the_network_nor_to_files_of_the_machine() {
    for target in [
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/a.yaml",
        "file:///etc/passwd",
        "../../etc/passwd",
    ] {
        let root = format!(
            "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths: {{/a: {{$ref: '{target}'}}, /b: {{get: {{responses: {{}}}}}}}}\n"
        );
        let loaded = load_files(&[("api/openapi.yaml", &root)]);
        assert_eq!(loaded.api().operations.len(), 1, "{target}: the other path is there");
        assert!(loaded.findings().iter().any(|finding| finding.contains("unresolved-reference")), "{target}");
    }
}

#[test]
fn references_into_paths_have_readable_names() {
    let loaded = load_text(
        "openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a%20b/{id}:
    get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {x: {type: integer}}}}}}}}
  /c:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/paths/~1a%2520b~1%7Bid%7D/get/responses/200/content/application~1json/schema'}}}}}}
  /d:
    get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/paths/~1a%2520b~1%7Bid%7D/get/responses/200/content/application~1json/schema/properties/x'}}}}}}
",
    );
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    assert_eq!(behind(api, response_schema(api, 1))["properties"]["x"]["type"], "integer");
    assert_eq!(behind(api, response_schema(api, 2))["type"], "integer");
    for (name, _) in api.definitions.iter() {
        assert!(name.len() < 64, "{name}");
    }
}

#[test]
fn identifiers_anchors_and_inner_definitions_are_resolved() {
    let loaded = load_text(
        "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}}}}
  /b: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'https://example.com/leaf'}}}}}}}
  /c: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#stem'}}}}}}}
components:
  schemas:
    Tree:
      $id: https://example.com/tree
      type: object
      properties: {leaf: {$ref: '#/$defs/leaf'}, stem: {$ref: '#stem'}, other: {$ref: leaf}, self: {$ref: '#'}}
      $defs: {leaf: {type: string}, stem: {$anchor: stem, type: integer}}
    Leaf: {$id: 'https://example.com/leaf', type: boolean}
",
    );
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    let tree = behind(api, response_schema(api, 0));
    let property = |name: &str| behind(api, &tree["properties"][name])["type"].clone();
    assert_eq!(property("leaf"), "string");
    assert_eq!(property("stem"), "integer");
    assert_eq!(property("other"), "boolean");
    assert_eq!(property("self"), "object");
    assert_eq!(behind(api, response_schema(api, 1))["type"], "boolean");
    assert_eq!(behind(api, response_schema(api, 2))["type"], "integer");
}

#[test]
fn a_reference_that_leads_nowhere_admits_anything_and_keeps_its_siblings() {
    let loaded = load_text(
        "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {
    x: {$ref: '#/components/schemas/None'}, y: {$ref: '#/components/schemas/None', description: kept}}}}}}}}}
",
    );
    let schema = response_schema(loaded.api(), 0);
    assert!(schema["properties"]["x"] == json!(true) || schema["properties"]["x"] == json!({}), "{schema}");
    assert_eq!(schema["properties"]["y"]["description"], "kept");
    assert_eq!(loaded.findings().iter().filter(|finding| finding.contains("unresolved-reference")).count(), 2);
}

#[test]
fn the_pointer_of_a_finding_leads_to_the_line_in_the_right_file() {
    let loaded = load_files(&[
        ("openapi.yaml", "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n  /a: {$ref: 'a.json'}\n"),
        (
            "a.json",
            "{\n  \"get\": {\n    \"parameters\": [\n      {\"name\": \"q\", \"in\": \"nowhere\"}\n    ],\n    \"responses\": {}\n  }\n}",
        ),
    ]);
    let diagnostic = loaded.diagnostics.iter().next().expect("a finding");
    let location = diagnostic.location.as_ref().expect("a place");
    assert_eq!(Path::new(&loaded.sources.name(location.file)).file_name().unwrap(), "a.json");
    assert_eq!(location.pointer, "/get/parameters/0");
    let position = loaded.sources.position(location).unwrap();
    assert_eq!((position.line, position.column), (4, 7));
}

#[test]
fn whole_sections_may_be_references() {
    let loaded = load_files(&[
        (
            "openapi.yaml",
            "openapi: 3.1.0
info: {$ref: info.yaml}
security: [{key: []}]
paths: {$ref: paths.yaml}
components:
  schemas: {$ref: schemas.yaml}
  securitySchemes: {$ref: security.yaml}
",
        ),
        ("info.yaml", "title: Pets\nversion: '1'"),
        (
            "paths.yaml",
            "/a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'openapi.yaml#/components/schemas/Pet'}}}}}}}",
        ),
        ("schemas.yaml", "Pet: {type: object, properties: {tag: {$ref: '#/Tag'}}}\nTag: {type: string}"),
        ("security.yaml", "key: {type: apiKey, in: header, name: X-Key}"),
    ]);
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    assert_eq!(api.document.title, "Pets");
    assert_eq!(api.operations[0].security[0][0].scheme, "key");
    let names: Vec<&str> = api.definitions.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Pet", "Tag"]);
    assert_eq!(behind(api, &behind(api, response_schema(api, 0))["properties"]["tag"])["type"], "string");
}

#[test]
fn maps_of_schemas_that_are_spliced_into_each_other_stay_bounded() {
    let mut text = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {$ref: '#/x-0'}}}}}}}}}\n".to_owned();
    for level in 0..40 {
        let next = format!("{{properties: {{$ref: '#/x-{}'}}}}", (level + 1) % 40);
        text +=
            &format!("x-{level}: {{a: {next}, b: {next}, c: {next}, d: {next}, e: {next}, f: {next}, g: {next}}}\n");
    }
    assert!(response_schema(load_text(&text).api(), 0).to_string().len() < 20_000_000);
}

#[test]
fn embedded_schemas_find_their_definitions_from_wherever_a_reference_stands() {
    let loaded = load_text(
        "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Outer/properties/inner'}}}}}}}
  /b: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {
    type: object, properties: {x: {$ref: '#/definitions/x'}}, definitions: {x: {$ref: '#/definitions/y'}, y: {type: boolean}}}}}}}}}
components:
  schemas:
    Outer:
      type: object
      properties: {inner: {type: object, properties: {x: {$ref: '#/$defs/a'}}}}
      $defs:
        a: {type: object, properties: {y: {$ref: '#/$defs/b'}}}
        b: {type: string}
",
    );
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    let inner = behind(api, response_schema(api, 0));
    let a = behind(api, &inner["properties"]["x"]);
    assert_eq!(behind(api, &a["properties"]["y"])["type"], "string");
    let x = behind(api, &response_schema(api, 1)["properties"]["x"]);
    assert_eq!(behind(api, x)["type"], "boolean");
}

#[test]
fn the_document_itself_is_no_schema() {
    let loaded = load_text(
        "openapi: 3.0.3
info: {title: T, version: '1'}
paths: {/a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {child: {$ref: '#'}}}}}}}}}}
",
    );
    let findings = loaded.findings();
    assert!(findings[0].contains("whole OpenAPI document"), "{findings:?}");
    assert_eq!(loaded.api().definitions.iter().count(), 0);
    let child = &response_schema(loaded.api(), 0)["properties"]["child"];
    assert!(*child == json!(true) || *child == json!({}), "{child}");
}

#[test]
fn dynamic_references_lead_to_the_dynamic_anchor_of_their_resource() {
    let loaded = load_text(
        "openapi: 3.1.0
info: {title: T, version: '1'}
paths:
  /a: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {$ref: 'https://example.com/tree'}}}}}}}
components:
  schemas:
    Other: {$id: 'https://example.com/other', $dynamicAnchor: node, type: string}
    Tree:
      $id: https://example.com/tree
      $dynamicAnchor: node
      type: object
      properties: {children: {type: array, items: {$dynamicRef: '#node'}}, other: {$dynamicRef: 'other#node'}}
",
    );
    let api = loaded.api();
    assert_eq!(loaded.findings(), Vec::<String>::new());
    let tree = behind(api, response_schema(api, 0));
    assert_eq!(behind(api, &tree["properties"]["children"]["items"]), tree);
    assert_eq!(behind(api, &tree["properties"]["other"])["type"], "string");
}
