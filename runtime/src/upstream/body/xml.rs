//! XML bodies, shaped by the XML Object of the document (OpenAPI 3.2 §4.23).

use serde_json::{Map, Value};

use crate::{Error, catalog::Body, upstream::style::text};

/// Writes a value as an XML document. A string is taken as a document already written.
pub(super) fn encode(body: &Body, value: &Value) -> Result<String, Error> {
    if let Value::String(document) = value {
        return Ok(document.clone());
    }
    let schema: Value =
        serde_json::from_str(if body.xml.is_empty() { body.schema } else { body.xml }).unwrap_or_default();
    document(&schema, value).map_err(|why| super::named(body, why))
}

/// A value as the document that a schema describes. A document has one root: items always have an element around them.
pub(in crate::upstream) fn document(schema: &Value, value: &Value) -> Result<String, String> {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let component = schema.get("x-name").and_then(Value::as_str);
    let name = Xml::of(schema).name.or(component).unwrap_or("root");
    let xml = Xml::of(schema);
    match value {
        Value::Array(items) if xml.node_type != Some("element") => {
            let item = schema.get("items").unwrap_or(&Value::Null);
            let component = item.get("x-name").and_then(Value::as_str);
            let item_name = Xml::of(item).name.or(component).unwrap_or("item");
            open(&mut document, &xml, name, &[])?;
            document.push('>');
            items.iter().try_for_each(|value| node(&mut document, item_name, item, value))?;
            close(&mut document, &xml, name);
        }
        value => node(&mut document, name, schema, value)?,
    }
    Ok(document)
}

/// The XML Object of a schema.
#[derive(Default)]
struct Xml<'a> {
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    prefix: Option<&'a str>,
    node_type: Option<&'a str>,
}

impl<'a> Xml<'a> {
    fn of(schema: &'a Value) -> Self {
        let Some(xml) = schema.get("xml") else { return Self::default() };
        let member = |name: &str| xml.get(name).and_then(Value::as_str);
        let flag = |name: &str| xml.get(name).and_then(Value::as_bool).unwrap_or_default();
        Self {
            name: member("name"),
            namespace: member("namespace"),
            prefix: member("prefix"),
            node_type: member("nodeType").or(if flag("attribute") {
                Some("attribute")
            } else if flag("wrapped") {
                Some("element")
            } else {
                None
            }),
        }
    }

    fn qualified(&self, name: &str) -> String {
        match self.prefix {
            Some(prefix) if !prefix.is_empty() => format!("{prefix}:{name}"),
            _ => name.to_owned(),
        }
    }

    fn declaration(&self) -> Option<(String, &'a str)> {
        let namespace = self.namespace?;
        Some((
            match self.prefix {
                Some(prefix) if !prefix.is_empty() => format!("xmlns:{prefix}"),
                _ => "xmlns".to_owned(),
            },
            namespace,
        ))
    }
}

/// Writes a value as the element `name`; an array that is not wrapped as one element per item.
fn node(out: &mut String, name: &str, schema: &Value, value: &Value) -> Result<(), String> {
    let xml = Xml::of(schema);
    match (value, xml.node_type) {
        (Value::Array(items), node_type) => {
            let empty = Value::Null;
            let item_schema = schema.get("items").unwrap_or(&empty);
            let item_name = Xml::of(item_schema).name.unwrap_or(name);
            let inner = |out: &mut String| items.iter().try_for_each(|item| node(out, item_name, item_schema, item));
            if node_type == Some("element") {
                open(out, &xml, name, &[])?;
                out.push('>');
                inner(out)?;
                close(out, &xml, name);
                Ok(())
            } else {
                inner(out)
            }
        }
        (value, Some("text")) => {
            out.push_str(&escaped(&text(value))?);
            Ok(())
        }
        (value, Some("cdata")) => {
            let text = text(value);
            escaped(&text)?;
            out.push_str(&format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")));
            Ok(())
        }
        (Value::Object(members), Some("none")) => children(out, schema, members),
        (Value::Object(members), _) => {
            let mut attributes = Vec::new();
            for (key, value) in members {
                let property = property(schema, key);
                let xml = property.map(Xml::of).unwrap_or_default();
                if xml.node_type == Some("attribute") && !value.is_null() {
                    let joined = match value {
                        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
                        value => text(value),
                    };
                    if let Some((declaration, namespace)) = xml.declaration().filter(|(name, _)| name != "xmlns") {
                        attributes.push((declaration, namespace.to_owned()));
                    }
                    attributes.push((xml.qualified(legal(xml.name.unwrap_or(key))?), joined));
                }
            }
            open(out, &xml, name, &attributes)?;
            out.push('>');
            children(out, schema, members)?;
            close(out, &xml, name);
            Ok(())
        }
        (Value::Null, _) => {
            let nil = [
                ("xmlns:xsi".to_owned(), "http://www.w3.org/2001/XMLSchema-instance".to_owned()),
                ("xsi:nil".to_owned(), "true".to_owned()),
            ];
            open(out, &xml, name, &nil)?;
            out.push_str("/>");
            Ok(())
        }
        (value, _) => {
            open(out, &xml, name, &[])?;
            out.push('>');
            out.push_str(&escaped(&text(value))?);
            close(out, &xml, name);
            Ok(())
        }
    }
}

fn children(out: &mut String, schema: &Value, members: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in members {
        let empty = Value::Null;
        let property = property(schema, key).unwrap_or(&empty);
        let xml = Xml::of(property);
        if xml.node_type != Some("attribute") {
            // The name of an array that is not wrapped shows only where its items have none.
            node(out, xml.name.unwrap_or(key), property, value)?;
        }
    }
    Ok(())
}

fn open(out: &mut String, xml: &Xml<'_>, name: &str, attributes: &[(String, String)]) -> Result<(), String> {
    out.push('<');
    out.push_str(&xml.qualified(legal(name)?));
    let own = xml.declaration().map(|(name, namespace)| (name, namespace.to_owned()));
    for (name, value) in own.iter().chain(attributes) {
        out.push_str(&format!(" {name}=\"{}\"", escaped(value)?));
    }
    Ok(())
}

fn close(out: &mut String, xml: &Xml<'_>, name: &str) {
    out.push_str("</");
    out.push_str(&xml.qualified(name));
    out.push('>');
}

/// The schema of a property, through `allOf`, `oneOf` and `anyOf`.
fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    if let Some(found) = schema.get("properties").and_then(|properties| properties.get(name)) {
        return Some(found);
    }
    ["allOf", "oneOf", "anyOf"]
        .iter()
        .filter_map(|keyword| schema.get(keyword)?.as_array())
        .flatten()
        .find_map(|member| property(member, name))
        .or_else(|| schema.get("additionalProperties").filter(|rest| rest.is_object()))
}

/// A name that can neither end its tag nor start another.
fn legal(name: &str) -> Result<&str, String> {
    let start = |character: char| character.is_alphabetic() || character == '_';
    let rest = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | ':');
    if name.starts_with(start) && name.chars().all(rest) {
        Ok(name)
    } else {
        Err(format!("`{}` cannot be the name of an XML element", name.escape_debug()))
    }
}

fn escaped(text: &str) -> Result<String, String> {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(character),
            '\r' => escaped.push_str("&#13;"),
            character
                if character.is_control() && character.is_ascii() || matches!(character, '\u{fffe}' | '\u{ffff}') =>
            {
                return Err("XML cannot carry control characters".to_owned());
            }
            character => escaped.push(character),
        }
    }
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(schema: Value, value: Value) -> String {
        let xml: &'static str = schema.to_string().leak();
        let document = encode(&Body { media_type: "application/xml", xml, ..Body::JSON }, &value).expect("XML");
        document.split_once('\n').expect("a declaration").1.to_owned()
    }

    /// The examples of the XML Object in the specification.
    #[test]
    fn the_specification_s_examples_hold() {
        let root = |animals: Value| json!({ "xml": { "name": "r" }, "properties": { "animals": animals } });
        let value = || json!({ "animals": ["a", "b"] });
        for (animals, expected) in [
            (json!({ "type": "array" }), "<animals>a</animals><animals>b</animals>"),
            (json!({ "items": { "xml": { "name": "animal" } } }), "<animal>a</animal><animal>b</animal>"),
            (
                json!({ "items": { "xml": { "name": "animal" } }, "xml": { "name": "aliens" } }),
                "<animal>a</animal><animal>b</animal>",
            ),
            (json!({ "xml": { "wrapped": true } }), "<animals><animals>a</animals><animals>b</animals></animals>"),
            (
                json!({ "items": { "xml": { "name": "animal" } }, "xml": { "wrapped": true } }),
                "<animals><animal>a</animal><animal>b</animal></animals>",
            ),
            (
                json!({ "items": { "xml": { "name": "animal" } }, "xml": { "name": "aliens", "wrapped": true } }),
                "<aliens><animal>a</animal><animal>b</animal></aliens>",
            ),
            (
                json!({ "xml": { "name": "aliens", "nodeType": "element" } }),
                "<aliens><aliens>a</aliens><aliens>b</aliens></aliens>",
            ),
        ] {
            assert_eq!(written(root(animals.clone()), value()), format!("<r>{expected}</r>"), "{animals}");
        }
        assert_eq!(
            written(
                json!({ "xml": { "name": "Person" }, "properties": {
                    "id": { "type": "integer", "xml": { "attribute": true } },
                    "name": { "xml": { "namespace": "https://example.com/schema/sample", "prefix": "sample" } } } }),
                json!({ "name": "example", "id": 123 })
            ),
            r#"<Person id="123"><sample:name xmlns:sample="https://example.com/schema/sample">example</sample:name></Person>"#
        );
    }

    #[test]
    fn text_is_escaped_and_names_are_checked() {
        let schema = json!({ "xml": { "name": "r", "namespace": "urn:x" }, "properties": {
            "a": { "xml": { "attribute": true } }, "t": { "xml": { "nodeType": "text" } }, "c": { "xml": { "nodeType": "cdata" } } } });
        assert_eq!(
            written(schema, json!({ "a": "\"<&>", "t": "<x/>", "c": "a]]>b", "n": null, "f": 1.5, "b": true })),
            "<r xmlns=\"urn:x\" a=\"&quot;&lt;&amp;&gt;\">&lt;x/&gt;<![CDATA[a]]]]><![CDATA[>b]]>\
             <n xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/><f>1.5</f><b>true</b></r>"
        );
        for value in [json!({ "a b": 1 }), json!({ "a><evil/": 1 }), json!({ "": 1 }), json!({ "a": "\u{0}" })] {
            assert!(encode(&Body { media_type: "text/xml", ..Body::JSON }, &value).is_err(), "{value}");
        }
    }
}
