//! Finds the lines and columns of JSON Pointers in a text, on demand: no tree with positions is kept in memory. However
//! many pointers there are, the text is walked once.

mod json;
mod yaml;

use std::collections::HashMap;

use super::Position;

/// Where pointers lead in a text: the key or element that each names, or the nearest one above it that exists.
pub(super) fn find(text: &str, json: bool, pointers: &[&str]) -> Vec<Position> {
    let mut wanted = Wanted::new(pointers);
    if json {
        json::find(text, &mut wanted);
    } else {
        yaml::find(text, &mut wanted);
    }
    let offsets: Vec<usize> = pointers.iter().map(|pointer| wanted.offset(pointer)).collect();
    at_offsets(text, &offsets)
}

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

/// The position of the last character that is no space.
pub(super) fn last_character(text: &str) -> Position {
    let last = text.trim_end().char_indices().next_back().map_or(0, |(at, _)| at);
    at_offsets(text, &[last]).pop().unwrap_or(Position { line: 1, column: 1, offset: 0 })
}

/// The positions of byte offsets, in their order.
fn at_offsets(text: &str, offsets: &[usize]) -> Vec<Position> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|index| offsets[*index]);
    let mut positions = vec![Position { line: 1, column: 1, offset: 0 }; offsets.len()];
    // Goes on from the offset before: a document may be one line of many megabytes.
    let (mut line, mut column, mut at) = (1, 1, 0);
    for index in order {
        let mut offset = offsets[index].min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let passed = &text[at..offset];
        line += passed.bytes().filter(|byte| *byte == b'\n').count();
        column = match passed.rsplit_once('\n') {
            Some((_, since)) => since.chars().count() + 1,
            None => column + passed.chars().count(),
        };
        at = offset;
        positions[index] = Position { line, column, offset };
    }
    positions
}

/// A node of [`Wanted`].
type Node = usize;

/// The node of the whole document.
const ROOT: Node = 0;

/// The pointers that are looked for, as a tree of their tokens.
struct Wanted {
    nodes: Vec<WantedNode>,
    missing: usize,
}

#[derive(Default)]
struct WantedNode {
    children: HashMap<String, Node>,
    offset: Option<usize>,
}

impl Wanted {
    fn new(pointers: &[&str]) -> Self {
        let mut wanted = Wanted { nodes: vec![WantedNode::default()], missing: 0 };
        for pointer in pointers {
            let mut node = ROOT;
            for token in tokens(pointer) {
                node = match wanted.nodes[node].children.get(&token) {
                    Some(child) => *child,
                    None => {
                        wanted.nodes.push(WantedNode::default());
                        let child = wanted.nodes.len() - 1;
                        wanted.nodes[node].children.insert(token, child);
                        child
                    }
                };
            }
        }
        wanted.missing = wanted.nodes.len() - 1;
        wanted
    }

    /// Whether every pointer has been found.
    fn complete(&self) -> bool {
        self.missing == 0
    }

    /// Whether something is looked for below a node.
    fn leads_on(&self, node: Node) -> bool {
        !self.nodes[node].children.is_empty()
    }

    fn child(&self, node: Node, token: &str) -> Option<Node> {
        self.nodes[node].children.get(token).copied()
    }

    /// The last of equal keys counts, as it does for the value.
    fn found(&mut self, node: Node, offset: usize) {
        if self.nodes[node].offset.replace(offset).is_none() {
            self.missing = self.missing.saturating_sub(1);
        }
    }

    /// Where the deepest found part of a pointer stands.
    fn offset(&self, pointer: &str) -> usize {
        let mut node = ROOT;
        let mut offset = 0;
        for token in tokens(pointer) {
            match self.child(node, &token) {
                Some(child) if self.nodes[child].offset.is_some() => {
                    node = child;
                    offset = self.nodes[child].offset.unwrap_or(offset);
                }
                _ => break,
            }
        }
        offset
    }
}

fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "{\n  \"a\": {\"b/c\": [10, {\"d\": \"x}\"}]},\n  \"é\": 1, \"e\\u0066\": 2\n}";
    const YAML: &str = "a:\n  b/c:\n    - 10\n    - d: x\n      e: [1, 2]\nf: &anchor\n  g: 1\nh: *anchor\né: {i: 1}\n";

    fn places(text: &str, json: bool, pointers: &[&str]) -> Vec<(usize, usize)> {
        find(text, json, pointers).into_iter().map(|position| (position.line, position.column)).collect()
    }

    /// Looks the pointers up together and each alone.
    fn check(text: &str, json: bool, expected: &[(&str, (usize, usize))]) {
        let (pointers, wanted): (Vec<&str>, Vec<(usize, usize)>) = expected.iter().copied().unzip();
        assert_eq!(places(text, json, &pointers), wanted);
        for (pointer, place) in expected {
            assert_eq!(places(text, json, &[pointer]), [*place], "{pointer}");
        }
    }

    #[test]
    fn pointers_lead_to_keys_and_elements_in_json() {
        check(
            JSON,
            true,
            &[
                ("", (1, 1)),
                ("/a", (2, 3)),
                ("/a/b~1c", (2, 9)),
                ("/a/b~1c/0", (2, 17)),
                ("/a/b~1c/1/d", (2, 22)),
                ("/é", (3, 3)),
                ("/ef", (3, 11)),
                ("/a/nowhere/x", (2, 3)),
            ],
        );
    }

    #[test]
    fn pointers_lead_to_keys_and_elements_in_yaml() {
        check(
            YAML,
            false,
            &[
                ("", (1, 1)),
                ("/a", (1, 1)),
                ("/a/b~1c", (2, 3)),
                ("/a/b~1c/0", (3, 7)),
                ("/a/b~1c/1/d", (4, 7)),
                ("/a/b~1c/1/e/1", (5, 14)),
                ("/f/g", (7, 3)),
                ("/h", (8, 1)),
                ("/h/g", (8, 1)),
                ("/é/i", (9, 5)),
                ("/a/nowhere/x", (1, 1)),
            ],
        );
    }

    #[test]
    fn the_last_of_equal_keys_is_found() {
        assert_eq!(places("{\"a\": {},\n\"a\": {\"b\": 1}}", true, &["/a", "/a/b"]), [(2, 1), (2, 7)]);
    }

    #[test]
    fn a_text_that_is_cut_off_gives_the_nearest_place() {
        for length in 0..JSON.len() {
            if JSON.is_char_boundary(length) {
                places(&JSON[..length], true, &["/a/b~1c/1/d", "/ef"]);
            }
        }
    }
}
