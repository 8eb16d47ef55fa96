//! Text to values: JSON by its first character, else YAML, read so that nothing is turned into another type.

use serde_json::Value;

use super::{FileId, Position, position};

/// Levels of nesting that a document may have.
const MAX_DEPTH: usize = 127;

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
}

pub(super) struct Outcome {
    pub(super) value: Value,
    pub(super) json: bool,
    pub(super) warnings: Vec<(String, Option<Position>)>,
}

pub(super) fn parse(text: &str, file: FileId) -> Result<Outcome, SyntaxError> {
    let syntax_error = |message: String, position| SyntaxError { file, position, message };
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return Err(syntax_error("the document is empty".to_owned(), None));
    }
    if trimmed.starts_with(['{', '[']) {
        let json_error = match serde_json::from_str(text) {
            Ok(value) => return Ok(Outcome { value, json: true, warnings: Vec::new() }),
            Err(error) => error,
        };
        let position = position::at_line_column(text, json_error.line(), json_error.column());
        let message = json_error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
        if message.contains("recursion limit") {
            return Err(syntax_error(format!("the document nests deeper than {MAX_DEPTH} levels"), Some(position)));
        }
        // Trailing commas and comments are YAML flow style.
        return match yaml(text, &mut Vec::new()) {
            Ok(value) => Ok(Outcome {
                value,
                json: false,
                warnings: vec![(format!("not strict JSON ({message}); read as YAML"), Some(position))],
            }),
            Err(_) => Err(syntax_error(format!("not valid JSON: {message}"), Some(position))),
        };
    }
    let mut warnings = Vec::new();
    match yaml(text, &mut warnings) {
        Ok(value) => Ok(Outcome { value, json: false, warnings }),
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
    if first.0.contains("duplicate mapping key")
        && let Ok(value) = saphyr(text, DuplicateKeyPolicy::LastWins)
    {
        let message = first.0.split(", set ").next().unwrap_or_default().to_owned();
        warnings.push((format!("{message}; the last one counts"), first.1));
        return Ok(value);
    }
    if first.0.contains("budget")
        || first.0.contains("limit")
        || first.0.contains("recursive")
        || first.0.contains("nests")
    {
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
        if message.contains("Depth {") || message.contains("recursion limit") {
            return (format!("the document nests deeper than {MAX_DEPTH} levels"), position);
        }
        (message.to_owned(), position)
    })
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
        assert_eq!(outcome.warnings[0].1.unwrap().line, 3);
    }

    #[test]
    fn json_with_comments_or_trailing_commas_is_read_with_a_warning() {
        let outcome = parse("{\n  \"a\": [1, 2,],\n}", FileId(0)).unwrap();
        assert_eq!(outcome.value, json!({"a": [1, 2]}));
        assert_eq!(outcome.warnings.len(), 1);
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
