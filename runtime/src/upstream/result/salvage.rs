//! Makes valid JSON of the beginning of a JSON text: whole elements are kept, what is cut is left out.

use serde_json::value::RawValue;

/// The text up to the last whole element of its outermost array, with everything closed. `None` when there is none.
pub(super) fn complete(text: &str) -> Option<Box<RawValue>> {
    let mut open: Vec<u8> = Vec::new();
    // For each depth of nesting, the end of the last whole element of an array at that depth.
    let mut ends: Vec<Option<usize>> = Vec::new();
    let mut in_string = false;
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                open.push(byte);
                ends.push(None);
            }
            b']' | b'}' => {
                open.pop();
                ends.pop();
            }
            b',' if open.last() == Some(&b'[') => {
                if let Some(end) = ends.last_mut() {
                    *end = Some(index);
                }
            }
            _ => {}
        }
    }
    let depth = ends.iter().position(Option::is_some)?;
    let mut whole = text.get(..ends[depth]?)?.to_owned();
    for bracket in open.get(..=depth)?.iter().rev() {
        whole.push(if *bracket == b'[' { ']' } else { '}' });
    }
    RawValue::from_string(whole).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_elements_of_the_outermost_array_are_kept() {
        for (cut, expected) in [
            (r#"[1,2,3"#, Some("[1,2]")),
            (r#"{"n":9,"data":[{"a":["x","y"]},{"a":["x","#, Some(r#"{"n":9,"data":[{"a":["x","y"]}]}"#)),
            (r#"[{"a":"],}"},{"b":"\"#, Some(r#"[{"a":"],}"}]"#)),
            (r#"{"a":"long str"#, None),
            (r#"[{"a":1"#, None),
            ("[1,2]]]", None),
        ] {
            assert_eq!(complete(cut).as_deref().map(RawValue::get), expected, "{cut}");
        }
    }
}
