//! What can be called next: the links of the document with values of this answer (OpenAPI 3.2 §4.20).

use serde_json::{Map, Value, json};

use super::{Shape, Source, meta, paging};
use crate::{
    catalog::{Kind, Link, Location, Operation},
    content::Content,
};

/// Arguments longer than this, in bytes of JSON, are no hint any more.
const MAX_ARGUMENTS: usize = 2_000;

/// How the text begins that names what can follow.
pub(crate) const HINTS: &str = "[What can follow:\n";

impl Source<'_> {
    /// The body as links see it: JSON, the structure of XML, or text.
    pub(super) fn link_body(&self, shape: &Shape) -> Option<Value> {
        if self.operation.links.is_empty() {
            return None;
        }
        match shape {
            Shape::Json(json) => serde_json::from_str(json.get()).ok(),
            Shape::Text(text) if self.received.media_type().is_xml() => {
                super::xml::value(text).map(|value| self.typed_xml(value))
            }
            Shape::Text(text) => Some(Value::from(text.as_str())),
            Shape::Empty | Shape::Bytes => None,
        }
    }

    /// Puts the links of this answer into `_meta`, and a line about each of them under the contents.
    pub(super) fn add_links(&self, body: Option<Value>, content: &mut Vec<Content>, meta: &mut Map<String, Value>) {
        let status = self.received.status.as_u16().to_string();
        let range = format!("{}XX", status.get(..1).unwrap_or_default());
        let entry = [status.as_str(), range.as_str(), "default"]
            .iter()
            .find_map(|wanted| self.operation.links.iter().find(|links| links.status.eq_ignore_ascii_case(wanted)));
        let Some(entry) = entry else { return };
        let mut hints = Map::new();
        let mut lines = Vec::new();
        for link in entry.links {
            let Some(arguments) = self.link_arguments(link, body.as_ref()) else { continue };
            let text = Value::Object(arguments.clone()).to_string();
            if text.len() > MAX_ARGUMENTS || self.applied.leaks_into(&text) {
                continue;
            }
            let target = self.target(link);
            let mut hint = match (link.kind, target) {
                (Kind::Tool, _) => json!({ "tool": link.operation, "arguments": arguments }),
                (_, Some(target)) => json!({ "resource": target.uri, "arguments": arguments }),
                (_, None) => continue,
            };
            let called = if link.kind == Kind::Tool { link.operation } else { target.map_or("", |target| target.uri) };
            let mut line = format!("- {}: `{called}` with {text}", link.name);
            if !link.description.is_empty() {
                line.push_str(&format!(" ({})", link.description));
                hint["description"] = link.description.into();
            }
            lines.push(line);
            hints.insert(link.name.to_owned(), hint);
        }
        if hints.is_empty() {
            return;
        }
        content.push(Content::Text(format!("{HINTS}{}]", lines.join("\n"))));
        if let Some(Value::Object(http)) = meta.get_mut(meta::KEY) {
            http.insert("links".to_owned(), hints.into());
        }
    }

    fn target(&self, link: &Link) -> Option<&'static Operation> {
        self.api.operations().find(|operation| operation.name == link.operation && operation.kind == link.kind)
    }

    /// The arguments of a link. An expression without a value leaves its argument out; where none of several has one,
    /// the link says nothing of this answer.
    fn link_arguments(&self, link: &Link, body: Option<&Value>) -> Option<Map<String, Value>> {
        let target = self.target(link);
        let (mut arguments, mut expressions, mut found) = (Map::new(), 0, 0);
        for (name, json) in link.arguments {
            let Ok(value) = serde_json::from_str::<Value>(json) else { continue };
            let is_expression = value.as_str().is_some_and(|text| text.starts_with('$') || text.contains("{$"));
            expressions += usize::from(is_expression);
            let Some(value) = self.link_value(value, body) else { continue };
            found += usize::from(is_expression);
            match value {
                Value::Object(members) if name.is_empty() => arguments.extend(members),
                _ if name.is_empty() => {}
                Value::String(text) => {
                    let parameter = target
                        .and_then(|target| target.parameters.iter().find(|parameter| parameter.argument() == *name));
                    let value =
                        parameter.map_or_else(|| text.clone().into(), |parameter| paging::typed(parameter, &text));
                    arguments.insert((*name).to_owned(), value);
                }
                value => {
                    arguments.insert((*name).to_owned(), value);
                }
            }
        }
        (expressions == 0 || found > 0).then_some(arguments)
    }

    /// A constant as it is, an expression as what it stands for, a text with expressions in it as text.
    fn link_value(&self, value: Value, body: Option<&Value>) -> Option<Value> {
        let Value::String(text) = &value else { return Some(value) };
        if text.starts_with('$') {
            return self.evaluate(text, body);
        }
        if let Some(only) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
            && only.starts_with('$')
            && !only.contains(['{', '}'])
        {
            return self.evaluate(only, body);
        }
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{$") {
            let (expression, after) = after.split_once('}')?;
            filled.push_str(before);
            match self.evaluate(&format!("${expression}"), body)? {
                Value::String(text) => filled.push_str(&text),
                value => filled.push_str(&value.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled.into())
    }

    /// The value of a runtime expression (OpenAPI 3.2 §4.20.4).
    fn evaluate(&self, expression: &str, body: Option<&Value>) -> Option<Value> {
        match expression {
            "$method" => return Some(self.operation.method.as_str().into()),
            "$statusCode" => return Some(self.received.status.as_u16().into()),
            _ => {}
        }
        if let Some(source) = expression.strip_prefix("$response.") {
            return match source.split_once('.') {
                Some(("header", name)) => self.received.header(name).map(Value::from),
                _ => pointed(body?, source),
            };
        }
        let source = expression.strip_prefix("$request.")?;
        let arguments = self.arguments?;
        let location = match source.split_once('.') {
            Some(("path", name)) => Some((Location::Path, name)),
            Some(("query", name)) => Some((Location::Query, name)),
            Some(("header", name)) => Some((Location::Header, name)),
            _ => None,
        };
        let Some((location, name)) = location else {
            return pointed(&self.request_body(arguments)?, source);
        };
        let is_named = |known: &str| {
            if location == Location::Header { known.eq_ignore_ascii_case(name) } else { known == name }
        };
        let parameters = self.operation.parameters.iter();
        let parameter =
            parameters.filter(|parameter| parameter.location == location).find(|parameter| is_named(parameter.name))?;
        match parameter.fixed {
            "" => arguments.get(parameter.argument()).cloned(),
            fixed => serde_json::from_str(fixed).ok(),
        }
    }

    /// The body as the client gave it.
    fn request_body(&self, arguments: &Map<String, Value>) -> Option<Value> {
        let body = self.operation.body?;
        if !body.argument.is_empty() {
            return arguments.get(body.argument).cloned();
        }
        let is_parameter = |name: &str| self.operation.parameters.iter().any(|parameter| parameter.argument() == name);
        let members = arguments.iter().filter(|(name, _)| !is_parameter(name));
        Some(Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }
}

/// `body`, or the value in it that a JSON Pointer (RFC 6901) names.
fn pointed(body: &Value, source: &str) -> Option<Value> {
    let pointer = source.strip_prefix("body")?;
    let pointer = pointer.strip_prefix('#').unwrap_or(pointer);
    body.pointer(pointer).filter(|value| !value.is_null()).cloned()
}
