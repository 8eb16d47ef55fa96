//! Where a value lies: a collection and a name within it.

use aws_lc_rs::digest::{Context, SHA256};

use super::Error;

/// The address of a value. Checked once, here, so that backends need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    collection: &'a str,
    name: &'a str,
}

/// The longest name in bytes: what every backend can take beside its prefix.
const MAX_NAME: usize = 400;

impl<'a> Key<'a> {
    /// A key from a collection (1 to 40 of `a-z`, `0-9`, `-`) and a name (1 to 400 bytes of any text).
    ///
    /// # Errors
    /// [`Error::Key`] says what is wrong.
    pub fn new(collection: &'a str, name: &'a str) -> Result<Self, Error> {
        if !(1..=40).contains(&collection.len()) {
            return Err(Error::Key("a collection has 1 to 40 characters"));
        }
        if !collection.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err(Error::Key("a collection is made of a-z, 0-9 and -"));
        }
        if !(1..=MAX_NAME).contains(&name.len()) {
            return Err(Error::Key("a name has 1 to 400 bytes; use a digest of longer ones"));
        }
        Ok(Self { collection, name })
    }

    /// The collection.
    pub fn collection(&self) -> &'a str {
        self.collection
    }

    /// The name within the collection.
    pub fn name(&self) -> &'a str {
        self.name
    }
}

/// A name for parts of any length and content, some of which may be secret: SHA-256 over the length-prefixed parts, in
/// hexadecimal. Different parts give different names, however they are cut (`a:b`, `c` and `a`, `b:c`).
pub fn digest<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        let part = part.as_ref();
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    hex(context.finish().as_ref())
}

/// The number that a counter's value stands for.
pub(super) fn number(value: &[u8]) -> Result<i64, Error> {
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or(Error::Counter)
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_checked_when_it_is_made() {
        let long = "n".repeat(401);
        for (collection, name) in
            [("", "n"), ("Upper", "n"), ("a b", "n"), ("a:b", "n"), ("c", ""), ("c", long.as_str()), ("ü", "n")]
        {
            assert!(Key::new(collection, name).is_err(), "{collection:?} {name:?}");
        }
        assert!(Key::new("codes", "any text: \r\n\0 ü").is_ok());
    }

    #[test]
    fn a_digest_tells_parts_apart_however_they_are_cut() {
        let cuts = [vec!["a:b", "c"], vec!["a", "b:c"], vec!["a", "b", "c"], vec!["a:b:c"], vec!["a:b:c", ""]];
        let digests: std::collections::HashSet<String> = cuts.iter().map(digest).collect();
        assert_eq!(digests.len(), cuts.len());
        assert_eq!(digest(["x"]).len(), 64);
    }
}
