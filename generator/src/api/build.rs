//! From a normalised document to the API that it describes.

use std::collections::HashSet;

use openapiv3::ReferenceOr;
use serde_json::{Map, Value};

use super::{
    Api, Body, DocumentInfo, Encoding, MediaType, Operation, Parameter, ParameterLocation, Requirement, Response,
    Server, ServerVariable, Style, Tag,
};
use crate::{
    diagnostics::{Diagnostics, Location},
    document::{Document, DocumentOperation, codes, extra, store::SchemaId},
    schema::{Converter, Direction},
    source::{FileId, Sources},
};

/// The largest example of a parameter that is shown in its schema, in bytes of JSON.
const MAX_PARAMETER_EXAMPLE: usize = 500;
/// References followed along one path when an XML schema is written out.
const MAX_XML_DEPTH: usize = 12;
/// Schemas written out for one XML body.
const MAX_XML_SCHEMAS: usize = 2_000;

impl Api {
    /// Resolves what operations inherit and converts every schema.
    pub fn build(document: &Document, sources: &Sources, diagnostics: &mut Diagnostics) -> Self {
        let mut builder = Builder {
            document,
            converter: Converter::new(&document.schemas),
            diagnostics,
            unknown_schemes: HashSet::new(),
        };
        let mut operations = Vec::with_capacity(document.operations.len());
        for operation in &document.operations {
            operations.push(builder.operation(operation));
        }
        let mut tags: Vec<Tag> = document
            .tags
            .iter()
            .map(|(name, description)| Tag { name: name.clone(), description: description.clone() })
            .collect();
        let mut known: HashSet<String> = tags.iter().map(|tag| tag.name.clone()).collect();
        for tag in operations.iter().flat_map(|operation: &Operation| &operation.tags) {
            if known.insert(tag.clone()) {
                tags.push(Tag { name: tag.clone(), description: String::new() });
            }
        }
        let Builder { converter, diagnostics, .. } = builder;
        let definitions = converter.finish(diagnostics);
        Api {
            document: DocumentInfo {
                file: sources.name(FileId(0)),
                openapi: document.openapi.clone(),
                title: document.title.clone(),
                version: document.info_version.clone(),
                description: document.description.clone(),
            },
            servers: document.servers.iter().map(server).collect(),
            security_schemes: document.security_schemes.iter().map(|(_, scheme)| scheme.clone()).collect(),
            tags,
            operations,
            lost: document.lost.clone(),
            definitions,
            extensions: document.extensions.clone(),
        }
    }
}

struct Builder<'d> {
    document: &'d Document,
    converter: Converter<'d>,
    diagnostics: &'d mut Diagnostics,
    /// The schemes that operations require and nothing defines: each is reported once.
    unknown_schemes: HashSet<String>,
}

impl Builder<'_> {
    fn operation(&mut self, source: &DocumentOperation) -> Operation {
        let operation = &source.operation;
        let parameters = self.parameters(source);
        let body = operation.request_body.as_ref().and_then(ReferenceOr::as_item).map(|body| Body {
            required: body.required,
            description: body.description.clone().unwrap_or_default(),
            content: body
                .content
                .iter()
                .map(|(name, media_type)| self.media_type(name, media_type, Direction::Request, &source.location))
                .collect(),
            location: origin(body.extensions.get(extra::ORIGIN)).unwrap_or_else(|| source.location.clone()),
        });
        let mut responses: Vec<Response> = operation
            .responses
            .responses
            .iter()
            .filter_map(|(status, response)| Some((status.to_string(), response.as_item()?)))
            .map(|(status, response)| self.response(status, response, &source.location))
            .collect();
        if let Some(default) = operation.responses.default.as_ref().and_then(ReferenceOr::as_item) {
            responses.push(self.response("default".to_owned(), default, &source.location));
        }
        let security = operation.security.as_ref().or(self.document.security.as_ref());
        Operation {
            id: operation.operation_id.clone(),
            method: source.method,
            path: source.path.clone(),
            summary: operation.summary.clone().unwrap_or_default(),
            description: operation.description.clone().unwrap_or_default(),
            tags: operation.tags.clone(),
            deprecated: operation.deprecated,
            parameters,
            body,
            responses,
            security: security.map(|security| self.security(security, source)).unwrap_or_default(),
            servers: operation.servers.iter().map(server).collect(),
            extensions: own_extensions(&operation.extensions),
            location: source.location.clone(),
        }
    }

    fn security(
        &mut self,
        alternatives: &[openapiv3::SecurityRequirement],
        source: &DocumentOperation,
    ) -> Vec<Vec<Requirement>> {
        let mut known = Vec::with_capacity(alternatives.len());
        for alternative in alternatives {
            let mut schemes = Vec::with_capacity(alternative.len());
            for (scheme, scopes) in alternative {
                if self.document.security_schemes.iter().any(|(name, _)| name == scheme) {
                    schemes.push(Requirement { scheme: scheme.clone(), scopes: scopes.clone() });
                } else if self.unknown_schemes.insert(scheme.clone()) {
                    self.diagnostics
                        .push(
                            &codes::UNRESOLVED_REFERENCE,
                            Some(source.location.clone()),
                            format!("the security scheme `{scheme}` is required but not defined; it is ignored"),
                        )
                        .help("define it under `components.securitySchemes`");
                }
            }
            known.push(schemes);
        }
        known
    }

    fn parameters(&mut self, source: &DocumentOperation) -> Vec<Parameter> {
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
                    schema: serde_json::json!({"type": "string"}),
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
                        .map_or(Value::Bool(true), |schema| self.schema(schema, Direction::Request)),
                    Some(name.clone()),
                ),
                None => (Value::Bool(true), None),
            },
        };
        if let (Some(example), Value::Object(members)) = (&data.example, &mut schema)
            && !members.contains_key("examples")
            && example.to_string().len() <= MAX_PARAMETER_EXAMPLE
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

    fn response(&mut self, status: String, response: &openapiv3::Response, fallback: &Location) -> Response {
        let has_json = response.content.keys().any(|name| name.contains("json"));
        let mut media_type = |name: &String, media_type| {
            let mut content = self.media_type(name, media_type, Direction::Response, fallback);
            // Who gets JSON needs no names of elements.
            content.xml = content.xml.filter(|_| !has_json);
            content
        };
        Response {
            status,
            description: response.description.clone(),
            content: response.content.iter().map(|(name, content)| media_type(name, content)).collect(),
            headers: response
                .extensions
                .get(extra::HEADERS)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            links: response.extensions.get(extra::LINKS).and_then(Value::as_object).cloned().unwrap_or_default(),
        }
    }

    fn media_type(
        &mut self,
        name: &str,
        media_type: &openapiv3::MediaType,
        direction: Direction,
        fallback: &Location,
    ) -> MediaType {
        let is_xml = name.contains("xml");
        let xml = media_type.schema.as_ref().filter(|_| is_xml).and_then(schema_id).map(|id| {
            let mut budget = MAX_XML_SCHEMAS;
            self.written_out(&self.document.schemas.get(id).value, MAX_XML_DEPTH, &mut budget)
        });
        MediaType {
            media_type: name.to_owned(),
            schema: media_type.schema.as_ref().map(|schema| self.schema(schema, direction)),
            xml,
            example: media_type.example.clone(),
            encoding: media_type.encoding.iter().map(|(name, value)| encoding(name, value)).collect(),
            sequential: media_type.extensions.get(extra::SEQUENTIAL) == Some(&Value::Bool(true)),
            location: origin(media_type.extensions.get(extra::ORIGIN)).unwrap_or_else(|| fallback.clone()),
        }
    }

    fn schema<T>(&mut self, schema: &ReferenceOr<T>, direction: Direction) -> Value {
        match schema_id(schema) {
            Some(id) => self.converter.convert(id, direction, self.diagnostics),
            None => Value::Bool(true),
        }
    }

    /// A schema with its references replaced by what they lead to, so that the XML encoder needs no other schema. The
    /// name of the component stays as `x-name`, which is what an element is called by default.
    fn written_out(&self, schema: &Value, depth: usize, budget: &mut usize) -> Value {
        if depth == 0 || *budget == 0 {
            return Value::Bool(true);
        }
        *budget -= 1;
        match schema {
            Value::Object(members) => {
                let mut result = Map::new();
                if let Some(name) = members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
                {
                    let name = name.replace("~1", "/").replace("~0", "~");
                    if let Some(id) = self.document.schemas.component(&name)
                        && let Value::Object(target) =
                            self.written_out(&self.document.schemas.get(id).value, depth - 1, budget)
                    {
                        result = target;
                        result.entry("x-name").or_insert(Value::String(name));
                    }
                }
                for (key, value) in members {
                    if key != "$ref" {
                        result.insert(key.clone(), self.written_out(value, depth, budget));
                    }
                }
                Value::Object(result)
            }
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.written_out(item, depth, budget)).collect())
            }
            other => other.clone(),
        }
    }
}

fn schema_id<T>(schema: &ReferenceOr<T>) -> Option<SchemaId> {
    match schema {
        ReferenceOr::Reference { reference } => reference.strip_prefix("sid:")?.parse().ok().map(SchemaId),
        ReferenceOr::Item(_) => None,
    }
}

fn origin(value: Option<&Value>) -> Option<Location> {
    let value = value?;
    Some(Location {
        file: FileId(u32::try_from(value.get(0)?.as_u64()?).ok()?),
        pointer: value.get(1)?.as_str()?.to_owned(),
    })
}

fn own_extensions(extensions: &indexmap::IndexMap<String, Value>) -> Map<String, Value> {
    extensions
        .iter()
        .filter(|(key, _)| !key.starts_with(extra::PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn server(server: &openapiv3::Server) -> Server {
    Server {
        url: server.url.clone(),
        description: server.description.clone().unwrap_or_default(),
        variables: server
            .variables
            .iter()
            .flatten()
            .map(|(name, variable)| ServerVariable {
                name: name.clone(),
                default: variable.default.clone(),
                values: variable.enumeration.clone(),
                description: variable.description.clone().unwrap_or_default(),
            })
            .collect(),
    }
}

fn encoding(name: &str, encoding: &openapiv3::Encoding) -> Encoding {
    let styled = encoding.extensions.get(extra::STYLED) == Some(&Value::Bool(true));
    let extended = encoding.extensions.get(extra::STYLE).and_then(Value::as_str).map(style);
    let query_style = match encoding.style {
        Some(openapiv3::QueryStyle::SpaceDelimited) => Style::SpaceDelimited,
        Some(openapiv3::QueryStyle::PipeDelimited) => Style::PipeDelimited,
        Some(openapiv3::QueryStyle::DeepObject) => Style::DeepObject,
        _ => Style::Form,
    };
    Encoding {
        name: name.to_owned(),
        content_type: encoding.content_type.clone().unwrap_or_default(),
        style: styled.then_some((extended.unwrap_or(query_style), encoding.explode, encoding.allow_reserved)),
        headers: encoding
            .extensions
            .get(extra::HEADERS)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
    }
}

fn style(name: &str) -> Style {
    match name {
        "simple" => Style::Simple,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "tabDelimited" => Style::TabDelimited,
        "deepObject" => Style::DeepObject,
        "cookie" => Style::Cookie,
        _ => Style::Form,
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
