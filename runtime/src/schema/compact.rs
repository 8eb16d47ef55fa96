//! JSON text without the blanks that only people need.

/// Appends a JSON text without blanks outside strings. The text is not checked: what is no JSON comes out as some other
/// text that is no JSON, in one line.
pub(crate) fn compact(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len());
    while let Some(&first) = rest.first() {
        let run = match first {
            b'"' => string(rest),
            b' ' | b'\n' | b'\r' | b'\t' => {
                let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
                rest = &rest[blanks.unwrap_or(rest.len())..];
                continue;
            }
            _ => rest.iter().position(|byte| matches!(byte, b'"' | b' ' | b'\n' | b'\r' | b'\t')).unwrap_or(rest.len()),
        };
        let (taken, left) = rest.split_at(run);
        out.extend_from_slice(taken);
        rest = left;
    }
}

/// The length of the string that begins here, with its quotes. A line break, which no string may hold, ends it.
fn string(text: &[u8]) -> usize {
    let mut index = 1;
    while let Some(byte) = text.get(index) {
        match byte {
            b'"' => return index + 1,
            b'\\' => index += 2,
            b'\n' | b'\r' => return index,
            _ => index += 1,
        }
    }
    text.len()
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
