//! Tool injection: more tools, in front of those of the server.

use std::sync::Arc;

use async_trait::async_trait;
use indexmap::IndexMap;

use super::{Middleware, Next};
use crate::{
    Error, ErrorKind,
    component::{Tool, ToolEntry, ToolSource},
    content::ToolResult,
    context::Context,
    message::{CallTool, ListPage, Page, ToolInfo},
};

/// Offers tools beside those of the server. One with the name of a server's tool replaces it. What lies further out sees
/// no difference.
#[derive(Default)]
pub struct ToolInjection {
    tools: IndexMap<String, ToolEntry>,
}

impl ToolInjection {
    /// Offers these tools.
    pub fn new(tools: impl IntoIterator<Item = Tool>) -> Self {
        let entry = |tool: Tool| {
            let name = tool.info.name.to_string();
            (name, ToolEntry::new(tool.info, tool.terms, ToolSource::Custom(tool.handler)))
        };
        Self { tools: tools.into_iter().map(entry).collect() }
    }
}

/// Adds tools to the last page of a list, and takes those of the same name out of all pages.
pub(super) fn add(page: Page<ToolInfo>, tools: &[Arc<ToolInfo>]) -> Page<ToolInfo> {
    let mut items: Vec<Arc<ToolInfo>> =
        page.items.iter().filter(|item| tools.iter().all(|tool| tool.name != item.name)).cloned().collect();
    if page.next_cursor.is_none() {
        items.extend(tools.iter().cloned());
    }
    Page::new(items, page.next_cursor)
}

#[async_trait]
impl Middleware for ToolInjection {
    fn tool_info(&self, name: &str, inner: Option<Arc<ToolInfo>>) -> Option<Arc<ToolInfo>> {
        self.tools.get(name).map(|tool| tool.info.clone()).or(inner)
    }

    async fn on_list_tools(
        &self,
        _: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        let infos: Vec<_> = self.tools.values().map(|tool| tool.info.clone()).collect();
        Ok(add(next.run(page).await?, &infos))
    }

    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        match self.tools.get(&call.name) {
            Some(tool) => {
                let called = tool.call(context.clone(), call.arguments);
                let Some(limit) = tool.terms.timeout else { return called.await };
                tokio::time::timeout(limit, called).await.unwrap_or_else(|_| {
                    let message = format!("The request took longer than {} s and was given up.", limit.as_secs_f64());
                    Err(Error::new(ErrorKind::TimedOut, message))
                })
            }
            None => next.run(call).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::bench::Bench, *};

    #[tokio::test]
    async fn injected_tools_are_listed_called_and_win() {
        let tool = |name: &'static str| Tool::new(name, "Injected", |_, ()| async { Ok("injected") });
        let server = Bench::new().layer(ToolInjection::new([tool("extra"), tool("echo")]));
        let names = server.tool_names().await;
        assert_eq!(names.iter().filter(|name| *name == "echo").count(), 1);
        assert!(names.contains(&"extra".to_owned()) && names.contains(&"fail".to_owned()));
        for name in ["extra", "echo"] {
            assert_eq!(Bench::text(&server.call(name, json!({})).await.unwrap()), "injected");
        }
        assert_eq!(server.calls("echo"), 0);
    }

    #[tokio::test]
    async fn an_injected_tool_keeps_its_time_limit() {
        let hang = Tool::new("hang", "Hangs.", |_, ()| std::future::pending::<Result<(), Error>>());
        let limit = std::time::Duration::from_millis(10);
        let server = Bench::new().layer(ToolInjection::new([hang.timeout(limit)]));
        assert_eq!(server.call("hang", json!({})).await.unwrap_err().kind, ErrorKind::TimedOut);
    }
}
