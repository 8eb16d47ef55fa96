//! Real documents: every schema is usable.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::{
    api::Api,
    schema::{flatten, trim, walk},
    source::{Source, Sources},
};

/// Larger documents are left to `ALL_DOCUMENTS=1`, for a build without optimisation takes a minute for them.
const MAX_BYTES: u64 = 2_000_000;

#[test]
fn every_schema_of_real_documents_is_usable() {
    for path in documents() {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let api = crate::load(Source::Path(path.clone()), &Default::default(), &mut sources, &mut diagnostics)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_definitions_are_usable(&path, &api);
        for operation in &api.operations {
            let requests = operation.body.iter().flat_map(|body| &body.content);
            let responses = operation.responses.iter().flat_map(|response| &response.content);
            let parameters = operation.parameters.iter().map(|parameter| &parameter.schema);
            let bodies = requests.chain(responses).filter_map(|media| media.schema.as_ref());
            for schema in parameters.chain(bodies) {
                let place = format!("{} {} {}", path.display(), operation.method, operation.path);
                assert_is_schema(&place, schema);
                walk::references(schema, &mut |name| assert!(api.definitions.get(name).is_some(), "{place}: {name}"));
                if let Some(flat) = flatten(schema, &api.definitions) {
                    assert_is_schema(&place, &flat);
                }
                if let Some(trimmed) = trim(schema, &api.definitions, 8192) {
                    assert_is_schema(&place, &trimmed.schema);
                    assert!(bundled(&trimmed.schema, &api.definitions).to_string().len() <= 8192, "{place}");
                }
            }
        }
    }
}

/// The documents beside the checkout; none where there are none.
fn documents() -> Vec<PathBuf> {
    let Some(folder) = shared("specs") else { return Vec::new() };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json" || extension == "yaml"))
        .collect();
    paths.push(folder.join("multi/v30-digitalocean/specification/DigitalOcean-public.v2.yaml"));
    paths.sort();
    let is_small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_BYTES);
    paths.retain(|path| std::env::var_os("ALL_DOCUMENTS").is_some() || is_small(path));
    paths
}

/// Names are legal, references lead somewhere, and all definitions compile as one schema.
fn assert_definitions_are_usable(path: &Path, api: &Api) {
    for (name, definition) in api.definitions.iter() {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        assert!(name.len() <= 64 && name.bytes().all(is_legal), "{}: {name}", path.display());
        for reference in &definition.references {
            assert!(api.definitions.get(reference).is_some(), "{}: {name} refers to {reference}", path.display());
        }
        assert_eq!(definition.bytes, definition.schema.to_string().len(), "{}: {name}", path.display());
    }
    let all: Map<String, Value> =
        api.definitions.iter().map(|(name, definition)| (name.to_owned(), definition.schema.clone())).collect();
    let references: Vec<Value> = all.keys().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    if !references.is_empty() {
        assert_usable(&json!({ "anyOf": references, "$defs": all }));
    }
}

fn assert_is_schema(place: &str, schema: &Value) {
    if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
        panic!("{place} at {}: {error}\n{schema}", error.instance_path());
    }
}
