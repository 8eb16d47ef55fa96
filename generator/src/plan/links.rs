//! Links of responses as hints: which component an answer leads to, with which arguments.

use std::collections::HashMap;

use mcpwright_runtime::catalog::Method;
use serde_json::{Map, Value};

use super::{Component, Link, ResponseLinks, arguments::Laid, codes, decision::Decision};
use crate::{
    api::{Operation, ParameterLocation, Response},
    diagnostics::{Diagnostics, Location},
    text::{bounded, clean},
};

/// More links than this of one response are left out: they would bury the answer.
const MAX_LINKS: usize = 16;

/// What links can lead to.
pub(super) struct Links<'p> {
    operations: &'p [(&'p Operation, &'p Decision)],
    components: &'p [(Component, (String, String))],
    parameters: &'p [Vec<Laid>],
    by_id: HashMap<&'p str, usize>,
    by_path: HashMap<(&'p str, Method), usize>,
}

impl<'p> Links<'p> {
    /// The three lists tell of the same operations in the same order.
    pub(super) fn new(
        operations: &'p [(&'p Operation, &'p Decision)],
        components: &'p [(Component, (String, String))],
        parameters: &'p [Vec<Laid>],
    ) -> Self {
        let (mut by_id, mut by_path) = (HashMap::new(), HashMap::new());
        for (index, (operation, _)) in operations.iter().enumerate() {
            if let Some(id) = &operation.id {
                by_id.entry(id.as_str()).or_insert(index);
            }
            by_path.insert((operation.path.as_str(), operation.method), index);
        }
        Self { operations, components, parameters, by_id, by_path }
    }

    /// The links of every operation.
    pub(super) fn of_all(&self, description_limit: usize, diagnostics: &mut Diagnostics) -> Vec<Vec<ResponseLinks>> {
        self.operations
            .iter()
            .map(|(operation, _)| self.of_operation(operation, description_limit, diagnostics))
            .collect()
    }

    /// The responses with links, and the more exact ones without: these keep their answers from having the others'.
    fn of_operation(
        &self,
        operation: &Operation,
        description_limit: usize,
        diagnostics: &mut Diagnostics,
    ) -> Vec<ResponseLinks> {
        if operation.responses.iter().all(|response| response.links.is_empty()) {
            return Vec::new();
        }
        let mut responses: Vec<ResponseLinks> = Vec::with_capacity(operation.responses.len());
        for response in &operation.responses {
            let links = response
                .links
                .iter()
                .take(MAX_LINKS)
                .filter_map(|(name, link)| {
                    let at = location(operation, response, name);
                    let found = self.link(name, link, description_limit, &mut |message| {
                        let message = format!(
                            "the link `{name}` of {} {} ({}) {message}",
                            operation.method, operation.path, response.status
                        );
                        diagnostics.push(&codes::LINK_UNUSABLE, Some(at.clone()), message);
                    });
                    found.ok()
                })
                .collect();
            responses.push(ResponseLinks { status: response.status.clone(), links });
        }
        let has_links = |response: &ResponseLinks| !response.links.is_empty();
        let shadows = |status: &str| {
            let less_exact = responses.iter().filter(|other| has_links(other));
            less_exact.clone().any(|other| other.status == "default" && status != "default")
                || less_exact.clone().any(|other| {
                    other.status.ends_with("XX") && other.status != status && other.status.get(..1) == status.get(..1)
                })
        };
        let kept: Vec<bool> =
            responses.iter().map(|response| has_links(response) || shadows(&response.status)).collect();
        responses.into_iter().zip(kept).filter_map(|(response, kept)| kept.then_some(response)).collect()
    }

    fn link(
        &self,
        name: &str,
        link: &Value,
        description_limit: usize,
        report: &mut dyn FnMut(String),
    ) -> Result<Link, ()> {
        let text = |key: &str| link.get(key).and_then(Value::as_str);
        let mut refuse = |message: String| {
            report(format!("is not used: {message}"));
            Err(())
        };
        if link.get("server").is_some_and(|server| !server.is_null()) {
            return refuse("it has a server of its own".to_owned());
        }
        let index = match (text("operationId"), text("operationRef")) {
            (Some(id), _) => self.by_id.get(id).copied().ok_or_else(|| format!("no operation `{id}` is offered")),
            (None, Some(reference)) => self
                .referred(reference)
                .ok_or_else(|| format!("`{reference}` refers to no operation of this document that is offered")),
            (None, None) => Err("it has neither `operationId` nor `operationRef`".to_owned()),
        };
        let index = match index {
            Ok(index) => index,
            Err(message) => return refuse(message),
        };
        let (Some((target, _)), Some(parameters)) = (self.components.get(index), self.parameters.get(index)) else {
            return Err(());
        };
        if !target.enabled {
            return refuse(format!("`{}` is not offered from the start", target.name));
        }
        let mut arguments: Vec<(String, Value)> = Vec::new();
        let empty = Map::new();
        for (key, value) in link.get("parameters").and_then(Value::as_object).unwrap_or(&empty) {
            let Some(laid) = parameter(parameters, key) else {
                report(format!("names the parameter `{key}`, which its operation does not have"));
                continue;
            };
            if laid.parameter.fixed.is_none() {
                push(&mut arguments, laid.parameter.argument(), value, report);
            }
        }
        if let Some(value) = link.get("requestBody") {
            match &target.body {
                Some(body) => push(&mut arguments, &body.argument, value, report),
                None => report("has a `requestBody`, which its operation does not take".to_owned()),
            }
        }
        Ok(Link {
            name: name.to_owned(),
            description: bounded(&clean(text("description").unwrap_or_default()), description_limit).into_owned(),
            kind: target.kind,
            operation: target.name.clone(),
            arguments,
        })
    }

    /// The operation at the end of a reference within the document: `#/paths/~1pets~1{id}/get`.
    fn referred(&self, reference: &str) -> Option<usize> {
        let pointer = reference.strip_prefix("#/paths/")?;
        let decoded = percent_encoding::percent_decode_str(pointer).decode_utf8().ok()?;
        let mut tokens = decoded.split('/').map(|token| token.replace("~1", "/").replace("~0", "~"));
        let (path, mut method) = (tokens.next()?, tokens.next()?);
        if method == "additionalOperations" {
            method = tokens.next()?;
        }
        let mut found = self
            .by_path
            .iter()
            .filter(|((known, known_method), _)| *known == path && known_method.as_str().eq_ignore_ascii_case(&method));
        found.next().filter(|_| tokens.next().is_none()).map(|(_, index)| *index)
    }
}

/// The parameter that a link means: by name, or by location and name (`path.id`).
fn parameter<'l>(parameters: &'l [Laid], key: &str) -> Option<&'l Laid> {
    let by_name = parameters.iter().find(|laid| laid.parameter.name == key);
    by_name.or_else(|| {
        let (location, name) = key.split_once('.')?;
        let location = match location {
            "path" => ParameterLocation::Path,
            "query" => ParameterLocation::Query,
            "querystring" => ParameterLocation::QueryString,
            "header" => ParameterLocation::Header,
            "cookie" => ParameterLocation::Cookie,
            _ => return None,
        };
        parameters.iter().find(|laid| laid.parameter.location == location && laid.parameter.name == name)
    })
}

fn push(arguments: &mut Vec<(String, Value)>, name: &str, value: &Value, report: &mut dyn FnMut(String)) {
    match value.as_str().and_then(wrong_expression) {
        Some(expression) => report(format!("has the value `{expression}`, which is no expression of an answer")),
        None => arguments.push((name.to_owned(), value.clone())),
    }
}

/// The first runtime expression (OpenAPI 3.2 §4.20.4) of a text that no answer can give a value to.
fn wrong_expression(text: &str) -> Option<&str> {
    let is_right = |expression: &str| {
        matches!(expression, "$method" | "$statusCode")
            || expression
                .strip_prefix("$request.")
                .is_some_and(|rest| is_body(rest) || is_named(rest, &["path.", "query.", "header."]))
            || expression.strip_prefix("$response.").is_some_and(|rest| is_body(rest) || is_named(rest, &["header."]))
    };
    if text.starts_with('$') {
        return (!is_right(text)).then_some(text);
    }
    text.match_indices("{$").find_map(|(start, _)| {
        let rest = text.get(start + 1..)?;
        match rest.split_once('}') {
            Some((expression, _)) => (!is_right(expression)).then_some(expression),
            None => Some(rest),
        }
    })
}

fn is_body(rest: &str) -> bool {
    rest.strip_prefix("body").is_some_and(|pointer| pointer.is_empty() || pointer == "#" || pointer.starts_with("#/"))
}

fn is_named(rest: &str, sources: &[&str]) -> bool {
    sources.iter().any(|source| rest.strip_prefix(source).is_some_and(|name| !name.is_empty()))
}

/// Where a link stands, as near as is known.
fn location(operation: &Operation, response: &Response, name: &str) -> Location {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    Location {
        file: operation.location.file,
        pointer: format!("{}/responses/{}/links/{escaped}", operation.location.pointer, response.status),
    }
}
