//! What can be wrong with a server's components, in words for their author.

use crate::uri_template::TemplateError;

/// Why a server's components do not work together. Each message says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Two components of a kind have one name.
    #[error("two {kind}s are called `{name}`: {first}, and {second}. Rename one of them, or leave one out")]
    Duplicate {
        /// `tool`, `resource`, `resource template` or `prompt`.
        kind: &'static str,
        /// The name or URI.
        name: String,
        /// Where the first one comes from.
        first: String,
        /// Where the second one comes from.
        second: String,
    },
    /// A prefix of an inner server breaks names or URIs.
    #[error(
        "`{0}` is no prefix of an inner server: begin with a letter and take up to 32 of the characters A-Z, a-z, 0-9, `_` and `-`; no `_` in the scheme of URIs"
    )]
    Prefix(String),
    /// A tool cannot be transformed as wanted.
    #[error("the tool `{tool}` cannot be transformed as wanted: {why}")]
    Transform {
        /// The tool.
        tool: String,
        /// Why not.
        why: String,
    },
    /// Something is wrong within an inner server.
    #[error("in the inner server `{server}`: {problem}")]
    Inner {
        /// The server's name.
        server: String,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// Clients refuse tools with such names.
    #[error("`{0}` is no name of a tool: take 1 to 64 of the characters A-Z, a-z, 0-9, `_` and `-`")]
    ToolName(String),
    /// A resource without a scheme.
    #[error("the resource `{0}` has no URI: write one with a scheme, such as `config://{0}`")]
    Uri(String),
    /// A resource with variables.
    #[error("the URI `{0}` has braces: register it as a ResourceTemplate, or encode them")]
    Braces(String),
    /// The text is no template.
    #[error("the URI template `{template}` of `{name}` is wrong: {error}")]
    Template {
        /// The component.
        name: String,
        /// The text.
        template: String,
        /// What is wrong.
        error: TemplateError,
    },
    /// A template without variables.
    #[error("the URI template `{0}` has no variables: register it as a Resource")]
    NoVariables(String),
    /// The template has a variable that the handler does not know.
    #[error(
        "the template `{template}` has the variable `{variable}`, which is no field of its handler's arguments: add the field, or remove the variable"
    )]
    UnknownVariable {
        /// The template.
        template: String,
        /// The variable.
        variable: String,
    },
    /// The handler needs a value that the template cannot give.
    #[error(
        "the handler of the template `{template}` needs `{field}`, which is no variable of the template: add `{{{field}}}` or `{{?{field}}}`, or make the field an Option"
    )]
    MissingVariable {
        /// The template.
        template: String,
        /// The field.
        field: String,
    },
    /// A schema of the catalog is no JSON. The generator writes none that is not; this finds those written by hand.
    #[error("{place} has a schema that is no JSON object: {error}")]
    Schema {
        /// The tool or the definition, and which of its schemas.
        place: String,
        /// What is wrong.
        error: String,
    },
    /// The wrapped operation is not in this server, or not as a tool.
    #[error(
        "the wrapped operation `{0}` is not offered as a tool by this server: wrap one of the API that the server was made with, and of kind tool"
    )]
    Wrap(String),
}
