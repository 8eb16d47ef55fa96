//! What the tests of conversion share.

mod corpus;
mod cutting;
mod features;
mod suite;
mod values;

use serde_json::{Map, Value, json};

use super::{Converter, Definitions, Direction};
use crate::{
    diagnostics::{Diagnostics, Location},
    document::store::{SchemaId, SchemaStore, StoredSchema},
    source::FileId,
};

/// A store with these components and one schema that has no name.
fn store(components: &Value, schema: &Value) -> (SchemaStore, SchemaId) {
    let mut store = SchemaStore::default();
    let at = |pointer: String| Location { file: FileId(0), pointer };
    for (name, value) in components.as_object().unwrap_or(&Map::new()) {
        let location = at(format!("/components/schemas/{name}"));
        let id = store.insert(StoredSchema { value: value.clone(), location });
        store.name(name.clone(), id);
    }
    let id = store.insert(StoredSchema { value: schema.clone(), location: at("/schema".to_owned()) });
    (store, id)
}

/// Converts a schema with its components; also gives the names of the findings.
fn convert_with(components: &Value, schema: &Value, direction: Direction) -> (Value, Definitions, Vec<String>) {
    let (store, id) = store(components, schema);
    let mut diagnostics = Diagnostics::default();
    let mut converter = Converter::new(&store);
    let converted = Value::clone(&converter.convert(id, direction, &mut diagnostics));
    let definitions = converter.finish(&mut diagnostics);
    let findings = diagnostics
        .iter()
        .map(|finding| {
            let pointer = finding.location.as_ref().map(|location| location.pointer.as_str()).unwrap_or_default();
            format!("{} {pointer}", finding.code.name)
        })
        .collect();
    (converted, definitions, findings)
}

/// A request schema without components.
fn convert(schema: &Value) -> Value {
    convert_with(&Value::Null, schema, Direction::Request).0
}

/// The schema with its definitions under `$defs`.
fn bundled(schema: &Value, definitions: &Definitions) -> Value {
    let names = definitions.closure([schema]);
    if names.is_empty() {
        return schema.clone();
    }
    let bundle: Map<String, Value> =
        names.iter().filter_map(|name| Some((name.clone(), definitions.get(name)?.schema.clone()))).collect();
    match schema {
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert("$defs".to_owned(), Value::Object(bundle));
            Value::Object(members)
        }
        other => json!({ "allOf": [other], "$defs": bundle }),
    }
}

/// Fails unless the schema is one of 2020-12 and compiles, every reference included.
fn assert_usable(schema: &Value) -> jsonschema::Validator {
    if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
        panic!("at {}: {error}\n{schema:#}", error.instance_path());
    }
    jsonschema::draft202012::new(schema).unwrap_or_else(|error| panic!("{error}\n{schema:#}"))
}

/// The folder of real documents and vectors beside the checkout; `None` where there is none.
fn shared(folder: &str) -> Option<std::path::PathBuf> {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|ancestor| ancestor.join("shared").join(folder))
        .find(|path| path.is_dir())
}
