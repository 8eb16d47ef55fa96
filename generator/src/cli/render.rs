//! Findings and errors as a person reads them: the line of the document, what is wrong, how to mend it.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    path::Path,
};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};
use mcpwright::{
    Failure, Planned, Sources,
    diagnostics::{Diagnostic, Diagnostics, Severity},
    source::Position,
};

use super::output::{Exit, WRONG, chain, renderer, say};

/// How many findings of one code are shown whole.
const SHOWN_PER_CODE: usize = 3;
/// How many findings are shown whole in all.
const SHOWN: usize = 20;
/// How many places of a finding besides its first are named.
const PLACES: usize = 3;
/// A line of at most so many bytes is shown from its beginning.
const LONGEST_LINE: usize = 300;
/// How much of a longer line is shown before and behind the place, in bytes.
const MARGIN: usize = 60;

/// Shows the findings of a run of at least a severity.
pub(crate) fn findings(planned: &Planned, at_least: Severity) {
    for text in found(planned, at_least, &renderer()) {
        say(&text);
    }
}

/// The findings of a run of at least a severity, as they are shown.
fn found(planned: &Planned, at_least: Severity, renderer: &Renderer) -> Vec<String> {
    let configuration = planned.configuration_file.as_deref();
    diagnostics(&planned.diagnostics, &planned.sources, configuration, at_least, renderer)
}

/// Some findings of each kind whole, and how many others there are.
fn diagnostics(
    diagnostics: &Diagnostics,
    sources: &Sources,
    configuration: Option<&Path>,
    at_least: Severity,
    renderer: &Renderer,
) -> Vec<String> {
    let mut texts = Vec::new();
    let mut by_code: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity >= at_least) {
        by_code.entry((std::cmp::Reverse(diagnostic.severity), diagnostic.code.name)).or_default().push(diagnostic);
    }
    let mut room = SHOWN;
    for ((severity, code), list) in by_code {
        // What is said of several places in the same words is said once.
        let mut alike: Vec<(&Diagnostic, Vec<&Diagnostic>)> = Vec::new();
        let mut known: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        for diagnostic in &list {
            let words = (diagnostic.message.as_str(), diagnostic.help.as_deref());
            match known.get(&words).and_then(|index| alike.get_mut(*index)) {
                Some((_, others)) => others.push(diagnostic),
                None => {
                    known.insert(words, alike.len());
                    alike.push((diagnostic, Vec::new()));
                }
            }
        }
        let shown = alike.len().min(SHOWN_PER_CODE).min(room);
        room -= shown;
        for (diagnostic, others) in &alike[..shown] {
            texts.push(whole(diagnostic, &elsewhere(others, sources), sources, configuration, renderer));
        }
        let more: usize = alike[shown..].iter().map(|(_, others)| 1 + others.len()).sum();
        if more > 0 {
            let what = match (severity.0, more) {
                (Severity::Error, 1) => "error",
                (Severity::Error, _) => "errors",
                (Severity::Warning, 1) => "warning",
                (Severity::Warning, _) => "warnings",
                (Severity::Note, 1) => "note",
                (Severity::Note, _) => "notes",
            };
            let others = if shown > 0 { "more " } else { "" };
            texts.push(format!("{more} {others}{what} of {code}; `mcpwright explain {code}` says what it means\n"));
        }
    }
    texts
}

/// Where else the same is found: the first places, and how many there are besides.
fn elsewhere(others: &[&Diagnostic], sources: &Sources) -> String {
    let first = &others[..others.len().min(PLACES)];
    let mut places: Vec<String> = sources
        .places(first.iter().copied())
        .into_iter()
        .zip(first)
        .filter_map(|(position, other)| {
            Some(format!("{}:{}", sources.name(other.location.as_ref()?.file), position?.line))
        })
        .collect();
    let rest = others.len() - places.len();
    match (places.is_empty(), rest) {
        (true, 0) => return String::new(),
        (true, _) => places.push(format!("{rest} times more")),
        (false, 0) => {}
        (false, 1) => places.push("one more place".to_owned()),
        (false, _) => places.push(format!("{rest} more places")),
    }
    format!("the same: {}", places.join(", "))
}

/// One finding with its place.
fn whole(
    diagnostic: &Diagnostic,
    elsewhere: &str,
    sources: &Sources,
    configuration: Option<&Path>,
    renderer: &Renderer,
) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let place = diagnostic.location.as_ref().map(|location| Place {
        name: sources.name(location.file),
        text: sources.text(location.file),
        position: diagnostic.position.or_else(|| sources.position(location)),
        length: None,
    });
    let configuration =
        || Some(Place { name: configuration?.display().to_string(), text: "", position: None, length: None });
    let place = place.or_else(configuration);
    let title = Title { level, code: Some(diagnostic.code.name), message: &diagnostic.message };
    let mut text = draw(title, place, diagnostic.help.as_deref(), renderer);
    if !elsewhere.is_empty() {
        text.push_str(&format!("  = {}\n", normalize_untrusted_str(elsewhere)));
    }
    text
}

/// A place in a text.
struct Place<'a> {
    name: String,
    text: &'a str,
    position: Option<Position>,
    /// How many bytes are meant; else the word or value that begins there.
    length: Option<usize>,
}

/// What is wrong.
struct Title<'a> {
    level: Level<'a>,
    code: Option<&'a str>,
    message: &'a str,
}

fn draw(title: Title<'_>, place: Option<Place<'_>>, help: Option<&str>, renderer: &Renderer) -> String {
    let Title { level, code, message } = title;
    let mut title = level.primary_title(normalize_untrusted_str(message));
    if let Some(code) = code {
        title = title.id(code);
    }
    let mut group = Group::with_title(title);
    if let Some(place) = place {
        let name = normalize_untrusted_str(&place.name);
        let origin = Origin::path(name.clone());
        group = match place.position.map(|position| (position, excerpt(place.text, position.offset, place.length))) {
            None => group.element(origin),
            Some((position, None)) => group.element(origin.line(position.line).char_column(position.column)),
            Some((position, Some(excerpt))) => {
                let snippet = Snippet::source(excerpt.line)
                    .line_start(position.line)
                    .annotation(AnnotationKind::Primary.span(excerpt.span));
                if excerpt.is_whole {
                    group.element(snippet.path(name))
                } else {
                    // The column in the part that is shown is not the column in the file.
                    group.element(origin.line(position.line).char_column(position.column)).element(snippet)
                }
            }
        };
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    renderer.render(&[group]) + "\n"
}

/// A line of a text.
struct Excerpt {
    line: String,
    /// What of it is meant, in bytes.
    span: Range<usize>,
    /// Whether it was short enough to be shown from its beginning.
    is_whole: bool,
}

/// The line around an offset, cut where it is long.
fn excerpt(text: &str, offset: usize, length: Option<usize>) -> Option<Excerpt> {
    let offset = floor(text, offset.min(text.len()));
    let start = text[..offset].rfind('\n').map_or(0, |index| index + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |index| offset + index);
    let is_whole = end - start <= LONGEST_LINE;
    let (from, to) = if is_whole {
        (start, end)
    } else {
        (floor(text, start.max(offset.saturating_sub(MARGIN))), floor(text, end.min(offset + 2 * MARGIN)))
    };
    if from >= to {
        return None;
    }
    let before = if from > start { "…" } else { "" };
    let after = if to < end { "…" } else { "" };
    let clean = |part: &str| -> String {
        part.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
    };
    let rest = text[offset..to].trim_end();
    let length = length.map_or_else(|| word(rest), |length| floor(rest, length.min(rest.len())));
    let line =
        format!("{before}{}{}{after}", clean(&text[from..offset]), clean(text[offset..to].trim_end_matches('\r')));
    let begin = before.len() + offset - from;
    Some(Excerpt { line, span: begin..begin + length.max(1), is_whole })
}

/// The length of a key or value at the beginning of a text.
fn word(text: &str) -> usize {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.find('"').map_or(text.len(), |end| end + 2);
    }
    if text.starts_with(['{', '[']) {
        return bracketed(text);
    }
    // A colon that ends a key stands before a space: the one in `https://` does not.
    let ends = |(at, character): (usize, char)| match character {
        ',' | '{' | '}' | '[' | ']' | '#' => Some(at),
        ':' if text[at + 1..].chars().next().is_none_or(char::is_whitespace) => Some(at),
        _ => None,
    };
    text.char_indices().find_map(ends).filter(|end| *end > 0).unwrap_or(text.len())
}

/// The length up to the bracket that closes the one at the beginning of a text, or of all of it.
fn bracketed(text: &str) -> usize {
    let (mut open, mut quoted) = (0_usize, false);
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => open += 1,
            '}' | ']' if !quoted => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at + 1;
        }
    }
    text.len()
}

/// The nearest character boundary at or before an index.
fn floor(text: &str, index: usize) -> usize {
    (0..=index).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}

/// Shows why there is no plan, after what was found before.
pub(crate) fn failure(failure: &Failure) -> Exit {
    for text in failed(failure, &renderer()) {
        say(&text);
    }
    Exit::silent(WRONG)
}

/// What was found before there was no plan, and why there is none, as they are shown.
fn failed(failure: &Failure, renderer: &Renderer) -> Vec<String> {
    let mut texts = diagnostics(&failure.diagnostics, &failure.sources, None, Severity::Warning, renderer);
    let place = failure.place().map(|(name, position)| {
        let (text, length) = failure.text();
        Place { name, text, position, length }
    });
    // What is shown in its place needs no telling where it came from.
    let message = if place.is_some() { failure.to_string() } else { chain(&failure.cause) };
    let title = Title { level: Level::ERROR, code: failure.code().map(|code| code.name), message: &message };
    texts.push(draw(title, place, failure.help(), renderer));
    texts
}

#[cfg(test)]
mod tests;
