//! Finds the line and column of a JSON Pointer in a text, on demand: no tree with positions is kept in memory.

use granit_parser::{Event, Parser};

use super::Position;

/// The position of a line and column (both from 1; the column counts characters).
pub(super) fn at_line_column(text: &str, line: usize, column: usize) -> Position {
    let mut offset = 0;
    for (index, content) in text.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            let within = content.char_indices().nth(column.saturating_sub(1)).map_or(content.len(), |(at, _)| at);
            return Position { line, column: column.max(1), offset: offset + within };
        }
        offset += content.len();
    }
    Position { line: line.max(1), column: column.max(1), offset: text.len() }
}

fn at_offset(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        offset: before.len(),
    }
}

fn tokens(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
}

/// Where a pointer leads in JSON text that has been parsed before: the key of the last token that exists.
pub(super) fn in_json(text: &str, pointer: &str) -> Position {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    let mut found = 0;
    scanner.space();
    'tokens: for token in tokens(pointer) {
        match scanner.peek() {
            b'{' => {
                scanner.at += 1;
                loop {
                    scanner.space();
                    if scanner.peek() != b'"' {
                        break 'tokens;
                    }
                    let start = scanner.at;
                    scanner.string();
                    let matches = key_equals(text.get(start..scanner.at).unwrap_or_default(), &token);
                    scanner.space();
                    scanner.at += 1;
                    scanner.space();
                    if matches {
                        found = start;
                        continue 'tokens;
                    }
                    scanner.value();
                    scanner.space();
                    if scanner.peek() != b',' {
                        break 'tokens;
                    }
                    scanner.at += 1;
                }
            }
            b'[' => {
                let Ok(index) = token.parse::<usize>() else { break };
                scanner.at += 1;
                for _ in 0..index {
                    scanner.space();
                    scanner.value();
                    scanner.space();
                    if scanner.peek() != b',' {
                        break 'tokens;
                    }
                    scanner.at += 1;
                }
                scanner.space();
                if scanner.peek() == b']' {
                    break;
                }
                found = scanner.at;
            }
            _ => break,
        }
    }
    at_offset(text, found)
}

fn key_equals(quoted: &str, key: &str) -> bool {
    let plain = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    if plain.contains('\\') {
        serde_json::from_str::<String>(quoted).is_ok_and(|unescaped| unescaped == key)
    } else {
        plain == key
    }
}

/// Steps over JSON without understanding it.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    fn value(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'"' => {
                    self.string();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b',' if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}

/// Where a pointer leads in YAML text: the key or element of the last token that exists.
pub(super) fn in_yaml(text: &str, pointer: &str) -> Position {
    let wanted = tokens(pointer);
    let mut found = Position { line: 1, column: 1, offset: 0 };
    if wanted.is_empty() {
        return found;
    }
    // Open collections: whether it is a mapping, how many nodes it has had, and whether it lies on the wanted way.
    let mut open: Vec<(bool, usize, bool)> = Vec::new();
    let mut on_way = 0;
    let mut key_matches = false;
    let mut parser = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        match &event {
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some((_, _, true)) = open.pop() {
                    return found;
                }
                continue;
            }
            event if !is_node(event) => continue,
            _ => {}
        }
        // Whether this node is the value (or the element) that the next token names.
        let mut enters = open.is_empty();
        if let Some((mapping, nodes, on)) = open.last_mut() {
            let index = *nodes;
            *nodes += 1;
            if *on && let Some(token) = wanted.get(on_way) {
                let here = position_of(text, &span);
                if *mapping && index.is_multiple_of(2) {
                    key_matches = matches!(&event, Event::Scalar(key, ..) if key.as_ref() == token);
                    if key_matches {
                        found = here;
                        if on_way + 1 == wanted.len() {
                            return found;
                        }
                    }
                } else if *mapping {
                    enters = key_matches;
                } else if token.parse() == Ok(index) {
                    found = here;
                    enters = true;
                    if on_way + 1 == wanted.len() {
                        return found;
                    }
                }
                if enters {
                    on_way += 1;
                }
            }
        }
        match event {
            Event::MappingStart(..) => open.push((true, 0, enters)),
            Event::SequenceStart(..) => open.push((false, 0, enters)),
            _ if enters => return found,
            _ => {}
        }
    }
    found
}

fn is_node(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(..) | Event::Alias(_) | Event::MappingStart(..) | Event::SequenceStart(..))
}

fn position_of(text: &str, span: &granit_parser::Span) -> Position {
    at_line_column_fast(text, span.start.byte_offset(), span.start.line(), span.start.col() + 1)
}

fn at_line_column_fast(text: &str, offset: Option<usize>, line: usize, column: usize) -> Position {
    match offset {
        Some(offset) if text.is_char_boundary(offset) => Position { line, column, offset },
        _ => at_line_column(text, line, column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "{\n  \"a\": {\"b/c\": [10, {\"d\": \"x}\"}]},\n  \"é\": 1, \"e\\u0066\": 2\n}";
    const YAML: &str = "a:\n  b/c:\n    - 10\n    - d: x\n      e: [1, 2]\nf: &anchor\n  g: 1\nh: *anchor\n";

    fn place(position: Position) -> (usize, usize) {
        (position.line, position.column)
    }

    #[test]
    fn pointers_lead_to_keys_and_elements_in_json() {
        for (pointer, expected) in [
            ("", (1, 1)),
            ("/a", (2, 3)),
            ("/a/b~1c", (2, 9)),
            ("/a/b~1c/0", (2, 17)),
            ("/a/b~1c/1/d", (2, 22)),
            ("/é", (3, 3)),
            ("/ef", (3, 11)),
            ("/a/nowhere/x", (2, 3)),
        ] {
            assert_eq!(place(in_json(JSON, pointer)), expected, "{pointer}");
        }
    }

    #[test]
    fn pointers_lead_to_keys_and_elements_in_yaml() {
        for (pointer, expected) in [
            ("", (1, 1)),
            ("/a", (1, 1)),
            ("/a/b~1c", (2, 3)),
            ("/a/b~1c/0", (3, 7)),
            ("/a/b~1c/1/d", (4, 7)),
            ("/a/b~1c/1/e/1", (5, 14)),
            ("/f/g", (7, 3)),
            ("/h", (8, 1)),
            ("/h/g", (8, 1)),
            ("/a/nowhere/x", (1, 1)),
        ] {
            assert_eq!(place(in_yaml(YAML, pointer)), expected, "{pointer}");
        }
    }
}
