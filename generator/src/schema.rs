//! Schemas of every OpenAPI version as JSON Schema 2020-12.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Which way a value travels: `readOnly` properties leave requests, `writeOnly` ones leave responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the client to the API.
    Request,
    /// From the API to the client.
    Response,
}

/// The shared definitions, `#/$defs/<name>`.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    map: BTreeMap<String, Definition>,
}

/// One shared definition.
#[derive(Debug, Clone)]
pub struct Definition {
    /// JSON Schema 2020-12.
    pub schema: Value,
    /// The definitions that the schema refers to itself.
    pub references: BTreeSet<String>,
}

impl Definitions {
    /// Adds a definition; its references are read off the schema.
    pub fn insert(&mut self, name: String, schema: Value) {
        let mut references = BTreeSet::new();
        collect_references(&schema, &mut references);
        self.map.insert(name, Definition { schema, references });
    }

    /// A definition by name.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.map.get(name)
    }

    /// All definitions by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.map.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    /// The names that the schemas refer to, directly or through other definitions.
    pub fn closure<'a>(&self, schemas: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
        let mut closed = BTreeSet::new();
        let mut open = BTreeSet::new();
        for schema in schemas {
            collect_references(schema, &mut open);
        }
        while let Some(name) = open.pop_first() {
            if let Some(definition) = self.map.get(&name)
                && closed.insert(name)
            {
                open.extend(definition.references.difference(&closed).cloned());
            }
        }
        closed
    }
}

/// Collects the names of the `#/$defs/<name>` that a schema refers to. Names need no pointer escapes: they consist of
/// `[A-Za-z0-9_.-]`.
fn collect_references(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("$ref", Value::String(reference)) => {
                        if let Some(name) = reference.strip_prefix("#/$defs/") {
                            names.insert(name.to_owned());
                        }
                    }
                    ("const" | "default" | "enum" | "examples", _) => {}
                    _ => collect_references(member, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, names)),
        _ => {}
    }
}

/// Converts the schemas of a store.
#[derive(Debug)]
pub struct Converter<'a> {
    store: &'a crate::document::store::SchemaStore,
}

impl<'a> Converter<'a> {
    /// Nothing converted yet.
    pub fn new(store: &'a crate::document::store::SchemaStore) -> Self {
        Self { store }
    }

    /// One schema.
    pub fn convert(
        &mut self,
        id: crate::document::store::SchemaId,
        _direction: Direction,
        _diagnostics: &mut crate::diagnostics::Diagnostics,
    ) -> Value {
        rename(&self.store.get(id).value)
    }

    /// The shared definitions.
    pub fn finish(self, _diagnostics: &mut crate::diagnostics::Diagnostics) -> Definitions {
        let mut definitions = Definitions::default();
        for (name, id) in self.store.components() {
            definitions.insert(name.to_owned(), rename(&self.store.get(id).value));
        }
        definitions
    }
}

fn rename(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, member)| {
                    let member = match (key.as_str(), member) {
                        ("$ref", Value::String(text)) => {
                            Value::String(text.replace("#/components/schemas/", "#/$defs/"))
                        }
                        _ => rename(member),
                    };
                    (key.clone(), member)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(rename).collect()),
        other => other.clone(),
    }
}
