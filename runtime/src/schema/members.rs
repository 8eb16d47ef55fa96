//! Splits the text of a JSON object or array into the texts of its members, without parsing them into values.

use serde_json::{Deserializer, value::RawValue};

/// The members of an object in their order: the name as written, with its quotes, and the text of the value. `None` when
/// the text is not an object.
pub(super) fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut members = Vec::new();
    let mut rest = text.trim_start().strip_prefix('{')?.trim_start();
    if rest.starts_with('}') {
        return Some(members);
    }
    loop {
        let (name, after) = value(rest)?;
        if !name.starts_with('"') {
            return None;
        }
        let (member, after) = value(after.trim_start().strip_prefix(':')?)?;
        members.push((name, member));
        match next(after)? {
            Some(after) => rest = after,
            None => return Some(members),
        }
    }
}

/// The strings of an array as written, with their quotes. `None` when the text is not an array; other elements than
/// strings are left out.
pub(super) fn strings(text: &str) -> Option<Vec<&str>> {
    let mut strings = Vec::new();
    let mut rest = text.trim_start().strip_prefix('[')?.trim_start();
    if rest.starts_with(']') {
        return Some(strings);
    }
    loop {
        let (element, after) = value(rest)?;
        if element.starts_with('"') {
            strings.push(element);
        }
        match next(after)? {
            Some(after) => rest = after,
            None => return Some(strings),
        }
    }
}

/// What follows a comma; `Some(None)` at the closing bracket.
fn next(text: &str) -> Option<Option<&str>> {
    let text = text.trim_start();
    match text.strip_prefix(',') {
        Some(rest) => Some(Some(rest)),
        None => text.starts_with(['}', ']']).then_some(None),
    }
}

/// The text of the first value, and what follows it.
fn value(text: &str) -> Option<(&str, &str)> {
    let mut stream = Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = stream.next()?.ok()?.get();
    Some((value, text.get(stream.byte_offset()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_text() {
        let text = r#" { "b" : {"x":[1,2]} , "a\"" :"}" , "n": -1.5e3, "t":true } "#;
        let expected =
            vec![(r#""b""#, r#"{"x":[1,2]}"#), (r#""a\"""#, r#""}""#), (r#""n""#, "-1.5e3"), (r#""t""#, "true")];
        assert_eq!(members(text), Some(expected));
        assert_eq!(members("{}"), Some(vec![]));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in
            ["", "true", "[1]", "{", r#"{"a""#, r#"{"a":"#, r#"{"a":1"#, r#"{"a":1 "b":2}"#, "{1:2}", r#"{"a":1,}"#]
        {
            assert_eq!(members(text), None, "{text}");
        }
    }

    #[test]
    fn strings_of_an_array_keep_their_quotes() {
        assert_eq!(strings(r#"["a", 1, "b\n"]"#), Some(vec![r#""a""#, r#""b\n""#]));
        assert_eq!(strings("[]"), Some(vec![]));
        assert_eq!(strings(r#"{"a":1}"#), None);
    }
}
