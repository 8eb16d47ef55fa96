//! Request bodies: which media type is sent, and where its value lies among the arguments.
//!
//! The media type is the first of these kinds, the document's order deciding within a kind: JSON, merge patch, other
//! `+json`, form, multipart, JSON sequences, YAML, text, XML, bytes. A range such as `*/*` with the schema of an object
//! is sent as JSON. The members of an object lie beside the parameters when nothing is lost by it and no name is there
//! twice; all else lies under `body`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    Body, PartEncoding, arguments, codes,
    decision::Decision,
    media::{self, Class},
};
use crate::{
    api::{self, MediaType, Operation},
    diagnostics::Diagnostics,
    schema::{self, Definitions},
    text::{bounded, clean},
};

/// References followed to see what a schema is.
const MAX_REFERENCES: usize = 16;

/// The body of an operation as the decision wants it; `taken` holds the names of the parameters' arguments, `used` gets
/// the hidden and fixed names that were found.
pub(super) fn body(
    operation: &Operation,
    decision: &Decision,
    definitions: &Definitions,
    description_limit: usize,
    taken: &BTreeSet<String>,
    used: &mut BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> Option<Body> {
    let source = operation.body.as_ref()?;
    let chosen = choose(operation, source, decision, definitions, diagnostics)?;
    let mut class = media::class(&chosen.media_type);
    let mut media_type = chosen.media_type.trim().to_owned();
    let is_range = media_type.contains('*');
    let any = Value::Object(Map::new());
    let schema = chosen.schema.as_deref().unwrap_or(&any);
    let resolved = resolve(schema, definitions);
    if !source.required && is_empty(resolved) {
        // Nothing but `{}` could be sent.
        return None;
    }
    let flat = schema::flatten(schema, definitions).or_else(|| is_empty(resolved).then(|| resolved.clone()));
    let is_flat = flat.is_some();
    // Members may be files, hidden or fixed even where they cannot lie flat.
    let mut object =
        flat.or_else(|| resolved.get("properties").is_some_and(Value::is_object).then(|| resolved.clone()));
    if is_range && (object.is_some() || is_object(schema, definitions)) || !media::is_well_formed(&media_type) {
        "application/json".clone_into(&mut media_type);
        class = Class::Json;
    }
    let mut encoding = Vec::new();
    if matches!(class, Class::Form | Class::Multipart) {
        encoding = encodings(chosen, object.as_mut(), class, definitions);
    }
    let mut whole = match class {
        Class::Multipart if !may_be_object(resolved) => {
            let message = format!(
                "the {media_type} body of {} {} is not an object, so its parts have no names",
                operation.method, operation.path
            );
            diagnostics.push(&codes::MULTIPART_NOT_OBJECT, Some(chosen.location.clone()), message);
            json!({"type": "object"})
        }
        Class::Json | Class::MergePatch | Class::JsonSuffix | Class::Form | Class::Multipart => schema.clone(),
        Class::Xml if chosen.schema.is_some() => schema.clone(),
        Class::Yaml if is_object(schema, definitions) => schema.clone(),
        Class::Sequence if !chosen.sequential && has_type(resolve(schema, definitions), "array") => schema.clone(),
        Class::Sequence => sequence_schema(schema, definitions),
        Class::Text | Class::Yaml | Class::Xml => text_schema(schema, definitions),
        Class::Binary => file_schema(None, false),
    };
    if matches!(class, Class::Sequence | Class::Text | Class::Binary) {
        object = None;
    }
    let mut fixed = Vec::new();
    let mut changed = !encoding.iter().all(|part: &PartEncoding| !part.file);
    if let Some(object) = &mut object {
        changed |= fix(operation, decision, object, &mut fixed, used, diagnostics);
    }
    let xml = match class {
        Class::Xml => Some(chosen.xml.clone().unwrap_or_else(|| schema.clone())),
        _ => None,
    };
    let body = |schema, argument, encoding| Body {
        media_type: media_type.clone(),
        schema,
        argument,
        required: source.required,
        encoding,
        fixed: fixed.clone(),
        xml: xml.clone(),
    };
    if let Some(object) = object {
        if is_flat && can_lie_flat(&object, source.required, taken) {
            return Some(body(object, String::new(), encoding));
        }
        if changed {
            whole = object;
        }
    }
    describe(&mut whole, &source.description, description_limit);
    let argument = if taken.contains("body") { "request_body" } else { "body" };
    let argument = if taken.contains(argument) { "request_body_content" } else { argument };
    Some(body(whole, argument.to_owned(), encoding))
}

fn choose<'o>(
    operation: &Operation,
    source: &'o api::Body,
    decision: &Decision,
    definitions: &Definitions,
    diagnostics: &mut Diagnostics,
) -> Option<&'o MediaType> {
    if let Some(wanted) = &decision.media_type {
        let wanted = media::essence(wanted);
        if let Some(found) = source.content.iter().find(|content| media::essence(&content.media_type) == wanted) {
            return Some(found);
        }
        let known: Vec<&str> = source.content.iter().map(|content| content.media_type.as_str()).collect();
        let message = format!("{} {} takes no `{wanted}`", operation.method, operation.path);
        diagnostics
            .push(&codes::MEDIA_TYPE_UNMATCHED, Some(source.location.clone()), message)
            .help(format!("it takes: {}", known.join(", ")));
    }
    source.content.iter().min_by_key(|content| {
        let is_json_range = content.media_type.contains('*')
            && content.schema.as_ref().is_some_and(|schema| is_object(schema, definitions));
        (if is_json_range { Class::Json } else { media::class(&content.media_type) }, content.media_type.contains('*'))
    })
}

fn properties(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn required(object: &Value) -> impl Iterator<Item = &str> {
    object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether `{}` is the only valid value.
fn is_empty(object: &Value) -> bool {
    properties(object).next().is_none()
        && object.get("additionalProperties") == Some(&Value::Bool(false))
        && object.get("patternProperties").is_none()
}

/// Whether the members may lie beside the parameters.
fn can_lie_flat(object: &Value, body_required: bool, taken: &BTreeSet<String>) -> bool {
    let names_fit = properties(object).all(|(name, _)| arguments::is_legal(name) && !taken.contains(name));
    names_fit && (body_required || required(object).next().is_none())
}

/// Takes hidden and fixed members out of the object's schema; true when there were any.
fn fix(
    operation: &Operation,
    decision: &Decision,
    object: &mut Value,
    fixed: &mut Vec<(String, Value)>,
    used: &mut BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let mut gone = Vec::new();
    for (name, schema) in properties(object) {
        if let Some(value) = decision.fixed.get(name).filter(|_| !used.contains(name)) {
            fixed.push((name.clone(), value.clone()));
        } else if decision.hidden.contains(name) && !used.contains(name) {
            if required(object).any(|required| required == name) {
                let Some(value) = arguments::default_value(schema) else {
                    arguments::report_required(operation, name, diagnostics);
                    used.insert(name.clone());
                    continue;
                };
                fixed.push((name.clone(), value));
            }
        } else {
            continue;
        }
        gone.push(name.clone());
    }
    if let Some(members) = object.get_mut("properties").and_then(Value::as_object_mut) {
        members.retain(|name, _| !gone.contains(name));
    }
    if let Some(members) = object.get_mut("required").and_then(Value::as_array_mut) {
        members.retain(|name| name.as_str().is_none_or(|name| !gone.iter().any(|gone| gone == name)));
    }
    let any = !gone.is_empty();
    used.extend(gone);
    any
}

/// The encodings of the parts; properties that are files get the schema of a file.
fn encodings(
    content: &MediaType,
    object: Option<&mut Value>,
    class: Class,
    definitions: &Definitions,
) -> Vec<PartEncoding> {
    let mut parts: Vec<PartEncoding> = content
        .encoding
        .iter()
        .map(|encoding| PartEncoding {
            name: encoding.name.clone(),
            content_type: encoding.content_type.clone(),
            style: encoding.style,
            headers: encoding.headers.clone(),
            file: false,
        })
        .collect();
    let members = object.and_then(|object| object.get_mut("properties")).and_then(Value::as_object_mut);
    for (name, schema) in members.into_iter().flatten().filter(|_| class == Class::Multipart) {
        let index = parts.iter().position(|part| part.name == *name);
        let content_type = index.and_then(|index| parts.get(index)).map_or("", |part| &part.content_type);
        let Some(replacement) = file_property(schema, content_type, definitions) else { continue };
        *schema = replacement;
        match index.and_then(|index| parts.get_mut(index)) {
            Some(part) => part.file = true,
            None => parts.push(PartEncoding {
                name: name.clone(),
                content_type: String::new(),
                style: None,
                headers: Vec::new(),
                file: true,
            }),
        }
    }
    parts
}

/// The schema of a file, or of an array of them, when that is what the property of a multipart body holds.
fn file_property(schema: &Value, content_type: &str, definitions: &Definitions) -> Option<Value> {
    let resolved = resolve(schema, definitions);
    if is_bytes(resolved, content_type, definitions) {
        return Some(file_schema(description(schema).or(description(resolved)), true));
    }
    let items = resolve(resolved.get("items")?, definitions);
    if has_type(resolved, "array") && is_bytes(items, content_type, definitions) {
        let mut array = resolved.clone();
        array.as_object_mut()?.insert("items".to_owned(), file_schema(description(items), true));
        return Some(array);
    }
    None
}

/// Whether the schema is of bytes that JSON cannot hold.
fn is_bytes(schema: &Value, content_type: &str, definitions: &Definitions) -> bool {
    let Some(members) = schema.as_object() else { return false };
    if members.contains_key("contentEncoding") {
        return false;
    }
    if let Some(alternatives) = ["anyOf", "oneOf"].iter().find_map(|key| members.get(*key)).and_then(Value::as_array) {
        // A nullable file.
        return alternatives.iter().any(|schema| is_bytes_here(resolve(schema, definitions), content_type))
            && alternatives.iter().all(|schema| {
                let schema = resolve(schema, definitions);
                is_bytes_here(schema, content_type) || schema.get("type").and_then(Value::as_str) == Some("null")
            });
    }
    is_bytes_here(schema, content_type)
}

fn is_bytes_here(schema: &Value, content_type: &str) -> bool {
    let Some(members) = schema.as_object() else { return false };
    if members.contains_key("contentEncoding") {
        return false;
    }
    let untyped = !["type", "enum", "const", "properties", "items", "allOf", "anyOf", "oneOf", "$ref"]
        .iter()
        .any(|key| members.contains_key(*key));
    let texts = has_type(schema, "string") || untyped;
    let says_bytes = members.get("format").and_then(Value::as_str) == Some("binary")
        || members
            .get("contentMediaType")
            .and_then(Value::as_str)
            .is_some_and(|media_type| media::class(media_type) == Class::Binary);
    let encoded_as_bytes = content_type
        .split(',')
        .map(str::trim)
        .any(|media_type| !media_type.is_empty() && media::class(media_type) == Class::Binary);
    texts && (says_bytes || encoded_as_bytes && !members.contains_key("enum"))
}

/// The schema of a file as an argument.
pub(super) fn file_schema(description: Option<&str>, named: bool) -> Value {
    let mut properties = Map::new();
    if named {
        properties.insert("filename".to_owned(), json!({"type": "string", "description": "The file's name"}));
    }
    properties.insert(
        "contentType".to_owned(),
        json!({"type": "string", "description": "The media type, such as image/png"}),
    );
    properties.insert(
        "data".to_owned(),
        json!({"type": "string", "contentEncoding": "base64", "description": "The content in base64"}),
    );
    properties.insert("text".to_owned(), json!({"type": "string", "description": "The content, when it is text"}));
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    if let Some(description) = description {
        schema.insert("description".to_owned(), json!(description));
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("oneOf".to_owned(), json!([{"required": ["data"]}, {"required": ["text"]}]));
    schema.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(schema)
}

/// The schema of values one after the other: an array of them. A schema of strings or bytes means the whole text of the
/// body, and says nothing of the values.
fn sequence_schema(schema: &Value, definitions: &Definitions) -> Value {
    let items = if has_type(resolve(schema, definitions), "string") { &Value::Bool(true) } else { schema };
    json!({"type": "array", "items": items})
}

/// The schema of a text body: the document's when it is of strings.
fn text_schema(schema: &Value, definitions: &Definitions) -> Value {
    let resolved = resolve(schema, definitions);
    if has_type(resolved, "string") && resolved.get("format").and_then(Value::as_str) != Some("binary") {
        schema.clone()
    } else {
        json!({"type": "string"})
    }
}

fn is_object(schema: &Value, definitions: &Definitions) -> bool {
    let schema = resolve(schema, definitions);
    has_type(schema, "object") || schema.get("properties").is_some()
}

/// Whether an object could be valid by the type.
fn may_be_object(schema: &Value) -> bool {
    *schema != Value::Bool(false) && (schema.get("type").is_none() || has_type(schema, "object"))
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

/// The schema behind references.
pub(super) fn resolve<'s>(mut schema: &'s Value, definitions: &'s Definitions) -> &'s Value {
    for _ in 0..MAX_REFERENCES {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix("#/$defs/"))
            .and_then(|name| definitions.get(name));
        match target {
            Some(definition) => schema = &definition.schema,
            None => break,
        }
    }
    schema
}

fn description(schema: &Value) -> Option<&str> {
    schema.get("description").and_then(Value::as_str)
}

/// Gives a schema the body's description when it has none of its own.
fn describe(schema: &mut Value, text: &str, limit: usize) {
    let text = clean(text);
    if text.is_empty() {
        return;
    }
    if *schema == Value::Bool(true) {
        *schema = Value::Object(Map::new());
    }
    if let Some(members) = schema.as_object_mut()
        && !members.contains_key("description")
    {
        members.insert("description".to_owned(), Value::String(bounded(&text, limit).into_owned()));
    }
}
