//! What clients will see of a plan, as data: the report behind `inspect --json`.
//!
//! The members and their names are a stable contract; members may be added, never renamed or removed.

pub mod sarif;

use mcpwright_runtime::{
    catalog::{self, Hints, Kind},
    schema,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    api::Api,
    descriptors,
    diagnostics::{Diagnostic, Diagnostics, Severity},
    plan::{Excluded, Plan},
    source::{Position, Sources},
};

/// The report. Every operation of the document is in exactly one of the lists of components or in `excluded`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The document.
    pub document: DocumentReport,
    /// What `tools/list` shows.
    pub tools: Vec<ComponentReport>,
    /// What `resources/list` shows, the plain resources of templates apart.
    pub resources: Vec<ComponentReport>,
    /// What `resources/templates/list` shows.
    pub resource_templates: Vec<ComponentReport>,
    /// Operations that are not offered.
    pub excluded: Vec<ExcludedReport>,
    /// The findings.
    pub diagnostics: Vec<DiagnosticReport>,
    /// Counts.
    pub totals: Totals,
}

/// The document.
#[derive(Debug, Serialize)]
pub struct DocumentReport {
    /// The root file's name as it was given.
    pub file: String,
    /// The version of OpenAPI.
    pub openapi: String,
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// The number of operations found in `paths`.
    pub operations: usize,
}

/// One tool, resource or resource template.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentReport {
    /// The name.
    pub name: String,
    /// The URI of a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The template of a resource template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri_template: Option<String>,
    /// The plain resource of a template whose variables are all optional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain_uri: Option<String>,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// `operationId`.
    pub operation_id: Option<String>,
    /// The method.
    pub method: String,
    /// The key under `paths`.
    pub path: String,
    /// The tags.
    pub tags: Vec<String>,
    /// `deprecated`.
    pub deprecated: bool,
    /// Whether it is offered from the start.
    pub enabled: bool,
    /// The schema of the arguments, as the server lists it; for a resource, as it would be listed as a tool.
    pub input_schema: Box<RawValue>,
    /// The schema of the result, as the server lists it.
    pub output_schema: Option<Box<RawValue>>,
    /// The tool annotations.
    pub annotations: AnnotationsReport,
    /// The bytes of its entry in the server's list.
    pub bytes: usize,
    /// What these bytes cost a model, estimated: a token for every four bytes, rounded up.
    pub tokens: usize,
}

/// Tool annotations as MCP names them.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnnotationsReport {
    /// The tool changes nothing.
    pub read_only_hint: bool,
    /// The tool may destroy or overwrite something.
    pub destructive_hint: bool,
    /// Calling again with the same arguments changes nothing more.
    pub idempotent_hint: bool,
    /// The tool deals with a world outside of the server.
    pub open_world_hint: bool,
}

/// An operation that is not offered.
#[derive(Debug, Serialize)]
pub struct ExcludedReport {
    /// The method.
    pub method: String,
    /// The key under `paths`.
    pub path: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct DiagnosticReport {
    /// The kind of finding.
    pub code: &'static str,
    /// `note`, `warning` or `error`.
    pub severity: &'static str,
    /// The file, when it is about a place in one.
    pub file: Option<String>,
    /// The JSON Pointer into the file.
    pub pointer: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Counts over the lists.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Tools, resources and resource templates together.
    pub components: usize,
    /// Tools.
    pub tools: usize,
    /// Resources.
    pub resources: usize,
    /// Resource templates.
    pub resource_templates: usize,
    /// Operations that are not offered.
    pub excluded: usize,
    /// The bytes of the lists.
    pub bytes: usize,
    /// What the lists cost a model, estimated: a token for every four bytes, rounded up.
    pub tokens: usize,
}

impl Report {
    /// Reports on a plan that was made of an API.
    pub fn new(api: &Api, plan: &Plan, diagnostics: &Diagnostics, sources: &Sources) -> Self {
        let catalog = descriptors::leak(plan);
        let (mut tools, mut resources, mut resource_templates) = (Vec::new(), Vec::new(), Vec::new());
        for operation in catalog.operations() {
            let component = ComponentReport::new(catalog, operation);
            match operation.kind {
                Kind::Tool => tools.push(component),
                Kind::Resource => resources.push(component),
                Kind::ResourceTemplate => resource_templates.push(component),
            }
        }
        let bytes = tools.iter().chain(&resources).chain(&resource_templates).map(|component| component.bytes).sum();
        let totals = Totals {
            components: tools.len() + resources.len() + resource_templates.len(),
            tools: tools.len(),
            resources: resources.len(),
            resource_templates: resource_templates.len(),
            excluded: plan.excluded.len(),
            bytes,
            tokens: tokens(bytes),
        };
        Self {
            document: DocumentReport {
                file: api.document.file.clone(),
                openapi: api.document.openapi.clone(),
                title: api.document.title.clone(),
                version: api.document.version.clone(),
                operations: api.operations.len() + api.lost.len(),
            },
            tools,
            resources,
            resource_templates,
            excluded: plan.excluded.iter().map(ExcludedReport::new).collect(),
            diagnostics: DiagnosticReport::all(diagnostics, sources),
            totals,
        }
    }
}

/// What so many bytes cost a model, estimated.
fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

impl ComponentReport {
    fn new(api: &catalog::Api, operation: &catalog::Operation) -> Self {
        let annotations = AnnotationsReport::new(operation.hints);
        let uri = |kind| (operation.kind == kind).then(|| operation.uri.to_owned());
        let mut report = Self {
            name: operation.name.to_owned(),
            uri: uri(Kind::Resource),
            uri_template: uri(Kind::ResourceTemplate),
            plain_uri: (!operation.plain_uri.is_empty()).then(|| operation.plain_uri.to_owned()),
            title: operation.title.to_owned(),
            description: operation.description.to_owned(),
            operation_id: (!operation.id.is_empty()).then(|| operation.id.to_owned()),
            method: operation.method.to_string(),
            path: operation.path.to_owned(),
            tags: operation.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            deprecated: operation.deprecated,
            enabled: operation.enabled,
            input_schema: raw(schema::input(api, operation)),
            output_schema: schema::output(api, operation).map(raw),
            annotations,
            bytes: 0,
            tokens: 0,
        };
        report.bytes = report.listed_bytes(operation);
        report.tokens = tokens(report.bytes);
        report
    }

    /// The bytes of the entry as `tools/list`, `resources/list` or `resources/templates/list` has it.
    fn listed_bytes(&self, operation: &catalog::Operation) -> usize {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Listed<'r> {
            name: &'r str,
            title: &'r str,
            description: &'r str,
            #[serde(skip_serializing_if = "Option::is_none")]
            uri: Option<&'r str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            uri_template: Option<&'r str>,
            #[serde(skip_serializing_if = "str::is_empty")]
            mime_type: &'r str,
            #[serde(skip_serializing_if = "Option::is_none")]
            input_schema: Option<&'r RawValue>,
            #[serde(skip_serializing_if = "Option::is_none")]
            output_schema: Option<&'r RawValue>,
            #[serde(skip_serializing_if = "Option::is_none")]
            annotations: Option<AnnotationsReport>,
        }
        let is_tool = operation.kind == Kind::Tool;
        let listed = Listed {
            name: &self.name,
            title: &self.title,
            description: &self.description,
            uri: self.uri.as_deref(),
            uri_template: self.uri_template.as_deref(),
            mime_type: if is_tool { "" } else { operation.media_type },
            input_schema: is_tool.then_some(&self.input_schema),
            output_schema: self.output_schema.as_deref().filter(|_| is_tool),
            annotations: is_tool.then_some(self.annotations),
        };
        serde_json::to_string(&listed).map_or(0, |text| text.len())
    }
}

/// JSON text as it is; `null` should it be none.
fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

impl AnnotationsReport {
    fn new(hints: Hints) -> Self {
        Self {
            read_only_hint: hints.read_only,
            destructive_hint: hints.destructive,
            idempotent_hint: hints.idempotent,
            open_world_hint: hints.open_world,
        }
    }
}

impl ExcludedReport {
    fn new(excluded: &Excluded) -> Self {
        Self { method: excluded.method.to_string(), path: excluded.path.clone(), reason: excluded.reason.clone() }
    }
}

impl DiagnosticReport {
    /// The findings with their places, for which each file is walked once.
    pub fn all(diagnostics: &Diagnostics, sources: &Sources) -> Vec<Self> {
        diagnostics
            .iter()
            .zip(sources.places(diagnostics.iter()))
            .map(|(diagnostic, position)| Self::new(diagnostic, position, sources))
            .collect()
    }

    fn new(diagnostic: &Diagnostic, position: Option<Position>, sources: &Sources) -> Self {
        Self {
            code: diagnostic.code.name,
            severity: match diagnostic.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            file: diagnostic.location.as_ref().map(|location| sources.name(location.file)),
            pointer: diagnostic.location.as_ref().map(|location| location.pointer.clone()),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }
}
