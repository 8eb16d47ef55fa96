//! A text that matches a regular expression, the shortest that is easy to find.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The longest text that is tried.
const MAX: usize = 4_096;

/// A text that matches the pattern and has at least so many characters; `None` when the pattern is beyond this, which
/// look-around and references are.
pub(super) fn sample(pattern: &str, least: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    for extra in [0, 1, least.min(MAX)] {
        let mut text = String::new();
        write(&hir, extra as u32, &mut text)?;
        if text.chars().count() >= least && regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(&text)) {
            return Some(text);
        }
    }
    None
}

/// Writes the first alternative, and each repetition `extra` times more than needed.
fn write(hir: &Hir, extra: u32, text: &mut String) -> Option<()> {
    if text.len() > MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(character(class)?),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(extra));
            for _ in 0..times {
                write(&repetition.sub, extra, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, extra, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, extra, text))?,
        HirKind::Alternation(alternatives) => write(alternatives.first()?, extra, text)?,
    }
    Some(())
}

/// A letter or digit of the class where it has one, else its first printable character.
fn character(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let within = |wanted: char| ranges.iter().any(|(start, end)| (*start..=*end).contains(&wanted));
    ('a'..='z')
        .chain('A'..='Z')
        .chain('0'..='9')
        .find(|wanted| within(*wanted))
        .or_else(|| ranges.iter().map(|(start, _)| *start).find(|start| !start.is_control()))
        .or_else(|| ranges.first().map(|(start, _)| *start))
}
