//! What is known of components by name, without using them.

use std::{borrow::Cow, sync::Arc};

use super::Registry;
use crate::{
    catalog::Operation,
    component::{OperationResource, OperationTool, ResourceSource, TemplateSource, ToolSource},
    message::PromptInfo,
};

impl Registry {
    pub(crate) fn prompt_info(&self, name: &str) -> Option<Arc<PromptInfo>> {
        self.prompts.get(name).map(|prompt| prompt.info.clone())
    }

    /// The URI or template that answers a URI, and its tags.
    pub(crate) fn resource_labels(&self, uri: &str) -> Option<(String, Vec<Cow<'static, str>>)> {
        if let Some(resource) = self.resources.get(uri) {
            return Some((resource.info.uri.to_string(), resource.info.tags.clone()));
        }
        let entry = self
            .by_specificity
            .iter()
            .filter_map(|index| self.templates.get_index(*index))
            .find(|(_, entry)| entry.template.captures(uri).is_some());
        entry.map(|(_, entry)| (entry.info.uri_template.to_string(), entry.info.tags.clone()))
    }

    /// The operation behind a tool.
    pub(crate) fn tool_operation(&self, name: &str) -> Option<&'static Operation> {
        match &self.tools.get(name)?.source {
            ToolSource::Operation(OperationTool { operation, .. }) => Some(operation),
            ToolSource::Custom(_) => None,
        }
    }

    /// The operation behind a resource, by its URI, or behind a template, by its text.
    pub(crate) fn resource_operation(&self, name: &str) -> Option<&'static Operation> {
        if let Some(resource) = self.resources.get(name) {
            return match &resource.source {
                ResourceSource::Operation(OperationResource { operation, .. }) => Some(operation),
                ResourceSource::Custom(_) => None,
            };
        }
        match &self.templates.get(name)?.source {
            TemplateSource::Operation(OperationResource { operation, .. }) => Some(operation),
            TemplateSource::Custom { .. } => None,
        }
    }
}
