//! Real documents: every schema is usable.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use serde_json::Value;

use super::*;
use crate::{
    diagnostics::Severity,
    schema::{flatten, trim, walk},
    source::{Source, Sources},
};

fn documents() -> Vec<PathBuf> {
    let Some(folder) = shared("specs") else { return Vec::new() };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| !path.ends_with("v30-msgraph.json") || std::env::var_os("DOCUMENT").is_some())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json" || extension == "yaml"))
        .collect();
    paths.push(folder.join("multi/v30-digitalocean/specification/DigitalOcean-public.v2.yaml"));
    paths.sort();
    paths
}

#[test]
fn every_schema_of_real_documents_is_usable() {
    let only = std::env::var("DOCUMENT").unwrap_or_default();
    for path in documents() {
        if !path.to_string_lossy().contains(&only) {
            continue;
        }
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let start = Instant::now();
        let api = match crate::load(Source::Path(path.clone()), &Default::default(), &mut sources, &mut diagnostics) {
            Ok(api) => api,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let took = start.elapsed();
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in diagnostics.iter() {
            *codes.entry(finding.code.name).or_default() += 1;
        }
        println!(
            "{} {took:?} {} definitions {codes:?} {}",
            path.display(),
            api.definitions.iter().count(),
            diagnostics.count(Severity::Note)
        );
        for (name, definition) in api.definitions.iter() {
            assert!(
                name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)),
                "{name}"
            );
            for reference in &definition.references {
                assert!(api.definitions.get(reference).is_some(), "{name} refers to {reference}");
            }
            if let Err(error) = jsonschema::draft202012::meta::validate(&definition.schema) {
                panic!("{name} at {}: {error}", error.instance_path());
            }
        }
        // All definitions compile as one schema.
        let all: Map<String, Value> =
            api.definitions.iter().map(|(name, definition)| (name.to_owned(), definition.schema.clone())).collect();
        let references: Vec<Value> = all.keys().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
        if !references.is_empty() {
            assert_usable(&json!({ "anyOf": references, "$defs": all }));
        }
        let mut flattened = 0;
        let mut bodies = 0;
        let mut cut = [0; 3];
        let start = Instant::now();
        for operation in &api.operations {
            let requests = operation.body.iter().flat_map(|body| &body.content);
            let responses = operation.responses.iter().filter(|response| response.is_success());
            let mut schemas: Vec<&Value> = operation.parameters.iter().map(|parameter| &parameter.schema).collect();
            schemas.extend(requests.clone().filter_map(|media| media.schema.as_ref()));
            schemas.extend(
                responses.clone().flat_map(|response| &response.content).filter_map(|media| media.schema.as_ref()),
            );
            for schema in schemas {
                if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
                    panic!("{} {} at {}: {error}", operation.method, operation.path, error.instance_path());
                }
                walk::references(schema, &mut |name| assert!(api.definitions.get(name).is_some(), "{name}"));
            }
            for schema in requests.filter_map(|media| media.schema.as_ref()) {
                bodies += 1;
                if let Some(flat) = flatten(schema, &api.definitions) {
                    flattened += 1;
                    assert!(flat["properties"].is_object());
                }
            }
            for schema in responses.flat_map(|response| &response.content).filter_map(|media| media.schema.as_ref()) {
                match trim(schema, &api.definitions, 8192) {
                    Some(trimmed) => {
                        cut[usize::from(trimmed.is_cut)] += 1;
                        if trimmed.is_cut {
                            assert!(trimmed.schema.to_string().len() <= 8192);
                            assert!(jsonschema::draft202012::meta::validate(&trimmed.schema).is_ok());
                        }
                    }
                    None => cut[2] += 1,
                }
            }
        }
        println!(
            "   flattened {flattened}/{bodies}; whole {}, cut {}, dropped {} {:?}",
            cut[0],
            cut[1],
            cut[2],
            start.elapsed()
        );
    }
}
