//! What is known of components by name, without using them.

use std::{borrow::Cow, sync::Arc};

use super::Registry;
use crate::message::PromptInfo;

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
}
