//! What is sent, read again: by a decoder of its own, made from the tables of OpenAPI and not from the encoder, and
//! compared with RFC 6570 expansion, which the official vectors check elsewhere.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{super::style::Writer, *};
use crate::uri_template::UriTemplate;

/// The name of the parameter under test: it needs encoding itself.
const NAME: &str = "p x";

/// Percent-decoding as RFC 3986 §2.1 has it.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("two digits");
                (u8::from_str_radix(digits, 16).expect("hexadecimal digits"), after)
            }
            (byte, after) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// What a receiver knows of a parameter's type.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    List,
    Members,
}

fn shape(value: &Value) -> Shape {
    match value {
        Value::Array(_) => Shape::List,
        Value::Object(_) => Shape::Members,
        _ => Shape::Text,
    }
}

fn list(text: &str, separator: &str) -> Value {
    text.split(separator).map(|item| Value::from(decoded(item))).collect()
}

fn members<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    Value::Object(pairs.map(|(key, value)| (decoded(key), decoded(value).into())).collect())
}

/// `a=b` pairs between separators; `a` alone is `a=`.
fn pairs_between<'a>(text: &'a str, separator: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.split(separator).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Every other item is a key.
fn alternating(text: &str, separator: &str) -> Value {
    let items: Vec<&str> = text.split(separator).collect();
    members(items.chunks(2).map(|pair| (pair[0], *pair.get(1).expect("a value for each key"))))
}

/// A delimited text whose values stand between separators: `simple`, and what follows the name elsewhere.
fn delimited(text: &str, explode: bool, shape: Shape, separator: &str) -> Value {
    match shape {
        Shape::Text => decoded(text).into(),
        Shape::List => list(text, separator),
        Shape::Members if explode => members(pairs_between(text, separator)),
        Shape::Members => alternating(text, separator),
    }
}

/// The value of a path segment (OpenAPI 3.2 §4.12.2.4).
fn from_path(segment: &str, style: Style, explode: bool, shape: Shape) -> Value {
    match style {
        Style::Label => {
            let text = segment.strip_prefix('.').expect("a label begins with a dot");
            delimited(text, explode, shape, if explode { "." } else { "," })
        }
        Style::Matrix => {
            let text = segment.strip_prefix(';').expect("a matrix begins with a semicolon");
            from_pairs(pairs_between(text, ";").collect(), explode, shape, ",")
        }
        _ => delimited(segment, explode, shape, ","),
    }
}

/// The value of `name=value` pairs: of a query, of cookies or of a matrix.
fn from_pairs(pairs: Vec<(&str, &str)>, explode: bool, shape: Shape, separator: &str) -> Value {
    if let (Shape::Members, true) = (shape, explode) {
        return members(pairs.into_iter());
    }
    assert!(pairs.iter().all(|(name, _)| decoded(name) == NAME), "{pairs:?}");
    match (shape, explode) {
        (Shape::List, true) => pairs.iter().map(|(_, value)| Value::from(decoded(value))).collect(),
        _ => {
            let [(_, value)] = pairs.as_slice() else { panic!("one pair: {pairs:?}") };
            delimited(value, false, shape, separator)
        }
    }
}

/// The value of `name[a][b]=c` pairs, an array where brackets are empty.
fn from_deep(query: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs_between(query, "&") {
        let name = decoded(name);
        let keys = name.strip_prefix(NAME).expect("the parameter's name");
        let keys = keys.strip_prefix('[').and_then(|keys| keys.strip_suffix(']')).expect("brackets");
        let mut place = &mut root;
        for key in keys.split("][") {
            place = if key.is_empty() {
                if place.is_null() {
                    *place = json!([]);
                }
                let items = place.as_array_mut().expect("an array");
                items.push(Value::Null);
                items.last_mut().expect("an item")
            } else {
                if place.is_null() {
                    *place = json!({});
                }
                place.as_object_mut().expect("an object").entry(key).or_insert(Value::Null)
            };
        }
        *place = decoded(value).into();
    }
    root
}

/// Texts, lists and objects of texts from these characters.
fn values(text: &'static str, key: &'static str) -> impl Strategy<Value = Value> {
    prop_oneof![
        text.prop_map(Value::from),
        prop::collection::vec(text, 1..4).prop_map(Value::from),
        prop::collection::btree_map(key, text, 1..4)
            .prop_map(|members| Value::Object(members.into_iter().map(|(key, text)| (key, text.into())).collect())),
    ]
}

fn request(path: &'static str, parameter: Parameter, value: &Value) -> Result<Request, Error> {
    let parameter: &'static Parameter = Box::leak(Box::new(parameter));
    let operation = Operation { path, parameters: Box::leak(Box::new([parameter])), ..Operation::DEFAULT };
    let arguments = Map::from_iter([(NAME.to_owned(), value.clone())]);
    Request::build(&operation, arguments, &Url::parse("https://api.test").expect("a URL"))
}

/// Everything that no style can tell from its own marks: nothing, where each mark is encoded within values.
const TEXT: &str = "[a-c0-9é日 ,;=&#?/%+'\"|.~\t-]{0,5}";
const KEY: &str = "[a-c0-9é日 ,;=&#?/%+'\"|~-]{1,4}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_value_in_the_path_is_read_again(
        style in prop::sample::select(vec![Style::Simple, Style::Label, Style::Matrix]),
        explode in any::<bool>(),
        value in values(TEXT, KEY),
    ) {
        // The dot that separates an exploded label is not encoded within its values.
        prop_assume!(!(style == Style::Label && explode && value.to_string().contains('.')));
        let parameter = Parameter { name: NAME, style, explode, ..Parameter::PATH };
        match request("/{p x}", parameter, &value).and_then(|request| request.url()) {
            Ok(url) => {
                let segment = url.path().strip_prefix('/').expect("a path");
                prop_assert!(!segment.contains('/'), "{}", url);
                prop_assert_eq!(from_path(segment, style, explode, shape(&value)), value);
            }
            // Some text might be read as another path, and is refused: an empty one, or one with dots between slashes.
            Err(error) => {
                let writer = Writer { place: Place::Path, reserved: false };
                let segment = writer.expand(NAME, &value, style, explode);
                prop_assert!(segment.is_empty() || is_dot_segment(&segment), "{} {}", segment, error);
            }
        }
    }

    #[test]
    fn a_value_in_the_query_is_read_again(
        (style, separator, mark) in prop::sample::select(vec![
            (Style::Form, ",", None),
            (Style::SpaceDelimited, "%20", Some(' ')),
            (Style::PipeDelimited, "%7C", Some('|')),
            (Style::TabDelimited, "%09", Some('\t')),
        ]),
        explode in any::<bool>(),
        value in values(TEXT, KEY),
    ) {
        // These delimiters are encoded as they are within values (OpenAPI 3.2 §4.12.2.2).
        let has_mark = |text: &str| mark.is_some_and(|mark| text.contains(mark));
        let is_ambiguous = match &value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).any(has_mark),
            Value::Object(members) => members.iter().any(|(key, text)| has_mark(key) || text.as_str().is_some_and(has_mark)),
            _ => false,
        };
        prop_assume!(explode || !is_ambiguous);
        let parameter = Parameter { name: NAME, style, explode, ..Parameter::QUERY };
        let url = request("/", parameter, &value).and_then(|request| request.url()).expect("a request");
        let pairs = pairs_between(url.query().expect("a query"), "&").collect();
        prop_assert_eq!(from_pairs(pairs, explode, shape(&value), separator), value);
    }

    #[test]
    fn a_value_in_cookies_is_read_again(explode in any::<bool>(), value in values(TEXT, KEY)) {
        let parameter = Parameter { name: NAME, explode, ..Parameter::COOKIE };
        let cookies = request("/", parameter, &value).expect("a request").cookie_header().expect("cookies");
        prop_assert_eq!(from_pairs(pairs_between(&cookies, "; ").collect(), explode, shape(&value), ","), value);
    }

    /// Headers are not encoded: what would separate values cannot be in them.
    #[test]
    fn a_value_in_a_header_is_read_again(explode in any::<bool>(), value in values("[a-c0-9/&?|;'+]{1,5}", "[a-c/&]{1,3}")) {
        let parameter = Parameter { explode, argument: NAME, name: "X-P", ..Parameter::HEADER };
        let request = request("/", parameter, &value).expect("a request");
        let text = request.headers["x-p"].to_str().expect("text");
        prop_assert_eq!(delimited(text, explode, shape(&value), ","), value);
    }

    #[test]
    fn a_deep_object_is_read_again(value in deep()) {
        let parameter = Parameter { name: NAME, style: Style::DeepObject, ..Parameter::QUERY };
        let url = request("/", parameter, &value).and_then(|request| request.url()).expect("a request");
        prop_assert_eq!(from_deep(url.query().expect("a query")), value);
    }

    /// OpenAPI 3.2 appendix C: `matrix`, `label`, `simple` and `form` are RFC 6570 expansion. Names of members need no
    /// encoding here: RFC 6570 leaves reserved characters in them alone, with which they could not be read again.
    #[test]
    fn styles_of_rfc_6570_expand_as_it_says(
        (style, operator) in prop::sample::select(vec![
            (Style::Matrix, ";"), (Style::Label, "."), (Style::Simple, ""), (Style::Form, "?"),
        ]),
        explode in any::<bool>(),
        value in values(TEXT, "[a-c0-9é日 ~-]{1,4}"),
    ) {
        let star = if explode { "*" } else { "" };
        let template: UriTemplate = format!("{{{operator}x{star}}}").parse().expect("a template");
        let expected = template.expand(&Map::from_iter([("x".to_owned(), value.clone())]));
        let found = if style == Style::Form {
            let pairs = Writer { place: Place::Query, reserved: false }.pairs("x", &value, style, explode);
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(name, value)| format!("{name}={}", value.unwrap_or_default()))
                .collect();
            format!("?{}", pairs.join("&"))
        } else {
            Writer { place: Place::Path, reserved: false }.expand("x", &value, style, explode)
        };
        prop_assert_eq!(found, expected);
    }
}

/// Objects in objects with texts and lists of texts. Brackets are no part of keys: nobody could tell them apart.
fn deep() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![TEXT.prop_map(Value::from), prop::collection::vec(TEXT, 1..3).prop_map(Value::from),];
    let object = |inner: BoxedStrategy<Value>| {
        prop::collection::btree_map(KEY, inner, 1..3).prop_map(|members| Value::Object(members.into_iter().collect()))
    };
    let nested = leaf.prop_recursive(2, 8, 3, move |inner| object(inner.boxed()));
    prop::collection::btree_map(KEY, nested, 1..3).prop_map(|members| Value::Object(members.into_iter().collect()))
}
