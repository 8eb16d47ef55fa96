//! The simplest cases of flattening and of budgets.

use std::collections::BTreeSet;

use serde_json::Value;

use super::body::resolve;
use crate::schema::Definitions;

/// An output schema within its budget, with the definitions that it needs.
pub(super) struct Trimmed {
    pub(super) schema: Value,
    pub(super) definitions: BTreeSet<String>,
}

/// The schema of an object with its members at the root, when it is just that.
pub(super) fn flatten(schema: &Value, definitions: &Definitions) -> Option<Value> {
    let members = resolve(schema, definitions).as_object()?;
    let simple = members.keys().all(|key| {
        matches!(
            key.as_str(),
            "type"
                | "properties"
                | "required"
                | "additionalProperties"
                | "title"
                | "description"
                | "examples"
                | "default"
        )
    });
    (simple && members.get("type").is_none_or(|name| name == "object")).then(|| Value::Object(members.clone()))
}

/// The schema as it is, when it fits.
pub(super) fn trim(schema: &Value, definitions: &Definitions, budget: usize) -> Option<Trimmed> {
    let closure = definitions.closure([schema]);
    let shared = closure.iter().filter_map(|name| definitions.get(name)).map(|one| one.schema.to_string().len());
    let size = schema.to_string().len() + shared.sum::<usize>();
    (size <= budget).then(|| Trimmed { schema: schema.clone(), definitions: closure })
}
