//! Where schemas stand inside of schemas, so that the data of `const`, `enum`, `default` and `examples` is never taken
//! for one (JSON Schema 2020-12 Core §10 and §11).

use serde_json::{Map, Value};

/// How a keyword holds schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The value is a schema.
    One,
    /// The value is an array of schemas.
    Array,
    /// The members of the value are schemas. Those that are no schemas (the arrays of `dependencies`) are passed over.
    Map,
    /// The value is a schema or, in older dialects, an array of them.
    OneOrArray,
}

/// What a subschema is applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// To the same value as the schema around it.
    InPlace,
    /// To a member or an element of the value.
    Child,
    /// To nothing until a reference leads there.
    None,
}

/// How a keyword of any dialect holds schemas; `None` for a keyword that holds none.
pub fn keyword(name: &str) -> Option<(Shape, Relation)> {
    Some(match name {
        "allOf" | "anyOf" | "oneOf" => (Shape::Array, Relation::InPlace),
        "not" | "if" | "then" | "else" => (Shape::One, Relation::InPlace),
        "dependentSchemas" | "dependencies" => (Shape::Map, Relation::InPlace),
        "properties" | "patternProperties" => (Shape::Map, Relation::Child),
        "additionalProperties" | "unevaluatedProperties" | "propertyNames" => (Shape::One, Relation::Child),
        "items" => (Shape::OneOrArray, Relation::Child),
        "prefixItems" => (Shape::Array, Relation::Child),
        "additionalItems" | "unevaluatedItems" | "contains" | "contentSchema" => (Shape::One, Relation::Child),
        "$defs" | "definitions" => (Shape::Map, Relation::None),
        _ => return None,
    })
}

/// Calls `visit` for every subschema right below a schema: its keyword, its key there (for maps) and itself.
pub fn subschemas<'v>(schema: &'v Map<String, Value>, mut visit: impl FnMut(&'v str, Option<&'v str>, &'v Value)) {
    for (name, member) in schema {
        let Some((shape, _)) = keyword(name) else { continue };
        match (shape, member) {
            (Shape::One, _) | (Shape::OneOrArray, Value::Object(_) | Value::Bool(_)) => visit(name, None, member),
            (Shape::Array | Shape::OneOrArray, Value::Array(items)) => {
                items.iter().for_each(|item| visit(name, None, item));
            }
            (Shape::Map, Value::Object(members)) => {
                for (key, member) in members {
                    if !member.is_array() {
                        visit(name, Some(key), member);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Changes every subschema right below a schema.
pub fn subschemas_mut(schema: &mut Map<String, Value>, mut change: impl FnMut(&mut Value)) {
    for (name, member) in schema {
        let Some((shape, _)) = keyword(name) else { continue };
        match (shape, member) {
            (Shape::One, member) | (Shape::OneOrArray, member @ (Value::Object(_) | Value::Bool(_))) => change(member),
            (Shape::Array | Shape::OneOrArray, Value::Array(items)) => items.iter_mut().for_each(&mut change),
            (Shape::Map, Value::Object(members)) => {
                members.values_mut().filter(|member| !member.is_array()).for_each(&mut change);
            }
            _ => {}
        }
    }
}

/// Calls `visit` for a schema and every schema inside of it, outermost first; boolean schemas are passed over.
pub fn schemas<'v>(schema: &'v Value, visit: &mut impl FnMut(&'v Map<String, Value>)) {
    let Value::Object(members) = schema else { return };
    visit(members);
    subschemas(members, |_, _, subschema| schemas(subschema, visit));
}

/// Calls `visit` with the name of every `#/$defs/<name>` that a schema refers to.
pub fn references<'v>(schema: &'v Value, visit: &mut impl FnMut(&'v str)) {
    schemas(schema, &mut |members| {
        if let Some(name) = definition(members) {
            visit(name);
        }
    });
}

/// The name of the definition that a schema refers to at its root.
pub fn definition(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}
