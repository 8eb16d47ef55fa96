//! Links: what can be called next with values of an answer.

use super::Kind;

/// The links of the responses with one status, or range of statuses.
#[derive(Debug)]
pub struct ResponseLinks {
    /// `200`, `2XX` or `default`.
    pub status: &'static str,
    /// The links; empty where only a less exact entry has some.
    pub links: &'static [Link],
}

/// A Link Object (OpenAPI 3.2 §4.20) whose operation is offered to clients.
#[derive(Debug)]
pub struct Link {
    /// The key under `links`.
    pub name: &'static str,
    /// What the link is for.
    pub description: &'static str,
    /// What the linked operation is offered as.
    pub kind: Kind,
    /// The name of the linked operation's component.
    pub operation: &'static str,
    /// Arguments of the linked operation: name and JSON text of the value. A string is a runtime expression where it
    /// begins with `$`, and has expressions in it where it has `{$`. An empty name stands for a flattened body: the
    /// members of the value are arguments.
    pub arguments: &'static [(&'static str, &'static str)],
}

impl Link {
    /// A link to a tool, without arguments.
    pub const DEFAULT: Link = Link { name: "", description: "", kind: Kind::Tool, operation: "", arguments: &[] };
}
