//! The effective parameters of an operation.

use std::sync::Arc;

use openapiv3::ReferenceOr;
use serde_json::{Map, Value};

use super::{Builder, origin, own_extensions, parts::style};
use crate::{
    api::{Parameter, ParameterLocation, Style},
    diagnostics::Location,
    document::{DocumentOperation, codes, extra},
    schema::Direction,
};

/// The largest example of a parameter that is shown in its schema, in bytes of JSON.
const MAX_PARAMETER_EXAMPLE: usize = 500;

impl Builder<'_> {
    /// The parameters of an operation, those of its path first and in the order of the path.
    pub(super) fn parameters(&mut self, source: &DocumentOperation) -> Vec<Parameter> {
        let variables = template_variables(&source.path);
        let mut parameters: Vec<Parameter> = Vec::new();
        for parameter in &source.operation.parameters {
            let ReferenceOr::Item(parameter) = parameter else { continue };
            let parameter = self.parameter(parameter, &source.location);
            let same = |other: &Parameter| other.name == parameter.name && other.location == parameter.location;
            if parameter.location == ParameterLocation::Path && !variables.contains(&parameter.name) {
                let message = format!(
                    "the path `{}` has no variable `{{{}}}`; the parameter is left out",
                    source.path, parameter.name
                );
                self.diagnostics.push(&codes::UNUSED_PATH_PARAMETER, Some(parameter.origin.clone()), message);
            } else if let Some(earlier) = parameters.iter_mut().find(|other| same(other)) {
                let message = format!("the parameter `{}` is declared twice; the last one counts", parameter.name);
                self.diagnostics.push(&codes::INVALID_MEMBER, Some(parameter.origin.clone()), message);
                *earlier = parameter;
            } else {
                parameters.push(parameter);
            }
        }
        for variable in &variables {
            if !parameters
                .iter()
                .any(|parameter| parameter.location == ParameterLocation::Path && parameter.name == *variable)
            {
                let message = format!(
                    "{} {} declares no parameter for `{{{variable}}}`; a string was added",
                    source.method, source.path
                );
                self.diagnostics
                    .push(&codes::MISSING_PATH_PARAMETER, Some(source.location.clone()), message)
                    .help(format!("add `{{name: {variable}, in: path, required: true, schema: {{type: string}}}}` to its parameters"));
                parameters.push(Parameter {
                    name: variable.clone(),
                    component: None,
                    location: ParameterLocation::Path,
                    description: String::new(),
                    required: true,
                    deprecated: false,
                    schema: Arc::new(serde_json::json!({"type": "string"})),
                    style: Style::Simple,
                    explode: false,
                    allow_reserved: false,
                    allow_empty_value: false,
                    content: None,
                    extensions: Map::new(),
                    origin: source.location.clone(),
                });
            }
        }
        parameters.sort_by_key(|parameter| match parameter.location {
            ParameterLocation::Path => variables.iter().position(|name| *name == parameter.name).unwrap_or(usize::MAX),
            _ => usize::MAX,
        });
        parameters
    }

    fn parameter(&mut self, parameter: &openapiv3::Parameter, fallback: &Location) -> Parameter {
        let data = parameter.parameter_data_ref();
        let flag = |key: &str| data.extensions.get(key) == Some(&Value::Bool(true));
        let location = match parameter {
            openapiv3::Parameter::Query { .. } if data.extensions.contains_key(extra::LOCATION) => {
                ParameterLocation::QueryString
            }
            openapiv3::Parameter::Query { .. } => ParameterLocation::Query,
            openapiv3::Parameter::Header { .. } => ParameterLocation::Header,
            openapiv3::Parameter::Path { .. } => ParameterLocation::Path,
            openapiv3::Parameter::Cookie { .. } => ParameterLocation::Cookie,
        };
        let (mut schema, content) = match &data.format {
            openapiv3::ParameterSchemaOrContent::Schema(schema) => (self.schema(schema, Direction::Request), None),
            openapiv3::ParameterSchemaOrContent::Content(content) => match content.iter().next() {
                Some((name, media_type)) => (
                    media_type
                        .schema
                        .as_ref()
                        .map_or_else(|| Arc::new(Value::Bool(true)), |schema| self.schema(schema, Direction::Request)),
                    Some(name.clone()),
                ),
                None => (Arc::new(Value::Bool(true)), None),
            },
        };
        if let Some(example) = &data.example
            && schema.as_object().is_some_and(|members| !members.contains_key("examples"))
            && example.to_string().len() <= MAX_PARAMETER_EXAMPLE
            && let Value::Object(members) = Arc::make_mut(&mut schema)
        {
            members.insert("examples".to_owned(), Value::Array(vec![example.clone()]));
        }
        Parameter {
            name: data.name.clone(),
            component: data.extensions.get(extra::COMPONENT).and_then(Value::as_str).map(str::to_owned),
            location,
            description: data.description.clone().unwrap_or_default(),
            required: data.required,
            deprecated: data.deprecated.unwrap_or_default(),
            schema,
            style: data.extensions.get(extra::STYLE).and_then(Value::as_str).map_or(Style::Form, style),
            explode: data.explode.unwrap_or_default(),
            allow_reserved: flag(extra::ALLOW_RESERVED),
            allow_empty_value: flag(extra::ALLOW_EMPTY_VALUE),
            content,
            extensions: own_extensions(&data.extensions),
            origin: origin(data.extensions.get(extra::ORIGIN)).unwrap_or_else(|| fallback.clone()),
        }
    }
}

/// The names between braces, each once, in their order.
fn template_variables(path: &str) -> Vec<String> {
    let mut variables: Vec<String> = Vec::new();
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        if !name.is_empty() && !variables.iter().any(|known| known == name) {
            variables.push(name.to_owned());
        }
        rest = after;
    }
    variables
}
