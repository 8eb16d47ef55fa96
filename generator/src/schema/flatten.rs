//! Brings the members of an object schema to its root, so that they can lie beside parameters.

use serde_json::{Map, Value, json};

use super::{Definitions, annotations::ANNOTATIONS, types, walk};

/// How many references and `allOf` levels are followed.
const MAX_HOPS: usize = 32;

/// How many schemas are merged into one.
const MAX_PARTS: usize = 256;

/// An object schema that has its `properties`, `required` and `additionalProperties` at its root and accepts the same
/// objects; `None` when there is none.
///
/// References at the root are resolved and `allOf` is merged. `additionalProperties` is `false` or absent: a schema that
/// speaks of further members cannot be flattened, nor one that has no properties, nor one with alternatives or
/// conditions at its root. A `null` that the schema accepts instead of the object is given up. A property that several
/// members of `allOf` describe differently becomes an `allOf` of its own; a required name without a property becomes
/// one that accepts anything.
pub fn flatten(schema: &Value, definitions: &Definitions) -> Option<Value> {
    let mut parts = Parts::default();
    parts.collect(schema, definitions, MAX_HOPS, true)?;
    parts.into_object()
}

/// What the schemas at the root say together.
#[derive(Default)]
struct Parts {
    count: usize,
    annotations: Map<String, Value>,
    properties: Map<String, Value>,
    required: Vec<String>,
    /// How many parts speak of members.
    speaking: usize,
    is_object: bool,
    /// A part forbids other members than its own.
    is_closed: bool,
    /// The whole forbids members that no part names.
    is_closed_as_a_whole: bool,
}

impl Parts {
    /// Adds a schema; `is_whole` as long as everything else is inside of it.
    fn collect(&mut self, schema: &Value, definitions: &Definitions, hops: usize, is_whole: bool) -> Option<()> {
        let hops = hops.checked_sub(1)?;
        self.count += 1;
        if self.count > MAX_PARTS {
            return None;
        }
        let members = match schema {
            Value::Bool(true) => return Some(()),
            Value::Object(members) => members,
            _ => return None,
        };
        let speaks = ["properties", "required", "additionalProperties"].iter().any(|name| members.contains_key(*name));
        self.speaking += usize::from(speaks);
        // Before what lies deeper: the outermost words win.
        for (keyword, value) in members.iter().filter(|(keyword, _)| is_annotation(keyword)) {
            self.annotations.entry(keyword).or_insert_with(|| value.clone());
        }
        for (keyword, value) in members {
            match keyword.as_str() {
                "$ref" => {
                    let target = &definitions.get(walk::definition(members)?)?.schema;
                    let is_alone = is_whole && members.keys().all(|name| name == "$ref" || is_annotation(name));
                    self.collect(target, definitions, hops, is_alone)?;
                }
                "allOf" => {
                    for member in value.as_array()? {
                        self.collect(member, definitions, hops, false)?;
                    }
                }
                "type" => {
                    let names = types::named(members)?;
                    if !names.contains(&"object") || names.iter().any(|name| !matches!(*name, "object" | "null")) {
                        return None;
                    }
                    self.is_object = true;
                }
                "properties" => {
                    for (name, property) in value.as_object()? {
                        self.property(name, property);
                    }
                }
                "required" => {
                    for name in value.as_array()?.iter().filter_map(Value::as_str) {
                        if !self.required.iter().any(|known| known == name) {
                            self.required.push(name.to_owned());
                        }
                    }
                }
                "additionalProperties" => {
                    if *value != Value::Bool(false) {
                        return None;
                    }
                    self.is_closed = true;
                }
                "unevaluatedProperties" if is_whole => {
                    if *value != Value::Bool(false) {
                        return None;
                    }
                    self.is_closed_as_a_whole = true;
                }
                name if is_annotation(name) => {}
                _ => return None,
            }
        }
        Some(())
    }

    fn property(&mut self, name: &str, property: &Value) {
        let says_nothing = |schema: &Value| match schema {
            Value::Bool(true) => true,
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        match self.properties.get_mut(name) {
            None => drop(self.properties.insert(name.to_owned(), property.clone())),
            Some(known) if known == property || says_nothing(property) => {}
            Some(known) if says_nothing(known) => *known = property.clone(),
            Some(known) => match known.get_mut("allOf").and_then(Value::as_array_mut).filter(|all| all.len() > 1) {
                Some(all) => all.push(property.clone()),
                None => *known = json!({ "allOf": [known.take(), property] }),
            },
        }
    }

    fn into_object(mut self) -> Option<Value> {
        // A part that forbids other members than its own refuses those of the other parts.
        if self.is_closed && self.speaking > 1 {
            return None;
        }
        let is_closed = self.is_closed || self.is_closed_as_a_whole;
        if self.properties.is_empty() && !(self.is_object && is_closed && self.required.is_empty()) {
            return None;
        }
        for name in &self.required {
            if !self.properties.contains_key(name) {
                if is_closed {
                    return None;
                }
                self.properties.insert(name.clone(), Value::Object(Map::new()));
            }
        }
        let mut object = self.annotations;
        object.insert("type".to_owned(), Value::from("object"));
        object.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            object.insert("required".to_owned(), Value::from(self.required));
        }
        if is_closed {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        Some(Value::Object(object))
    }
}

fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword)
}
