//! Statuses other than 2xx as failed results that a model can act on.

use serde_json::{Map, Value};

use super::{Source, status_line};
use crate::content::ToolResult;

/// How much of an error's body is passed on, in characters.
const MAX_EXTRACT: usize = 2_000;
/// Members that tell about the API's insides and not about the call.
const INTERNALS: [&str; 8] =
    ["stack", "stacktrace", "stack_trace", "trace", "traceback", "exception", "backtrace", "debug"];

impl Source<'_> {
    /// The status, a useful extract of the body, when to try again, what to mend.
    pub(super) fn failure(&self) -> ToolResult {
        let received = self.received;
        let status = received.status;
        let mut lines = vec![format!(
            "The API answered {} to {} {}.",
            status_line(status),
            self.operation.method,
            self.operation.path
        )];
        if let Some(extract) = self.extract() {
            lines.push(extract);
        }
        if status.is_redirection()
            && let Some(location) = received.header("location")
        {
            lines.push(format!("It redirects to another place, which this server does not follow: {location}"));
        }
        match status.as_u16() {
            401 => lines.push(self.credential_advice("The API does not accept the credential")),
            403 => lines.push(self.credential_advice("The API does not allow this with the credential")),
            _ => {}
        }
        if let Some(after) = received.header("retry-after") {
            let unit = if after.bytes().all(|byte| byte.is_ascii_digit()) { " s" } else { "" };
            lines.push(format!("Try again after: {after}{unit}."));
        }
        if let Some(id) = self.request_id() {
            lines.push(format!("Request id: {id}"));
        }
        lines.retain(|line| !line.is_empty());
        let text: String = lines.join("\n").chars().take(2 * MAX_EXTRACT).collect();
        let mut result = ToolResult::error(self.applied.redact(text));
        result.meta = self.meta(None);
        result
    }

    fn credential_advice(&self, what: &str) -> String {
        let names: Vec<String> = self
            .applied
            .schemes()
            .map(|scheme| super::super::credentials::scheme_variable(self.prefix, scheme))
            .collect();
        if names.is_empty() {
            String::new()
        } else {
            format!("{what} that this server is configured with ({}).", names.join(", "))
        }
    }

    /// What the body says, without markup, internals and length.
    fn extract(&self) -> Option<String> {
        let received = self.received;
        if received.body.is_empty() {
            return None;
        }
        let media_type = received.media_type();
        if media_type.is_html() {
            return html_title(&received.text()).map(|title| bounded(&title, 300));
        }
        if (media_type.is_json() || received.body.first() == Some(&b'{'))
            && let Ok(value) = serde_json::from_slice::<Value>(&received.body)
        {
            return Some(json_extract(value));
        }
        if media_type.is_text() {
            return Some(text_extract(&received.text())).filter(|text| !text.is_empty());
        }
        Some(format!("({} bytes of {})", received.body.len(), media_type.essence()))
    }
}

/// The message first, then the rest as JSON where there is more to know (RFC 9457 and what others do).
fn json_extract(value: Value) -> String {
    let value = without_internals(value, 8);
    let message = message(&value);
    let json = value.to_string();
    match message {
        Some(message) if json.len() <= message.len() + 40 => bounded(&message, MAX_EXTRACT),
        Some(message) => {
            let message = bounded(&message, MAX_EXTRACT / 2);
            let rest = MAX_EXTRACT.saturating_sub(message.len());
            format!("{message}\n{}", bounded(&json, rest))
        }
        None => bounded(&json, MAX_EXTRACT),
    }
}

fn message(value: &Value) -> Option<String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let (Some(title), Some(detail)) = (text("title"), text("detail")) {
        return Some(format!("{title}: {detail}"));
    }
    for name in [
        "detail",
        "message",
        "error_description",
        "error_message",
        "errorMessage",
        "msg",
        "title",
        "reason",
        "description",
    ] {
        if let Some(text) = text(name) {
            return Some(text.to_owned());
        }
    }
    match value.get("error").or_else(|| value.get("errors").and_then(|errors| errors.get(0))) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(nested @ Value::Object(_)) => message(nested),
        _ => None,
    }
}

fn without_internals(value: Value, depth: usize) -> Value {
    match value {
        Value::Object(members) if depth > 0 => members
            .into_iter()
            .filter(|(name, _)| !INTERNALS.contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name, without_internals(value, depth - 1)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) if depth > 0 => {
            items.into_iter().take(20).map(|item| without_internals(item, depth - 1)).collect()
        }
        value => value,
    }
}

/// The lines before a stack trace.
fn text_extract(text: &str) -> String {
    let is_frame = |line: &str| {
        let line = line.trim_start();
        line.starts_with("at ")
            || line.starts_with("File \"")
            || line.starts_with("Traceback")
            || line.starts_with("goroutine ")
    };
    let lines: Vec<&str> = text.lines().take_while(|line| !is_frame(line)).collect();
    bounded(lines.join("\n").trim(), MAX_EXTRACT)
}

fn html_title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let title = html.get(start..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

/// The beginning of a text, without control characters but line breaks.
fn bounded(text: &str, limit: usize) -> String {
    let mut bounded: String =
        text.chars().filter(|character| !character.is_control() || *character == '\n').take(limit).collect();
    if bounded.len() < text.len() && text.chars().nth(limit).is_some() {
        bounded.push('…');
    }
    bounded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_message_of_an_error_is_found() {
        for (body, expected) in [
            (json!({ "title": "Out of credit", "detail": "30 is less than 50" }), "Out of credit: 30 is less than 50"),
            (json!({ "message": "Not Found" }), "Not Found"),
            (json!({ "error": { "code": 7, "message": "no such pet" } }), "no such pet"),
            (json!({ "errors": [{ "message": "bad name" }] }), "bad name"),
            (json!({ "error": "invalid_grant", "error_description": "expired" }), "expired"),
        ] {
            assert!(json_extract(body.clone()).starts_with(expected), "{body}");
        }
    }

    #[test]
    fn internals_and_length_stay_out() {
        let extract = json_extract(
            json!({ "message": "no", "stackTrace": "secret.rs:1", "a": { "trace": "x" }, "b": "y".repeat(9_000) }),
        );
        assert!(!extract.contains("secret.rs") && !extract.contains("trace"), "{extract}");
        assert!(extract.chars().count() < 2_100, "{}", extract.len());
        assert_eq!(text_extract("boom\n    at com.example.Main(Main.java:1)\n"), "boom");
        assert_eq!(html_title("<html><TITLE lang=en> Bad\n Gateway </TITLE>…").as_deref(), Some("Bad Gateway"));
    }
}
