//! Whether the schema texts of a catalog are JSON. The generator writes no others, a catalog by hand may have them.

use serde::de::IgnoredAny;

use super::Problem;
use crate::catalog::Api;

/// Every schema text that is neither empty nor a JSON object or boolean.
pub(super) fn faults(api: &Api) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut look = |text: &str, place: &dyn Fn() -> String| {
        if let Err(error) = check(text) {
            found.push(Problem::Schema { place: place(), error });
        }
    };
    for definition in api.definitions {
        look(definition.schema, &|| format!("the definition `{}`", definition.name));
    }
    for operation in api.operations() {
        for parameter in operation.parameters {
            look(parameter.schema, &|| format!("the parameter `{}` of `{}`", parameter.name, operation.name));
        }
        if let Some(body) = operation.body {
            look(body.schema, &|| format!("the body of `{}`", operation.name));
        }
        if let Some(output) = operation.output {
            look(output.schema, &|| format!("the output of `{}`", operation.name));
        }
    }
    found
}

fn check(text: &str) -> Result<(), String> {
    let text = text.trim();
    if text.is_empty() || text == "true" || text == "false" {
        return Ok(());
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| error.to_string())?;
    if text.starts_with('{') { Ok(()) } else { Err("it is another JSON value".to_owned()) }
}
