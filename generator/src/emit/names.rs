//! Names of generated items and files: legal, and the same whatever else the document holds.

use std::collections::{BTreeMap, BTreeSet};

/// The longest stem of a generated name; file systems allow 255 bytes for a whole one.
const MAX_STEM: usize = 120;

/// Gives every key a name near the one it would like. Keys that would like the same name (in any case) all get a
/// suffix made of the key itself, so that no name depends on the order or the number of the others.
pub(crate) fn allocate<'a>(wishes: impl IntoIterator<Item = (&'a str, String)>) -> BTreeMap<&'a str, String> {
    let wishes: BTreeMap<&str, String> = wishes.into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut contested = BTreeSet::new();
    for wish in wishes.values() {
        if !seen.insert(wish.to_lowercase()) {
            contested.insert(wish.to_lowercase());
        }
    }
    let name = |key: &str, wish: String| {
        if wish.len() <= MAX_STEM && !contested.contains(&wish.to_lowercase()) && !is_device(&wish) {
            return wish;
        }
        let guard = if is_device(&wish) { "_" } else { "" };
        let stem: String = guard.chars().chain(wish.chars()).take(MAX_STEM).collect();
        let hash = hash(key);
        if stem.contains(|character: char| character.is_ascii_lowercase()) {
            format!("{stem}_{hash:08x}")
        } else {
            format!("{stem}_{hash:08X}")
        }
    };
    wishes.into_iter().map(|(key, wish)| (key, name(key, wish))).collect()
}

/// Text as the name of a static: `api.github.com` is `API_GITHUB_COM`.
pub(crate) fn constant(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_uppercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    match name.as_bytes().first() {
        None => "UNNAMED".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("N{name}"),
        Some(_) => name.to_owned(),
    }
}

/// Whether Windows takes a file of this stem for a device.
pub(crate) fn is_device(stem: &str) -> bool {
    let stem = stem.split('.').next().unwrap_or(stem).to_ascii_lowercase();
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()))
}

/// FNV-1a: stable across versions and machines.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contested_names_get_suffixes_of_their_own_keys() {
        let wish = |name: &'static str| (name, constant(name));
        let both = allocate([wish("api.pets.com"), wish("api-pets.com"), wish("other")]);
        let reversed = allocate([wish("other"), wish("api-pets.com"), wish("api.pets.com")]);
        assert_eq!(both, reversed);
        assert_eq!(both["other"], "OTHER");
        assert_ne!(both["api.pets.com"], both["api-pets.com"]);
        assert!(both["api.pets.com"].starts_with("API_PETS_COM_"));
    }

    #[test]
    fn file_names_survive_file_systems() {
        let names = allocate(["Pet", "pet", "AUX", "com1.v2", "Order"].map(|name| (name, name.to_owned())));
        assert_ne!(names["Pet"].to_lowercase(), names["pet"].to_lowercase());
        assert!(!is_device(&names["AUX"]), "{}", names["AUX"]);
        assert_eq!(names["Order"], "Order");
    }

    #[test]
    fn constants_are_identifiers() {
        for (text, name) in
            [("pets", "PETS"), ("a.b--c/", "A_B_C"), ("3d", "N3D"), ("宠物", "UNNAMED"), ("", "UNNAMED")]
        {
            assert_eq!(constant(text), name);
        }
    }
}
