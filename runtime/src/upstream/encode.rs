//! Percent-encoding (RFC 3986 §2) of what arguments put into URLs, cookies and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Everything but the unreserved characters of RFC 3986 §2.3.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stays of the reserved characters in a path segment: those that can neither end the segment nor the path.
const RESERVED_IN_PATH: &AsciiSet = &UNRESERVED
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// What stays of the reserved characters in a query value: those that can neither end the value (`&`), nor the query
/// (`#`), nor mean something else to a form parser (`+`), nor are illegal in a query (`[`, `]`).
const RESERVED_IN_QUERY: &AsciiSet = &UNRESERVED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// Where an encoded value will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a path segment.
    Path,
    /// In the query or in a cookie.
    Query,
    /// In an `application/x-www-form-urlencoded` body, where a space is `+`.
    Form,
    /// In a header: values go as they are.
    Verbatim,
}

/// Encodes one value or name. With `reserved`, the reserved characters that cannot change the shape of the URL and
/// percent-encoded triples pass unchanged (RFC 6570 §3.2.3).
pub(super) fn encode(text: &str, place: Place, reserved: bool) -> String {
    match (place, reserved) {
        (Place::Verbatim, _) => text.to_owned(),
        (_, false) => {
            let encoded = percent_encode(text.as_bytes(), UNRESERVED).to_string();
            if place == Place::Form { encoded.replace("%20", "+") } else { encoded }
        }
        (Place::Path, true) => encode_keeping_triples(text, RESERVED_IN_PATH),
        (Place::Query, true) => encode_keeping_triples(text, RESERVED_IN_QUERY),
        (Place::Form, true) => encode_keeping_triples(text, RESERVED_IN_QUERY).replace("%20", "+"),
    }
}

fn encode_keeping_triples(text: &str, set: &'static AsciiSet) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        encoded.extend(percent_encode(before.as_bytes(), set));
        match from.as_bytes().get(1..3) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => {
                let (triple, after) = from.split_at(3);
                encoded.push_str(triple);
                rest = after;
            }
            _ => {
                encoded.push_str("%25");
                rest = &from[1..];
            }
        }
    }
    encoded.extend(percent_encode(rest.as_bytes(), set));
    encoded
}

/// Whether some server between here and the handler could read the segment as `.` or `..`: after any number of
/// decodings, behind either slash, before a `;`, or without the control characters that URL parsers strip.
pub(super) fn is_dot_segment(segment: &str) -> bool {
    let mut bytes = segment.as_bytes().to_vec();
    loop {
        if bytes.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| {
            let name: Vec<u8> = part
                .split(|byte| *byte == b';')
                .next()
                .unwrap_or_default()
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_control() && *byte != b' ')
                .collect();
            name == b"." || name == b".."
        }) {
            return true;
        }
        let decoded: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if decoded.len() == bytes.len() {
            return false;
        }
        bytes = decoded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_pass_unless_reserved_ones_are_allowed() {
        let all = ":/?#[]@!$&'()*+,;=%é ~-._a1%2F";
        let path = encode(all, Place::Path, false);
        assert_eq!(path, "%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25%C3%A9%20~-._a1%252F");
        assert_eq!(encode(all, Place::Path, true), ":%2F%3F%23%5B%5D@!$&'()*+,;=%25%C3%A9%20~-._a1%2F");
        assert_eq!(encode(all, Place::Query, true), ":/?%23%5B%5D@!$%26'()*%2B,;=%25%C3%A9%20~-._a1%2F");
        assert_eq!(encode("a b+c", Place::Form, false), "a+b%2Bc");
        assert_eq!(encode("a b", Place::Verbatim, false), "a b");
    }

    #[test]
    fn a_dot_segment_is_found_behind_every_disguise() {
        for dots in [
            ".",
            "..",
            "%2e",
            "%2E%2e",
            "%252e%252e",
            "%25252e.",
            "..%2fadmin",
            "a/../b",
            "..\\x",
            ".\t.",
            "..;a=b",
            "..%00",
            "%09..",
        ] {
            assert!(is_dot_segment(dots), "{dots:?}");
        }
        for fine in ["...", "a..b", ".a", "v1.0", "..a", "a%2fb", "%", "a;..", "%zz"] {
            assert!(!is_dot_segment(fine), "{fine:?}");
        }
    }
}
