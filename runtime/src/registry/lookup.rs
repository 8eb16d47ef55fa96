//! What is known of components by name, without using them.

use std::{borrow::Cow, sync::Arc};

use super::Registry;
use crate::{
    catalog::Operation,
    component::{
        OperationResource, OperationTool, ResourceSource, TaskSupport, TemplateEntry, TemplateSource, ToolEntry,
        ToolSource,
    },
    compose::Child,
    message::{PromptInfo, Request, ToolInfo},
};

impl Registry {
    /// The description of a tool as it is offered inside the layers of this server: by its own components, or by those
    /// of inner servers and their layers.
    pub(crate) fn tool_info(&self, name: &str) -> Option<Arc<ToolInfo>> {
        let Some(entry) = self.tools.get(name) else { return self.layers_tool(name).map(|(_, _, info)| info) };
        // What a transformed tool is, its author says.
        if let ToolSource::Mounted(inner) = &entry.source
            && inner.child.is_layered()
        {
            let own = inner.child.engine.registry().tool_info(&inner.name);
            let offered = inner.child.engine.tool_info(&inner.name)?;
            if !own.is_some_and(|own| Arc::ptr_eq(&own, &offered)) {
                return Some(Arc::new(ToolInfo { name: entry.info.name.clone(), ..(*offered).clone() }));
            }
        }
        Some(entry.info.clone())
    }

    /// A tool that only the layers of an inner server offer: the server, the name there, and the description.
    pub(super) fn layers_tool(&self, name: &str) -> Option<(&Arc<Child>, String, Arc<ToolInfo>)> {
        if self.transforms.contains_key(name) {
            // It is offered as something else, and nobody gets round that.
            return None;
        }
        self.children.iter().find_map(|child| {
            let (inner, info) = child.layers_tool(name)?;
            self.visibility.offers(&info.name, &info.tags, true).then_some((child, inner, info))
        })
    }

    /// The inner server whose layers alone may know a resource, and the URI there. What the inner server has itself and
    /// this one does not offer stays hidden.
    pub(super) fn layers_resource(&self, uri: &str) -> Option<(&Arc<Child>, String)> {
        self.layered().find_map(|child| {
            let inner = child.naming.inner_uri(uri)?;
            child.engine.registry().resource_labels(&inner).is_none().then_some((child, inner))
        })
    }

    /// The inner server whose layers alone may know a prompt, and the name there.
    pub(super) fn layers_prompt(&self, name: &str) -> Option<(&Arc<Child>, String)> {
        self.layered().find_map(|child| {
            let inner = child.naming.inner_name(name)?;
            child.engine.registry().prompt_info(inner).is_none().then(|| (child, inner.to_owned()))
        })
    }

    /// The inner servers with layers whose components can be told by a prefix.
    fn layered(&self) -> impl Iterator<Item = &Arc<Child>> {
        self.children.iter().filter(|child| child.is_layered() && !child.naming.prefix().is_empty())
    }

    /// The inner server that has a resource, and the URI there.
    pub(crate) fn child_of(&self, uri: &str) -> Option<(Arc<Child>, String)> {
        let inner = match self.resources.get(uri) {
            Some(entry) => match &entry.source {
                ResourceSource::Mounted(inner) => Some(inner),
                _ => None,
            },
            None => {
                let mut entries = self.by_specificity.iter().filter_map(|index| self.templates.get_index(*index));
                match &entries.find(|(_, entry)| entry.template.captures(uri).is_some())?.1.source {
                    TemplateSource::Mounted(inner) => Some(inner),
                    _ => None,
                }
            }
        }?;
        Some((inner.child.clone(), inner.child.naming.inner_uri(uri)?))
    }

    pub(crate) fn prompt_info(&self, name: &str) -> Option<Arc<PromptInfo>> {
        self.prompts.get(name).map(|prompt| prompt.info.clone())
    }

    /// The URI or template that answers a URI, and its tags.
    pub(crate) fn resource_labels(&self, uri: &str) -> Option<(String, Vec<Cow<'static, str>>)> {
        if let Some(resource) = self.resources.get(uri) {
            return Some((resource.info.uri.to_string(), resource.info.tags.clone()));
        }
        self.template_of(uri).map(|entry| (entry.info.uri_template.to_string(), entry.info.tags.clone()))
    }

    /// The operation behind a tool.
    pub(crate) fn tool_operation(&self, name: &str) -> Option<&'static Operation> {
        self.tools.get(name)?.operation()
    }

    /// The operation behind a resource, by its URI, or behind a template, by its text.
    pub(crate) fn resource_operation(&self, name: &str) -> Option<&'static Operation> {
        if let Some(resource) = self.resources.get(name) {
            return match &resource.source {
                ResourceSource::Operation(OperationResource { operation, .. }) => Some(operation),
                ResourceSource::Mounted(inner) => inner.child.engine.registry().resource_operation(&inner.name),
                ResourceSource::Custom(_) => None,
            };
        }
        match &self.templates.get(name)?.source {
            TemplateSource::Operation(OperationResource { operation, .. }) => Some(operation),
            TemplateSource::Mounted(inner) => inner.child.engine.registry().resource_operation(&inner.name),
            TemplateSource::Custom { .. } => None,
        }
    }

    /// Whether a request only reads a list or calls the API: nothing but its answer goes to the client then, and the
    /// answer has the same form in all protocol versions.
    pub(crate) fn is_quiet(&self, request: &Request) -> bool {
        match request {
            Request::ListTools(_) => self.objects_only,
            Request::ListResources(_) | Request::ListResourceTemplates(_) | Request::ListPrompts(_) => true,
            Request::CallTool(call) => self
                .tools
                .get(&call.name)
                .is_some_and(|tool| matches!(&tool.source, ToolSource::Operation(OperationTool { wrapper: None, .. }))),
            Request::ReadResource(read) => match self.resources.get(&read.uri) {
                Some(resource) => matches!(resource.source, ResourceSource::Operation(_)),
                None => self
                    .template_of(&read.uri)
                    .is_some_and(|entry| matches!(entry.source, TemplateSource::Operation(_))),
            },
            _ => false,
        }
    }

    /// Whether calls of any tool may become tasks.
    pub(crate) fn offers_tasks(&self) -> bool {
        self.offers_tasks
    }

    /// Whether a request is a call that may become a task.
    pub(crate) fn may_be_task(&self, request: &Request) -> bool {
        let Request::CallTool(call) = request else { return false };
        let support = |tool: &Arc<ToolEntry>| tool.terms.task_support;
        self.offers_tasks && self.tools.get(&call.name).map(support).is_some_and(|it| it != TaskSupport::Forbidden)
    }

    fn template_of(&self, uri: &str) -> Option<&Arc<TemplateEntry>> {
        let entries = self.by_specificity.iter().filter_map(|index| self.templates.get_index(*index));
        entries.map(|(_, entry)| entry).find(|entry| entry.template.captures(uri).is_some())
    }
}
