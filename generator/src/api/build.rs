//! From a normalised document to the API that it describes.

mod parameters;
mod parts;
mod xml;

use std::{collections::HashSet, sync::Arc};

use openapiv3::ReferenceOr;
use serde_json::{Map, Value};

use super::{Api, Body, DocumentInfo, MediaType, Operation, Requirement, Response, Tag};
use crate::{
    diagnostics::{Diagnostics, Location},
    document::{Document, DocumentOperation, codes, extra, store::SchemaId},
    schema::{Converter, Direction},
    source::{FileId, Sources},
};
use parts::{encoding, server};

impl Api {
    /// Resolves what operations inherit and converts every schema. Each operation of the document is given up when it has
    /// been read: those of a large one take more memory than all else.
    pub fn build(mut document: Document, sources: &Sources, diagnostics: &mut Diagnostics) -> Self {
        let described = std::mem::take(&mut document.operations);
        let mut builder = Builder {
            document: &document,
            converter: Converter::new(&document.schemas),
            diagnostics,
            unknown_schemes: HashSet::new(),
        };
        let operations: Vec<Operation> = described.into_iter().map(|operation| builder.operation(&operation)).collect();
        let mut tags: Vec<Tag> = document
            .tags
            .iter()
            .map(|(name, description)| Tag { name: name.clone(), description: description.clone() })
            .collect();
        let mut known: HashSet<String> = tags.iter().map(|tag| tag.name.clone()).collect();
        for tag in operations.iter().flat_map(|operation| &operation.tags) {
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
        let security = match (&operation.security, &self.document.security) {
            (Some(own), _) => self.security(own, &source.location),
            (None, Some(common)) => self.security(common, &Location { file: FileId(0), pointer: String::new() }),
            (None, None) => Vec::new(),
        };
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
            security,
            servers: operation.servers.iter().map(server).collect(),
            extensions: own_extensions(&operation.extensions),
            location: source.location.clone(),
        }
    }

    /// What `security` of the object at a place says.
    fn security(&mut self, alternatives: &[openapiv3::SecurityRequirement], at: &Location) -> Vec<Vec<Requirement>> {
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
                            Some(Location { file: at.file, pointer: format!("{}/security", at.pointer) }),
                            format!("the security scheme `{scheme}` is required but not defined; it is ignored"),
                        )
                        .help("define it under `components.securitySchemes`");
                }
            }
            known.push(schemes);
        }
        known
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
            let mut budget = xml::MAX_SCHEMAS;
            self.written_out(&self.document.schemas.get(id).value, xml::MAX_DEPTH, &mut budget)
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

    fn schema<T>(&mut self, schema: &ReferenceOr<T>, direction: Direction) -> Arc<Value> {
        match schema_id(schema) {
            Some(id) => self.converter.convert(id, direction, self.diagnostics),
            None => Arc::new(Value::Bool(true)),
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
    let place = value?.as_str()?;
    let (file, pointer) = place.split_at(place.find('/').unwrap_or(place.len()));
    Some(Location { file: FileId(file.parse().ok()?), pointer: pointer.to_owned() })
}

fn own_extensions(extensions: &indexmap::IndexMap<String, Value>) -> Map<String, Value> {
    extensions
        .iter()
        .filter(|(key, _)| !key.starts_with(extra::PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
