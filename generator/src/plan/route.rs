//! Route maps: ordered rules, of which the first that matches an operation is applied to it.

use mcpwright_runtime::catalog::Method;
use serde_json::Value;

use super::{codes, decision::Decision};
use crate::{
    api::Operation,
    configuration::{Configuration, ExtensionCondition, Route},
    diagnostics::Diagnostics,
};

/// The rules of a configuration, with a note of those that were applied.
pub(super) struct Rules<'c> {
    routes: &'c [Route],
    used: Vec<bool>,
}

impl<'c> Rules<'c> {
    pub(super) fn new(configuration: &'c Configuration) -> Self {
        Self { routes: &configuration.routes, used: vec![false; configuration.routes.len()] }
    }

    /// Applies the first rule that matches.
    pub(super) fn apply(&mut self, decision: &mut Decision, operation: &Operation) {
        for (index, (route, used)) in self.routes.iter().zip(&mut self.used).enumerate() {
            if !matches(route, operation) {
                continue;
            }
            *used = true;
            if let Some(kind) = route.kind {
                decision.set_kind(kind, || format!("{} excludes it", label(route, index)));
            }
            decision.tags.extend(route.add_tags.iter().cloned());
            decision.annotate(&route.annotations);
            decision.name_prefix.push_str(&route.name_prefix);
            decision.enabled = route.visible.unwrap_or(decision.enabled);
            return;
        }
    }

    /// Reports the rules that were never applied.
    pub(super) fn finish(self, operations: &[&Operation], diagnostics: &mut Diagnostics) {
        for (index, (route, used)) in self.routes.iter().zip(self.used).enumerate() {
            if used {
                continue;
            }
            let shadowed = operations.iter().any(|operation| matches(route, operation));
            let reason =
                if shadowed { "matches only operations that an earlier rule matches" } else { "matches no operation" };
            diagnostics
                .push(&codes::ROUTE_UNMATCHED, None, format!("{} {reason}", label(route, index)))
                .help(if shadowed { "move it up, or delete it" } else { "mend its conditions, or delete it" });
        }
    }
}

fn label(route: &Route, index: usize) -> String {
    match route.line {
        Some(line) => format!("route {} of the configuration (line {line})", index + 1),
        None => format!("route {} of the configuration", index + 1),
    }
}

fn matches(route: &Route, operation: &Operation) -> bool {
    let method = match &route.methods {
        Some(methods) => methods.contains(operation.method.as_str()),
        None => !matches!(operation.method, Method::Head | Method::Options | Method::Trace),
    };
    method
        && route.path.as_ref().is_none_or(|pattern| pattern.is_match(&operation.path))
        && route.tags.iter().all(|tag| operation.tags.contains(tag))
        && route
            .operation_id
            .as_ref()
            .is_none_or(|pattern| operation.id.as_deref().is_some_and(|id| pattern.is_match(id)))
        && route.extension.as_ref().is_none_or(|condition| match condition {
            ExtensionCondition::Present(name) => {
                operation.extensions.get(name).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
            }
            ExtensionCondition::Equal(members) => {
                members.iter().all(|(name, value)| operation.extensions.get(name) == Some(value))
            }
        })
}
