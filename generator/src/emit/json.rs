//! Schemas and examples as JSON text without a character that cannot be seen.

use std::io;

use serde_json::{
    Value,
    ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer},
};

use super::literal::is_hidden;

/// JSON in one line.
pub(crate) fn compact(value: &Value) -> String {
    print(value, CompactFormatter)
}

/// Indented JSON, with a final line end.
pub(crate) fn pretty(value: &Value) -> String {
    let mut text = print(value, PrettyFormatter::new());
    text.push('\n');
    text
}

fn print<F: Formatter>(value: &Value, formatter: F) -> String {
    use serde::Serialize as _;
    let mut bytes = Vec::with_capacity(256);
    let outcome = value.serialize(&mut Serializer::with_formatter(&mut bytes, Visible(formatter)));
    debug_assert!(outcome.is_ok(), "a Value always serialises into memory");
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes hidden characters as `\uXXXX`, which means the same in JSON.
struct Visible<F>(F);

/// Passes the layout on to the formatter inside.
macro_rules! delegate {
    ($($name:ident($($argument:ident: $kind:ty),*)),* $(,)?) => {
        $(fn $name<W: io::Write + ?Sized>(&mut self, writer: &mut W $(, $argument: $kind)*) -> io::Result<()> {
            self.0.$name(writer $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Visible<F> {
    delegate! {
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(),
        begin_object(), end_object(), begin_object_key(first: bool), end_object_key(),
        begin_object_value(), end_object_value(),
    }

    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((index, character)) = rest.char_indices().find(|(_, character)| is_hidden(*character)) {
            writer.write_all(&rest.as_bytes()[..index])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[index + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn hidden_characters_are_escaped_in_values_and_keys() {
        let value = json!({"a\u{202e}": "x\u{7f}\u{e0041}y\u{1b}\n\"", "b": [1, {}, []]});
        assert_eq!(compact(&value), r#"{"a\u202e":"x\u007f\udb40\udc41y\u001b\n\"","b":[1,{},[]]}"#);
        insta::assert_snapshot!(pretty(&value), @r#"
        {
          "a\u202e": "x\u007f\udb40\udc41y\u001b\n\"",
          "b": [
            1,
            {},
            []
          ]
        }
        "#);
    }

    proptest! {
        #[test]
        fn every_text_survives(text in any::<String>()) {
            let value = Value::String(text);
            prop_assert_eq!(&serde_json::from_str::<Value>(&compact(&value)).unwrap(), &value);
            prop_assert!(!compact(&value).contains(is_hidden));
        }
    }
}
