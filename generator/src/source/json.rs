//! JSON as values, with the keys that occur twice in an object.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, map::Entry};

/// How many repeated keys are reported.
const MAX_REPEATED: usize = 20;

/// The value of a text and the pointers of repeated keys; the last of equal keys counts.
pub(super) fn parse(text: &str) -> Result<(Value, Vec<String>), serde_json::Error> {
    let repeated = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Node { repeated: &repeated }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, repeated.into_inner().into_iter().map(|tokens| tokens.pointer()).collect()))
}

/// The tokens of a repeated key, innermost first.
struct Repeated(Vec<String>);

impl Repeated {
    fn pointer(&self) -> String {
        let escaped = self.0.iter().rev().map(|token| token.replace('~', "~0").replace('/', "~1"));
        escaped.map(|token| format!("/{token}")).collect()
    }
}

#[derive(Clone, Copy)]
struct Node<'r> {
    repeated: &'r RefCell<Vec<Repeated>>,
}

impl Node<'_> {
    /// Puts a token before those that were added since `since`: costs nothing while no key is repeated.
    fn within(self, since: usize, token: impl FnOnce() -> String) {
        let mut repeated = self.repeated.borrow_mut();
        if let Some(added) = repeated.get_mut(since..).filter(|added| !added.is_empty()) {
            let token = token();
            added.iter_mut().for_each(|tokens| tokens.0.push(token.clone()));
        }
    }

    fn count(self) -> usize {
        self.repeated.borrow().len()
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        let mut since = self.count();
        while let Some(element) = elements.next_element_seed(self)? {
            self.within(since, || list.len().to_string());
            since = self.count();
            list.push(element);
        }
        list.shrink_to_fit();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(key) = members.next_key::<String>()? {
            let since = self.count();
            let value = members.next_value_seed(self)?;
            self.within(since, || key.clone());
            list.push((key, value));
        }
        // A map that grows has room for twice as much: over a large document that is a third of the memory.
        let mut map = Map::with_capacity(list.len());
        for (key, value) in list {
            match map.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(mut entry) => {
                    if self.count() < MAX_REPEATED {
                        self.repeated.borrow_mut().push(Repeated(vec![entry.key().clone()]));
                    }
                    entry.insert(value);
                }
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repeated_keys_are_found_with_their_pointers() {
        let text = r#"{"a": 1, "b": [0, {"c/d": 1, "e": {"f": 1, "f": 2}, "c/d": 2}], "a": {"g": 1, "g": 2}}"#;
        let (value, repeated) = parse(text).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(repeated, ["/b/1/e/f", "/b/1/c~1d", "/a/g", "/a"]);
    }

    proptest! {
        #[test]
        fn texts_are_read_as_serde_json_reads_them(text in "[\\[\\]{}:,\"a\\\\0-9eE+. tfn\\-]{0,24}") {
            match (parse(&text), serde_json::from_str::<Value>(&text)) {
                (Ok((own, _)), Ok(other)) => prop_assert_eq!(own, other),
                (Err(_), Err(_)) => {}
                (own, other) => prop_assert!(false, "{:?} {:?}", own.map(|(value, _)| value), other),
            }
        }
    }
}
