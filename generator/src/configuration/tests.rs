use serde_json::json;

use super::*;

#[test]
fn an_empty_file_means_the_defaults() {
    let configuration = Configuration::parse("", "mcpwright.toml").unwrap();
    assert_eq!(configuration.preset, Preset::Rest);
    assert_eq!(configuration.naming, Naming::Snake);
    assert_eq!(configuration.name_limit.get(), 64);
    assert_eq!(configuration.output_budget, 8192);
    assert_eq!(configuration.description_limit, 1000);
}

#[test]
fn every_key_is_read() {
    let text = r#"
spec = "openapi.yaml"
name = "pets"
preset = "tools"
naming = "kebab"
name_prefix = "pet_"
name_limit = 48
output_budget = 0
description_limit = 300
include_tags = ["a"]
exclude_tags = ["b"]
typed = ["createPet"]
allow_remote = true
allow_outside = true
strict = true

[[route]]
methods = ["get", "POST"]
path = "^/admin/"
tags = ["admin"]
operation_id = "^admin"
extension = { x-audience = "internal" }
kind = "resource-template"
add_tags = ["hot"]
annotations = { destructive = true, readOnlyHint = false }
name_prefix = "admin_"
visible = false

[[route]]
methods = "*"
extension = "x-internal"
kind = "exclude"

[operations."POST /pets"]
name = "new_pet"
title = "New pet"
description = "Makes a pet."
kind = "tool"
exclude = false
hidden = ["debug"]
fixed = { version = 2, since = 2024-01-01, nested = { a = [1.5, true] } }
tags = ["reviewed"]
media_type = "application/xml"
annotations = { idempotent = true, open_world = false }
visible = true
timeout_ms = 100
retries = 1
max_response_bytes = 10
typed = true
"#;
    let configuration = Configuration::parse(text, "mcpwright.toml").unwrap();
    let [first, second] = configuration.routes.as_slice() else { panic!("two routes") };
    assert_eq!((first.line, second.line), (Some(17), Some(29)));
    assert_eq!(first.kind, Some(RouteKind::ResourceTemplate));
    assert!(first.methods.as_ref().is_some_and(|methods| methods.contains("GET") && !methods.contains("PUT")));
    assert!(second.methods.as_ref().is_some_and(|methods| methods.contains("TRACE")));
    assert_eq!(first.annotations.destructive, Some(true));
    assert_eq!(first.annotations.read_only, Some(false));
    assert_eq!(second.extension, Some(ExtensionCondition::Present("x-internal".into())));
    let pets = &configuration.operations["POST /pets"];
    assert_eq!(pets.fixed["version"], json!(2));
    assert_eq!(pets.fixed["since"], json!("2024-01-01"));
    assert_eq!(pets.fixed["nested"], json!({"a": [1.5, true]}));
    assert_eq!(pets.annotations.open_world, Some(false));
}

#[test]
fn faults_are_located_and_the_nearest_name_is_shown() {
    for (text, line, column, message, help) in [
        ("preset = \"rest\"\nnamming = \"snake\"\n", 2, 1, "unknown key `namming`", Some("did you mean `naming`?")),
        ("[[route]]\nmethod = \"GET\"\n", 2, 1, "unknown key `method`", Some("did you mean `methods`?")),
        ("[operations.x]\nhiden = []\n", 2, 1, "unknown key `hiden`", Some("did you mean `hidden`?")),
        ("preset = \"tool\"\n", 1, 10, "unknown value `tool`", Some("did you mean `tools`?")),
        (
            "[[route]]\nkind = \"resource-templates\"\n",
            2,
            8,
            "unknown value `resource-templates`",
            Some("did you mean `resource-template`?"),
        ),
        ("[[route]]\n\npath = \"^/a(\"\n", 3, 8, "`^/a(` is not a regular expression: unclosed group", None),
        (
            "[operations.x]\nannotations = { destructiv = true }\n",
            2,
            17,
            "unknown key `destructiv`",
            Some("did you mean `destructive`?"),
        ),
        ("name_limit = 100\n", 1, 14, "`name_limit` is 100; it must be from 16 to 64", None),
        ("strict = \"yes\"\n", 1, 10, "invalid type: string \"yes\", expected a boolean", None),
    ] {
        let error = Configuration::parse(text, "mcpwright.toml").unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{text}");
        assert_eq!(error.message, message);
        assert_eq!(error.help.as_deref(), help, "{text}");
    }
    let error = Configuration::parse("name = ", "mcpwright.toml").unwrap_err();
    assert!(error.to_string().starts_with("mcpwright.toml:1:8: "), "{error}");
    let error = Configuration::parse("zzzzzzzzzz = 1", "mcpwright.toml").unwrap_err();
    assert!(error.help.is_some_and(|help| help.starts_with("known here: `spec`")));
}
