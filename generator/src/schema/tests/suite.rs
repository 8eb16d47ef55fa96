//! The cases of JSON-Schema-Test-Suite: conversion changes no verdict.

use serde_json::Value;

use super::*;
use crate::source::{Source, Sources};

/// What an OpenAPI document cannot hold, or what a server cannot use, and why.
const NOT_APPLICABLE: &[(&str, &str)] = &[
    ("$dynamicRef", "is read as a plain reference"),
    ("$dynamicAnchor", "is read as a plain anchor"),
    ("$vocabulary", "no document brings its own meta-schema"),
    ("\"$id\"", "a fragment is resolved against the document"),
    ("\"$ref\":\"#\"", "the root is the document, which is no schema"),
    ("http://localhost", "nothing is fetched"),
    ("\"$ref\":\"https://json-schema.org", "nothing is fetched"),
    ("\"enum\":[]", "a schema that accepts nothing is taken for a mistake"),
];

#[test]
fn conversion_changes_no_verdict() {
    let Some(folder) = shared("vectors/json-schema-2020-12") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let (mut same, mut differing, mut left_out) = (0, Vec::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let groups: Value = serde_json::from_str(&text).unwrap_or_default();
        for group in groups.as_array().into_iter().flatten() {
            let schema = &group["schema"];
            let written = schema.to_string();
            if NOT_APPLICABLE.iter().any(|(sign, _)| written.contains(sign)) {
                left_out += 1;
                continue;
            }
            let Ok(before) = jsonschema::draft202012::new(schema) else {
                left_out += 1;
                continue;
            };
            // A reference that leads nowhere has been reported and accepts anything.
            let Some(converted) = through_a_document(schema) else {
                left_out += 1;
                continue;
            };
            let after = assert_usable(&converted);
            for test in group["tests"].as_array().into_iter().flatten() {
                let (data, case) =
                    (&test["data"], format!("{name}: {}: {}", group["description"], test["description"]));
                if before.is_valid(data) == after.is_valid(data) {
                    same += 1;
                } else {
                    differing.push(format!("{case} {schema} {data} before {}", before.is_valid(data)));
                }
            }
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(same > 1000 && left_out < 90, "{same} same, {left_out} left out");
}

/// The schema as that of a body in an OpenAPI 3.1 document, loaded and converted; `None` where a reference dangles.
fn through_a_document(schema: &Value) -> Option<Value> {
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title":"t","version":"1"},
        "paths": {"/": {"post": {
            "requestBody": {"content":{"application/json":{"schema":schema}}},
            "responses": {"200":{"description":""}},
        }}},
    });
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let source = Source::Text { name: "suite.json".to_owned(), text: document.to_string() };
    let api = crate::load(source, &Default::default(), &mut sources, &mut diagnostics)
        .unwrap_or_else(|error| panic!("{error}: {schema}"));
    if diagnostics.iter().any(|finding| finding.code.name == "unresolved-reference") {
        return None;
    }
    let converted = api
        .operations
        .first()
        .and_then(|operation| operation.body.as_ref()?.content.first()?.schema.clone())
        .unwrap_or_else(|| panic!("no body: {schema}"));
    Some(bundled(&converted, &api.definitions))
}
