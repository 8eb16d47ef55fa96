//! URI templates (RFC 6570): parsing, expansion (all four levels), and matching of URIs against a template.
//!
//! Expansion loses information in general, so matching is the inverse only for values that a template carries without
//! loss: non-empty text in path expressions; text, lists and absent values in query expressions.

mod expand;
mod matching;
mod parse;

use std::fmt;

pub use matching::{Captured, Captures};
pub use parse::TemplateError;

/// A parsed template.
#[derive(Clone, PartialEq, Eq)]
pub struct UriTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Literal text, encoded as it appears in URIs.
    Literal(String),
    Expression(Operator, Vec<Variable>),
}

/// A variable of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    explode: bool,
    /// The number of characters of the prefix modifier.
    prefix: Option<usize>,
}

/// RFC 6570 section 2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Simple,
    Reserved,
    Fragment,
    Label,
    Path,
    Matrix,
    Query,
    QueryContinuation,
}

impl Operator {
    /// What comes first, what separates, whether names are written, what an empty value has after its name.
    const fn shape(self) -> (&'static str, &'static str, bool, &'static str) {
        match self {
            Operator::Simple | Operator::Reserved => ("", ",", false, ""),
            Operator::Fragment => ("#", ",", false, ""),
            Operator::Label => (".", ".", false, ""),
            Operator::Path => ("/", "/", false, ""),
            Operator::Matrix => (";", ";", true, ""),
            Operator::Query => ("?", "&", true, "="),
            Operator::QueryContinuation => ("&", "&", true, "="),
        }
    }

    const fn keeps_reserved(self) -> bool {
        matches!(self, Operator::Reserved | Operator::Fragment)
    }
}

impl UriTemplate {
    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the variables, in order; a name may come twice.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Expression(_, variables) => Some(variables),
                Part::Literal(_) => None,
            })
            .flatten()
            .map(|variable| variable.name.as_str())
    }

    /// How many characters a matching URI is sure to have: of two templates that match, the one with more says more.
    pub(crate) fn literal_length(&self) -> usize {
        self.parts.iter().map(|part| if let Part::Literal(text) = part { text.len() } else { 0 }).sum()
    }

    /// The literal text that every matching URI begins with.
    pub(crate) fn literal_prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests;
