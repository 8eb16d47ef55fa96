//! Documents and the source that is made of them.

use super::*;
use crate::{Source, generator::Generator};

fn plan(name: &str, text: &str) -> Plan {
    let source = Source::Text { name: name.to_owned(), text: text.to_owned() };
    Generator::from_source(source).plan().expect("a plan").plan
}

fn settings() -> Settings {
    Settings {
        runtime: Dependency::Version("0.1.0".into()),
        generator: Dependency::Version("0.1.0".into()),
        spec: Some("openapi.yaml".into()),
        configuration: "mcpwright.toml".into(),
        preset: "rest",
        workspace: Workspace::None,
        overlays: Vec::new(),
        allow_remote: false,
        allow_outside: false,
    }
}

const PETS: &str = r"
openapi: 3.1.0
info: {title: Pet store, version: '1'}
servers: [{url: 'https://{region}.pets.example/v1', variables: {region: {default: eu, enum: [eu, us]}}}]
security: [{key: []}, {oauth: ['read:pets']}]
tags: [{name: pets}]
paths:
  /pets/{petId}:
    get:
      operationId: getPet
      tags: [pets]
      summary: One pet
      description: |
        The pet with this number.

          Indented: yes
      parameters:
        - {name: petId, in: path, required: true, schema: {type: integer}}
        - {$ref: '#/components/parameters/Fields'}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
  /pets:
    post:
      operationId: createPet
      tags: [pets]
      security: []
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}
      responses: {'201': {description: made}}
components:
  parameters:
    Fields: {name: fields, in: query, explode: false, schema: {type: array, items: {type: string}}}
  schemas:
    Pet: {type: object, required: [name], properties: {name: {type: string}, parent: {$ref: '#/components/schemas/Pet'}}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://pets.example/token', scopes: {'read:pets': Read}}}}
";

#[test]
fn a_small_document_becomes_these_files() {
    let files = files(&plan("pets.yaml", PETS), &settings()).unwrap();
    let text: String = files
        .iter()
        .filter(|(_, file)| file.ownership == Ownership::Generated)
        .map(|(path, file)| format!("=== {path}\n{}", file.text))
        .collect();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn the_users_files_are_whole() {
    let files = files(&plan("pets.yaml", PETS), &settings()).unwrap();
    let text: String = files
        .iter()
        .filter(|(path, file)| file.ownership == Ownership::Once && *path != "mcpwright.toml")
        .map(|(path, file)| format!("=== {path}\n{}", file.text))
        .collect();
    insta::assert_snapshot!(text);
    let configuration = &files["mcpwright.toml"].text;
    assert!(crate::configuration::Configuration::parse(configuration, "mcpwright.toml").is_ok());
    // Every key that is commented out is a key, too.
    let keys: String = configuration
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|rest| rest.contains(" = ") || rest.starts_with('[')).unwrap_or(line)
        })
        .filter(|line| !line.starts_with("# ") && !line.starts_with("spec") && !line.starts_with('"'))
        .fold(String::new(), |text, line| text + line + "\n");
    let parsed = crate::configuration::Configuration::parse(&keys, "mcpwright.toml")
        .unwrap_or_else(|error| panic!("{error}\n{keys}"));
    assert_eq!(parsed.routes.len(), 1);
    assert_eq!(parsed.operations.len(), 1);
}

/// Ends a string, a raw string, a comment, a template; speaks to terminals; starts code, documentation, TOML.
const HOSTILE: &str = "\"#; }} */ {{ 7 * 7 }} {% for a in b %} ${HOME} $(id) `id` \u{1b}[31m \u{202e} \\\" '\n```rust\nabort();\n```\n\
    [a](javascript:alert(1)) <script>alert(1)</script>\r\n//! #![allow(unsafe_code)]\n[package]\nbuild = \"evil.rs\"\n";

#[test]
fn a_hostile_document_is_data() {
    let document = serde_json::json!({
        "openapi": "3.1.0",
        "info": {"title": HOSTILE, "version": HOSTILE, "description": HOSTILE},
        "servers": [{"url": format!("https://pets.example/{HOSTILE}"), "description": HOSTILE}],
        "security": [{HOSTILE: [HOSTILE]}],
        "paths": {format!("/pets{HOSTILE}"): {"post": {
            "operationId": HOSTILE, "summary": HOSTILE, "description": HOSTILE, "tags": [HOSTILE],
            "parameters": [{"name": HOSTILE, "in": "query", "description": HOSTILE,
                "schema": {"type": "string", "pattern": HOSTILE, "enum": [HOSTILE], "default": HOSTILE}}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
            "responses": {"200": {"description": HOSTILE, "content": {"application/json": {"example": HOSTILE}}}},
        }}},
        "components": {
            "schemas": {"A": {"type": "object", "properties": {HOSTILE: {"description": HOSTILE, "const": HOSTILE}}}},
            "securitySchemes": {HOSTILE: {"type": "apiKey", "in": "header", "name": HOSTILE, "description": HOSTILE}},
        },
    });
    let mut plan = plan("hostile.json", &document.to_string());
    for component in plan.groups.iter_mut().flat_map(|group| &mut group.components) {
        component.typed = true;
        component.example = HOSTILE.to_owned();
        component.description = HOSTILE.to_owned();
    }
    plan.title = HOSTILE.to_owned();
    let files = files(&plan, &settings()).unwrap();
    for (path, file) in &files {
        let strange = file.text.chars().find(|character| is_hidden(*character) && *character != '\n');
        assert_eq!(strange, None, "{path} has characters that cannot be seen");
        if path.ends_with(".rs") {
            let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(file.text.find("unsafe_code").is_none_or(|_| !file.text.contains("\n#![")), "{path}");
            for item in &parsed.items {
                let harmless = match item {
                    syn::Item::Fn(function) => file.ownership == Ownership::Once && function.sig.ident != "abort",
                    syn::Item::Static(_) | syn::Item::Struct(_) | syn::Item::Use(_) | syn::Item::Mod(_) => true,
                    _ => false,
                };
                assert!(harmless, "{path} has an item that it should not have");
            }
        }
        if path.ends_with(".json") {
            serde_json::from_str::<serde_json::Value>(&file.text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        if path.ends_with(".toml") {
            let table: toml::Table = file.text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(table.get("package").is_none_or(|package| package.get("build").is_none()));
        }
        assert!(!file.text.contains("\n[a]("), "{path}");
    }
    // What stands in backticks is shown as it is.
    let prose: String = files["README.md"].text.split('`').step_by(2).collect();
    assert!(!prose.contains("<script>") && !prose.contains("](java"), "{prose}");
}

#[test]
fn the_same_input_gives_the_same_bytes_in_any_order() {
    let once = files(&plan("pets.yaml", PETS), &settings()).unwrap();
    let (head, tail) = PETS.split_once("  /pets:\n").unwrap();
    let (create, rest) = tail.split_once("components:").unwrap();
    let (head, get) = head.split_once("paths:\n").unwrap();
    let reordered = format!("{head}paths:\n  /pets:\n{create}{get}components:{rest}");
    assert_ne!(reordered, PETS);
    assert_eq!(files(&plan("pets.yaml", &reordered), &settings()).unwrap(), once);
}

#[test]
fn typed_arguments_are_structs() {
    let mut plan = plan("pets.yaml", PETS);
    plan.groups[0].components.iter_mut().for_each(|component| component.typed = true);
    insta::assert_snapshot!(files(&plan, &settings()).unwrap()["src/generated/arguments.rs"].text);
}

#[test]
fn configured_layers_are_part_of_the_api() {
    let mut plan = plan("pets.yaml", PETS);
    let root = |plan: &Plan| files(plan, &settings()).unwrap()["src/generated/mod.rs"].text.clone();
    assert!(!root(&plan).contains("middleware"));
    plan.middleware.insert("rate_limiting".to_owned(), serde_json::json!({"requests": 10, "per_ms": 1000}));
    let text = root(&plan);
    assert!(text.contains("    middleware: ") && text.contains("rate_limiting"), "{text}");
    let expected = r#"{"rate_limiting":{"requests":10,"per_ms":1000}}"#;
    assert_eq!(crate::descriptors::leak(&plan).middleware, expected);
}

#[test]
fn names_that_are_no_identifiers_are_an_error() {
    let mut plan = plan("pets.yaml", PETS);
    plan.groups[0].module = "a; fn main() {}".to_owned();
    assert!(matches!(files(&plan, &settings()), Err(Error::Identifier(_))));
}

#[test]
fn links_name_the_components_that_they_lead_to() {
    let plan = plan("links.yaml", include_str!("../../../fixtures/documents/links.yaml"));
    let files = files(&plan, &settings()).unwrap();
    let text: String = files
        .iter()
        .filter(|(path, _)| path.ends_with("operations/users.rs"))
        .map(|(_, file)| file.text.as_str())
        .collect();
    insta::assert_snapshot!(text);
}
