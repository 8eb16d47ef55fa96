//! Assembles the schemas that clients see out of descriptors: by concatenation, never through parsed values.

use crate::catalog::{Api, Operation};

/// The input schema of an operation as one self-contained JSON Schema 2020-12 object.
pub fn input(_api: &Api, _operation: &Operation) -> String {
    String::new()
}

/// The output schema of an operation, if it offers one, as one self-contained JSON Schema 2020-12 object.
pub fn output(_api: &Api, _operation: &Operation) -> Option<String> {
    None
}
