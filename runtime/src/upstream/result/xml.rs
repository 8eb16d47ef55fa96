//! XML answers as JSON, for models that read structure better than markup.
//!
//! The root's name is the only member of an object. An element with nothing but text is a string, an empty one is `""`,
//! one that says `xsi:nil="true"` is `null`. Any other is an object: attributes are members that start with `@`, text
//! beside them is the member `#text`, and children are members by their name as it is written, an array where a name
//! comes several times. Namespace declarations, comments and instructions are left out. Nothing is guessed: numbers
//! stay text.

use std::borrow::Cow;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use serde_json::{Map, Value};

/// How deep elements may nest.
const MAX_DEPTH: usize = 100;

/// The value of a document; `None` when it is not well-formed, nests too deep or uses entities of its own, which are
/// never expanded.
pub(super) fn value(document: &str) -> Option<Value> {
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if root.is_some() || open.len() >= MAX_DEPTH {
                    return None;
                }
                open.push(Element::new(&start)?);
            }
            Event::End(_) => {
                let element = open.pop()?;
                let name = element.name.clone();
                match open.last_mut() {
                    Some(parent) => parent.add(name, element.finish()),
                    None => root = Some(Value::Object(Map::from_iter([(name, element.finish())]))),
                }
            }
            Event::Text(text) => put(&mut open, &text.xml10_content()),
            Event::CData(text) => put(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(character) => put(&mut open, character.encode_utf8(&mut [0; 4])),
                None => put(&mut open, quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())?),
            },
            Event::Eof => return root.filter(|_| open.is_empty()),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn put(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// An element that is being read.
struct Element {
    name: String,
    members: Map<String, Value>,
    text: String,
    nil: bool,
}

impl Element {
    fn new(start: &BytesStart<'_>) -> Option<Self> {
        let mut element = Self { name: name(start.name()), members: Map::new(), text: String::new(), nil: false };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let key = name(attribute.key);
            let value: Cow<'_, str> = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
            if key == "xsi:nil" {
                element.nil = matches!(&*value, "true" | "1");
            } else if key != "xmlns" && !key.starts_with("xmlns:") {
                element.members.insert(format!("@{key}"), value.into_owned().into());
            }
        }
        Some(element)
    }

    fn add(&mut self, name: String, value: Value) {
        match self.members.get_mut(&name) {
            // An element's own value is never an array, so an array is made of siblings.
            Some(Value::Array(siblings)) => siblings.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                self.members.insert(name, value);
            }
        }
    }

    fn finish(mut self) -> Value {
        if self.nil && self.members.is_empty() {
            return Value::Null;
        }
        if self.members.is_empty() {
            return self.text.into();
        }
        let text = self.text.trim();
        if !text.is_empty() {
            self.members.insert("#text".to_owned(), text.into());
        }
        Value::Object(self.members)
    }
}

fn name(name: quick_xml::name::QName<'_>) -> String {
    name.as_ref().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_become_members() {
        for (document, expected) in [
            ("<a>1</a>", json!({ "a": "1" })),
            ("<?xml version=\"1.0\"?>\n<!-- c --><a/>\n", json!({ "a": "" })),
            ("<a><b>1</b> <b>2</b><c/></a>", json!({ "a": { "b": ["1", "2"], "c": "" } })),
            (
                "<p:a xmlns:p=\"urn:x\" id=\"1 &amp; 2\"><p:b> x </p:b>t</p:a>",
                json!({ "p:a": { "@id": "1 & 2", "p:b": " x ", "#text": "t" } }),
            ),
            ("<a>&lt;&#x41;<![CDATA[<&]]></a>", json!({ "a": "<A<&" })),
            (
                "<a xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><b xsi:nil=\"true\"/></a>",
                json!({ "a": { "b": null } }),
            ),
        ] {
            assert_eq!(value(document), Some(expected), "{document}");
        }
    }

    #[test]
    fn what_is_not_well_formed_or_wants_too_much_has_no_value() {
        let deep = "<a>".repeat(MAX_DEPTH + 1) + &"</a>".repeat(MAX_DEPTH + 1);
        for document in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a b=1/>",
            "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
            "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a b=\"&e;\"/>",
            deep.as_str(),
        ] {
            assert_eq!(value(document), None, "{document}");
        }
    }
}
