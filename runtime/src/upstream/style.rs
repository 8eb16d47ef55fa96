//! How values are written by the styles of parameters (OpenAPI 3.2 §4.12.2.2, RFC 6570).

use serde_json::{Map, Value};

use super::encode::{Place, encode};
use crate::catalog::Style;

/// How deep `deepObject` follows nested values; the specification defines one level, servers understand more.
const DEEP: usize = 16;

/// How values are encoded once their shape is settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer {
    /// Where the text will stand.
    pub(super) place: Place,
    /// `allowReserved`.
    pub(super) reserved: bool,
}

/// One `name=value`, both encoded; a name alone when there is no value.
pub(super) type Pair = (String, Option<String>);

impl Writer {
    fn value(self, value: &Value) -> String {
        encode(&text(value), self.place, self.reserved)
    }

    fn name(self, name: &str) -> String {
        encode(name, self.place, false)
    }

    /// The text of a path variable or a header: `simple`, `label`, `matrix`. Other styles count as `simple`.
    pub(super) fn expand(self, name: &str, value: &Value, style: Style, explode: bool) -> String {
        match style {
            Style::Label => self.label(value, explode),
            Style::Matrix => self.matrix(name, value, explode),
            _ => self.joined(value, explode, ","),
        }
    }

    /// The members of a value one after the other; those of an exploded object as `key=value`.
    fn joined(self, value: &Value, explode: bool, separator: &str) -> String {
        match value {
            Value::Array(items) => items
                .iter()
                .filter(|item| !item.is_null())
                .map(|item| self.value(item))
                .collect::<Vec<_>>()
                .join(separator),
            Value::Object(members) => {
                let between = if explode { "=" } else { separator };
                present(members)
                    .map(|(key, value)| format!("{}{between}{}", self.name(key), self.value(value)))
                    .collect::<Vec<_>>()
                    .join(separator)
            }
            value => self.value(value),
        }
    }

    fn label(self, value: &Value, explode: bool) -> String {
        if is_empty(value) {
            return String::new();
        }
        format!(".{}", self.joined(value, explode, if explode { "." } else { "," }))
    }

    fn matrix(self, name: &str, value: &Value, explode: bool) -> String {
        // RFC 6570 §3.2.7: no `=` without a value.
        let pair = |name: String, value: String| {
            if value.is_empty() { format!(";{name}") } else { format!(";{name}={value}") }
        };
        let named = |value: String| pair(self.name(name), value);
        match value {
            value if is_empty(value) => String::new(),
            Value::Array(items) if explode => {
                items.iter().filter(|item| !item.is_null()).map(|item| named(self.value(item))).collect()
            }
            Value::Object(members) if explode => {
                let member = |(key, value): (&String, &Value)| pair(self.name(key), self.value(value));
                present(members).map(member).collect()
            }
            value => named(self.joined(value, explode, ",")),
        }
    }

    /// The pairs of a query parameter, cookie or form field. An empty array or object has none; `null` is the caller's
    /// to decide.
    pub(super) fn pairs(self, name: &str, value: &Value, style: Style, explode: bool) -> Vec<Pair> {
        if is_empty(value) {
            return Vec::new();
        }
        let separator = match (style, self.place) {
            (Style::SpaceDelimited, Place::Verbatim) => " ",
            (Style::SpaceDelimited, Place::Form) => "+",
            (Style::SpaceDelimited, _) => "%20",
            (Style::PipeDelimited, Place::Verbatim) => "|",
            (Style::PipeDelimited, _) => "%7C",
            (Style::TabDelimited, Place::Verbatim) => "\t",
            (Style::TabDelimited, _) => "%09",
            _ => ",",
        };
        match value {
            Value::Array(_) | Value::Object(_) if style == Style::DeepObject => {
                let mut pairs = Vec::new();
                self.deep(self.name(name), value, DEEP, &mut pairs);
                pairs
            }
            Value::Array(items) if explode => items
                .iter()
                .filter(|item| !item.is_null())
                .map(|item| (self.name(name), Some(self.value(item))))
                .collect(),
            Value::Object(members) if explode => {
                present(members).map(|(key, value)| (self.name(key), Some(self.value(value)))).collect()
            }
            value => vec![(self.name(name), Some(self.joined(value, false, separator)))],
        }
    }

    /// `name[key]=value`; a nested object goes one bracket deeper, an array repeats the name with empty brackets when
    /// it is nested and with an index when its items are objects, as PHP, Rack, qs and Stripe read it.
    fn deep(self, name: String, value: &Value, depth: usize, pairs: &mut Vec<Pair>) {
        let (open, close) = if self.place == Place::Verbatim { ("[", "]") } else { ("%5B", "%5D") };
        match value {
            Value::Object(members) if depth > 0 => {
                for (key, value) in present(members) {
                    self.deep(format!("{name}{open}{}{close}", self.name(key)), value, depth - 1, pairs);
                }
            }
            Value::Array(items) if depth > 0 => {
                let nested = items.iter().any(|item| item.is_object() || item.is_array());
                for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                    let name =
                        if nested { format!("{name}{open}{index}{close}") } else { format!("{name}{open}{close}") };
                    self.deep(name, item, depth - 1, pairs);
                }
            }
            value => pairs.push((name, Some(self.value(value)))),
        }
    }
}

/// Members that are not `null`: RFC 6570 §2.3 takes an undefined member out of the expansion.
fn present(members: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    members.iter().filter(|(_, value)| !value.is_null())
}

/// Whether nothing is left of an array or object.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_null),
        Value::Object(members) => members.values().all(Value::is_null),
        _ => false,
    }
}

/// A value as text: strings as they are, whole numbers without a fraction, arrays and objects (which no style defines
/// at this depth) as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9.0e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(style: Style, explode: bool, value: &Value) -> String {
        Writer { place: Place::Path, reserved: false }.expand("color", value, style, explode)
    }

    fn query(style: Style, explode: bool, value: &Value) -> String {
        Writer { place: Place::Query, reserved: false }
            .pairs("color", value, style, explode)
            .into_iter()
            .map(|(name, value)| value.map_or(name.clone(), |value| format!("{name}={value}")))
            .collect::<Vec<_>>()
            .join("&")
    }

    /// OpenAPI 3.2 §4.12.2.4 "Style Examples".
    #[test]
    fn the_specification_s_own_table_holds() {
        let (empty, string) = (json!(""), json!("blue"));
        let array = json!(["blue", "black", "brown"]);
        let object = json!({ "R": 100, "G": 200, "B": 150 });
        for (style, explode, expected) in [
            (Style::Matrix, false, [";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"]),
            (
                Style::Matrix,
                true,
                [";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
            ),
            (Style::Label, false, [".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]),
            (Style::Label, true, [".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]),
            (Style::Simple, false, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]),
            (Style::Simple, true, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]),
        ] {
            for (value, expected) in [&empty, &string, &array, &object].into_iter().zip(expected) {
                assert_eq!(path(style, explode, value), expected, "{style:?} explode={explode} {value}");
            }
        }
        for (style, explode, expected) in [
            (Style::Form, false, ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]),
            (Style::Form, true, ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"]),
            (
                Style::SpaceDelimited,
                false,
                ["color=", "color=blue", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
            ),
            (
                Style::PipeDelimited,
                false,
                ["color=", "color=blue", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
            ),
            (
                Style::TabDelimited,
                false,
                ["color=", "color=blue", "color=blue%09black%09brown", "color=R%09100%09G%09200%09B%09150"],
            ),
            (
                Style::DeepObject,
                true,
                [
                    "color=",
                    "color=blue",
                    "color%5B%5D=blue&color%5B%5D=black&color%5B%5D=brown",
                    "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
                ],
            ),
        ] {
            for (value, expected) in [&empty, &string, &array, &object].into_iter().zip(expected) {
                assert_eq!(query(style, explode, value), expected, "{style:?} explode={explode} {value}");
            }
        }
    }

    #[test]
    fn exploded_delimited_arrays_repeat_the_name() {
        for style in [Style::SpaceDelimited, Style::PipeDelimited, Style::TabDelimited] {
            assert_eq!(query(style, true, &json!(["a", "b"])), "color=a&color=b");
        }
    }

    #[test]
    fn delimiters_within_values_are_encoded() {
        assert_eq!(query(Style::Form, false, &json!(["a,b", "c&d=e"])), "color=a%2Cb,c%26d%3De");
        assert_eq!(query(Style::PipeDelimited, false, &json!(["a|b", "c"])), "color=a%7Cb%7Cc");
        assert_eq!(path(Style::Simple, false, &json!(["a,b", "c/d"])), "a%2Cb,c%2Fd");
        assert_eq!(path(Style::Matrix, true, &json!({ "a;b": "c=d" })), ";a%3Bb=c%3Dd");
    }

    #[test]
    fn nested_deep_objects_use_the_usual_brackets() {
        let value = json!({ "a": { "b": [1, 2], "c": [{ "d": true }] }, "x]=y&z[": "v", "gone": null });
        assert_eq!(
            query(Style::DeepObject, true, &value),
            "color%5Ba%5D%5Bb%5D%5B%5D=1&color%5Ba%5D%5Bb%5D%5B%5D=2&color%5Ba%5D%5Bc%5D%5B0%5D%5Bd%5D=true\
             &color%5Bx%5D%3Dy%26z%5B%5D=v"
        );
    }

    #[test]
    fn empty_and_null_members_follow_rfc_6570() {
        assert_eq!(query(Style::Form, true, &json!([])), "");
        assert_eq!(query(Style::Form, false, &json!({})), "");
        assert_eq!(query(Style::Form, true, &json!([1, null, 2])), "color=1&color=2");
        assert_eq!(path(Style::Simple, false, &json!({ "a": null, "b": 1 })), "b,1");
        assert_eq!(path(Style::Label, true, &json!([])), "");
    }

    #[test]
    fn scalars_are_json_s_text_and_whole_numbers_lose_their_fraction() {
        for (value, expected) in [
            (json!(5.0), "5"),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!(18446744073709551615u64), "18446744073709551615"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }
}
