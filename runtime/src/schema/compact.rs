//! JSON text without the blanks that only people need.

/// Appends a JSON text without blanks outside strings. The text is not checked: what is no JSON comes out as some other
/// text that is no JSON, in one line.
pub(crate) fn compact(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len());
    let (mut begin, mut index) = (0, 0);
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'"' => index = end_of_string(bytes, index),
            b' ' | b'\n' | b'\r' | b'\t' => {
                out.extend_from_slice(&bytes[begin..index]);
                while matches!(bytes.get(index), Some(b' ' | b'\n' | b'\r' | b'\t')) {
                    index += 1;
                }
                begin = index;
            }
            _ => index += 1,
        }
    }
    out.extend_from_slice(&bytes[begin..]);
}

/// Where the string that begins at `index` is over, its quotes included. A line break, which no string may hold, ends
/// it.
fn end_of_string(bytes: &[u8], index: usize) -> usize {
    let mut index = index + 1;
    while let Some(found) = bytes.get(index..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        index += found;
        match bytes[index] {
            b'"' => return index + 1,
            b'\\' => index += 2,
            _ => return index,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compacted(text: &str) -> String {
        let mut out = Vec::new();
        compact(text, &mut out);
        String::from_utf8(out).expect("it was a text")
    }

    #[test]
    fn blanks_go_but_for_those_in_strings() {
        for (text, expected) in [
            ("{\n  \"a b\": [1, 2 ],\r\n\t\"c\\\" \\\\\": \" \\n \"\n}\n", r#"{"a b":[1,2],"c\" \\":" \n "}"#),
            ("", ""),
            ("  ", ""),
            ("\"ä \u{1f600}\"", "\"ä \u{1f600}\""),
            ("\"open", "\"open"),
            ("\"open\\", "\"open\\"),
            ("\"bro\nken\"", "\"broken\""),
        ] {
            assert_eq!(compacted(text), expected, "{text:?}");
        }
    }
}
