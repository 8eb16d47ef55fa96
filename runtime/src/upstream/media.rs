//! Media types: what class a body belongs to.

/// A media type, `type/subtype; name=value` (RFC 9110 §8.3.1). Anything else is unknown, never an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MediaType<'a> {
    whole: &'a str,
    essence: &'a str,
}

impl<'a> MediaType<'a> {
    /// Reads a media type or range.
    pub(super) fn parse(text: &'a str) -> Self {
        let whole = text.trim();
        Self { whole, essence: whole.split(';').next().unwrap_or_default().trim() }
    }

    /// `type/subtype` as written.
    pub(super) fn essence(self) -> &'a str {
        self.essence
    }

    fn is(self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    fn ends_with(self, suffix: &str) -> bool {
        let (essence, suffix) = (self.essence.as_bytes(), suffix.as_bytes());
        essence.len() >= suffix.len() && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    }

    fn starts_with(self, prefix: &str) -> bool {
        self.essence.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    }

    /// A parameter, unquoted: `charset`, `boundary`.
    pub(super) fn parameter(self, name: &str) -> Option<&'a str> {
        self.whole.split(';').skip(1).find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    }

    /// Whether it stands for several, `image/*`.
    pub(super) fn is_range(self) -> bool {
        self.essence.is_empty() || self.essence.contains('*')
    }

    /// One JSON value.
    pub(super) fn is_json(self) -> bool {
        self.is("application/json") || self.is("text/json") || self.ends_with("+json")
    }

    /// JSON values one after the other: NDJSON, JSON Lines, JSON text sequences.
    pub(super) fn is_json_sequence(self) -> bool {
        ["ndjson", "x-ndjson", "jsonl", "x-jsonlines", "jsonlines", "json-lines", "stream+json", "json-seq"]
            .iter()
            .any(|name| self.ends_with(&format!("/{name}")))
            || self.ends_with("+json-seq")
    }

    /// JSON text sequences (RFC 7464), where each record starts with a record separator.
    pub(super) fn has_record_separators(self) -> bool {
        self.ends_with("json-seq")
    }

    /// `application/x-www-form-urlencoded`
    pub(super) fn is_form(self) -> bool {
        self.is("application/x-www-form-urlencoded")
    }

    /// `multipart/…`
    pub(super) fn is_multipart(self) -> bool {
        self.starts_with("multipart/")
    }

    /// XML (RFC 7303).
    pub(super) fn is_xml(self) -> bool {
        self.is("application/xml") || self.is("text/xml") || self.ends_with("+xml")
    }

    /// YAML (RFC 9512), of which JSON is a part.
    pub(super) fn is_yaml(self) -> bool {
        self.ends_with("/yaml") || self.ends_with("/x-yaml") || self.ends_with("+yaml")
    }

    /// `text/html`
    pub(super) fn is_html(self) -> bool {
        self.is("text/html") || self.is("application/xhtml+xml")
    }

    /// Marked-up text or a drawing in XML: XHTML, SVG.
    pub(super) fn is_document(self) -> bool {
        self.is_html() || self.is("image/svg+xml")
    }

    /// `text/event-stream`
    pub(super) fn is_event_stream(self) -> bool {
        self.is("text/event-stream")
    }

    /// Whether people could read it.
    pub(super) fn is_text(self) -> bool {
        self.starts_with("text/")
            || self.is_json()
            || self.is_json_sequence()
            || self.is_xml()
            || self.is_yaml()
            || self.is_form()
            || [
                "graphql",
                "javascript",
                "ecmascript",
                "sql",
                "toml",
                "jwt",
                "x-sh",
                "jsonpath",
                "rtf",
                "csv",
                "problem",
            ]
            .iter()
            .any(|name| self.ends_with(&format!("/{name}")))
    }

    /// `image/…`, but for SVG, which is XML and which clients do not show as an image.
    pub(super) fn is_image(self) -> bool {
        self.starts_with("image/") && !self.is_xml()
    }

    /// `audio/…`
    pub(super) fn is_audio(self) -> bool {
        self.starts_with("audio/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_fall_into_their_classes() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json", "text/json"] {
            assert!(MediaType::parse(json).is_json(), "{json}");
        }
        for other in ["", "*/*", "application/x-ndjson", "json", "application/json-seq", "applicationjson"] {
            assert!(!MediaType::parse(other).is_json(), "{other}");
        }
        assert!(MediaType::parse("application/x-ndjson").is_json_sequence());
        assert!(MediaType::parse("image/svg+xml").is_xml() && !MediaType::parse("image/svg+xml").is_image());
        assert!(MediaType::parse("image/*").is_range());
        assert_eq!(MediaType::parse("text/plain; a=b; Charset=\"latin1\"").parameter("charset"), Some("latin1"));
    }
}
