//! The findings of this stage.

use crate::diagnostics::{Code, Severity};

macro_rules! codes {
    ($($constant:ident $name:literal $severity:ident $explanation:literal;)*) => {
        $(
            #[doc = $explanation]
            pub static $constant: Code =
                Code { name: $name, severity: Severity::$severity, explanation: $explanation };
        )*
        /// All codes of this stage.
        pub static ALL: &[&Code] = &[$(&$constant),*];
    };
}

codes! {
    NAME_COLLISION "name-collision" Note
        "Several operations would have the same name. Each of them got a suffix that follows from its method and path, so that none depends on the others' order. Give them better names in the configuration.";
    NAME_SHORTENED "name-shortened" Note
        "A name is longer than clients allow. It was cut between words and got a suffix that follows from method and path. Give the operation a shorter name in the configuration.";
    ILLEGAL_NAME "illegal-name" Warning
        "A name from the configuration or from `x-mcp` has characters or a length that clients do not allow (letters, digits, `_` and `-`, at most 64). It was changed to the nearest legal name.";
    NOT_A_RESOURCE "not-a-resource" Note
        "A resource is read by its URI alone, with GET. This operation needs more: a body, a required header or cookie, or another method. It is offered as a tool.";
    ROUTE_UNMATCHED "route-unmatched" Warning
        "A rule of the configuration is applied to no operation: nothing meets its conditions, or an earlier rule always comes first. Mend or delete the rule.";
    OVERRIDE_UNMATCHED "override-unmatched" Warning
        "The configuration names an operation that the document does not have. Operations are named by `operationId`, or by method and path as in `GET /pets/{id}`.";
    ARGUMENT_UNMATCHED "argument-unmatched" Warning
        "A hidden or fixed argument names neither a parameter of the operation nor a member of its body.";
    HIDDEN_REQUIRED "hidden-required" Warning
        "An argument is to be hidden, but the API requires it and the document gives no default. It stays visible. Fix it to a value instead: `fixed = { name = value }`.";
    RESERVED_HEADER "reserved-header" Note
        "A header parameter frames or routes the message, or carries the identity of somebody (`Host`, `Content-Length`, `Transfer-Encoding`, `Cookie`, `Mcp-…`). The server sets such headers itself; they are no argument.";
    MULTIPART_NOT_OBJECT "multipart-not-object" Warning
        "A multipart body is made of named parts, but its schema is not that of an object. It is offered as a free object whose members are the parts. Give the schema `type: object` and its `properties`.";
    INVALID_X_MCP "invalid-x-mcp" Warning
        "A member of `x-mcp` is unknown or has the wrong type. It is ignored.";
    MEDIA_TYPE_UNMATCHED "media-type-unmatched" Warning
        "The configuration asks for a media type that the request body does not have. The usual one is used.";
    OUTPUT_TRIMMED "output-trimmed" Note
        "An output schema is larger than the budget. Deep parts of it were widened so that it fits; every response that was valid still is. Raise `output_budget`, or set it to 0 for no output schemas at all.";
    OUTPUT_OMITTED "output-omitted" Note
        "An output schema is larger than the budget and nothing useful of it fits. It is left out. Raise `output_budget` to have it.";
    LINK_UNUSABLE "link-unusable" Note
        "A link of a response cannot be used: it names no operation that is offered, has a server of its own, or gives a value to a parameter that its operation does not have or by an expression that OpenAPI does not define. Answers are given without that link, or without that argument of it.";
    SAME_URI "same-uri" Warning
        "Two resource templates differ in nothing but the names of their variables, so that the same URIs belong to both. The first is read. Exclude one of them, or make one a tool.";
}
