//! Titles and descriptions of components.

use heck::ToSnakeCase;

use super::decision::Decision;
use crate::{
    api::Operation,
    text::{bounded, clean, one_line},
};

/// The longest title in characters.
const TITLE_LIMIT: usize = 80;

/// The title that was decided, else the summary, else the words of the name.
pub(super) fn title(operation: &Operation, decision: &Decision, name: &str) -> String {
    let text = match &decision.title {
        Some(title) => one_line(title),
        None => one_line(&operation.summary),
    };
    if text.is_empty() {
        let words = name.to_snake_case().replace('_', " ");
        let mut characters = words.chars();
        return characters
            .next()
            .map(|first| first.to_ascii_uppercase().to_string() + characters.as_str())
            .unwrap_or_default();
    }
    bounded(text.strip_suffix('.').unwrap_or(&text), TITLE_LIMIT).into_owned()
}

/// The description that was decided, else summary and description without saying the same twice, else method and path.
pub(super) fn description(operation: &Operation, decision: &Decision, limit: usize) -> String {
    if let Some(description) = &decision.description {
        return bounded(&clean(description), limit).into_owned();
    }
    let summary = one_line(&operation.summary);
    let description = clean(&operation.description);
    let mut text = if summary.is_empty() || repeats(&description, &summary) {
        description
    } else if description.is_empty() || repeats(&summary, &description) {
        summary
    } else {
        let stop = if summary.ends_with(['.', '!', '?', ':', '…', '。']) { "" } else { "." };
        format!("{summary}{stop}\n\n{description}")
    };
    if text.is_empty() {
        text = format!("{} {}", operation.method, one_line(&operation.path));
    }
    if operation.deprecated && !text.to_ascii_lowercase().contains("deprecated") {
        text = format!("Deprecated. {text}");
    }
    bounded(&text, limit).into_owned()
}

/// Whether a text begins with the other, punctuation, white space and case apart.
fn repeats(text: &str, other: &str) -> bool {
    let mut letters = letters(text);
    self::letters(other).all(|letter| letters.next() == Some(letter))
}

fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase)
}
