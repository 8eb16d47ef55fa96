//! Which components are offered at all.

use std::borrow::Cow;

/// Rules by name or tag; the last one that fits wins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visibility {
    rules: Vec<(String, bool)>,
    /// Whether what no rule fits is hidden.
    closed: bool,
}

impl Visibility {
    pub(crate) fn add(&mut self, name_or_tag: String, offered: bool) {
        self.rules.push((name_or_tag, offered));
    }

    pub(crate) fn only(&mut self, name_or_tag: String) {
        self.closed = true;
        self.add(name_or_tag, true);
    }

    /// Whether a component is offered; `otherwise` is what is true without a rule.
    pub(crate) fn offers(&self, name: &str, tags: &[Cow<'static, str>], otherwise: bool) -> bool {
        let fits = |rule: &str| rule == name || tags.iter().any(|tag| tag == rule);
        let rule = self.rules.iter().rev().find(|(rule, _)| fits(rule));
        rule.map_or(otherwise && !self.closed, |(_, offered)| *offered)
    }
}
