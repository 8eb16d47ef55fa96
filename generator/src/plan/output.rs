//! What a successful call answers with: its schema within the budget, an example, the accepted media types.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    Output,
    body::resolve,
    codes,
    media::{self, Class, is_json},
};
use crate::{
    api::{MediaType, Operation, Response},
    diagnostics::Diagnostics,
    schema::{self, Definitions, Trimmed},
};

/// The largest example that is kept, in bytes.
const MAX_EXAMPLE: usize = 16 * 1024;
/// The largest schema of an answer in XML that is kept, in bytes.
const MAX_ANSWER_XML: usize = 16 * 1024;
/// How deep schemas are looked into to see whether a value is always an object.
const MAX_DEPTH: usize = 16;

/// The 2xx responses by status.
fn successes(operation: &Operation) -> Vec<&Response> {
    let mut successes: Vec<&Response> = operation.responses.iter().filter(|response| response.is_success()).collect();
    // Digits sort before the `X` of a range.
    successes.sort_by(|left, right| left.status.cmp(&right.status));
    successes
}

/// The part of a response that becomes the structured result: JSON, or XML where there is no JSON.
fn structured_content(response: &Response) -> Option<&MediaType> {
    json_content(response).or_else(|| response.content.iter().find(|content| is_xml(content)))
}

/// Whether a value is read from XML by its schema.
fn is_xml(content: &MediaType) -> bool {
    media::class(&content.media_type) == Class::Xml && content.xml.is_some() && !content.sequential
}

fn json_content(response: &Response) -> Option<&MediaType> {
    response.content.iter().find(|content| is_json(&content.media_type) && !content.sequential)
}

/// The output schemas of one document.
pub(super) struct Outputs<'d> {
    definitions: &'d Definitions,
    budget: usize,
    /// Schemas by their text before: operations have many in common, and large ones take time.
    trimmed: HashMap<String, Option<Trimmed>>,
}

impl<'d> Outputs<'d> {
    pub(super) fn new(definitions: &'d Definitions, budget: usize) -> Self {
        Self { definitions, budget, trimmed: HashMap::new() }
    }

    /// The output schema: that of the first 2xx with JSON, or else XML, unless another 2xx answers with something else.
    pub(super) fn output(&mut self, operation: &Operation, diagnostics: &mut Diagnostics) -> Option<Output> {
        let (definitions, budget) = (self.definitions, self.budget);
        if budget == 0 {
            return None;
        }
        let successes = successes(operation);
        let json = successes.iter().find_map(|response| json_content(response));
        let content = json.or_else(|| successes.iter().find_map(|response| structured_content(response)))?;
        // XML is read by its schema; where that is too long to be kept, nothing can be promised.
        if json.is_none() && answer_xml(operation).is_none() {
            return None;
        }
        let schema = content.schema.as_ref()?;
        let same = |response: &&Response| {
            let is_structured = |content: &MediaType| match json {
                Some(_) => is_json(&content.media_type) && !content.sequential,
                None => is_xml(content),
            };
            !response.content.is_empty()
                && response.content.iter().all(|content| {
                    is_structured(content) && content.schema.as_ref() == Some(schema)
                        || json.is_some() && !is_json(&content.media_type) && json_content(response).is_some()
                })
        };
        if !successes.iter().all(same) || schema.as_object().is_none_or(serde_json::Map::is_empty) {
            return None;
        }
        let wrapped = !is_always_object(schema, definitions, 0);
        let trimmed =
            self.trimmed.entry(schema.to_string()).or_insert_with(|| schema::trim(schema, definitions, budget));
        let Some(trimmed) = trimmed.clone() else {
            if is_telling(schema, definitions) {
                let message = format!(
                    "no part of the output schema of {} {} fits into {budget} bytes; it is left out",
                    operation.method, operation.path
                );
                diagnostics.push(&codes::OUTPUT_OMITTED, Some(operation.location.clone()), message);
            }
            return None;
        };
        if trimmed.is_cut {
            let message =
                format!("the output schema of {} {} was trimmed to {budget} bytes", operation.method, operation.path);
            diagnostics.push(&codes::OUTPUT_TRIMMED, Some(operation.location.clone()), message);
        }
        Some(Output { schema: trimmed.schema, definitions: trimmed.definitions.into_iter().collect(), wrapped })
    }
}

/// Whether nothing but objects is valid.
fn is_always_object(schema: &Value, definitions: &Definitions, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let schema = resolve(schema, definitions);
    if schema.get("type").and_then(Value::as_str) == Some("object") {
        return true;
    }
    let members = |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_object = |member: &Value| is_always_object(member, definitions, depth + 1);
    members("allOf").iter().any(is_object)
        || ["anyOf", "oneOf"].iter().any(|key| !members(key).is_empty() && members(key).iter().all(is_object))
}

/// The value of `Accept`.
pub(super) fn accept(operation: &Operation) -> String {
    let successes = successes(operation);
    let default = operation.responses.iter().filter(|response| successes.is_empty() && response.status == "default");
    media::accept(successes.iter().copied().chain(default).flat_map(|response| &response.content))
}

/// What tells types and element names of the first 2xx that answers in XML and never in JSON; `None` when there is none,
/// or when it takes more space than it is worth.
pub(super) fn answer_xml(operation: &Operation) -> Option<Value> {
    let successes = successes(operation);
    if successes.iter().any(|response| json_content(response).is_some()) {
        return None;
    }
    let schema = successes.iter().flat_map(|response| &response.content).find_map(|content| content.xml.as_ref())?;
    let telling = element_names(schema);
    (telling.as_object().is_some_and(|members| !members.is_empty()) && telling.to_string().len() <= MAX_ANSWER_XML)
        .then_some(telling)
}

/// A schema that was written out, without what says nothing of types and element names.
fn element_names(schema: &Value) -> Value {
    let Some(members) = schema.as_object() else { return Value::Object(Default::default()) };
    let kept = members.iter().filter_map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("type" | "xml" | "x-name" | "required", value) => value.clone(),
            ("additionalProperties", Value::Bool(false)) => Value::Bool(false),
            ("items", value) => element_names(value),
            ("properties", Value::Object(members)) => {
                members.iter().map(|(name, schema)| (name.clone(), element_names(schema))).collect()
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => schemas.iter().map(element_names).collect(),
            _ => return None,
        };
        Some((key.clone(), value))
    });
    Value::Object(kept.collect())
}

/// The media type and an example of the first 2xx that has content.
pub(super) fn media_type_and_example(operation: &Operation) -> (String, String) {
    let successes = successes(operation);
    let Some(response) = successes.iter().find(|response| !response.content.is_empty()) else {
        return Default::default();
    };
    let content = json_content(response).or(response.content.first());
    let Some(content) = content.filter(|content| !content.media_type.contains('*')) else { return Default::default() };
    let media_type = media::essence(&content.media_type);
    if !media::is_well_formed(&media_type) {
        return Default::default();
    }
    let example = match &content.example {
        Some(Value::String(text)) if !is_json(&media_type) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    (media_type, if example.len() > MAX_EXAMPLE { String::new() } else { example })
}

/// Whether a schema says more than the type of its values.
fn is_telling(schema: &Value, definitions: &Definitions) -> bool {
    let members = resolve(schema, definitions).as_object();
    members.is_some_and(|members| !members.keys().all(|key| matches!(key.as_str(), "type" | "title" | "description")))
}
