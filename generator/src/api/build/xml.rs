//! Schemas of XML bodies, written out for the encoder.

use serde_json::{Map, Value};

use super::Builder;

/// References followed along one path when an XML schema is written out.
pub(super) const MAX_DEPTH: usize = 12;
/// Schemas written out for one XML body.
pub(super) const MAX_SCHEMAS: usize = 2_000;

impl Builder<'_> {
    /// A schema with its references replaced by what they lead to, so that the XML encoder needs no other schema. The
    /// name of the component stays as `x-name`, which is what an element is called by default.
    pub(super) fn written_out(&self, schema: &Value, depth: usize, budget: &mut usize) -> Value {
        if depth == 0 || *budget == 0 {
            return Value::Bool(true);
        }
        *budget -= 1;
        match schema {
            Value::Object(members) => {
                let mut result = Map::new();
                if let Some(name) = members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
                {
                    let name = name.replace("~1", "/").replace("~0", "~");
                    if let Some(id) = self.document.schemas.component(&name)
                        && let Value::Object(target) =
                            self.written_out(&self.document.schemas.get(id).value, depth - 1, budget)
                    {
                        result = target;
                        result.entry("x-name").or_insert(Value::String(name));
                    }
                }
                for (key, value) in members {
                    if key != "$ref" {
                        result.insert(key.clone(), self.written_out(value, depth, budget));
                    }
                }
                Value::Object(result)
            }
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.written_out(item, depth, budget)).collect())
            }
            other => other.clone(),
        }
    }
}
