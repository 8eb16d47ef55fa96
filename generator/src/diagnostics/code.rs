//! The kinds of findings, each with the text that `mcpwright explain` shows.

use super::Severity;

/// A kind of finding. Codes are stable: programs and configurations may name them.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The name, `kebab-case`.
    pub name: &'static str,
    /// The usual severity.
    pub severity: Severity,
    /// Why it matters, what Mcpwright does about it and how to mend it: a few sentences.
    pub explanation: &'static str,
}
