//! Regular expressions in configurations.

use regex::Regex;
use serde::Deserialize;

/// A regular expression, found anywhere in a text unless it is anchored.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Whether the expression is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        Regex::new(&pattern).map(Self).map_err(|error| {
            // The last line says what is wrong, those before it draw the expression.
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or_default();
            format!("`{pattern}` is not a regular expression: {}", reason.strip_prefix("error: ").unwrap_or(reason))
        })
    }
}

impl TryFrom<&str> for Pattern {
    type Error = String;

    fn try_from(pattern: &str) -> Result<Self, String> {
        pattern.to_owned().try_into()
    }
}
