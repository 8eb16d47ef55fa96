//! The shared definitions of an API and who refers to whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::walk;

/// The shared definitions, `#/$defs/<name>`. Names consist of `[A-Za-z0-9_.-]`, at most 64 of them.
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
    /// The length of the schema's compact text.
    pub bytes: usize,
}

impl Definitions {
    /// Adds a definition; its references are read off the schema.
    pub fn insert(&mut self, name: String, schema: Value) {
        let mut references = BTreeSet::new();
        walk::references(&schema, &mut |reference| {
            if !references.contains(reference) {
                references.insert(reference.to_owned());
            }
        });
        let bytes = text_bytes(&schema);
        self.map.insert(name, Definition { schema, references, bytes });
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
        let (closed, _) = self.bounded_closure(schemas, usize::MAX).unwrap_or_default();
        closed.into_iter().map(str::to_owned).collect()
    }

    /// The closure and the length of its text in a bundled schema; `None` once that exceeds the limit.
    pub(super) fn bounded_closure<'a>(
        &self,
        schemas: impl IntoIterator<Item = &'a Value>,
        limit: usize,
    ) -> Option<(BTreeSet<&str>, usize)> {
        let mut closed = BTreeSet::new();
        let mut open: Vec<&str> = Vec::new();
        let mut bytes = 0_usize;
        for schema in schemas {
            walk::references(schema, &mut |name| {
                if let Some((name, _)) = self.map.get_key_value(name) {
                    open.push(name);
                }
            });
        }
        while let Some(name) = open.pop() {
            if !closed.insert(name) {
                continue;
            }
            let Some(definition) = self.map.get(name) else { continue };
            // `"name":schema,`
            bytes = bytes.saturating_add(definition.bytes + name.len() + 4);
            if bytes > limit {
                return None;
            }
            for reference in &definition.references {
                if let Some((name, _)) = self.map.get_key_value(reference)
                    && !closed.contains(name.as_str())
                {
                    open.push(name);
                }
            }
        }
        if !closed.is_empty() {
            bytes = bytes.saturating_add(r#","$defs":{}"#.len());
        }
        Some((closed, bytes))
    }
}

/// The length of a value's compact text.
pub(super) fn text_bytes(value: &Value) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX / 4,
    }
}
