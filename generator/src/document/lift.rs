//! Lifts schemas out of the document and rewrites their references to components of the store.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{
    codes,
    files::{Files, Target, push_token},
    store::{SchemaId, SchemaStore, StoredSchema},
};
use crate::diagnostics::{Diagnostics, Location};

/// How often a map of schemas may be spliced in by reference inside of another, and how many references may follow
/// each other.
const MAX_SPLICES: usize = 8;
/// How deep schemas may nest with what is spliced into them.
const MAX_DEPTH: usize = 150;
/// How many schemas may be spliced in so, in all.
const MAX_SPLICED: usize = 100_000;

/// Collects the schemas of a document.
pub(super) struct Lifter {
    store: SchemaStore,
    lifted: HashMap<Target, SchemaId>,
    names: HashMap<Target, String>,
    taken: HashSet<String>,
    /// What stands in for components that are only references.
    adopted: HashMap<Target, Target>,
    pending: Vec<Target>,
    spliced: usize,
    /// The pointer above the root's named schemas: `/components/schemas` or `/definitions`.
    home: &'static str,
    root: crate::source::FileId,
}

/// Where a schema stands while its references are rewritten.
#[derive(Clone)]
struct Scope<'s> {
    file: crate::source::FileId,
    /// The pointer of the lifted schema.
    lifted: &'s str,
    /// The pointer of the nearest schema with an `$id`.
    resource: Option<String>,
    splices: usize,
    depth: usize,
}

impl Lifter {
    pub(super) fn new(root: crate::source::FileId, home: &'static str) -> Self {
        Self {
            store: SchemaStore::default(),
            lifted: HashMap::new(),
            names: HashMap::new(),
            taken: HashSet::new(),
            adopted: HashMap::new(),
            pending: Vec::new(),
            spliced: 0,
            home,
            root,
        }
    }

    /// Names and lifts the root's own components, so that they keep their names whatever else refers to them.
    pub(super) fn components(&mut self, files: &mut Files<'_>, diagnostics: &mut Diagnostics) {
        let mut home = Target { file: self.root, pointer: self.home.to_owned() };
        let mut root = files.value(home.file);
        // The whole section may be a reference.
        for _ in 0..MAX_SPLICES {
            let Some(reference) = root.pointer(&home.pointer).and_then(super::shape::reference) else { break };
            let Ok(target) = files.resolve(home.file, reference, diagnostics) else { break };
            home = target;
            root = files.value(home.file);
        }
        let Some(schemas) = root.pointer(&home.pointer).and_then(Value::as_object) else { return };
        let targets: Vec<Target> = schemas
            .keys()
            .map(|name| {
                let mut pointer = home.pointer.clone();
                push_token(&mut pointer, name);
                let target = Target { file: home.file, pointer };
                self.names.insert(target.clone(), name.clone());
                self.taken.insert(name.clone());
                target
            })
            .collect();
        for target in targets {
            self.adopt(&target, files, diagnostics);
            self.lift_component(target, files, diagnostics);
        }
    }

    /// A component that is nothing but a reference gives its name to what lies behind it, if that has none of its own.
    fn adopt(&mut self, component: &Target, files: &mut Files<'_>, diagnostics: &mut Diagnostics) {
        let mut behind = component.clone();
        for _ in 0..MAX_SPLICES {
            let root = files.value(behind.file);
            let Some(members) = root.pointer(&behind.pointer).and_then(Value::as_object) else { return };
            match (members.get("$ref"), members.len()) {
                (Some(Value::String(reference)), 1) => match files.resolve(behind.file, reference, diagnostics) {
                    Ok(target) => behind = target,
                    Err(_) => return,
                },
                _ => break,
            }
        }
        if behind == *component || self.names.contains_key(&behind) {
            return;
        }
        if let Some(name) = self.names.get(component).cloned() {
            self.names.insert(behind.clone(), name.clone());
            self.names.insert(component.clone(), name);
            self.adopted.insert(component.clone(), behind);
        }
    }

    /// Lifts the schema at a place; the same place gives the same schema.
    pub(super) fn lift(
        &mut self,
        value: &Value,
        at: &Target,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> SchemaId {
        self.lift_within(value, at, None, files, diagnostics)
    }

    /// Lifts a schema that lies within another one with an `$id`.
    fn lift_within(
        &mut self,
        value: &Value,
        at: &Target,
        resource: Option<String>,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> SchemaId {
        if let Some(id) = self.lifted.get(at) {
            return *id;
        }
        let scope = Scope { file: at.file, lifted: &at.pointer, resource, splices: 0, depth: 0 };
        let value = self.rewrite(value, &at.pointer, &scope, files, diagnostics);
        let id = self
            .store
            .insert(StoredSchema { value, location: Location { file: at.file, pointer: at.pointer.clone() } });
        self.lifted.insert(at.clone(), id);
        id
    }

    fn lift_component(&mut self, target: Target, files: &mut Files<'_>, diagnostics: &mut Diagnostics) {
        let Some(name) = self.names.get(&target).cloned() else { return };
        if self.store.component(&name).is_some() {
            return;
        }
        let target = self.adopted.get(&target).cloned().unwrap_or(target);
        let root = files.value(target.file);
        let value = root.pointer(&target.pointer).unwrap_or(&Value::Bool(true));
        let identified =
            |pointer: &&str| root.pointer(pointer).is_some_and(|above| above.get("$id").is_some_and(Value::is_string));
        let above = target.pointer.match_indices('/').map(|(at, _)| &target.pointer[..at]).rfind(identified);
        let id = self.lift_within(value, &target, above.map(str::to_owned), files, diagnostics);
        self.store.name(name, id);
    }

    /// Lifts what references have asked for and gives the schemas out.
    pub(super) fn finish(mut self, files: &mut Files<'_>, diagnostics: &mut Diagnostics) -> SchemaStore {
        while let Some(target) = self.pending.pop() {
            self.lift_component(target, files, diagnostics);
        }
        self.store
    }

    /// The name of the component that a place becomes when a reference leads there.
    fn name(&mut self, target: Target, files: &Files<'_>) -> String {
        if let Some(name) = self.names.get(&target) {
            return name.clone();
        }
        let tokens: Vec<&str> = target.pointer.split('/').skip(1).collect();
        let last = |count: usize| {
            let meaningful: Vec<String> = tokens
                .iter()
                .filter(|token| {
                    !matches!(
                        **token,
                        "components"
                            | "schemas"
                            | "definitions"
                            | "$defs"
                            | "paths"
                            | "content"
                            | "schema"
                            | "responses"
                            | "properties"
                            | "parameters"
                    )
                })
                .map(|token| token.replace("~1", "_").replace("~0", "_"))
                .collect();
            meaningful[meaningful.len().saturating_sub(count)..].join("_")
        };
        let wanted = match tokens.as_slice() {
            [] => files.stem(target.file),
            [.., parent, own] if matches!(*parent, "schemas" | "definitions" | "$defs") => {
                own.replace("~1", "/").replace("~0", "~")
            }
            _ if target.file != self.root => last(1),
            _ => last(4),
        };
        let wanted: String =
            wanted.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        let wanted = wanted.trim_matches('_');
        let wanted = if wanted.is_empty() { "schema" } else { wanted };
        let mut name = wanted.to_owned();
        if self.taken.contains(&name) {
            name = format!("{}_{wanted}", files.stem(target.file));
        }
        let mut counter = 2;
        while self.taken.contains(&name) {
            name = format!("{wanted}_{counter}");
            counter += 1;
        }
        self.taken.insert(name.clone());
        self.names.insert(target.clone(), name.clone());
        self.pending.push(target);
        name
    }

    fn rewrite(
        &mut self,
        value: &Value,
        pointer: &str,
        scope: &Scope<'_>,
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
                    Some(reference) => match self.reference(reference, scope, files, diagnostics) {
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
        scope: &Scope<'_>,
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
                let scope = Scope {
                    file: target.file,
                    lifted: &target.pointer,
                    resource: None,
                    splices: scope.splices + 1,
                    depth: scope.depth,
                };
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
        scope: &Scope<'_>,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let mut value = value.clone();
        if let Some(mapping) = value.get_mut("mapping").and_then(Value::as_object_mut) {
            mapping.retain(|key, target| {
                let text = target.as_str().unwrap_or_default().to_owned();
                let plain = if text.contains(['/', '#']) { None } else { self.home_component(&text, files) };
                let name = match plain {
                    Some(name) => Ok(name),
                    None => self.reference(&text, scope, files, diagnostics),
                };
                let name = match name {
                    Ok(name) => name,
                    Err(reason) => {
                        let mut place = format!("{pointer}/mapping");
                        push_token(&mut place, key);
                        diagnostics.push(
                            &codes::UNRESOLVED_REFERENCE,
                            Some(Location { file: scope.file, pointer: place }),
                            format!("the mapping of `{key}` to `{text}` leads nowhere and is left out: {reason}"),
                        );
                        return false;
                    }
                };
                let mut canonical = "#/components/schemas".to_owned();
                push_token(&mut canonical, &name);
                *target = Value::String(canonical);
                true
            });
        }
        value
    }

    fn home_component(&mut self, name: &str, files: &Files<'_>) -> Option<String> {
        let mut pointer = self.home.to_owned();
        push_token(&mut pointer, name);
        files.value(self.root).pointer(&pointer)?;
        Some(self.name(Target { file: self.root, pointer }, files))
    }

    fn text_behind(
        &mut self,
        value: &Value,
        scope: &Scope<'_>,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<String> {
        let reference = value.get("$ref")?.as_str()?;
        let target = files.resolve(scope.file, reference, diagnostics).ok()?;
        files.value(target.file).pointer(&target.pointer)?.as_str().map(str::to_owned)
    }

    /// The component that a reference in a schema leads to.
    fn reference(
        &mut self,
        reference: &str,
        scope: &Scope<'_>,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Result<String, String> {
        let target = self.target(reference, scope, files, diagnostics)?;
        Ok(self.name(target, files))
    }

    fn target(
        &mut self,
        reference: &str,
        scope: &Scope<'_>,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Target, String> {
        let root = files.value(scope.file);
        if let Some(fragment) = reference.strip_prefix('#') {
            let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
            let within = |files: &mut Files<'_>, base: &str| -> Option<Target> {
                let resource = root.pointer(base)?;
                let inner = if fragment.is_empty() || fragment.starts_with('/') {
                    resource.pointer(&fragment).map(|_| fragment.to_string())?
                } else {
                    return files
                        .anchored(scope.file, base, &fragment)
                        .map(|pointer| Target { file: scope.file, pointer });
                };
                Some(Target { file: scope.file, pointer: format!("{base}{inner}") })
            };
            // RFC 3986 §5.1: a fragment is relative to the nearest `$id`; without one to the file.
            if let Some(target) = scope.resource.as_deref().and_then(|base| within(files, base)) {
                return Ok(target);
            }
            let failure = match files.resolve(scope.file, reference, diagnostics) {
                Ok(target) => return Ok(target),
                Err(failure) => failure,
            };
            return within(files, scope.lifted).ok_or(failure);
        }
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let within = scope.resource.clone().map(|pointer| Target { file: scope.file, pointer });
        if let Some(target) = files.identified(document, within.as_ref()) {
            if fragment.is_empty() {
                return Ok(target);
            }
            let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
            if !fragment.starts_with('/') {
                if let Some(pointer) = files.anchored(target.file, &target.pointer, &fragment) {
                    return Ok(Target { file: target.file, pointer });
                }
            } else if files
                .value(target.file)
                .pointer(&target.pointer)
                .is_some_and(|base| base.pointer(&fragment).is_some())
            {
                return Ok(Target { file: target.file, pointer: format!("{}{fragment}", target.pointer) });
            }
        }
        let failure = match files.resolve(scope.file, reference, diagnostics) {
            Ok(target) => return Ok(target),
            Err(failure) => failure,
        };
        // A bare component name, as old tools wrote it.
        let mut pointer = self.home.to_owned();
        push_token(&mut pointer, reference);
        if files.value(self.root).pointer(&pointer).is_some() {
            return Ok(Target { file: self.root, pointer });
        }
        Err(failure)
    }
}

/// What a value is, for messages.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
