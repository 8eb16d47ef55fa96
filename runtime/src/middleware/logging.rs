//! Logging: a line for every request.

use std::time::Instant;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::{Middleware, Next};
use crate::{
    Error,
    context::{Context, TraceContext},
    message::{Request, Response},
};

/// What [`Logging`] writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoggingConfig {
    /// Whether arguments are written. They may hold personal data; what looks like a secret never is.
    pub arguments: bool,
    /// How many bytes of the arguments are written at most.
    pub max_bytes: usize,
    /// The methods that are logged; all, when empty.
    pub methods: Vec<String>,
    /// Names of arguments that are not written, beside those that look like secrets. Case does not matter.
    pub redact: Vec<String>,
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { arguments: false, max_bytes: 1000, methods: Vec::new(), redact: Vec::new() }
    }
}

/// Logs every request with `tracing`, at the level `info`, or `warn` for failures: method, component, client, principal, trace,
/// time, outcome. Whether that is text for people or JSON is decided where the log is set up.
#[derive(Debug, Clone, Default)]
pub struct Logging(LoggingConfig);

impl Logging {
    /// Logs what the configuration says.
    pub fn new(config: LoggingConfig) -> Self {
        Self(config)
    }

    /// The arguments as they may be written.
    fn arguments(&self, request: &Request) -> Option<String> {
        let arguments = match request {
            Request::CallTool(call) => &call.arguments,
            Request::GetPrompt(get) => &get.arguments,
            _ => return None,
        };
        let mut text = Value::Object(arguments.clone());
        redact(&mut text, &self.0.redact, 0);
        let mut text = text.to_string();
        if text.len() > self.0.max_bytes {
            let end = (0..=self.0.max_bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        Some(text)
    }
}

/// Parts of names that secrets have.
const SECRETS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "credential",
    "authorization",
    "cookie",
    "privatekey",
    "accesskey",
    "session",
];

/// Replaces the values of members that look like secrets, at any depth.
fn redact(value: &mut Value, names: &[String], depth: usize) {
    match value {
        _ if depth > 64 => *value = Value::from("(too deep)"),
        Value::Object(members) => {
            for (name, value) in members {
                let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
                let is_secret = SECRETS.iter().any(|secret| plain.contains(secret))
                    || names.iter().any(|other| other.eq_ignore_ascii_case(name));
                if is_secret {
                    *value = Value::from("(redacted)");
                } else {
                    redact(value, names, depth + 1);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, names, depth + 1)),
        _ => {}
    }
}

#[async_trait]
impl Middleware for Logging {
    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        let method = request.method();
        if !self.0.methods.is_empty() && !self.0.methods.iter().any(|wanted| wanted == method) {
            return next.run(request).await;
        }
        // Not called `target`, which every log line has already.
        let component = request.target().map(str::to_owned);
        let arguments = if self.0.arguments { self.arguments(&request) } else { None };
        let id = context.request_id();
        let client = context.client().map(|client| client.name);
        let subject = context.principal().map(|principal| principal.subject.clone());
        let trace = context.trace();
        let trace = trace.as_ref().map(TraceContext::trace_id);
        let start = Instant::now();
        let answer = next.run(request).await;
        let ms = (start.elapsed().as_secs_f64() * 1_000_000.0).round() / 1000.0;
        let failure = match &answer {
            Ok(Response::Tool(result)) if result.is_error => Some("the tool failed".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        match failure {
            None => tracing::info!(id, method, component, client, subject, trace, arguments, ms, "request"),
            Some(error) => {
                tracing::warn!(id, method, component, client, subject, trace, arguments, ms, error, "request failed");
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::CallTool;

    #[test]
    fn secrets_are_redacted_wherever_they_are_and_long_arguments_cut() {
        let logging = Logging::new(LoggingConfig { redact: vec!["iban".to_owned()], ..LoggingConfig::default() });
        let arguments = json!({
            "name": "Rex", "IBAN": "s3cr3t", "api-key": "s3cr3t", "X_API_KEY": "s3cr3t",
            "nested": [{"clientSecret": {"a": "s3cr3t"}, "accessToken": 7, "note": "ok"}],
        });
        let Value::Object(arguments) = arguments else { unreachable!() };
        let call = |arguments| Request::CallTool(CallTool { name: "t".to_owned(), arguments });
        let text = logging.arguments(&call(arguments)).unwrap();
        assert!(!text.contains("s3cr3t") && !text.contains('7'), "{text}");
        assert!(text.contains("Rex") && text.contains("ok"));

        let long = serde_json::Map::from_iter([("text".to_owned(), json!("ü".repeat(5000)))]);
        assert!(logging.arguments(&call(long)).unwrap().len() <= 1003);
    }
}
