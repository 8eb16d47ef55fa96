//! HTML elements and entities in Markdown.

/// The elements of HTML that documents use; anything else in angle brackets is text, such as `<your-id>`.
const INLINE: &[&str] = &[
    "a",
    "abbr",
    "b",
    "big",
    "cite",
    "code",
    "del",
    "details",
    "em",
    "figcaption",
    "figure",
    "font",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "mark",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "tt",
    "u",
    "var",
    "wbr",
];
/// Elements that stand in paragraphs of their own.
const BLOCK: &[&str] = &[
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "title",
    "ul",
];
/// Elements that end a line.
const LINE: &[&str] = &["br", "tr"];
/// Elements whose contents are no text.
const OPAQUE: &[&str] = &["iframe", "noscript", "object", "script", "style", "svg", "template", "textarea", "video"];
/// The longest tag that is looked for, in bytes.
const LONGEST_TAG: usize = 4096;

/// Replaces elements by their text and decodes entities, outside of code in backticks.
pub(super) fn strip(text: &str) -> String {
    if !text.contains(['<', '&']) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find(['<', '&', '`']) {
        plain.push_str(&rest[..index]);
        rest = &rest[index..];
        let consumed = match rest.as_bytes().first() {
            Some(b'`') => code(rest, &mut plain),
            Some(b'&') => entity(rest, &mut plain),
            _ => element(rest, &mut plain),
        };
        rest = &rest[consumed..];
    }
    plain.push_str(rest);
    plain
}

/// A code span or fence is copied whole; unclosed backticks are text.
fn code(rest: &str, plain: &mut String) -> usize {
    let ticks = rest.bytes().take_while(|byte| *byte == b'`').count();
    let (fence, after) = rest.split_at(ticks);
    let mut searched = 0;
    let length = loop {
        let Some(found) = after[searched..].find(fence) else { break ticks };
        let end = searched + found + ticks;
        let more = after[end..].bytes().take_while(|byte| *byte == b'`').count();
        if more == 0 {
            break ticks + end;
        }
        searched = end + more;
    };
    plain.push_str(&rest[..length]);
    length
}

fn entity(rest: &str, plain: &mut String) -> usize {
    let window: &str = rest.get(..rest.len().min(12)).unwrap_or_else(|| {
        let end = (0..=12).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(0);
        &rest[..end]
    });
    if let Some(end) = window.find(';') {
        let decoded = match &window[1..end] {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some(' '),
            "ndash" => Some('–'),
            "mdash" => Some('—'),
            "hellip" => Some('…'),
            "lsquo" => Some('‘'),
            "rsquo" => Some('’'),
            "ldquo" => Some('“'),
            "rdquo" => Some('”'),
            "bull" => Some('•'),
            "copy" => Some('©'),
            "times" => Some('×'),
            name => name.strip_prefix('#').and_then(|number| {
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }),
        };
        if let Some(decoded) = decoded {
            plain.push(decoded);
            return end + 1;
        }
    }
    plain.push('&');
    1
}

fn element(rest: &str, plain: &mut String) -> usize {
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.find("-->").map_or(rest.len(), |end| 4 + end + 3);
    }
    let Some((name, closing, length)) = tag(rest) else {
        plain.push('<');
        return 1;
    };
    let is = |names: &[&str]| names.contains(&name.as_str());
    if is(OPAQUE) {
        return length + if closing { 0 } else { contents(&rest[length..], &name) };
    }
    if is(LINE) {
        plain.push('\n');
    } else if is(BLOCK) {
        plain.push_str("\n\n");
    } else if name == "li" {
        if !closing {
            plain.truncate(plain.trim_end().len());
            plain.push_str(if plain.is_empty() { "- " } else { "\n- " });
        }
    } else if matches!(name.as_str(), "td" | "th") {
        plain.push(' ');
    } else if !is(INLINE) {
        plain.push('<');
        return 1;
    }
    length
}

/// The lower-case name of the tag that the text begins with, whether it closes, and its length; quoted attributes may
/// hold `>`.
fn tag(rest: &str) -> Option<(String, bool, usize)> {
    let after = rest.strip_prefix('<')?;
    let (closing, after) = match after.strip_prefix('/') {
        Some(after) => (true, after),
        None => (false, after),
    };
    let name_length = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = after[..name_length].to_ascii_lowercase();
    if name.is_empty() || name.len() > 12 {
        return None;
    }
    let mut quote = None;
    let start = rest.len() - after.len() + name_length;
    if !matches!(rest.as_bytes().get(start), Some(b'>' | b'/' | b' ' | b'\n')) {
        return None;
    }
    for (offset, byte) in rest.bytes().enumerate().skip(start).take(LONGEST_TAG) {
        match (quote, byte) {
            (None, b'>') => return Some((name, closing, offset + 1)),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// The length of an opaque element's contents with its closing tag; all the rest when it is never closed.
fn contents(rest: &str, name: &str) -> usize {
    let mut searched = 0;
    while let Some(found) = rest[searched..].find("</") {
        let start = searched + found;
        if let Some((closed, true, length)) = tag(&rest[start..])
            && closed == name
        {
            return start + length;
        }
        searched = start + 2;
    }
    rest.len()
}
