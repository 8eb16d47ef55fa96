//! Legal, unique and stable names for definitions.

use std::collections::HashSet;

/// The longest name of a definition.
const MAX_NAME: usize = 64;

/// Gives out names; two names never differ in case only, because they also name files.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// A name of `[A-Za-z0-9_.-]` for `wanted`. Where `wanted` is not legal, too long or taken, a suffix derived from it
    /// keeps the name unique whatever the other names are.
    pub(super) fn give(&mut self, wanted: &str) -> String {
        let mut name: String =
            wanted.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' }).collect();
        let is_speaking = name.chars().any(|c| c.is_ascii_alphanumeric());
        if !is_speaking || name.len() > MAX_NAME || self.taken.contains(&name.to_ascii_lowercase()) {
            name = with_suffix(if is_speaking { &name } else { "schema" }, wanted, 0);
        }
        let mut attempt = 1;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            name = with_suffix(&name, wanted, attempt);
            attempt += 1;
        }
        name
    }
}

fn with_suffix(name: &str, wanted: &str, attempt: u64) -> String {
    let suffix = format!("{:08x}", hash(wanted, attempt) >> 32);
    let head = name.get(..name.len().min(MAX_NAME - 1 - suffix.len())).unwrap_or("schema");
    format!("{head}_{suffix}")
}

/// FNV-1a, which is the same everywhere and for ever.
fn hash(text: &str, seed: u64) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_legal_and_stay_unique() {
        let mut names = Names::default();
        assert_eq!(names.give("Pet"), "Pet");
        assert_eq!(names.give("global:empty_request"), "global_empty_request");
        assert_eq!(names.give("a.b-c"), "a.b-c");
        let lower = names.give("pet");
        assert!(lower.starts_with("pet_") && lower.len() == 12, "{lower}");
        let chinese = names.give("宠物");
        assert!(chinese.starts_with("schema_"), "{chinese}");
        assert_ne!(chinese, names.give("动物"));
        let long = names.give(&"x".repeat(200));
        assert_eq!(long.len(), 64);
        assert_ne!(names.give(&"x".repeat(199)), long);
    }
}
