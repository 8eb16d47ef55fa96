//! Changes as a unified diff.

use similar::TextDiff;

use super::Change;
use crate::emit::is_hidden;

/// One file's change, with the headers that `patch` and `git apply` read.
pub(super) fn unified(path: &str, change: &Change) -> String {
    let (old, new, from, to) = match change {
        Change::Create { text } => ("", text.as_str(), "/dev/null".to_owned(), format!("b/{path}")),
        Change::Update { old, text } => (old.as_str(), text.as_str(), format!("a/{path}"), format!("b/{path}")),
        Change::Delete { old } => (old.as_str(), "", format!("a/{path}"), "/dev/null".to_owned()),
    };
    let diff = TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(&from, &to).to_string();
    // What is on disk may be anyone's: terminals shall not obey it.
    if diff.chars().any(|character| is_hidden(character) && !matches!(character, '\n' | '\t')) {
        return diff
            .chars()
            .map(|character| match character {
                '\n' | '\t' => character,
                _ if is_hidden(character) => '\u{fffd}',
                _ => character,
            })
            .collect();
    }
    diff
}
