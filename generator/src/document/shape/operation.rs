//! Operations: their texts, bodies and responses.

use serde_json::{Map, Value, json};

use super::{Shaper, child, extensions};
use crate::document::{SpecificationVersion, codes, extra, files::Target, lift::kind_of};

/// What the document says of the components made from it.
const X_MCP: &str = "x-mcp";

/// `x-mcp` of a path item with that of an operation, which wins member by member. Lists and objects grow, a boolean
/// counts as the member `enabled`.
fn merged(inherited: Value, own: Value) -> Value {
    match (inherited, own) {
        (Value::Object(mut members), Value::Object(own)) => {
            // A kind offers what the path item leaves out, as it does where it stands alone.
            if own.contains_key("kind") {
                members.shift_remove("enabled");
            }
            for (key, value) in own {
                let value = match (members.shift_remove(&key), value) {
                    (Some(Value::Array(mut all)), Value::Array(more)) => {
                        all.extend(more);
                        Value::Array(all)
                    }
                    (Some(Value::Object(mut all)), Value::Object(more)) => {
                        all.extend(more);
                        Value::Object(all)
                    }
                    (_, value) => value,
                };
                members.insert(key, value);
            }
            Value::Object(members)
        }
        (Value::Bool(enabled), own @ Value::Object(_)) => merged(json!({ "enabled": enabled }), own),
        (inherited @ Value::Object(_), Value::Bool(true)) => merged(inherited, json!({ "enabled": true })),
        (_, own) => own,
    }
}

impl Shaper<'_, '_, '_> {
    /// An Operation Object with the parameters, texts and extensions of its path item.
    pub(super) fn operation(
        &mut self,
        value: &Value,
        at: &Target,
        item: &Map<String, Value>,
        common: &[Value],
    ) -> Result<Value, String> {
        let Value::Object(members) = value else { return Err("it is not an object".to_owned()) };
        let mut operation = extensions(Some(item));
        let inherited = operation.shift_remove(X_MCP);
        operation.extend(extensions(Some(members)));
        if let Some(inherited) = inherited {
            let merged = match operation.shift_remove(X_MCP) {
                Some(own) => merged(inherited, own),
                None => inherited,
            };
            operation.insert(X_MCP.to_owned(), merged);
        }
        for key in ["summary", "description"] {
            let text = self
                .text(members.get(key), &child(at, key))
                .or_else(|| item.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned));
            if let Some(text) = text {
                operation.insert(key.to_owned(), Value::String(text));
            }
        }
        if members.get("operationId").is_some_and(Value::is_number) {
            let place = child(at, "operationId");
            self.report(&codes::REPAIRED, &place, "`operationId` is a number; it is read as a text");
        }
        if let Some(id) = self.text(members.get("operationId"), &child(at, "operationId")) {
            operation.insert("operationId".to_owned(), Value::String(id.trim().to_owned()));
        }
        let tags = self.operation_tags(members.get("tags"), &child(at, "tags"));
        operation.insert("tags".to_owned(), json!(tags));
        operation.insert("deprecated".to_owned(), Value::Bool(self.flag(members, "deprecated", at)));

        let own_at = child(at, "parameters");
        let mut body = None;
        let own = if self.version == SpecificationVersion::V2_0 {
            let (parameters, swagger_body) = self.swagger_parameters(members, item, at);
            body = swagger_body;
            parameters
        } else {
            members.get("parameters").map(|value| self.parameters(value, &own_at)).unwrap_or_default()
        };
        let mut parameters: Vec<Value> =
            common.iter().filter(|inherited| !own.iter().any(|own| same_parameter(own, inherited))).cloned().collect();
        parameters.extend(own);
        operation.insert("parameters".to_owned(), Value::Array(parameters));

        if self.version != SpecificationVersion::V2_0
            && let Some(value) = members.get("requestBody")
        {
            let at = child(at, "requestBody");
            body = self.follow(value, &at, |shaper, value, at| shaper.request_body(value, at)).flatten();
        }
        if let Some(body) = body {
            operation.insert("requestBody".to_owned(), body);
        }
        let responses = self.responses(members.get("responses"), members, &child(at, "responses"));
        operation.insert("responses".to_owned(), responses);
        if let Some(security) = members.get("security").and_then(|value| self.security(value, &child(at, "security"))) {
            operation.insert("security".to_owned(), json!(security));
        }
        let servers = self.servers(members.get("servers"), &child(at, "servers"));
        if !servers.is_empty() {
            operation.insert("servers".to_owned(), json!(servers));
        }
        if let Some(callbacks) = members.get("callbacks") {
            self.count_callbacks(callbacks);
        }
        Ok(Value::Object(operation))
    }

    /// A boolean member, which real documents also write as a text.
    pub(in crate::document) fn flag(&mut self, members: &Map<String, Value>, key: &str, at: &Target) -> bool {
        match members.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) if ["true", "false"].contains(&text.to_ascii_lowercase().as_str()) => {
                self.report(&codes::REPAIRED, &child(at, key), format!("`{key}` is a text; it is read as a boolean"));
                text.eq_ignore_ascii_case("true")
            }
            Some(other) => {
                let message = format!("`{key}` is {}, not a boolean; it is read as false", kind_of(other));
                self.report(&codes::INVALID_MEMBER, &child(at, key), message);
                false
            }
        }
    }

    /// The members of an object; an empty array stands for an empty object, as some languages write it.
    pub(in crate::document) fn members<'v>(
        &mut self,
        value: &'v Value,
        name: &str,
        at: &Target,
    ) -> Option<&'v Map<String, Value>> {
        match value {
            Value::Object(members) => Some(members),
            Value::Null => None,
            Value::Array(items) if items.is_empty() => None,
            other => {
                let message = format!("`{name}` is {}, not an object; it is left out", kind_of(other));
                self.report(&codes::INVALID_MEMBER, at, message);
                None
            }
        }
    }

    /// A text, which real documents also give by reference or as a number.
    pub(in crate::document) fn text(&mut self, value: Option<&Value>, at: &Target) -> Option<String> {
        match value? {
            Value::String(text) => Some(text.clone()),
            value @ Value::Object(members) if members.contains_key("$ref") => {
                self.follow(value, at, |_, value, _| value.as_str().map(str::to_owned)).flatten()
            }
            Value::Number(number) => Some(number.to_string()),
            Value::Null => None,
            other => {
                let key = at.pointer.rsplit('/').next().unwrap_or_default();
                let message = format!("`{key}` is {}, not a text; it is left out", kind_of(other));
                self.report(&codes::INVALID_MEMBER, at, message);
                None
            }
        }
        .filter(|text| !text.trim().is_empty())
    }

    fn request_body(&mut self, value: &Value, at: &Target) -> Option<Value> {
        let Value::Object(members) = value else {
            self.report(&codes::INVALID_MEMBER, at, "the request body is not an object; it is left out");
            return None;
        };
        let content = self.content(members.get("content"), &child(at, "content"));
        if content.is_empty() {
            // One that is no object has been reported already.
            if members.get("content").is_none_or(Value::is_object) {
                self.report(&codes::INVALID_MEMBER, at, "the request body has no media type; it is left out");
            }
            return None;
        }
        let mut body = Map::new();
        if let Some(text) = self.text(members.get("description"), &child(at, "description")) {
            body.insert("description".to_owned(), Value::String(text));
        }
        body.insert("required".to_owned(), Value::Bool(self.flag(members, "required", at)));
        body.insert("content".to_owned(), Value::Object(content));
        body.insert(extra::ORIGIN.to_owned(), origin(at));
        Some(Value::Object(body))
    }

    fn responses(&mut self, value: Option<&Value>, operation: &Map<String, Value>, at: &Target) -> Value {
        let mut shaped = Map::new();
        let Some(value) = value else {
            if self.version < SpecificationVersion::V3_1 {
                self.report(&codes::REPAIRED, at, "the operation has no `responses`; its results are of any kind");
            }
            return Value::Object(shaped);
        };
        self.follow(value, at, |shaper, value, at| {
            for (status, response) in shaper.members(value, "responses", at).into_iter().flatten() {
                let at = child(at, status);
                let Some(status) = status_code(status) else {
                    if !status.starts_with("x-") {
                        let message =
                            format!("`{status}` is no status code, range or `default`; the response is left out");
                        shaper.report(&codes::INVALID_MEMBER, &at, message);
                    }
                    continue;
                };
                let response = shaper.follow(response, &at, |shaper, value, at| shaper.response(value, operation, at));
                if let Some(response) = response {
                    shaped.insert(status, response);
                }
            }
        });
        Value::Object(shaped)
    }

    fn response(&mut self, value: &Value, operation: &Map<String, Value>, at: &Target) -> Value {
        self.shaped += 1;
        let empty = Map::new();
        let status = at.pointer.rsplit('/').next().unwrap_or_default();
        let members = self.members(value, status, at).unwrap_or(&empty);
        let mut response = Map::new();
        let description = self
            .text(members.get("description"), &child(at, "description"))
            .or_else(|| self.text(members.get("summary"), &child(at, "summary")))
            .unwrap_or_else(|| {
                let is_due = self.version < SpecificationVersion::V3_2 && value.is_object();
                if is_due && !members.contains_key("description") {
                    self.report(&codes::REPAIRED, at, "the response has no description");
                }
                value.as_str().unwrap_or_default().to_owned()
            });
        response.insert("description".to_owned(), Value::String(description));
        let content = if self.version == SpecificationVersion::V2_0 {
            self.swagger_response_content(members, operation, at)
        } else {
            self.content(members.get("content"), &child(at, "content"))
        };
        response.insert("content".to_owned(), Value::Object(content));
        let headers = members.get("headers").and_then(|headers| {
            self.follow(headers, &child(at, "headers"), |shaper, headers, at| {
                let names = shaper.members(headers, "headers", at).into_iter().flatten();
                names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
            })
        });
        if let Some(headers) = headers.filter(|names| !names.is_empty()) {
            response.insert(extra::HEADERS.to_owned(), json!(headers));
        }
        if let Some(links) = members.get("links").and_then(Value::as_object) {
            let links: Map<String, Value> = links
                .iter()
                .filter_map(|(name, link)| {
                    let at = child(&child(at, "links"), name);
                    self.follow(link, &at, |_, value, _| value.clone()).map(|link| (name.clone(), link))
                })
                .collect();
            response.insert(extra::LINKS.to_owned(), Value::Object(links));
        }
        Value::Object(response)
    }
}

/// Where an object stands, for [`extra::ORIGIN`].
pub(in crate::document) fn origin(at: &Target) -> Value {
    Value::String(format!("{}{}", at.file.0, at.pointer))
}

pub(in crate::document) fn truthy(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

fn same_parameter(one: &Value, other: &Value) -> bool {
    let location = |value: &Value| {
        (value.get(extra::LOCATION).cloned(), value.get("in").and_then(Value::as_str).map(str::to_owned))
    };
    one.get("name") == other.get("name") && location(one) == location(other)
}

/// `200`, `2XX` or `default`, from whatever case.
fn status_code(key: &str) -> Option<String> {
    let upper = key.trim().to_ascii_uppercase();
    if upper == "DEFAULT" {
        return Some("default".to_owned());
    }
    let bytes = upper.as_bytes();
    match bytes {
        [b'1'..=b'5', b'X', b'X'] => Some(upper),
        [b'1'..=b'9', rest @ ..] if rest.len() == 2 && rest.iter().all(u8::is_ascii_digit) => Some(upper),
        _ => None,
    }
}
