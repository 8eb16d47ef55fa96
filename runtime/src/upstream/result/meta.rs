//! `_meta` of results: the status and the response headers that matter to a caller.

use serde_json::{Map, Value, json};

use super::Source;

/// The member of `_meta` that describes the HTTP response.
pub(crate) const KEY: &str = "io.github.mcpwright/http";
/// The longest header value that is passed on, in characters.
const MAX_VALUE: usize = 2_000;

/// Headers by name; a final `*` stands for any ending.
const HEADERS: [&str; 25] = [
    "link",
    "location",
    "content-location",
    "content-disposition",
    "content-range",
    "retry-after",
    "ratelimit*",
    "x-ratelimit*",
    "x-rate-limit*",
    "request-id",
    "x-request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-github-request-id",
    "x-ms-request-id",
    "etag",
    "last-modified",
    "deprecation",
    "sunset",
    "warning",
    "x-total-count",
    "x-total*",
    "x-next-page",
    "x-page*",
];

impl Source<'_> {
    /// The member of `_meta`: `status`, `headers`, `truncated`, and `next`, the arguments of the next page.
    pub(super) fn meta(&self, next: Option<Map<String, Value>>) -> Map<String, Value> {
        let received = self.received;
        let mut http = Map::new();
        http.insert("status".to_owned(), received.status.as_u16().into());
        let mut headers = Map::new();
        for name in received.headers.keys() {
            let matters = HEADERS.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => name.as_str().starts_with(start),
                None => name.as_str() == *pattern,
            });
            if matters {
                let values: Vec<&str> =
                    received.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
                let value: String = values.join(", ").chars().take(MAX_VALUE).collect();
                headers.insert(name.as_str().to_owned(), self.applied.redact(value).into());
            }
        }
        if !headers.is_empty() {
            http.insert("headers".to_owned(), headers.into());
        }
        if received.cut.is_some() {
            http.insert("truncated".to_owned(), json!(true));
        }
        if let Some(next) = next {
            http.insert("next".to_owned(), next.into());
        }
        Map::from_iter([(KEY.to_owned(), Value::Object(http))])
    }

    /// The request's id with the API, for support.
    pub(super) fn request_id(&self) -> Option<&str> {
        ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "x-github-request-id", "x-ms-request-id"]
            .iter()
            .find_map(|name| self.received.header(name))
    }
}
