//! Matching: from a URI back to the values of a template's variables.
//!
//! Expressions in the path match within their segment (`{+x}` across segments), as much as possible first. Query
//! expressions take pairs in any order. Backtracking is bounded.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::{Operator, Part, UriTemplate, Variable};

/// The longest URI that is looked at, in bytes.
const MAX_URI: usize = 64 * 1024;
/// How many steps a match may take.
const MAX_STEPS: usize = 20_000;

/// What a URI says of a template's variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures<'a> {
    values: BTreeMap<&'a str, Captured<'a>>,
    /// Query keys that the template does not know.
    pub unknown: Vec<String>,
}

/// The text of one variable in a URI: once, or several times when it is exploded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured<'a>(Vec<&'a str>);

impl Captured<'_> {
    /// The text, decoded.
    pub fn text(&self) -> String {
        let decoded: Vec<String> = self.0.iter().map(|raw| decode(raw)).collect();
        decoded.join(",")
    }

    /// The elements of a list, decoded: separated by commas that are not encoded, or one per occurrence.
    pub fn list(&self) -> Vec<String> {
        self.0.iter().flat_map(|raw| raw.split(',')).map(decode).collect()
    }
}

impl<'a> Captures<'a> {
    /// What the URI says of a variable; `None` when it says nothing.
    pub fn get(&self, variable: &str) -> Option<&Captured<'a>> {
        self.values.get(variable)
    }

    /// All variables that the URI says something of.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &Captured<'a>)> {
        self.values.iter().map(|(name, captured)| (*name, captured))
    }

    fn add(&mut self, name: &'a str, raw: &'a str) {
        self.values.entry(name).or_default().0.push(raw);
    }
}

fn decode(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

impl UriTemplate {
    /// The values that a URI gives the variables; `None` when it is not of this template.
    pub fn captures<'a>(&'a self, uri: &'a str) -> Option<Captures<'a>> {
        if uri.len() > MAX_URI || !uri.starts_with(self.literal_prefix()) {
            return None;
        }
        let mut found = Vec::new();
        let mut steps = 0;
        if !self.descend(0, uri, &mut found, &mut steps) {
            return None;
        }
        let mut captures = Captures::default();
        for (part, raw) in found {
            let Part::Expression(operator, variables) = part else { continue };
            assign(*operator, variables, raw, &mut captures)?;
        }
        // A list in several places is one value, but a scalar that is written twice has to be the same.
        Some(captures)
    }

    /// Matches the parts from `index` on, and remembers the text of each expression.
    fn descend<'a>(
        &'a self,
        index: usize,
        rest: &'a str,
        found: &mut Vec<(&'a Part, &'a str)>,
        steps: &mut usize,
    ) -> bool {
        *steps += 1;
        if *steps > MAX_STEPS {
            return false;
        }
        let Some(part) = self.parts.get(index) else { return rest.is_empty() };
        let operator = match part {
            Part::Literal(text) => {
                return rest
                    .strip_prefix(text.as_str())
                    .is_some_and(|rest| self.descend(index + 1, rest, found, steps));
            }
            Part::Expression(operator, _) => *operator,
        };
        let longest = reach(operator, rest);
        let shortest = usize::from(matches!(operator, Operator::Simple | Operator::Reserved));
        let mut end = longest;
        loop {
            if rest.is_char_boundary(end) && end >= shortest {
                found.push((part, &rest[..end]));
                if self.descend(index + 1, &rest[end..], found, steps) {
                    return true;
                }
                found.pop();
            }
            if end <= shortest {
                return false;
            }
            end -= 1;
        }
    }
}

/// How far an expression can reach at most.
fn reach(operator: Operator, rest: &str) -> usize {
    let until = |stops: &[char]| rest.find(stops).unwrap_or(rest.len());
    let after_first = |first: char, stops: &[char]| match rest.strip_prefix(first) {
        Some(inner) => 1 + inner.find(stops).unwrap_or(inner.len()),
        None => 0,
    };
    match operator {
        Operator::Simple => until(&['/', '?', '#']),
        Operator::Reserved => rest.len(),
        Operator::Fragment => after_first('#', &[]),
        Operator::Label => after_first('.', &['/', '?', '#']),
        Operator::Matrix => after_first(';', &['/', '?', '#']),
        Operator::Path => after_first('/', &['?', '#']),
        Operator::Query => after_first('?', &['#']),
        Operator::QueryContinuation => after_first('&', &['#']),
    }
}

/// Shares the text of an expression out among its variables. `None` when it cannot be.
fn assign<'a>(operator: Operator, variables: &'a [Variable], raw: &'a str, captures: &mut Captures<'a>) -> Option<()> {
    let (first, separator, named, _) = operator.shape();
    let raw = match raw.strip_prefix(first) {
        Some(raw) => raw,
        None if raw.is_empty() => return Some(()),
        None => return None,
    };
    if named {
        for pair in raw.split(separator).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decode(key);
            match variables.iter().find(|variable| variable.name == key) {
                Some(variable) => captures.add(&variable.name, value),
                None => captures.unknown.push(key),
            }
        }
        return Some(());
    }
    match variables {
        [] => None,
        [only] if !only.explode => {
            // `{/a}` is one segment and `{.a}` one label.
            if matches!(operator, Operator::Path) && raw.contains('/') {
                return None;
            }
            captures.add(&only.name, raw);
            Some(())
        }
        _ => {
            let pieces: Vec<&str> = raw.split(separator).collect();
            let (last, heads) = variables.split_last()?;
            if pieces.len() < heads.len() || (pieces.len() > variables.len() && !last.explode) {
                return None;
            }
            for (variable, piece) in heads.iter().zip(&pieces) {
                captures.add(&variable.name, piece);
            }
            for piece in pieces.iter().skip(heads.len()) {
                captures.add(&last.name, piece);
            }
            Some(())
        }
    }
}
