//! Text as Rust literals that nothing in it can leave, readable in a diff.

use std::{fmt::Write, str::FromStr};

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Where the lines of a text go on when it has several.
const CONTINUATION: &str = "\\n\\\n        ";

/// A string literal. A text of several lines has one source line per line.
pub(crate) fn string(text: &str) -> Literal {
    let mut source = String::with_capacity(text.len() + 2);
    source.push('"');
    for (index, line) in text.split('\n').enumerate() {
        let mut line = line;
        if index > 0 {
            source.push_str(CONTINUATION);
            // A continuation swallows the white space that follows it.
            match line.as_bytes().first() {
                Some(b' ') => source.push_str("\\x20"),
                Some(b'\t') => source.push_str("\\t"),
                Some(b'\r') => source.push_str("\\r"),
                _ => {}
            }
            line = line.strip_prefix([' ', '\t', '\r']).unwrap_or(line);
        }
        for character in line.chars() {
            push_escaped(&mut source, character);
        }
    }
    source.push('"');
    literal(&source, text)
}

/// JSON text (see [`json`](super::json)) as a raw literal.
pub(crate) fn json(text: &str) -> Literal {
    if !text.contains(['"', '\\']) || text.contains(is_hidden) {
        return string(text);
    }
    let mut hashes = 0;
    for (index, _) in text.match_indices('"') {
        let run = text.as_bytes()[index + 1..].iter().take_while(|byte| **byte == b'#').count();
        hashes = hashes.max(run + 1);
    }
    let fence = "#".repeat(hashes);
    literal(&format!("r{fence}\"{text}\"{fence}"), text)
}

/// A slice of string literals.
pub(crate) fn strings<'a>(texts: impl IntoIterator<Item = &'a String>) -> TokenStream {
    let literals = texts.into_iter().map(|text| string(text));
    quote!(&[#(#literals),*])
}

/// The one line of documentation that generated items carry: a word of the document in backticks, made harmless.
pub(crate) fn documentation(text: &str) -> TokenStream {
    let mut line = String::from(" `");
    for character in text.chars() {
        match character {
            '`' => line.push('\''),
            _ if is_hidden(character) => line.push('\u{fffd}'),
            _ => line.push(character),
        }
    }
    line.push('`');
    quote!(#[doc = #line])
}

/// Whether a character cannot be seen, moves its neighbours or speaks to terminals.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text has hidden characters beyond white space.
pub(crate) fn speaks(text: &str) -> bool {
    text.chars().any(|character| is_hidden(character) && !matches!(character, '\n' | '\t'))
}

fn push_escaped(source: &mut String, character: char) {
    match character {
        '"' => source.push_str("\\\""),
        '\\' => source.push_str("\\\\"),
        '\t' => source.push_str("\\t"),
        '\r' => source.push_str("\\r"),
        _ if is_hidden(character) => {
            let _ = write!(source, "\\u{{{:x}}}", u32::from(character));
        }
        _ => source.push(character),
    }
}

/// The literal as written, or in its standard form should it not be one literal.
fn literal(source: &str, text: &str) -> Literal {
    Literal::from_str(source).unwrap_or_else(|_| Literal::string(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(literal: &Literal) -> String {
        syn::parse_str::<syn::LitStr>(&literal.to_string()).expect("a string literal").value()
    }

    #[test]
    fn lines_of_text_are_lines_of_source() {
        let literal = string("Lists pets.\n\n  - \"cats\"\n\tdogs \\ more\u{202e}\u{1b}[31m");
        insta::assert_snapshot!(literal.to_string(), @r#"
        "Lists pets.\n\
                \n\
                \x20 - \"cats\"\n\
                \tdogs \\ more\u{202e}\u{1b}[31m"
        "#);
        assert_eq!(value(&literal), "Lists pets.\n\n  - \"cats\"\n\tdogs \\ more\u{202e}\u{1b}[31m");
    }

    #[test]
    fn raw_literals_have_as_many_hashes_as_they_need() {
        assert_eq!(json("true").to_string(), "\"true\"");
        assert_eq!(json(r#"{"a":1}"#).to_string(), r##"r#"{"a":1}"#"##);
        assert_eq!(json(r###""a"##b"###).to_string(), r####"r###""a"##b"###"####);
    }

    #[test]
    fn documentation_stays_one_code_span() {
        let tokens = documentation("GET /a`b\n/// # Panics\u{202e}*/");
        assert_eq!(tokens.to_string(), "# [doc = \" `GET /a'b\u{fffd}/// # Panics\u{fffd}*/`\"]");
    }

    proptest! {
        #[test]
        fn every_text_survives(text in any::<String>()) {
            prop_assert_eq!(value(&string(&text)), text.clone());
            if !text.contains('\r') {
                prop_assert_eq!(value(&json(&text)), text);
            }
        }

        #[test]
        fn every_text_of_awkward_characters_survives(text in "[ \t\r\n\"\\\\#`a\u{202e}]{0,12}") {
            prop_assert_eq!(value(&string(&text)), text);
        }
    }
}
