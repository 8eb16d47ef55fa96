//! Recognises that there is another page, and with which arguments it is had.

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value, value::RawValue};

use crate::{
    catalog::{Location, Operation, Parameter},
    upstream::received::Received,
};

/// Members of a body that hold the token of the next page, or its URL.
const TOKENS: [&str; 12] = [
    "next",
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next_page",
    "nextPage",
    "next_token",
    "nextToken",
    "NextToken",
    "@odata.nextLink",
    "continuationToken",
];
/// Members that hold such members.
const HOLDERS: [&str; 7] = ["links", "_links", "meta", "paging", "pagination", "response_metadata", "page_info"];
/// Parameters that take such a token.
const CURSORS: [&str; 12] = [
    "cursor",
    "page_token",
    "pageToken",
    "next_token",
    "nextToken",
    "NextToken",
    "continuation_token",
    "continuationToken",
    "after",
    "page_cursor",
    "starting_after",
    "page",
];

/// The arguments that lead to the next page; `None` when none is announced or the operation cannot express it.
pub(super) fn next(operation: &Operation, received: &Received, body: Option<&RawValue>) -> Option<Map<String, Value>> {
    let mut queries = operation.parameters.iter().filter(|parameter| parameter.location == Location::Query);
    queries.next()?;
    for value in received.headers.get_all("link") {
        if let Some(arguments) = value.to_str().ok().and_then(link_next).and_then(|url| from_url(operation, url)) {
            return Some(arguments);
        }
    }
    from_body(operation, body?, 2)
}

/// The target of `rel="next"` (RFC 8288 §3).
fn link_next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = parameters.split([';', ',']).any(|parameter| {
            parameter.trim().split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split_whitespace().any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target);
        }
        rest = after;
    }
    None
}

/// The query of a URL as arguments of the operation.
fn from_url(operation: &Operation, url: &str) -> Option<Map<String, Value>> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let mut arguments = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if let Some(parameter) = query_parameter(operation, &name) {
            arguments.insert(parameter.argument().to_owned(), typed(parameter, &value));
        }
    }
    let turns = arguments.keys().any(|name| {
        CURSORS.contains(&name.as_str())
            || ["offset", "skip", "start", "page_number", "pageNumber", "since"].contains(&name.as_str())
    });
    (turns && !arguments.is_empty()).then_some(arguments)
}

fn from_body(operation: &Operation, body: &RawValue, depth: usize) -> Option<Map<String, Value>> {
    if depth == 0 || !body.get().starts_with('{') {
        return None;
    }
    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(body.get()).ok()?;
    for name in TOKENS {
        let Some(value) = members.get(name) else { continue };
        let token = match serde_json::from_str::<Value>(value.get()).ok()? {
            Value::String(text) if !text.is_empty() => text,
            Value::Number(number) => number.to_string(),
            Value::Object(link) => match link.get("href").and_then(Value::as_str) {
                Some(href) => href.to_owned(),
                None => continue,
            },
            _ => continue,
        };
        if token.contains('?') {
            if let Some(arguments) = from_url(operation, &token) {
                return Some(arguments);
            }
            continue;
        }
        let wants_page = name.ends_with("page") || name.ends_with("Page");
        let parameter = CURSORS
            .iter()
            .filter(|cursor| wants_page || **cursor != "page")
            .find_map(|cursor| query_parameter(operation, cursor));
        if let Some(parameter) = parameter {
            return Some(Map::from_iter([(parameter.argument().to_owned(), typed(parameter, &token))]));
        }
    }
    HOLDERS.iter().find_map(|holder| from_body(operation, members.get(*holder)?, depth - 1))
}

fn query_parameter<'a>(operation: &'a Operation, name: &str) -> Option<&'a Parameter> {
    operation
        .parameters
        .iter()
        .copied()
        .find(|parameter| parameter.location == Location::Query && parameter.name == name && parameter.fixed.is_empty())
}

pub(super) fn typed(parameter: &Parameter, text: &str) -> Value {
    let is_integer = serde_json::from_str::<Value>(parameter.schema)
        .ok()
        .is_some_and(|schema| schema.get("type").is_some_and(|kind| kind == "integer"));
    match text.parse::<i64>() {
        Ok(number) if is_integer => number.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use serde_json::json;

    use super::*;

    static PAGE: Parameter = Parameter { name: "page", schema: r#"{"type":"integer"}"#, ..Parameter::QUERY };
    static CURSOR: Parameter = Parameter { name: "cursor", argument: "query_cursor", ..Parameter::QUERY };

    static BY_PAGE: [&Parameter; 1] = [&PAGE];
    static BY_CURSOR: [&Parameter; 1] = [&CURSOR];

    fn found(parameters: &'static [&'static Parameter], link: Option<&'static str>, body: Value) -> Option<Value> {
        let operation = Operation { parameters, ..Operation::DEFAULT };
        let mut headers = HeaderMap::new();
        if let Some(link) = link {
            headers.insert("link", HeaderValue::from_static(link));
        }
        let received = Received { status: StatusCode::OK, headers, body: Bytes::new(), cut: None };
        let body = RawValue::from_string(body.to_string()).expect("JSON");
        next(&operation, &received, Some(&body)).map(Value::Object)
    }

    #[test]
    fn the_next_page_is_announced_in_many_ways() {
        let link = "<https://h/a?page=1>; rel=\"prev\", <https://h/a?per_page=3&page=3>; rel=\"next\"";
        assert_eq!(found(&BY_PAGE, Some(link), json!([])), Some(json!({ "page": 3 })));
        assert_eq!(found(&BY_CURSOR, None, json!({ "next_cursor": "abc" })), Some(json!({ "query_cursor": "abc" })));
        assert_eq!(
            found(&BY_CURSOR, None, json!({ "response_metadata": { "next_cursor": "abc" } })),
            Some(json!({ "query_cursor": "abc" }))
        );
        assert_eq!(found(&BY_PAGE, None, json!({ "links": { "next": "/a?page=2" } })), Some(json!({ "page": 2 })));
        assert_eq!(
            found(&BY_PAGE, None, json!({ "_links": { "next": { "href": "/a?page=2" } } })),
            Some(json!({ "page": 2 }))
        );
        assert_eq!(found(&BY_PAGE, None, json!({ "next_page": 4 })), Some(json!({ "page": 4 })));
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(found(&BY_PAGE, Some("<https://h/a?page=1>; rel=\"prev\""), json!({ "next": null })), None);
        assert_eq!(found(&BY_PAGE, None, json!({ "next_cursor": "abc" })), None);
        assert_eq!(found(&[], Some("<https://h/a?page=3>; rel=next"), json!({})), None);
        assert_eq!(found(&BY_CURSOR, None, json!({ "next_cursor": "" })), None);
    }
}
