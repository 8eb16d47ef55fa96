//! Pointers in JSON text that has been parsed before.

use super::{Node, ROOT, Wanted};

/// More levels than a parser admits.
const MAX_DEPTH: usize = 200;

pub(super) fn find(text: &str, wanted: &mut Wanted) {
    let mut scanner = Scanner { bytes: text.as_bytes(), text, at: 0 };
    scanner.space();
    scanner.walk(ROOT, wanted, MAX_DEPTH);
}

/// Steps over JSON without understanding more than it must.
struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Steps over a value and finds what is looked for in it.
    fn walk(&mut self, node: Node, wanted: &mut Wanted, depth: usize) {
        if depth == 0 || !wanted.leads_on(node) || !matches!(self.peek(), b'{' | b'[') {
            return self.value();
        }
        let object = self.peek() == b'{';
        self.at += 1;
        for index in 0_usize.. {
            self.space();
            let start = self.at;
            let child = match (object, self.peek()) {
                (_, b'}' | b']') => {
                    self.at += 1;
                    return;
                }
                (_, 0) => return,
                (false, _) => wanted.child(node, &index.to_string()),
                (true, b'"') => {
                    self.string();
                    let child = wanted.child(node, &key(self.text.get(start..self.at).unwrap_or_default()));
                    self.space();
                    self.at += 1;
                    self.space();
                    child
                }
                (true, _) => return,
            };
            match child {
                Some(child) => {
                    wanted.found(child, start);
                    self.walk(child, wanted, depth - 1);
                }
                None => self.value(),
            }
            self.space();
            if self.peek() == b',' {
                self.at += 1;
            }
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'\\') => self.at += 2,
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(_) => self.at += 1,
                None => return,
            }
        }
    }

    fn value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
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

/// What a quoted key says.
fn key(quoted: &str) -> String {
    let plain = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    if plain.contains('\\') { serde_json::from_str(quoted).unwrap_or_default() } else { plain.to_owned() }
}
