//! Which components are offered at all.

use std::borrow::Cow;

/// Rules by name or tag; the last one that fits wins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visibility(Vec<(String, bool)>);

impl Visibility {
    pub(crate) fn add(&mut self, name_or_tag: String, offered: bool) {
        self.0.push((name_or_tag, offered));
    }

    /// Whether a component is offered; `otherwise` is what is true without a rule.
    pub(crate) fn offers(&self, name: &str, tags: &[Cow<'static, str>], otherwise: bool) -> bool {
        let fits = |rule: &str| rule == name || tags.iter().any(|tag| tag == rule);
        self.0.iter().rev().find(|(rule, _)| fits(rule)).map_or(otherwise, |(_, offered)| *offered)
    }
}
