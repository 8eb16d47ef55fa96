//! What one operation becomes: the preset, then the document's `x-mcp`, then the first matching rule, then the override
//! by name, then the caller's own function.

use std::collections::BTreeMap;

use mcpwright_runtime::catalog::{Hints, Kind, Method, Policy};
use serde_json::Value;

use super::{extension, route::Rules};
use crate::{
    api::{self, Operation},
    configuration::{Annotations, Configuration, Override, Preset, RouteKind},
    diagnostics::Diagnostics,
};

/// What an operation becomes. A function given to [`build_with`](super::build_with) may change any of it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// What it is offered as; `None`: not at all.
    pub kind: Option<Kind>,
    /// Why it is not offered, in one sentence without a final stop.
    pub reason: String,
    /// The name; `None`: derived from the `operationId`, or from method and path.
    pub name: Option<String>,
    /// Put before a derived name, after the prefix of the whole server.
    pub name_prefix: String,
    /// The title; `None`: the summary.
    pub title: Option<String>,
    /// The description; `None`: summary and description, cleaned.
    pub description: Option<String>,
    /// Tags besides those of the document.
    pub tags: Vec<String>,
    /// The annotations.
    pub hints: Hints,
    /// Whether it is offered from the start.
    pub enabled: bool,
    /// Parameters and members of the body that clients do not see.
    pub hidden: Vec<String>,
    /// Parameters and members of the body that always have this value.
    pub fixed: BTreeMap<String, Value>,
    /// Which media type of the request body is used; `None`: the usual one.
    pub media_type: Option<String>,
    /// How calls behave.
    pub policy: Policy,
    /// Whether a struct of the arguments is generated.
    pub typed: bool,
}

impl Decision {
    fn preset(preset: Preset, operation: &Operation) -> Self {
        let kind = match (operation.method, preset) {
            (Method::Head | Method::Options | Method::Trace, _) => None,
            // A GET without variables becomes a plain resource when its URI is made.
            (Method::Get, Preset::Rest) => Some(Kind::ResourceTemplate),
            _ => Some(Kind::Tool),
        };
        let reason = match kind {
            None => format!("{} operations are offered only when a rule asks for them", operation.method),
            Some(_) => String::new(),
        };
        Self {
            kind,
            reason,
            name: None,
            name_prefix: String::new(),
            title: None,
            description: None,
            tags: Vec::new(),
            hints: api::hints(operation.method),
            enabled: true,
            hidden: Vec::new(),
            fixed: BTreeMap::new(),
            media_type: None,
            policy: Policy::DEFAULT,
            typed: false,
        }
    }

    /// Sets the kind that a rule, an override or the document asks for.
    pub(super) fn set_kind(&mut self, kind: RouteKind, reason: impl FnOnce() -> String) {
        self.kind = match kind {
            RouteKind::Tool => Some(Kind::Tool),
            RouteKind::Resource => Some(Kind::Resource),
            RouteKind::ResourceTemplate => Some(Kind::ResourceTemplate),
            RouteKind::Exclude => None,
        };
        self.reason = if self.kind.is_none() { reason() } else { String::new() };
    }

    pub(super) fn exclude(&mut self, reason: impl Into<String>) {
        self.kind = None;
        self.reason = reason.into();
    }

    /// Undoes an exclusion: back to what the preset says, and a tool for methods that no preset offers.
    pub(super) fn include(&mut self, preset: Preset, operation: &Operation) {
        if self.kind.is_none() {
            self.kind = Self::preset(preset, operation).kind.or(Some(Kind::Tool));
            self.reason.clear();
        }
    }

    pub(super) fn annotate(&mut self, annotations: &Annotations) {
        for (hint, set) in [
            (&mut self.hints.read_only, annotations.read_only),
            (&mut self.hints.destructive, annotations.destructive),
            (&mut self.hints.idempotent, annotations.idempotent),
            (&mut self.hints.open_world, annotations.open_world),
        ] {
            *hint = set.unwrap_or(*hint);
        }
    }

    fn override_with(&mut self, changes: &Override, preset: Preset, operation: &Operation) {
        let set = |member: &mut Option<String>, value: &Option<String>| {
            if value.is_some() {
                member.clone_from(value);
            }
        };
        set(&mut self.name, &changes.name);
        set(&mut self.title, &changes.title);
        set(&mut self.description, &changes.description);
        set(&mut self.media_type, &changes.media_type);
        if let Some(kind) = changes.kind {
            self.set_kind(kind, || "the configuration excludes it by name".to_owned());
        }
        match changes.exclude {
            Some(true) => self.exclude("the configuration excludes it by name"),
            Some(false) => self.include(preset, operation),
            None => {}
        }
        self.hidden.extend(changes.hidden.iter().cloned());
        self.fixed.extend(changes.fixed.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.tags.extend(changes.tags.iter().cloned());
        self.annotate(&changes.annotations);
        self.enabled = changes.visible.unwrap_or(self.enabled);
        self.policy.timeout_ms = changes.timeout_ms.or(self.policy.timeout_ms);
        self.policy.retries = changes.retries.or(self.policy.retries);
        self.policy.max_response_bytes = changes.max_response_bytes.or(self.policy.max_response_bytes);
        self.typed |= changes.typed;
    }
}

/// Whether a key of the configuration names the operation: by `operationId`, or by method and path.
pub(super) fn is_named(key: &str, operation: &Operation) -> bool {
    if operation.id.as_deref() == Some(key) {
        return true;
    }
    key.split_once(char::is_whitespace).is_some_and(|(method, path)| {
        method.eq_ignore_ascii_case(operation.method.as_str()) && path.trim() == operation.path
    })
}

/// Decides on one operation.
pub(super) fn decide(
    operation: &Operation,
    document: &serde_json::Map<String, Value>,
    configuration: &Configuration,
    rules: &mut Rules<'_>,
    diagnostics: &mut Diagnostics,
) -> Decision {
    let mut decision = Decision::preset(configuration.preset, operation);
    extension::apply(&mut decision, document, operation, configuration.preset, diagnostics);
    fn tagged<'t>(tags: &'t [String], operation: &Operation) -> Option<&'t String> {
        tags.iter().find(|tag| operation.tags.contains(tag))
    }
    if let Some(tag) = tagged(&configuration.exclude_tags, operation) {
        decision.exclude(format!("the configuration excludes the tag `{tag}`"));
    } else if !configuration.include_tags.is_empty() && tagged(&configuration.include_tags, operation).is_none() {
        decision.exclude("it has none of the tags that the configuration includes");
    }
    rules.apply(&mut decision, operation);
    for (key, changes) in &configuration.operations {
        if is_named(key, operation) {
            decision.override_with(changes, configuration.preset, operation);
        }
    }
    decision.typed |= configuration.typed.iter().any(|key| is_named(key, operation));
    decision
}
