//! Pointers in YAML text.

use granit_parser::{Event, Parser, Span};

use super::{Node, ROOT, Wanted, at_line_column};

/// An open collection.
struct Open {
    mapping: bool,
    /// How many nodes it has had: keys and values, or elements.
    nodes: usize,
    /// What is looked for in it.
    node: Option<Node>,
    /// What is looked for in the value that comes next.
    next: Option<Node>,
}

pub(super) fn find(text: &str, wanted: &mut Wanted) {
    let mut open: Vec<Open> = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while !wanted.complete()
        && let Some(Ok((event, span))) = parser.next_event()
    {
        match event {
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                continue;
            }
            Event::Scalar(..) | Event::Alias(_) | Event::MappingStart(..) | Event::SequenceStart(..) => {}
            _ => continue,
        }
        let node = match open.last_mut() {
            None => Some(ROOT),
            Some(parent) => {
                let index = parent.nodes;
                parent.nodes += 1;
                match parent.node {
                    None => None,
                    Some(node) if !parent.mapping => {
                        let child = wanted.child(node, &index.to_string());
                        if let Some(child) = child {
                            wanted.found(child, offset(text, &span));
                        }
                        child
                    }
                    Some(node) if index.is_multiple_of(2) => {
                        parent.next = match &event {
                            Event::Scalar(key, ..) => wanted.child(node, key.as_ref()),
                            _ => None,
                        };
                        if let Some(child) = parent.next {
                            wanted.found(child, offset(text, &span));
                        }
                        None
                    }
                    Some(_) => parent.next.take(),
                }
            }
        };
        match event {
            Event::MappingStart(..) => open.push(Open { mapping: true, nodes: 0, node, next: None }),
            Event::SequenceStart(..) => open.push(Open { mapping: false, nodes: 0, node, next: None }),
            _ => {}
        }
    }
}

fn offset(text: &str, span: &Span) -> usize {
    match span.start.byte_offset() {
        Some(offset) => offset,
        None => at_line_column(text, span.start.line(), span.start.col() + 1).offset,
    }
}
