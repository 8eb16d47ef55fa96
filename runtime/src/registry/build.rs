//! Building the registry: everything that can be wrong with a server's components is found here, before it serves.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use indexmap::{IndexMap, map::Entry};
use serde_json::{Map, Value};

use super::{Lists, Pages, Problem, Registry, Visibility, origin::Origin};
use crate::{
    catalog::{Api, Kind, Operation},
    component::{
        CallTerms, CompletionHandler, LazySchema, OperationResource, OperationTool, Prompt, PromptEntry, Resource,
        ResourceEntry, ResourceSource, ResourceTemplate, TaskSupport, TemplateEntry, TemplateSource, Tool, ToolEntry,
        ToolSource, Transform, Transformed, WrapHandler, tool_info,
    },
    message::{ResourceInfo, ResourceTemplateInfo},
    upstream::Upstream,
    uri_template::UriTemplate,
};

/// The longest name of a tool that every client takes, in characters.
const LONGEST_NAME: usize = 64;

/// Collects components.
#[derive(Default)]
pub(crate) struct RegistryBuilder {
    pub(crate) problems: Vec<Problem>,
    pub(crate) page_size: usize,
    pub(super) registry: Registry,
    wrappers: Vec<(&'static Operation, WrapHandler)>,
    visibility: Visibility,
    /// The tools that were transformed.
    applied: HashSet<String>,
}

impl RegistryBuilder {
    pub(crate) fn transforms(&mut self, transforms: HashMap<String, Arc<Transform>>) {
        self.registry.transforms = Arc::new(transforms);
    }

    /// Reports transformations of tools that there are not. Those of inner servers may come later.
    pub(crate) fn check_transforms(&mut self) {
        let unused = self.registry.transforms.keys().filter(|name| !self.applied.contains(*name));
        let mut unused: Vec<String> = unused.cloned().collect();
        unused.sort();
        for tool in unused {
            let may_come = self.registry.children.iter().any(|child| child.naming.inner_name(&tool).is_some());
            if may_come {
                tracing::warn!(tool, "a tool is to be transformed that is not there, or not yet");
            } else {
                self.problems.push(Problem::Transform { tool, why: "this server has no such tool".to_owned() });
            }
        }
    }

    pub(crate) fn new(
        page_size: usize,
        wrappers: Vec<(&'static Operation, WrapHandler)>,
        visibility: Visibility,
    ) -> Self {
        let registry = Registry { visibility: visibility.clone(), ..Registry::default() };
        Self { page_size, wrappers, visibility, registry, ..Self::default() }
    }

    /// Goes on from a registry that exists.
    pub(crate) fn from_registry(registry: Registry, page_size: usize) -> Self {
        Self { page_size, registry, ..Self::default() }
    }

    pub(crate) fn completion(&mut self, handler: Option<CompletionHandler>) {
        self.registry.completion = handler;
    }

    /// Adds every operation of an API as what it is offered as.
    pub(crate) fn api(&mut self, api: &'static Api, upstream: &Upstream, resources_as_tools: bool) {
        // A generated catalog has no such faults: released programs do not spend their start on it.
        if cfg!(debug_assertions) {
            self.problems.extend(super::schemas::faults(api));
        }
        self.registry.tools.reserve(api.operations().count());
        let mut resources = Vec::new();
        for operation in api.operations() {
            let tags: Vec<_> = operation.tags.iter().map(|tag| Cow::Borrowed(*tag)).collect();
            if !self.visibility.offers(operation.name, &tags, operation.enabled) {
                // A wrapper around it is no mistake.
                self.wrappers.retain(|(wrapped, _)| !std::ptr::eq(*wrapped, operation));
                continue;
            }
            match operation.kind {
                Kind::Tool => self.operation_tool(api, operation, upstream, operation.name.to_owned()),
                Kind::Resource | Kind::ResourceTemplate if resources_as_tools => resources.push(operation),
                Kind::Resource => self.operation_resource(api, operation, operation.uri, upstream),
                Kind::ResourceTemplate => {
                    if !operation.plain_uri.is_empty() {
                        self.operation_resource(api, operation, operation.plain_uri, upstream);
                    }
                    self.operation_template(api, operation, upstream);
                }
            }
        }
        // After the tools proper, so that these keep their names.
        for operation in resources {
            let name = self.free_name(operation.name);
            self.operation_tool(api, operation, upstream, name);
        }
    }

    /// The name, or the first of `name_read`, `name_read2`, … that no tool has.
    fn free_name(&self, name: &str) -> String {
        let suffixes = (2..).map(|number| format!("_read{number}"));
        let names = [String::new(), "_read".to_owned()].into_iter().chain(suffixes).map(|suffix| {
            let kept: String = name.chars().take(LONGEST_NAME.saturating_sub(suffix.len())).collect();
            kept + &suffix
        });
        let mut names = names.skip_while(|name| self.registry.tools.contains_key(name));
        names.next().unwrap_or_default()
    }

    fn operation_tool(&mut self, api: &'static Api, operation: &'static Operation, upstream: &Upstream, name: String) {
        let wrapper = self.wrappers.iter().position(|(wrapped, _)| std::ptr::eq(*wrapped, operation));
        let wrapper = wrapper.map(|index| self.wrappers.swap_remove(index).1);
        let mut info = tool_info(api, operation);
        if name != operation.name {
            info.name = name.into();
        }
        let source = OperationTool { operation, upstream: upstream.clone(), wrapper };
        self.add_tool(ToolEntry::new(info, CallTerms::default(), ToolSource::Operation(source)));
    }

    fn operation_resource(
        &mut self,
        api: &'static Api,
        operation: &'static Operation,
        uri: &'static str,
        upstream: &Upstream,
    ) {
        let info = ResourceInfo {
            uri: uri.into(),
            name: operation.name.into(),
            title: operation.title.into(),
            description: operation.description.into(),
            media_type: operation.media_type.into(),
            size: None,
            icons: Vec::new(),
            tags: operation.tags.iter().map(|tag| (*tag).into()).collect(),
            meta: Map::new(),
        };
        let source = OperationResource { api, operation, upstream: upstream.clone() };
        self.add_resource(ResourceEntry { info: Arc::new(info), source: ResourceSource::Operation(source) });
    }

    fn operation_template(&mut self, api: &'static Api, operation: &'static Operation, upstream: &Upstream) {
        let info = ResourceTemplateInfo {
            uri_template: operation.uri.into(),
            name: operation.name.into(),
            title: operation.title.into(),
            description: operation.description.into(),
            media_type: operation.media_type.into(),
            icons: Vec::new(),
            tags: operation.tags.iter().map(|tag| (*tag).into()).collect(),
            meta: Map::new(),
        };
        let source = TemplateSource::Operation(OperationResource { api, operation, upstream: upstream.clone() });
        self.add_template(info, source, HashMap::new());
    }

    pub(crate) fn tool(&mut self, tool: Tool) {
        if self.visibility.offers(&tool.info.name, &tool.info.tags, true) {
            self.add_tool(tool.into());
        }
    }

    pub(crate) fn add_tool(&mut self, tool: ToolEntry) {
        let Some(tool) = self.transformed(tool) else { return };
        let name = tool.info.name.to_string();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(legal) {
            self.problems.push(Problem::ToolName(name));
            return;
        }
        insert(&mut self.registry.tools, &mut self.problems, "tool", name, tool);
    }

    /// The tool as it is to be offered.
    fn transformed(&mut self, tool: ToolEntry) -> Option<ToolEntry> {
        let Some(transform) = self.registry.transforms.get(tool.info.name.as_ref()).cloned() else { return Some(tool) };
        self.applied.insert(tool.info.name.to_string());
        match transform.info(&tool.info) {
            Ok(info) => {
                let terms = CallTerms { timeout: transform.time_limit().or(tool.terms.timeout), ..tool.terms };
                let source = ToolSource::Transformed(Arc::new(Transformed { tool: Arc::new(tool), transform }));
                Some(ToolEntry::new(info, terms, source))
            }
            Err(why) => {
                self.problems.push(Problem::Transform { tool: tool.info.name.to_string(), why });
                None
            }
        }
    }

    pub(crate) fn resource(&mut self, resource: Resource) {
        if self.visibility.offers(&resource.info.name, &resource.info.tags, true) {
            self.add_resource(resource.into());
        }
    }

    pub(crate) fn add_resource(&mut self, resource: ResourceEntry) {
        let uri = resource.info.uri.to_string();
        if !has_scheme(&uri) {
            self.problems.push(Problem::Uri(uri));
        } else if uri.contains(['{', '}']) {
            self.problems.push(Problem::Braces(uri));
        } else {
            insert(&mut self.registry.resources, &mut self.problems, "resource", uri, resource);
        }
    }

    pub(crate) fn template(&mut self, template: ResourceTemplate) {
        let ResourceTemplate { info, schema, handler, completions } = template;
        if !self.visibility.offers(&info.name, &info.tags, true) {
            return;
        }
        self.add_template(info, TemplateSource::Custom { schema, handler }, completions);
    }

    pub(crate) fn add_template(
        &mut self,
        info: ResourceTemplateInfo,
        source: TemplateSource,
        completions: HashMap<String, CompletionHandler>,
    ) {
        let text = info.uri_template.to_string();
        let template = match text.parse::<UriTemplate>() {
            Ok(template) => template,
            Err(error) => {
                self.problems.push(Problem::Template { name: info.name.to_string(), template: text, error });
                return;
            }
        };
        if !has_scheme(&text) {
            self.problems.push(Problem::Uri(text));
            return;
        }
        if template.variables().next().is_none() {
            self.problems.push(Problem::NoVariables(text));
            return;
        }
        if let TemplateSource::Custom { schema, .. } = &source {
            let found = mismatches(&template, schema);
            if !found.is_empty() {
                self.problems.extend(found);
                return;
            }
        }
        self.insert_template(TemplateEntry {
            info: Arc::new(info),
            template,
            source,
            completions,
            validator: OnceLock::new(),
        });
    }

    pub(super) fn insert_template(&mut self, entry: TemplateEntry) {
        let text = entry.info.uri_template.to_string();
        insert(&mut self.registry.templates, &mut self.problems, "resource template", text, entry);
    }

    pub(crate) fn prompt(&mut self, prompt: Prompt) {
        if !self.visibility.offers(&prompt.info.name, &prompt.info.tags, true) {
            return;
        }
        self.insert_prompt(prompt.into());
    }

    pub(crate) fn insert_prompt(&mut self, prompt: PromptEntry) {
        let name = prompt.info.name.to_string();
        insert(&mut self.registry.prompts, &mut self.problems, "prompt", name, prompt);
    }

    pub(crate) fn remove_tool(&mut self, name: &str) -> bool {
        self.registry.tools.shift_remove(name).is_some()
    }

    pub(crate) fn remove_resource(&mut self, uri: &str) -> bool {
        self.registry.resources.shift_remove(uri).is_some() || self.registry.templates.shift_remove(uri).is_some()
    }

    pub(crate) fn remove_prompt(&mut self, name: &str) -> bool {
        self.registry.prompts.shift_remove(name).is_some()
    }

    /// The registry, or all that is wrong.
    pub(crate) fn finish(mut self) -> Result<Registry, Vec<Problem>> {
        let unused = self.wrappers.iter().map(|(operation, _)| Problem::Wrap(operation.name.to_owned()));
        self.problems.extend(unused);
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        self.order();
        let mut registry = self.registry;
        registry.page_size = self.page_size;
        let mut order: Vec<usize> = (0..registry.templates.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(registry.templates[index].template.literal_length()));
        registry.by_specificity = order;
        let outputs = registry.tools.values().filter_map(|tool| tool.info.output_schema.as_ref());
        registry.offers_tasks = registry.tools.values().any(|tool| tool.terms.task_support != TaskSupport::Forbidden);
        registry.objects_only = outputs.into_iter().all(LazySchema::describes_object);
        registry.lists = Lists {
            tools: Pages::new(registry.tools.values().map(|tool| tool.info.clone()).collect(), self.page_size),
            resources: Pages::new(
                registry.resources.values().map(|entry| entry.info.clone()).collect(),
                self.page_size,
            ),
            templates: Pages::new(
                registry.templates.values().map(|entry| entry.info.clone()).collect(),
                self.page_size,
            ),
            prompts: Pages::new(registry.prompts.values().map(|prompt| prompt.info.clone()).collect(), self.page_size),
        };
        Ok(registry)
    }
}

fn insert<T: Origin>(
    map: &mut IndexMap<String, Arc<T>>,
    problems: &mut Vec<Problem>,
    kind: &'static str,
    name: String,
    entry: T,
) {
    match map.entry(name) {
        Entry::Vacant(vacant) => {
            vacant.insert(Arc::new(entry));
        }
        Entry::Occupied(occupied) => problems.push(Problem::Duplicate {
            kind,
            name: occupied.key().clone(),
            first: occupied.get().origin(),
            second: entry.origin(),
        }),
    }
}

/// RFC 3986 section 3.1.
fn has_scheme(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, rest)| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && scheme.bytes().all(legal) && !rest.is_empty()
    })
}

/// Where a template and the argument type of its handler disagree.
fn mismatches(template: &UriTemplate, schema: &Value) -> Vec<Problem> {
    let mut found = Vec::new();
    let fields = schema.get("properties").and_then(Value::as_object);
    let open = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false))
        || (fields.is_none() && schema.get("additionalProperties").is_none());
    for variable in template.variables() {
        if !open && !fields.is_some_and(|fields| fields.contains_key(variable)) {
            found.push(Problem::UnknownVariable { template: template.to_string(), variable: variable.to_owned() });
        }
    }
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for field in required.iter().filter_map(Value::as_str) {
        if !template.variables().any(|variable| variable == field) {
            found.push(Problem::MissingVariable { template: template.to_string(), field: field.to_owned() });
        }
    }
    found
}
