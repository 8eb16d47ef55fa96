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
    UNREADABLE "unreadable" Error
        "The document, or an Overlay, cannot be read: there is no such file, the address does not answer, it is no text in UTF-8, or it is larger than may be read. Nothing is made. The message says which.";
    INVALID_SYNTAX "invalid-syntax" Error
        "The text is neither JSON nor YAML, however leniently it is read, so that nothing is known of the document. Nothing is made. Mend the place that is shown, or what stands before it: an open bracket or quote shows only later.";
    NOT_OPENAPI "not-openapi" Error
        "The document is none that OpenAPI or Swagger describes in a version that can be read: 2.0, 3.0, 3.1 and 3.2. Nothing is made. It may be another kind of document, a page that shows one, or a part of one.";
    UNUSABLE_OVERLAY "unusable-overlay" Error
        "An Overlay has a fault. Nothing is made: half an Overlay is worse than none, since Overlays often take away what must not be offered. Mend the place that is shown.";
    UNUSABLE_CONFIGURATION "unusable-configuration" Error
        "The configuration cannot be read, is not TOML, or has a key or value that it does not know. Nothing is made, since the fault may concern what must not be offered. Mend the place that is shown.";
    LENIENT_SYNTAX "lenient-syntax" Warning
        "The document breaks the rules of JSON or YAML in a way that can be overlooked: a trailing comma, a comment, a duplicate key, odd indentation. It was read all the same; other tools may refuse it or read it differently. Mend the line.";
    UNRESOLVED_REFERENCE "unresolved-reference" Warning
        "A `$ref` leads nowhere: the file, or the place in it, does not exist, or reading it is not allowed. In a schema the reference then admits any value; a parameter, body or response that cannot be found is left out. Mend the reference; files outside of the document's folder and URLs must be allowed on the command line.";
    REFERENCE_CYCLE "reference-cycle" Warning
        "References outside of schemas lead in a circle, so that nothing stands behind them. The item is left out. Break the circle. (Schemas may be recursive.)";
    OPERATION_LOST "operation-lost" Warning
        "An operation could not be read and is left out; the others are not concerned. The message says which member is at fault.";
    INVALID_MEMBER "invalid-member" Warning
        "A member of the document has a type or a value that the specification does not allow there. It is left out or replaced by the value that the document most likely means; the message says which.";
    REPAIRED "repaired" Note
        "The document breaks the specification in a way whose meaning is clear; it was read as meant: a path parameter without `required: true`, a response without a description, a version written as a number. Nothing is lost.";
    MISSING_PATH_PARAMETER "missing-path-parameter" Warning
        "The path has a template variable for which the operation declares no parameter. It was added as a required string. Declare it with `in: path` to give it a type and a description.";
    UNUSED_PATH_PARAMETER "unused-path-parameter" Warning
        "A parameter with `in: path` names no template variable of the path. It is left out, since there is no place for its value.";
    IGNORED_PARAMETER "ignored-parameter" Note
        "A header parameter named Accept, Content-Type or Authorization is ignored, as the specification says: they follow from the media types and from the security schemes.";
    NO_OPERATIONS "no-operations" Warning
        "The document has no operation under `paths`, so that there is nothing to offer. Name the root document if it is a part of a larger one.";
    NOT_SUPPORTED "not-supported" Warning
        "The document uses a feature that has no counterpart in a server made from it. The message says what happens instead.";
    OVERLAY_WITHOUT_TARGET "overlay-without-target" Warning
        "The target of an action of an Overlay matches nothing in the document, so that the action changes nothing. Mend the JSONPath, or take the action out.";
    OVERLAY_WITHOUT_EFFECT "overlay-without-effect" Warning
        "An action of an Overlay, or a member of it, has no effect: it neither updates, copies nor removes anything, it removes what it also updates, or it has a member that Overlay does not know. The message says which. Split the action, or mend the member's name.";
    OVERLAY_MISMATCH "overlay-mismatch" Warning
        "An action of an Overlay merges values that do not go together, such as an object into a string. The specification calls that an error; here the Overlay's value has replaced the document's, which is what is most often meant. Remove the old value in an action of its own first, and every tool will do the same.";
    OVERLAY_FOR_ANOTHER_DOCUMENT "overlay-for-another-document" Warning
        "An Overlay says with `extends` that it is for another document than the one it was applied to. It was applied all the same. Give the document that it names, or mend `extends`.";
}
