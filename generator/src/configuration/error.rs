//! Errors in configurations: where, what, and the nearest key that exists.

use std::fmt::Write;

use crate::text;

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ConfigurationError {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The byte offsets in the text between which the fault lies.
    pub span: std::ops::Range<usize>,
    /// What is wrong, in one sentence without a final stop.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl ConfigurationError {
    pub(super) fn new(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let (line, column) = position(text, span.start);
        let (message, help) = explain(error.message());
        Self { file: file.to_owned(), line, column, span, message, help }
    }
}

/// The lines on which the `[[route]]` tables of a well-formed text begin.
pub(super) fn lines_of_routes(text: &str) -> Vec<usize> {
    let Ok(table) = toml::de::DeTable::parse(text) else { return Vec::new() };
    let Some(toml::de::DeValue::Array(routes)) = table.get_ref().get("route").map(|routes| routes.get_ref()) else {
        return Vec::new();
    };
    routes.iter().map(|route| position(text, route.span().start).0).collect()
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Serde's sentence about a name that it does not know, in the words of a configuration, with the nearest known name.
fn explain(message: &str) -> (String, Option<String>) {
    let what = if message.starts_with("unknown field") {
        "key"
    } else if message.starts_with("unknown variant") {
        "value"
    } else {
        return (message.trim_end().to_owned(), None);
    };
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let help = match nearest(unknown, &known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => {
            let mut help = "known here: ".to_owned();
            for (index, name) in known.iter().enumerate() {
                let _ = write!(help, "{}`{name}`", if index == 0 { "" } else { ", " });
            }
            help
        }
    };
    (format!("unknown {what} `{unknown}`"), (!known.is_empty()).then_some(help))
}

/// The candidate that is most like a name, if one is like it at all.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    text::nearest(name, candidates.iter().copied(), 0.5)
}
