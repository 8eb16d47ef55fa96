//! Text to values: JSON by its first character, else YAML, read so that nothing is turned into another type.

use serde_json::Value;

use super::{FileId, Position, json, position};

/// Levels of nesting that a document may have.
const MAX_DEPTH: usize = 127;

const TOO_DEEP: &str = "the document nests deeper than 127 levels";
const TOO_MANY_ALIASES: &str = "its aliases repeat more than a million nodes";
const RECURSIVE_ALIAS: &str = "an alias stands inside of what it repeats";

/// Enough for [`MAX_DEPTH`] levels in a build without optimisation; the system only maps what is used.
const YAML_STACK_BYTES: usize = 64 * 1024 * 1024;

/// A document that is neither JSON nor YAML.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The file.
    pub file: FileId,
    /// Where the fault shows.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<&'static str>,
}

pub(super) struct Outcome {
    pub(super) value: Value,
    pub(super) json: bool,
    pub(super) warnings: Vec<Warning>,
}

/// What had to be overlooked to read a text.
#[derive(Debug)]
pub(crate) struct Warning {
    pub(crate) message: String,
    pub(crate) place: Place,
}

/// Where it shows.
#[derive(Debug)]
pub(crate) enum Place {
    Pointer(String),
    Position(Option<Position>),
}

pub(super) fn parse(text: &str, file: FileId) -> Result<Outcome, SyntaxError> {
    let syntax_error = |message: String, position| SyntaxError { file, position, help: help_for(&message), message };
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        let start = Position { line: 1, column: 1, offset: 0 };
        return Err(syntax_error("the document is empty".to_owned(), Some(start)));
    }
    if trimmed.starts_with(['{', '[']) {
        let json_error = match json::parse(text) {
            Ok((value, repeated)) => {
                let warning = |pointer| Warning {
                    message: "the key occurs twice; the last one counts".to_owned(),
                    place: Place::Pointer(pointer),
                };
                return Ok(Outcome { value, json: true, warnings: repeated.into_iter().map(warning).collect() });
            }
            Err(error) => error,
        };
        let position = if json_error.is_eof() {
            // Where it stops shows more than the empty line behind.
            position::last_character(text)
        } else {
            position::at_line_column(text, json_error.line(), json_error.column())
        };
        let message = json_error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
        if message.contains("recursion limit") {
            return Err(syntax_error(TOO_DEEP.to_owned(), Some(position)));
        }
        let message = match text.get(position.offset..) {
            Some(rest) if rest.starts_with(['/', '#']) => "there is a comment",
            _ => plain_json(message),
        };
        // YAML would read a value that is missing as null.
        let missing =
            message == "expected value" && matches!(text.as_bytes().get(position.offset), Some(b'}' | b']' | b','));
        if missing {
            return Err(syntax_error("not valid JSON: a value is missing".to_owned(), Some(position)));
        }
        // Trailing commas and comments are YAML flow style.
        return match yaml(text, &mut Vec::new()) {
            Ok(value) => Ok(Outcome {
                value,
                json: false,
                warnings: vec![Warning {
                    message: format!("not strict JSON: {message}; read as YAML"),
                    place: Place::Position(Some(position)),
                }],
            }),
            Err(_) => Err(syntax_error(format!("not valid JSON: {message}"), Some(position))),
        };
    }
    let mut warnings = Vec::new();
    match yaml(text, &mut warnings) {
        Ok(value) => {
            let warning = |(message, position)| Warning { message, place: Place::Position(position) };
            Ok(Outcome { value, json: false, warnings: warnings.into_iter().map(warning).collect() })
        }
        Err((message, position)) => Err(syntax_error(format!("not valid YAML: {message}"), position)),
    }
}

type Fault = (String, Option<Position>);

/// YAML with the core schema's types only: `no`, `y` and `08` stay strings, since `required: [x, y]` means them so.
///
/// The parsers recurse with large frames; a thread of its own gives them room whatever the caller's stack is.
fn yaml(text: &str, warnings: &mut Vec<Fault>) -> Result<Value, Fault> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(YAML_STACK_BYTES)
            .spawn_scoped(scope, || yaml_here(text, warnings))
            .map_err(|error| (error.to_string(), None))?
            .join()
            .unwrap_or_else(|_| Err(("the parser gave up".to_owned(), None)))
    })
}

fn yaml_here(text: &str, warnings: &mut Vec<Fault>) -> Result<Value, Fault> {
    use serde_saphyr::options::DuplicateKeyPolicy;

    let first = match saphyr(text, DuplicateKeyPolicy::Error) {
        Ok(value) => return Ok(value),
        Err(fault) => fault,
    };
    if first.0 == "the key occurs twice"
        && let Ok(value) = saphyr(text, DuplicateKeyPolicy::LastWins)
    {
        warnings.push((format!("{}; the last one counts", first.0), first.1));
        return Ok(value);
    }
    if [TOO_DEEP, TOO_MANY_ALIASES, RECURSIVE_ALIAS].contains(&first.0.as_str()) {
        return Err(first);
    }
    // The libyaml family reads some indentation that YAML forbids and that other tools accept.
    match yaml_serde::from_str::<Value>(text) {
        Ok(value) if depth_is_bounded(&value, MAX_DEPTH) => {
            warnings.push((format!("not strict YAML ({}); read with a more lenient parser", first.0), first.1));
            Ok(value)
        }
        _ => Err(first),
    }
}

fn saphyr(text: &str, duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy) -> Result<Value, Fault> {
    let mut budget = serde_saphyr::budget::Budget::default();
    budget.max_events = usize::MAX;
    budget.max_nodes = usize::MAX;
    budget.max_total_scalar_bytes = usize::MAX;
    budget.max_aliases = 1_000_000;
    budget.max_anchors = 1_000_000;
    budget.max_merge_keys = 1_000_000;
    budget.max_depth = MAX_DEPTH;
    budget.enforce_alias_anchor_ratio = false;
    let options = serde_saphyr::options! {
        budget: Some(budget),
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_indentation: false,
        duplicate_keys: duplicate_keys,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Value>(text, options).map_err(|error| {
        let position = error.location().map(|location| {
            position::at_line_column(
                text,
                usize::try_from(location.line()).unwrap_or(1),
                usize::try_from(location.column()).unwrap_or(1),
            )
        });
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let message = message.split_once(" at line ").map_or(message, |(head, _)| head);
        // `line 3 column 1: what is wrong`
        let message = match message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
            Some((place, rest)) if place.chars().all(|c| c.is_ascii_digit() || " column".contains(c)) => rest,
            _ => message,
        };
        (plain_words(message), position)
    })
}

/// What the parser means, without the names of its own parts.
fn plain_words(message: &str) -> String {
    let has = |part: &str| message.contains(part);
    if has("Depth {") || has("recursion limit") {
        TOO_DEEP.to_owned()
    } else if has("budget breached") || has("replay limit") || has("expansion limit") {
        TOO_MANY_ALIASES.to_owned()
    } else if has("recursive references") {
        RECURSIVE_ALIAS.to_owned()
    } else if has("multiple YAML documents") {
        "there is a second document after `---`".to_owned()
    } else if has("mapping values are not allowed") {
        "a second `: ` stands in one line, or a key is not indented as those before it".to_owned()
    } else if has("duplicate mapping key") {
        "the key occurs twice".to_owned()
    } else if has("tabs disallowed") {
        "a tab indents the line".to_owned()
    } else if has("unknown anchor") {
        "the alias names no anchor that stands before it".to_owned()
    } else if has("illegal placement of ':'") {
        "a `:` stands where no key can be; a bracket or quote before it may not be closed".to_owned()
    } else if has("unclosed quote") {
        "the quote is not closed".to_owned()
    } else {
        message.to_owned()
    }
}

/// What serde_json means.
fn plain_json(message: &str) -> &str {
    match message {
        "EOF while parsing a value" | "EOF while parsing an object" | "EOF while parsing a list" => {
            "the text ends before all brackets are closed"
        }
        "EOF while parsing a string" => "the text ends before a quote is closed",
        "invalid escape" => "a backslash stands before a character that needs none",
        "key must be a string" => "a key is not in double quotes",
        "trailing comma" => "a comma stands before a closing bracket",
        other => other,
    }
}

/// How to mend what a message tells.
fn help_for(message: &str) -> Option<&'static str> {
    let helps = [
        ("a second `: `", "put a text that holds `: ` into quotes; indent the keys of one object alike"),
        ("a tab indents", "indent with spaces: YAML forbids tabs there"),
        ("no anchor", "an anchor is written `&name` before the value that `*name` repeats"),
        ("a backslash", "write a backslash in a text as `\\\\`"),
        ("the text ends", "the file may have been cut off on its way: get it anew, or close what is open"),
        ("there is a second document", "keep each document in a file of its own"),
        ("the document is empty", "an OpenAPI document is an object with the member `openapi`"),
    ];
    helps.into_iter().find(|(part, _)| message.contains(part)).map(|(_, help)| help)
}

fn depth_is_bounded(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth == 0 => false,
        Value::Object(members) => members.values().all(|member| depth_is_bounded(member, depth - 1)),
        Value::Array(items) => items.iter().all(|item| depth_is_bounded(item, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        parse(text, FileId(0)).unwrap().value
    }

    #[test]
    fn yaml_words_and_odd_numbers_stay_strings() {
        assert_eq!(
            value("a: [no, yes, on, off, y, N, 08012, 1_000, 2020-01-01]\nb: 1.5\nc: true\nd: 200"),
            json!({"a": ["no", "yes", "on", "off", "y", "N", "08012", "1_000", "2020-01-01"], "b": 1.5, "c": true, "d": 200})
        );
    }

    #[test]
    fn integers_beyond_64_bits_are_read() {
        assert_eq!(value("a: 18446744073709552000")["a"].as_f64(), Some(18_446_744_073_709_552_000.0));
        assert_eq!(value("a: -9223372036854776000")["a"].as_f64(), Some(-9_223_372_036_854_776_000.0));
    }

    #[test]
    fn numeric_keys_and_merge_keys_are_read() {
        assert_eq!(
            value("base: &base {k: 1, z: 9}\n200:\n  <<: *base\n  k: 2"),
            json!({"base": {"k": 1, "z": 9}, "200": {"k": 2, "z": 9}})
        );
    }

    #[test]
    fn a_duplicate_key_is_a_warning_and_the_last_one_counts() {
        let outcome = parse("a: 1\nb: 2\na: 3", FileId(0)).unwrap();
        assert_eq!(outcome.value["a"], 3);
        assert_eq!(outcome.warnings.len(), 1);
        assert!(matches!(outcome.warnings[0].place, Place::Position(Some(Position { line: 3, column: 1, .. }))));
    }

    #[test]
    fn json_with_comments_or_trailing_commas_is_read_with_a_warning() {
        let outcome = parse("{\n  \"a\": [1, 2,],\n}", FileId(0)).unwrap();
        assert_eq!(outcome.value, json!({"a": [1, 2]}));
        assert_eq!(outcome.warnings.len(), 1);
    }

    #[test]
    fn a_value_that_is_missing_in_json_is_an_error_in_its_place() {
        let error = parse("{\"openapi\": \"3.0.3\",\n \"info\": }", FileId(0)).err().unwrap();
        assert_eq!(error.position.map(|position| (position.line, position.column)), Some((2, 10)));
    }

    #[test]
    fn a_syntax_error_says_where() {
        let error = parse("a: b\nc: [1, 2\nd: e\n", FileId(0)).err().unwrap();
        assert!(error.position.is_some(), "{error}");
        let error = parse("{\"a\": 1,\n \"b\": [}", FileId(0)).err().unwrap();
        assert_eq!(error.position.unwrap().line, 2);
    }

    #[test]
    fn bombs_and_bottomless_nesting_end_in_an_error() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let previous = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(","));
        }
        assert!(parse(&bomb, FileId(0)).is_err());
        assert!(parse(&"[".repeat(100_000), FileId(0)).is_err());
        assert!(parse(&("a:\n".to_owned() + &"- ".repeat(100_000)), FileId(0)).is_err());
        let nested = "{\"a\":".repeat(5000) + "1" + &"}".repeat(5000);
        assert!(parse(&nested, FileId(0)).err().unwrap().message.contains("deeper"));
    }
}
