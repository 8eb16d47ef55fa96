//! Schemas whose text is made when somebody first looks at it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::{
    catalog::{Api, Operation},
    schema,
};

/// The schema of any object.
const ANYTHING: &str = r#"{"type":"object"}"#;

/// A JSON Schema. Cloning it copies a pointer.
#[derive(Clone)]
pub struct LazySchema(Arc<Inner>);

struct Inner {
    source: Source,
    text: OnceLock<String>,
    parsed: OnceLock<Arc<Map<String, Value>>>,
    header_arguments: OnceLock<bool>,
}

enum Source {
    Given,
    Input(&'static Api, &'static Operation),
    Output(&'static Api, &'static Operation),
}

impl LazySchema {
    fn new(source: Source) -> Self {
        Self(Arc::new(Inner {
            source,
            text: OnceLock::new(),
            parsed: OnceLock::new(),
            header_arguments: OnceLock::new(),
        }))
    }

    /// A schema that is known already. Only objects can describe arguments and structured results; anything else counts
    /// as the schema of any object.
    pub fn given(schema: &Value) -> Self {
        let this = Self::new(Source::Given);
        let text = if schema.is_object() { schema.to_string() } else { ANYTHING.to_owned() };
        let _ = this.0.text.set(text);
        this
    }

    pub(crate) fn input(api: &'static Api, operation: &'static Operation) -> Self {
        Self::new(Source::Input(api, operation))
    }

    pub(crate) fn output(api: &'static Api, operation: &'static Operation) -> Self {
        Self::new(Source::Output(api, operation))
    }

    /// The schema's text: one JSON object.
    pub fn text(&self) -> &str {
        self.0.text.get_or_init(|| self.assemble())
    }

    fn assemble(&self) -> String {
        match self.0.source {
            Source::Given => String::new(),
            Source::Input(api, operation) => schema::input(api, operation),
            Source::Output(api, operation) => schema::output(api, operation).unwrap_or_default(),
        }
    }

    /// Writes the text in one line, without keeping it. One that is no JSON does not take the list along that it stands in.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let made;
        let text = match self.0.text.get() {
            Some(text) => text,
            None => {
                made = self.assemble();
                &made
            }
        };
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => schema::compact(text, out),
            Err(error) => {
                tracing::error!(%error, "a schema is no JSON object; clients see one that allows everything");
                out.extend_from_slice(ANYTHING.as_bytes());
            }
        }
    }

    /// Whether the root says `"type": "object"`, as older protocol versions want of outputs. The assembly of an
    /// operation's schema sees to that.
    pub(crate) fn describes_object(&self) -> bool {
        match self.0.source {
            Source::Input(..) | Source::Output(..) => true,
            Source::Given => self.object().get("type").and_then(Value::as_str) == Some("object"),
        }
    }

    /// Whether arguments are repeated in HTTP headers (`x-mcp-header`).
    pub(crate) fn has_header_arguments(&self) -> bool {
        *self.0.header_arguments.get_or_init(|| self.text().contains("x-mcp-header"))
    }

    /// The schema as a value. The first look parses it.
    pub fn object(&self) -> &Arc<Map<String, Value>> {
        self.0.parsed.get_or_init(|| {
            let parsed = serde_json::from_str::<Map<String, Value>>(self.text());
            Arc::new(parsed.unwrap_or_else(|error| {
                tracing::error!(%error, "a schema is no JSON object; clients see one that allows everything");
                Map::from_iter([("type".to_owned(), Value::from("object"))])
            }))
        })
    }
}

impl fmt::Debug for LazySchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text.get().map_or("(not made yet)", String::as_str))
    }
}
