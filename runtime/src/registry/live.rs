//! Lists that have to be made anew for each request, because an inner server's layers show each client others.

use std::{collections::HashSet, sync::Arc};

use super::{Pages, Registry};
use crate::{
    Error,
    component::{PromptSource, ResourceSource, TemplateSource, ToolSource},
    compose::Child,
    context::Context,
    message::{ListPage, Page, PromptInfo, ResourceInfo, ResourceTemplateInfo, ToolInfo},
};

macro_rules! live {
    ($list:ident, $entries:ident, $source:ident, $of_child:ident, $info:ty, $name:ident, $offered:ident) => {
        pub(crate) async fn $list(&self, context: &Context, page: &ListPage) -> Result<Page<$info>, Error> {
            let at = |index: Option<usize>| {
                let here = move |source: &$source| match source {
                    $source::Mounted(inner) => Some(inner.index) == index,
                    _ => index.is_none(),
                };
                self.$entries.values().filter(move |entry| here(&entry.source)).map(|entry| entry.info.clone())
            };
            let mut items: Vec<Arc<$info>> = at(None).collect();
            for (index, child) in self.children.iter().enumerate() {
                if !child.is_layered() {
                    items.extend(at(Some(index)));
                    continue;
                }
                match child.$of_child(context).await {
                    Ok(found) => {
                        let shown = |info: &Arc<$info>| self.visibility.offers(&info.name, &info.tags, true);
                        items.extend(found.into_iter().filter(shown).filter_map(|info| self.$offered(info)));
                    }
                    // The others should not go missing with it.
                    Err(error) => tracing::warn!(%error, server = child.label(), "an inner server's list is left out"),
                }
            }
            let mut seen = HashSet::new();
            items.retain(|info| seen.insert(info.$name.to_string()));
            Pages::new(items, self.page_size).get(page)
        }
    };
}

impl Registry {
    live!(live_tools, tools, ToolSource, tools, ToolInfo, name, offered_tool);
    live!(live_resources, resources, ResourceSource, resources, ResourceInfo, uri, as_is);
    live!(live_templates, templates, TemplateSource, templates, ResourceTemplateInfo, uri_template, as_is);
    live!(live_prompts, prompts, PromptSource, prompts, PromptInfo, name, as_is);

    /// A tool of an inner server as this server offers it: perhaps as something else.
    fn offered_tool(&self, info: Arc<ToolInfo>) -> Option<Arc<ToolInfo>> {
        let Some(transform) = self.transforms.get(info.name.as_ref()) else { return Some(info) };
        let info = transform.info(&info).ok()?;
        self.tools.contains_key(info.name.as_ref()).then(|| Arc::new(info))
    }

    fn as_is<T>(&self, info: Arc<T>) -> Option<Arc<T>> {
        Some(info)
    }

    pub(crate) fn child(&self, index: usize) -> Option<Arc<Child>> {
        self.children.get(index).cloned()
    }

    /// Whether lists have to be made anew for each request.
    pub(crate) fn is_live(&self) -> bool {
        self.children.iter().any(|child| child.is_layered())
    }
}
