//! Rewrites the references in a schema to components of the store.

use serde_json::{Map, Value};

use super::Lifter;
use crate::{
    diagnostics::{Diagnostics, Location},
    document::{
        codes,
        files::{Files, push_token},
    },
};

/// How often a map of schemas may be spliced in by reference inside of another.
const MAX_SPLICES: usize = 8;
/// How deep schemas may nest with what is spliced into them.
const MAX_DEPTH: usize = 150;
/// How many schemas may be spliced in so, in all.
const MAX_SPLICED: usize = 100_000;

/// Where a schema stands while its references are rewritten.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) file: crate::source::FileId,
    /// The pointer of the nearest schema with an `$id`.
    pub(super) resource: Option<String>,
    pub(super) splices: usize,
    pub(super) depth: usize,
}

impl Lifter {
    pub(super) fn rewrite(
        &mut self,
        value: &Value,
        pointer: &str,
        scope: &Scope,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let members = match value {
            Value::Object(members) => members,
            Value::Bool(_) => return value.clone(),
            // What languages without a type for empty objects write.
            Value::Array(items) if items.is_empty() => return Value::Object(Map::new()),
            other => {
                let message = format!("{} stands where a schema belongs; any value is admitted", kind_of(other));
                let location = Location { file: scope.file, pointer: pointer.to_owned() };
                diagnostics.push(&codes::INVALID_MEMBER, Some(location), message);
                return Value::Bool(true);
            }
        };
        if scope.splices > 0 {
            self.spliced += 1;
            if self.spliced > MAX_SPLICED || scope.depth > MAX_DEPTH {
                return Value::Bool(true);
            }
        }
        let mut inner = scope.clone();
        inner.depth += 1;
        if members.get("$id").and_then(Value::as_str).is_some_and(|identifier| !identifier.starts_with('#')) {
            inner.resource = Some(pointer.to_owned());
        }
        let scope = &inner;
        let mut result = Map::with_capacity(members.len());
        let mut dangling = false;
        for (key, member) in members {
            let below = || {
                let mut below = pointer.to_owned();
                push_token(&mut below, key);
                below
            };
            let rewritten = match key.as_str() {
                "$ref" | "$dynamicRef" | "$recursiveRef" => match member.as_str() {
                    Some(reference) => match self.reference(reference, pointer, scope, files, diagnostics) {
                        Ok(name) => {
                            let mut canonical = "#/components/schemas".to_owned();
                            push_token(&mut canonical, &name);
                            result.insert("$ref".to_owned(), Value::String(canonical));
                            continue;
                        }
                        Err(reason) => {
                            let location = Location { file: scope.file, pointer: below() };
                            diagnostics
                                .push(
                                    &codes::UNRESOLVED_REFERENCE,
                                    Some(location),
                                    format!("the reference `{reference}` leads nowhere: {reason}"),
                                )
                                .help("any value is admitted here; mend the reference to say which");
                            dangling = true;
                            continue;
                        }
                    },
                    None => {
                        let location = Location { file: scope.file, pointer: below() };
                        diagnostics.push(
                            &codes::INVALID_MEMBER,
                            Some(location),
                            format!("`{key}` is {}, not a text; it is left out", kind_of(member)),
                        );
                        continue;
                    }
                },
                "not"
                | "if"
                | "then"
                | "else"
                | "additionalProperties"
                | "additionalItems"
                | "contains"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                | "contentSchema" => self.rewrite(member, &below(), scope, files, diagnostics),
                "items" | "allOf" | "anyOf" | "oneOf" | "prefixItems" => match member {
                    Value::Array(items) => Value::Array(
                        items
                            .iter()
                            .enumerate()
                            .map(|(index, item)| {
                                self.rewrite(item, &format!("{}/{index}", below()), scope, files, diagnostics)
                            })
                            .collect(),
                    ),
                    other => self.rewrite(other, &below(), scope, files, diagnostics),
                },
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies" => {
                    self.rewrite_map(member, &below(), scope, files, diagnostics)
                }
                "discriminator" => self.rewrite_discriminator(member, &below(), scope, files, diagnostics),
                "description" | "title" if member.is_object() => {
                    match self.text_behind(member, scope, files, diagnostics) {
                        Some(text) => Value::String(text),
                        None => continue,
                    }
                }
                _ => member.clone(),
            };
            result.insert(key.clone(), rewritten);
        }
        if dangling && result.is_empty() { Value::Bool(true) } else { Value::Object(result) }
    }

    /// A map of schemas, which real documents also give by reference.
    fn rewrite_map(
        &mut self,
        value: &Value,
        pointer: &str,
        scope: &Scope,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let members = match value {
            Value::Object(members) => members,
            Value::Array(items) if items.is_empty() => return Value::Object(Map::new()),
            other => {
                let message = format!("{} stands where an object of schemas belongs; it is left out", kind_of(other));
                let location = Location { file: scope.file, pointer: pointer.to_owned() };
                diagnostics.push(&codes::INVALID_MEMBER, Some(location), message);
                return Value::Object(Map::new());
            }
        };
        if let (Some(Value::String(reference)), 1) = (members.get("$ref"), members.len())
            && scope.splices < MAX_SPLICES
            && let Ok(target) = files.resolve(scope.file, reference, diagnostics)
        {
            let root = files.value(target.file);
            if let Some(map @ Value::Object(_)) = root.pointer(&target.pointer) {
                let scope = Scope { file: target.file, resource: None, splices: scope.splices + 1, depth: scope.depth };
                return self.rewrite_map(map, &target.pointer, &scope, files, diagnostics);
            }
        }
        Value::Object(
            members
                .iter()
                .map(|(name, member)| {
                    let mut below = pointer.to_owned();
                    push_token(&mut below, name);
                    // `dependencies` may list names instead.
                    let names = pointer.ends_with("/dependencies") && member.is_array();
                    let rewritten =
                        if names { member.clone() } else { self.rewrite(member, &below, scope, files, diagnostics) };
                    (name.clone(), rewritten)
                })
                .collect(),
        )
    }

    fn rewrite_discriminator(
        &mut self,
        value: &Value,
        pointer: &str,
        scope: &Scope,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let mut value = value.clone();
        // Rewrites a target; says whether it leads anywhere.
        let mut lift = |target: &mut Value, what: &str, place: String| {
            let text = target.as_str().unwrap_or_default().to_owned();
            let plain = if text.contains(['/', '#']) { None } else { self.home_component(&text, files) };
            let name = match plain {
                Some(name) => Ok(name),
                None => self.reference(&text, pointer, scope, files, diagnostics),
            };
            match name {
                Ok(name) => {
                    let mut canonical = "#/components/schemas".to_owned();
                    push_token(&mut canonical, &name);
                    *target = Value::String(canonical);
                    true
                }
                Err(reason) => {
                    diagnostics.push(
                        &codes::UNRESOLVED_REFERENCE,
                        Some(Location { file: scope.file, pointer: place }),
                        format!("the mapping of {what} to `{text}` leads nowhere and is left out: {reason}"),
                    );
                    false
                }
            }
        };
        if let Some(mapping) = value.get_mut("mapping").and_then(Value::as_object_mut) {
            mapping.retain(|key, target| {
                let mut place = format!("{pointer}/mapping");
                push_token(&mut place, key);
                lift(target, &format!("`{key}`"), place)
            });
        }
        if let Some(target) = value.get_mut("defaultMapping")
            && !lift(target, "what is named otherwise", format!("{pointer}/defaultMapping"))
            && let Some(discriminator) = value.as_object_mut()
        {
            discriminator.shift_remove("defaultMapping");
        }
        value
    }

    fn text_behind(
        &mut self,
        value: &Value,
        scope: &Scope,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<String> {
        let reference = value.get("$ref")?.as_str()?;
        let target = files.resolve(scope.file, reference, diagnostics).ok()?;
        files.value(target.file).pointer(&target.pointer)?.as_str().map(str::to_owned)
    }
}

/// What a value is, for messages.
pub(in crate::document) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
