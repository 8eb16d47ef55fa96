//! Shapes a document of any version into OpenAPI 3.0 as openapiv3 reads it: references resolved, schemas lifted,
//! faults repaired or reported.

mod media;
pub(super) mod operation;
mod parameter;
mod server;
mod tags;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::{
    Document, DocumentOperation, codes, extra,
    files::{Files, Target, push_token},
    lift::{Lifter, kind_of},
    version::SpecificationVersion,
};
use crate::{
    api::{LostOperation, Method},
    diagnostics::{Code, Diagnostics, Location},
    source::FileId,
};

/// How many references may follow each other.
const MAX_HOPS: usize = 64;
/// How many parameters, responses and media types a document may have, each counted as often as it is referred to.
const MAX_SHAPED: usize = 3_000_000;

pub(super) struct Shaper<'f, 'a, 'd> {
    pub(super) files: &'f mut Files<'a>,
    pub(super) root: FileId,
    pub(super) version: SpecificationVersion,
    pub(super) diagnostics: &'d mut Diagnostics,
    pub(super) lifter: Lifter,
    hops: usize,
    callbacks: usize,
    /// The tag above a tag.
    parents: HashMap<String, String>,
    /// How many parameters, responses and media types have been made: one that is referred to often is made often.
    shaped: usize,
    /// What has been reported: one item that is referred to often is reported once.
    reported: HashSet<(&'static str, Target, String)>,
}

impl<'f, 'a, 'd> Shaper<'f, 'a, 'd> {
    pub(super) fn new(
        files: &'f mut Files<'a>,
        root: FileId,
        version: SpecificationVersion,
        diagnostics: &'d mut Diagnostics,
    ) -> Self {
        let home = if version == SpecificationVersion::V2_0 { "/definitions" } else { "/components/schemas" };
        Shaper {
            files,
            root,
            version,
            diagnostics,
            lifter: Lifter::new(root, home),
            hops: 0,
            callbacks: 0,
            parents: HashMap::new(),
            shaped: 0,
            reported: HashSet::new(),
        }
    }

    pub(super) fn document(&mut self, openapi: String) -> Document {
        let root = self.files.value(self.root);
        let at = Target { file: self.root, pointer: String::new() };
        self.lifter.components(self.files, self.diagnostics);

        if root.get("openapi").or_else(|| root.get("swagger")).is_some_and(Value::is_number) {
            let key = if root.get("openapi").is_some() { "openapi" } else { "swagger" };
            self.report(&codes::REPAIRED, &child(&at, key), "the version is a number; write it as a text");
        }
        let info_at = child(&at, "info");
        let info =
            root.get("info").map(|info| self.follow(info, &info_at, |_, info, _| info.clone())).unwrap_or_default();
        let info = info.unwrap_or_default();
        let mut text = |key: &str| self.text(info.get(key), &child(&info_at, key)).unwrap_or_default();
        let (title, info_version, description) = (text("title"), text("version"), text("description"));
        if title.is_empty() {
            self.report(&codes::REPAIRED, &info_at, "the document has no `info.title`");
        }
        let servers = if self.version == SpecificationVersion::V2_0 {
            super::swagger::servers(&root)
        } else {
            self.servers(root.get("servers"), &child(&at, "servers"))
        };
        let security = root.get("security").and_then(|value| self.security(value, &child(&at, "security")));
        let tags = self.tags(&root);
        let security_schemes = self.security_schemes(&root);

        let mut operations = Vec::new();
        let mut lost = Vec::new();
        if let Some(paths) = root.get("paths") {
            let at = child(&at, "paths");
            self.follow(paths, &at, |shaper, paths, at| {
                for (path, item) in shaper.members(paths, "paths", at).into_iter().flatten() {
                    if !path.starts_with("x-") {
                        shaper.path_item(path, item, &child(at, path), &mut operations, &mut lost);
                    }
                }
            });
        }
        if operations.is_empty() && lost.is_empty() {
            self.report(&codes::NO_OPERATIONS, &child(&at, "paths"), "the document has no operation");
        }
        if root.get("webhooks").and_then(Value::as_object).is_some_and(|webhooks| !webhooks.is_empty()) {
            self.report(
                &codes::NOT_SUPPORTED,
                &child(&at, "webhooks"),
                "webhooks are calls that the API makes, not ones that it takes; none of them is offered",
            );
        }
        if self.callbacks > 0 {
            let message = format!("{} callbacks are calls that the API makes; none of them is offered", self.callbacks);
            let diagnostic = self.diagnostics.push(&codes::NOT_SUPPORTED, None, message);
            diagnostic.severity = crate::diagnostics::Severity::Note;
        }
        let home = if self.version == SpecificationVersion::V2_0 { "/definitions" } else { "/components/schemas" };
        let lifter = std::mem::replace(&mut self.lifter, Lifter::new(self.root, home));
        let schemas = lifter.finish(self.files, self.diagnostics);
        Document {
            version: self.version,
            openapi,
            title,
            info_version,
            description,
            servers,
            tags,
            security,
            security_schemes,
            operations,
            lost,
            schemas,
            extensions: extensions(root.as_object()),
        }
    }

    fn path_item(
        &mut self,
        path: &str,
        item: &Value,
        at: &Target,
        operations: &mut Vec<DocumentOperation>,
        lost: &mut Vec<LostOperation>,
    ) {
        // Beside a `$ref` of a path item real documents have further members; they win over the target's.
        let own = item.as_object();
        let merged;
        let mut place = at.clone();
        let mut item = item;
        if let Some(own) = own.filter(|own| own.get("$ref").is_some_and(Value::is_string)) {
            let target = self.follow(item, at, |_, value, at| (value.clone(), at.clone()));
            let Some((Value::Object(mut members), target_at)) = target else { return };
            for (key, value) in own {
                if key != "$ref" {
                    members.insert(key.clone(), value.clone());
                }
            }
            merged = Value::Object(members);
            item = &merged;
            place = target_at;
        }
        let Value::Object(members) = item else {
            let message = format!("the path item `{path}` is {}, not an object; it is left out", kind_of(item));
            let empty = item.as_array().is_some_and(Vec::is_empty) || item.is_null();
            self.report(if empty { &codes::REPAIRED } else { &codes::INVALID_MEMBER }, at, message);
            return;
        };
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            self.report(&codes::REPAIRED, at, format!("the path `{path}` does not begin with `/`; it was added"));
            format!("/{path}")
        };
        let common = members
            .get("parameters")
            .map(|value| self.parameters(value, &child(&place, "parameters")))
            .unwrap_or_default();
        let servers = members.get("servers").cloned();
        let mut candidates: Vec<(Method, &Value, Target)> = Vec::new();
        for (key, value) in members {
            if let Some(method) = method(key, self.version) {
                if key.chars().any(|letter| letter.is_ascii_uppercase()) {
                    let message = format!("the method `{key}` is written in lower case in OpenAPI");
                    self.report(&codes::REPAIRED, &child(&place, key), message);
                }
                candidates.push((method, value, child(&place, key)));
            } else if key == "additionalOperations" && self.version >= SpecificationVersion::V3_2 {
                for (name, value) in value.as_object().into_iter().flatten() {
                    candidates.push((other_method(name), value, child(&child(&place, key), name)));
                }
            } else if !matches!(key.as_str(), "parameters" | "servers" | "summary" | "description" | "$ref")
                && !key.starts_with("x-")
            {
                self.report(
                    &codes::INVALID_MEMBER,
                    &child(&place, key),
                    format!("`{key}` is neither a method nor another member of a path item; it is left out"),
                );
            }
        }
        for (method, value, at) in candidates {
            let location = Location { file: at.file, pointer: at.pointer.clone() };
            let shaped = if self.shaped > MAX_SHAPED {
                Some(Err(format!("references repeat more than {MAX_SHAPED} parameters and media types")))
            } else {
                self.follow(value, &at, |shaper, value, at| shaper.operation(value, at, members, &common))
            };
            let outcome = match shaped {
                Some(Ok(operation)) => serde_json::from_value::<openapiv3::Operation>(operation)
                    .map_err(|error| format!("it cannot be read: {error}")),
                Some(Err(reason)) => Err(reason),
                None => Err("its reference leads nowhere".to_owned()),
            };
            match outcome {
                Ok(mut operation) => {
                    if operation.servers.is_empty()
                        && let Some(servers) = &servers
                    {
                        operation.servers = self.servers(Some(servers), &child(&place, "servers"));
                    }
                    operations.push(DocumentOperation { method, path: path.clone(), operation, location });
                }
                Err(reason) => {
                    self.diagnostics.push(
                        &codes::OPERATION_LOST,
                        Some(location.clone()),
                        format!("{method} {path} is left out: {reason}"),
                    );
                    lost.push(LostOperation { method, path: path.clone(), reason, location });
                }
            }
        }
    }

    /// Calls `then` with what stands behind any references of `value`; `None`, with a diagnostic, when they lead
    /// nowhere.
    pub(super) fn follow<R>(
        &mut self,
        value: &Value,
        at: &Target,
        then: impl FnOnce(&mut Self, &Value, &Target) -> R,
    ) -> Option<R> {
        let Some(reference) = reference(value) else { return Some(then(self, value, at)) };
        if self.hops >= MAX_HOPS {
            self.report(&codes::REFERENCE_CYCLE, at, format!("the reference `{reference}` leads in a circle"));
            return None;
        }
        match self.files.resolve(at.file, reference, self.diagnostics) {
            Ok(target) => {
                let root = self.files.value(target.file);
                let value = root.pointer(&target.pointer)?;
                self.hops += 1;
                let result = self.follow(value, &target, then);
                self.hops -= 1;
                result
            }
            Err(reason) => {
                self.report(
                    &codes::UNRESOLVED_REFERENCE,
                    &child(at, "$ref"),
                    format!("the reference `{reference}` leads nowhere: {reason}"),
                );
                None
            }
        }
    }

    /// The pointer in the root document that a reference names, when it leads into these components.
    pub(super) fn component_of(&self, value: &Value, at: &Target, home: &str) -> Option<String> {
        let fragment = reference(value)?.strip_prefix('#')?;
        if at.file != self.root {
            return None;
        }
        let name = fragment.strip_prefix(home)?.strip_prefix('/')?;
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        (!name.contains('/')).then(|| name.replace("~1", "/").replace("~0", "~"))
    }

    /// The stand-in for a schema that openapiv3 reads as a reference.
    pub(super) fn schema(&mut self, value: &Value, at: &Target) -> Value {
        let id = self.lifter.lift(value, at, self.files, self.diagnostics);
        json!({ "$ref": format!("sid:{}", id.0) })
    }

    pub(super) fn count_callbacks(&mut self, value: &Value) {
        self.callbacks += value.as_object().map_or(0, Map::len);
    }

    /// Adds a finding; `None` when the same one has been added before.
    pub(super) fn report(
        &mut self,
        code: &'static Code,
        at: &Target,
        message: impl Into<String>,
    ) -> Option<&mut crate::diagnostics::Diagnostic> {
        let message = message.into();
        if !self.reported.insert((code.name, at.clone(), message.clone())) {
            return None;
        }
        let location = Location { file: at.file, pointer: at.pointer.clone() };
        Some(self.diagnostics.push(code, Some(location), message))
    }
}

fn method(key: &str, version: SpecificationVersion) -> Option<Method> {
    Some(match key.to_ascii_lowercase().as_str() {
        "get" => Method::Get,
        "put" => Method::Put,
        "post" => Method::Post,
        "delete" => Method::Delete,
        "options" => Method::Options,
        "head" => Method::Head,
        "patch" => Method::Patch,
        "trace" => Method::Trace,
        "query" if version >= SpecificationVersion::V3_2 => Method::Query,
        _ => return None,
    })
}

/// A method of `additionalOperations`. The name lives as long as the program: descriptors want it so, and a document
/// has few of them.
fn other_method(name: &str) -> Method {
    method(name, SpecificationVersion::V3_2).unwrap_or_else(|| {
        let token: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c)).collect();
        Method::Other(Box::leak(token.into_boxed_str()))
    })
}

pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// The place of a member.
pub(super) fn child(at: &Target, token: &str) -> Target {
    let mut pointer = at.pointer.clone();
    push_token(&mut pointer, token);
    Target { file: at.file, pointer }
}

/// The `x-` members that a document may set.
pub(super) fn extensions(members: Option<&Map<String, Value>>) -> Map<String, Value> {
    members
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.starts_with("x-") && !key.starts_with(extra::PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// A scalar as text; other values as JSON.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
