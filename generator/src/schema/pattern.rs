//! Regular expressions: which of them a validator can compile, and what repairs the others.

use std::collections::HashMap;

/// Knows which patterns compile; each is tried once.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: HashMap<String, Option<String>>,
}

/// What became of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// It is usable as it stands.
    Kept,
    /// It is usable in another spelling.
    Repaired(String),
    /// It is not usable.
    Unusable,
}

impl Patterns {
    pub(super) fn check(&mut self, pattern: &str) -> Pattern {
        if !self.known.contains_key(pattern) {
            self.known.insert(pattern.to_owned(), usable(pattern));
        }
        match self.known.get(pattern) {
            Some(Some(usable)) if usable == pattern => Pattern::Kept,
            Some(Some(usable)) => Pattern::Repaired(usable.clone()),
            _ => Pattern::Unusable,
        }
    }
}

fn usable(pattern: &str) -> Option<String> {
    if let Some(inner) = literal(pattern) {
        return compiles(inner).then(|| inner.to_owned());
    }
    if compiles(pattern) {
        return Some(pattern.to_owned());
    }
    let translated = from_other_dialects(pattern);
    (translated != pattern && compiles(&translated)).then_some(translated)
}

/// The inside of a `/…/` literal without flags that matter. A pattern that merely begins and ends with slashes is a
/// literal only if its inside is anchored, for else it may mean a path.
fn literal(pattern: &str) -> Option<&str> {
    let (inner, flags) = pattern.strip_prefix('/')?.rsplit_once('/')?;
    let is_anchored = inner.starts_with('^') || (inner.ends_with('$') && !inner.ends_with("\\$"));
    (is_anchored && flags.chars().all(|flag| "gu".contains(flag))).then_some(inner)
}

/// The spellings of Python, Java and Perl for what ECMA-262 spells otherwise.
fn from_other_dialects(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        let spellings =
            [("\\\\", "\\\\"), ("\\A", "^"), ("\\Z", "$"), ("\\z", "$"), ("\\h", "[ \\t]"), ("(?P<", "(?<")];
        match spellings.iter().find(|(from, _)| rest.starts_with(from)) {
            Some((from, to)) => {
                translated.push_str(to);
                rest = &rest[from.len()..];
            }
            None => {
                translated.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    translated
}

/// Whether the expression is one of ECMA-262 and the validator of the runtime can compile it.
fn compiles(pattern: &str) -> bool {
    if !jsonschema_regex::is_valid_ecma_regex(pattern) {
        return false;
    }
    let Ok(translated) = jsonschema_regex::to_rust_regex(pattern) else { return false };
    jsonschema_regex::RepeatedClass::from_translated(&translated).is_some()
        || jsonschema_regex::Sequence::compile(&translated).is_some()
        || fancy_regex::Regex::new(&translated).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_validator_compiles_is_kept_and_the_rest_is_repaired_or_refused() {
        let repaired = |text: &str| Pattern::Repaired(text.to_owned());
        for (pattern, expected) in [
            ("^[a-z]+$", Pattern::Kept),
            (r"^\p{L}{1,256}$", Pattern::Kept),
            (r"^(?=.*\d)(?!.*x).{8,}$", Pattern::Kept),
            (r"^(a)\1$", Pattern::Kept),
            ("/pets/", Pattern::Kept),
            ("^/pets/$", Pattern::Kept),
            ("/^[a-z]+$/", repaired("^[a-z]+$")),
            ("/^[a-z]+$/g", repaired("^[a-z]+$")),
            (r"\A[a-z]+\Z", repaired("^[a-z]+$")),
            (r"^(?P<year>\d{4})$", repaired(r"^(?<year>\d{4})$")),
            ("(?i)^abc$", Pattern::Unusable),
            ("[", Pattern::Unusable),
            ("*", Pattern::Unusable),
            ("^(a", Pattern::Unusable),
        ] {
            assert_eq!(Patterns::default().check(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_kept_compiles_in_the_validator() {
        for pattern in ["^[a-z]+$", r"^\p{L}{1,256}$", r"^(?=.*\d)(?!.*x).{8,}$", r"^(a)\1$", r"^.{1,262144}$"] {
            assert_eq!(Patterns::default().check(pattern), Pattern::Kept, "{pattern}");
            assert!(jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).is_ok(), "{pattern}");
        }
    }
}
