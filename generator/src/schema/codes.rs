//! The findings of this stage.

use crate::diagnostics::{Code, Severity};

/// A schema contradicts itself or uses a keyword in a way that no version allows, but means something clear.
pub static SCHEMA_REPAIRED: Code = Code {
    name: "schema-repaired",
    severity: Severity::Note,
    explanation: "A schema uses a keyword in a way that no version of the specification allows, or contradicts itself, \
                  but its meaning is clear: `required: true` on a property, numbers in the enumeration of a string, \
                  a default of the wrong type, `type: int`. It was read as meant. Mend the schema so that other tools \
                  read it the same way.",
};

/// A keyword of a schema makes no sense as written and is left out.
pub static SCHEMA_KEYWORD_IGNORED: Code = Code {
    name: "schema-keyword-ignored",
    severity: Severity::Warning,
    explanation: "A keyword of a schema has a value that it cannot have, and no clear meaning. It is left out, so that \
                  the schema accepts more than was perhaps meant. Mend or remove the keyword.",
};

/// A pattern cannot be used.
pub static PATTERN_IGNORED: Code = Code {
    name: "pattern-ignored",
    severity: Severity::Warning,
    explanation: "A `pattern` is no regular expression of ECMA-262, which is what JSON Schema asks for, or it is too \
                  large to be compiled. The schema then accepts any string; the description quotes the pattern. \
                  Inline flags such as `(?i)` and classes such as `[[:alpha:]]` belong to other dialects.",
};

/// A schema nests too deeply.
pub static SCHEMA_TOO_DEEP: Code = Code {
    name: "schema-too-deep",
    severity: Severity::Warning,
    explanation: "A schema nests deeper than clients can be expected to read. What lies deeper accepts anything. Give \
                  the inner schemas names and refer to them.",
};

/// Schemas refer to each other in a circle without ever reaching a member or an element.
pub static SCHEMA_CYCLE: Code = Code {
    name: "schema-cycle",
    severity: Severity::Warning,
    explanation: "A schema is, through references, `allOf`, `anyOf` or `oneOf`, nothing but itself, so that no value can \
                  be checked against it. The reference that closes the circle accepts anything. (A schema whose \
                  properties or items refer back to it is fine.)",
};

/// All codes of this stage.
pub static ALL: &[&Code] =
    &[&SCHEMA_REPAIRED, &SCHEMA_KEYWORD_IGNORED, &PATTERN_IGNORED, &SCHEMA_TOO_DEEP, &SCHEMA_CYCLE];
