//! Which specification a document follows.

use serde_json::Value;

use crate::{diagnostics::Location, source::FileId};

/// The specifications that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SpecificationVersion {
    V2_0,
    V3_0,
    V3_1,
    V3_2,
}

/// The root is no OpenAPI document of a known version.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct VersionError {
    /// Where it shows.
    pub location: Location,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

pub(super) fn detect(root: &Value, file: FileId) -> Result<(SpecificationVersion, String), VersionError> {
    let error = |pointer: &str, message: String, help: &str| VersionError {
        location: Location { file, pointer: pointer.to_owned() },
        message,
        help: help.to_owned(),
    };
    let Some(members) = root.as_object() else {
        return Err(error(
            "",
            "the document is not an object".to_owned(),
            match root.as_str() {
                Some(text) if text.starts_with('<') => {
                    "this is a page, not a document: look on it for the address of the JSON or YAML behind it"
                }
                _ => "an OpenAPI document is an object with the member `openapi`",
            },
        ));
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => {
            let text = number.to_string();
            if text.contains('.') { text } else { format!("{text}.0") }
        }
        other => other.to_string(),
    };
    if let Some(value) = members.get("openapi") {
        let version = text(value);
        let known = match version.split('.').take(2).collect::<Vec<_>>().as_slice() {
            ["3", minor] => match *minor {
                "0" => Some(SpecificationVersion::V3_0),
                "1" => Some(SpecificationVersion::V3_1),
                "2" => Some(SpecificationVersion::V3_2),
                _ => None,
            },
            ["2", "0"] => Some(SpecificationVersion::V2_0),
            _ => None,
        };
        return known.map(|known| (known, version.clone())).ok_or_else(|| {
            error(
                "/openapi",
                format!("unknown OpenAPI version `{version}`"),
                "versions 2.0, 3.0, 3.1 and 3.2 can be read",
            )
        });
    }
    if let Some(value) = members.get("swagger") {
        let version = text(value);
        if version == "2" || version.starts_with("2.0") {
            return Ok((SpecificationVersion::V2_0, version));
        }
        return Err(error(
            "/swagger",
            format!("unknown Swagger version `{version}`"),
            "versions 2.0, 3.0, 3.1 and 3.2 can be read; convert older ones first",
        ));
    }
    if members.contains_key("swaggerVersion") {
        return Err(error(
            "/swaggerVersion",
            "Swagger 1 cannot be read".to_owned(),
            "convert the document to Swagger 2.0 or OpenAPI 3 first",
        ));
    }
    let help = if members.contains_key("asyncapi") {
        "this is an AsyncAPI document"
    } else if members.contains_key("paths") || members.contains_key("components") {
        "it looks like a part of one: add `openapi: 3.1.0` and `info`, or name the root document"
    } else if members.contains_key("overlay") {
        "this is an Overlay: name the OpenAPI document, and give this with --overlay"
    } else {
        "an OpenAPI document has the member `openapi` (or `swagger: \"2.0\"`) at its root"
    };
    Err(error("", "not an OpenAPI document: neither `openapi` nor `swagger` says its version".to_owned(), help))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_found_even_as_numbers() {
        for (root, expected) in [
            (json!({"swagger": "2.0"}), SpecificationVersion::V2_0),
            (json!({"swagger": 2.0}), SpecificationVersion::V2_0),
            (json!({"swagger": 2}), SpecificationVersion::V2_0),
            (json!({"openapi": "3.0.3"}), SpecificationVersion::V3_0),
            (json!({"openapi": 3.1}), SpecificationVersion::V3_1),
            (json!({"openapi": "3.2.0-rc1"}), SpecificationVersion::V3_2),
        ] {
            assert_eq!(detect(&root, FileId(0)).unwrap().0, expected, "{root}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_a_hint() {
        for (root, hint) in [
            (json!([]), "object"),
            (json!({"openapi": "4.0.0"}), "3.2"),
            (json!({"swagger": "1.2"}), "convert"),
            (json!({"asyncapi": "3.0.0"}), "AsyncAPI"),
            (json!({"paths": {}}), "part"),
            (json!({}), "openapi"),
        ] {
            assert!(detect(&root, FileId(0)).unwrap_err().help.contains(hint), "{root}");
        }
    }
}
