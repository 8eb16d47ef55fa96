//! The JSON values of streams: server-sent events, NDJSON, JSON text sequences.

use serde::de::IgnoredAny;

/// The JSON values of a sequence with one in each line (NDJSON; RFC 7464, with a record separator before each).
pub(super) fn lines(text: &str) -> Vec<String> {
    // A record of RFC 7464 may have line breaks in it.
    let records: Vec<&str> =
        if text.contains('\u{1e}') { text.split('\u{1e}').collect() } else { text.lines().collect() };
    records.into_iter().map(str::trim).filter(|record| is_json(record)).map(str::to_owned).collect()
}

/// The data of server-sent events (WHATWG HTML §9.2.6) that are JSON. The lines of one event belong together; data
/// that is not JSON, such as a mark of the end, is left out.
pub(super) fn events(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut values = Vec::new();
    let mut data: Option<String> = None;
    for line in text.split('\n') {
        if line.is_empty() {
            values.extend(data.take().filter(|data| is_json(data)));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field != "data" {
            continue;
        }
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => data = Some(value.to_owned()),
        }
    }
    // Many servers end without the last empty line.
    values.extend(data.filter(|data| is_json(data)));
    values
}

fn is_json(text: &str) -> bool {
    !text.is_empty() && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_event_belong_together() {
        for (stream, expected) in [
            ("data: 1\n\ndata:{\"a\":\ndata: 2}\n\n", vec!["1", "{\"a\":\n2}"]),
            ("\u{feff}event: x\r\nid: 7\r\ndata: [1]\r\nretry: 9\r\n\r\n: comment\r\n\r\n", vec!["[1]"]),
            ("data: {\"a\":1}\rdata\r\rdata: [DONE]\r\r", vec!["{\"a\":1}\n"]),
            ("data: 1\n\ndata: 2", vec!["1", "2"]),
            ("data: 1\n\ndata: {\"cut", vec!["1"]),
            ("database: 1\n\n data: 2\n\n", vec![]),
        ] {
            assert_eq!(events(stream), expected, "{stream:?}");
        }
    }

    #[test]
    fn each_record_of_a_sequence_is_a_value() {
        assert_eq!(lines("{\"a\":1}\r\n\n [2]\nnot JSON\n3"), ["{\"a\":1}", "[2]", "3"]);
        assert_eq!(lines("\u{1e}{\n\"a\": 1}\n\u{1e}2\n\u{1e}{\"cut"), ["{\n\"a\": 1}", "2"]);
    }
}
