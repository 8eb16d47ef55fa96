//! The schemas of a document, lifted out untouched.
//!
//! The rest of the document refers to a schema by [`SchemaId`]. Inside the lifted values every `$ref` has been resolved
//! and rewritten to `#/components/schemas/<name>` of this store (name escaped as in a JSON Pointer), wherever its target
//! lay: in another file, under `#/paths`, in an inner `$defs`. A reference without a target has been replaced by `true`
//! with a diagnostic. The keywords are otherwise those of the source: any version's, in any mixture.

use indexmap::IndexMap;
use serde_json::Value;

use crate::diagnostics::Location;

/// Names a schema of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaId(pub u32);

/// A schema as written in the document.
#[derive(Debug, Clone)]
pub struct StoredSchema {
    /// The schema, an object or a boolean.
    pub value: Value,
    /// Where it stands.
    pub location: Location,
}

/// All schemas.
#[derive(Debug, Clone, Default)]
pub struct SchemaStore {
    schemas: Vec<StoredSchema>,
    components: IndexMap<String, SchemaId>,
}

impl SchemaStore {
    /// Keeps a schema.
    pub fn insert(&mut self, schema: StoredSchema) -> SchemaId {
        let id = SchemaId(u32::try_from(self.schemas.len()).expect("fewer than 2^32 schemas"));
        self.schemas.push(schema);
        id
    }

    /// Makes a schema a target of `#/components/schemas/<name>`.
    pub fn name(&mut self, name: String, id: SchemaId) {
        self.components.insert(name, id);
    }

    /// A schema by its id.
    pub fn get(&self, id: SchemaId) -> &StoredSchema {
        &self.schemas[id.0 as usize]
    }

    /// Changes a schema.
    pub fn get_mut(&mut self, id: SchemaId) -> &mut StoredSchema {
        &mut self.schemas[id.0 as usize]
    }

    /// The schema that `#/components/schemas/<name>` refers to.
    pub fn component(&self, name: &str) -> Option<SchemaId> {
        self.components.get(name).copied()
    }

    /// The named schemas, in the order in which they were named.
    pub fn components(&self) -> impl Iterator<Item = (&str, SchemaId)> {
        self.components.iter().map(|(name, id)| (name.as_str(), *id))
    }
}
