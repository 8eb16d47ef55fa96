//! An inner server's components, among those of the outer one.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use indexmap::IndexMap;

use super::{Problem, RegistryBuilder, origin::Origin};
use crate::{
    component::{
        PromptEntry, PromptSource, ResourceEntry, ResourceSource, TemplateEntry, TemplateSource, ToolEntry, ToolSource,
    },
    compose::{Child, Inner},
    message::ToolInfo,
    uri_template::UriTemplate,
};

impl RegistryBuilder {
    /// Adds an inner server and what it offers now.
    pub(crate) fn child(&mut self, child: Child) {
        self.registry.children.push(Arc::new(child));
        self.merge(self.registry.children.len() - 1);
    }

    /// Adds what an inner server offers now in place of what it offered before. What does not fit any more is left out.
    pub(crate) fn merge_again(&mut self, index: usize) {
        let stays = |inner: Option<&Inner>| inner.is_none_or(|inner| inner.index != index);
        self.registry.tools.retain(|_, entry| stays(entry.inner()));
        self.registry.resources.retain(|_, entry| stays(entry.inner()));
        self.registry.templates.retain(|_, entry| stays(entry.inner()));
        self.registry.prompts.retain(|_, entry| stays(entry.inner()));
        self.merge(index);
        for problem in self.problems.drain(..) {
            tracing::warn!("a component of an inner server is left out: {problem}");
        }
    }

    fn merge(&mut self, index: usize) {
        let Some(child) = self.registry.children.get(index).cloned() else { return };
        let inside = child.engine.registry();
        let inner = |name: &str| Inner { child: child.clone(), index, name: name.to_owned() };
        for (name, entry) in &inside.tools {
            let outer = child.naming.tool(name);
            if self.shows(&outer, &entry.info.tags) {
                let info = ToolInfo { name: outer.into(), ..(*entry.info).clone() };
                self.add_tool(ToolEntry::new(info, entry.terms, ToolSource::Mounted(inner(name))));
            }
        }
        for (uri, entry) in &inside.resources {
            if self.shows(&entry.info.name, &entry.info.tags) {
                let source = ResourceSource::Mounted(inner(uri));
                self.add_resource(ResourceEntry { info: child.resource_outside(&entry.info), source });
            }
        }
        for (template, entry) in &inside.templates {
            if !self.shows(&entry.info.name, &entry.info.tags) {
                continue;
            }
            let info = child.template_outside(&entry.info);
            match info.uri_template.parse::<UriTemplate>() {
                Ok(parsed) => self.insert_template(TemplateEntry {
                    info,
                    template: parsed,
                    source: TemplateSource::Mounted(inner(template)),
                    completions: HashMap::new(),
                    validator: OnceLock::new(),
                }),
                Err(error) => self.problems.push(Problem::Template {
                    name: info.name.to_string(),
                    template: info.uri_template.to_string(),
                    error,
                }),
            }
        }
        for (name, entry) in &inside.prompts {
            let info = child.prompt_outside(&entry.info);
            if self.shows(&info.name, &info.tags) {
                self.insert_prompt(PromptEntry {
                    info,
                    schema: serde_json::Value::Null,
                    completions: HashMap::new(),
                    source: PromptSource::Mounted(inner(name)),
                });
            }
        }
    }

    /// Puts one's own components first, then those of each inner server in their order.
    pub(super) fn order(&mut self) {
        if self.registry.children.is_empty() {
            return;
        }
        fn sort<T: Origin>(entries: &mut IndexMap<String, Arc<T>>) {
            entries.sort_by_cached_key(|_, entry| entry.inner().map(|inner| inner.index));
        }
        sort(&mut self.registry.tools);
        sort(&mut self.registry.resources);
        sort(&mut self.registry.templates);
        sort(&mut self.registry.prompts);
    }

    fn shows(&self, name: &str, tags: &[std::borrow::Cow<'static, str>]) -> bool {
        self.registry.visibility.offers(name, tags, true)
    }
}
