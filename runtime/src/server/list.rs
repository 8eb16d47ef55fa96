//! `--list`: what the server offers, for people.

use std::io::Write;

use super::Running;
use crate::message::ListPage;

/// Writes the components to standard output.
pub(super) fn print(running: &Running) -> std::io::Result<()> {
    let registry = running.engine.registry();
    let mut out = std::io::stdout().lock();
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let mut section = |title: &str, items: Vec<(String, String)>| -> std::io::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        writeln!(out, "{title} ({}):", items.len())?;
        let width = items.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default().min(48);
        for (name, description) in items {
            writeln!(out, "  {name:width$}  {description}")?;
        }
        Ok(())
    };
    let mut page = ListPage::default();
    let (mut tools, mut resources, mut templates, mut prompts) = (vec![], vec![], vec![], vec![]);
    while let Ok(found) = registry.list_tools(&page) {
        tools.extend(found.items.iter().map(|tool| (tool.name.to_string(), first(&tool.description))));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    page.cursor = None;
    while let Ok(found) = registry.list_resources(&page) {
        resources.extend(found.items.iter().map(|item| (item.uri.to_string(), first(&item.description))));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    page.cursor = None;
    while let Ok(found) = registry.list_templates(&page) {
        templates.extend(found.items.iter().map(|item| (item.uri_template.to_string(), first(&item.description))));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    page.cursor = None;
    while let Ok(found) = registry.list_prompts(&page) {
        prompts.extend(found.items.iter().map(|item| (item.name.to_string(), first(&item.description))));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    section("Tools", tools)?;
    section("Resources", resources)?;
    section("Resource templates", templates)?;
    section("Prompts", prompts)
}
