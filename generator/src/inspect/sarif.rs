//! Findings for code scanners and editors: SARIF 2.1.0, "Static Analysis Results Interchange Format".

use std::{collections::BTreeMap, path::Path};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::DiagnosticReport;
use crate::{
    diagnostics::{self, Code, Severity},
    generator::Failure,
};

/// What a segment of a path in a URI cannot hold (RFC 3986 §3.3); a colon would make a relative one absolute.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// A log with one run that holds the findings, and why there is no plan if that is so (SARIF 2.1.0 §3.13). Files have
/// the names by which they were given, so that those below the current folder are relative to it.
pub fn log(findings: &[DiagnosticReport], failure: Option<&Failure>) -> Value {
    let codes: BTreeMap<&str, &Code> = diagnostics::codes().into_iter().map(|code| (code.name, code)).collect();
    let mut used: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    used.sort_unstable();
    used.dedup();
    let rules: Vec<Value> = used.iter().filter_map(|name| codes.get(name)).map(|code| rule(code)).collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut result = json!({
                "ruleId": finding.code,
                "level": finding.severity,
                "message": {"text": sentence(&finding.message, finding.help.as_deref())},
            });
            if let Ok(index) = used.binary_search(&finding.code) {
                result["ruleIndex"] = index.into();
            }
            if let Some(location) = location(finding) {
                result["locations"] = json!([location]);
            }
            result
        })
        .collect();
    let notifications: Vec<Value> = failure.and_then(Failure::code).into_iter().map(rule).collect();
    let mut invocation = json!({"executionSuccessful": failure.is_none()});
    if let Some(failure) = failure {
        let mut notification = json!({
            "level": "error",
            "message": {"text": sentence(&failure.to_string(), failure.help())},
        });
        if let Some(code) = failure.code() {
            notification["descriptor"] = json!({"id": code.name});
        }
        if let Some((file, position)) = failure.place() {
            let mut physical = json!({"artifactLocation": {"uri": uri(&file)}});
            if let Some(position) = position {
                physical["region"] = json!({"startLine": position.line, "startColumn": position.column});
            }
            notification["locations"] = json!([{"physicalLocation": physical}]);
        }
        invocation["toolExecutionNotifications"] = json!([notification]);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "mcpwright", "version": env!("CARGO_PKG_VERSION"), "rules": rules, "notifications": notifications,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
        }],
    })
}

/// What a code means (SARIF 2.1.0 §3.49).
fn rule(code: &Code) -> Value {
    let first = code.explanation.split_inclusive(". ").next().unwrap_or(code.explanation).trim_end();
    let level = match code.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    json!({
        "id": code.name,
        "shortDescription": {"text": first},
        "fullDescription": {"text": code.explanation},
        "defaultConfiguration": {"level": level},
    })
}

fn sentence(message: &str, help: Option<&str>) -> String {
    match help {
        Some(help) => format!("{message} (help: {help})"),
        None => message.to_owned(),
    }
}

/// Where a finding is: line and column, and the JSON Pointer (SARIF 2.1.0 §3.28).
fn location(finding: &DiagnosticReport) -> Option<Value> {
    let mut physical = json!({"artifactLocation": {"uri": uri(finding.file.as_deref()?)}});
    if let (Some(line), Some(column)) = (finding.line, finding.column) {
        physical["region"] = json!({"startLine": line, "startColumn": column});
    }
    let mut location = json!({"physicalLocation": physical});
    if let Some(pointer) = finding.pointer.as_deref().filter(|pointer| !pointer.is_empty()) {
        location["logicalLocations"] = json!([{"fullyQualifiedName": pointer}]);
    }
    Some(location)
}

/// The name of a file as a URI reference.
fn uri(name: &str) -> String {
    if name.starts_with("http://") || name.starts_with("https://") {
        return name.to_owned();
    }
    if Path::new(name).is_absolute()
        && let Ok(url) = url::Url::from_file_path(name)
    {
        return url.to_string();
    }
    let segments = name.split(std::path::is_separator).skip_while(|segment| *segment == ".");
    segments.map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generator, Source, inspect::Report};

    const DOCUMENT: &str = "\
openapi: 3.1.0
info: {title: Shop, version: '1'}
paths:
  /pets/{id}:
    post:
      operationId: addPet
      requestBody: {content: {application/json: {schema: {$ref: '#/nowhere'}}}}
      responses: {'200': {}}
";

    fn source(text: &str) -> Generator {
        Generator::from_source(Source::Text { name: "my shop.yaml".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_finding_has_its_rule_and_its_place() {
        let planned = source(DOCUMENT).plan().unwrap();
        let report = Report::new(&planned.api, &planned.plan, &planned.diagnostics, &planned.sources);
        let text = serde_json::to_string_pretty(&log(&report.diagnostics, None)).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "[version]"));
    }

    #[test]
    fn members_that_the_format_requires_are_there() {
        let planned = source(DOCUMENT).plan().unwrap();
        let report = Report::new(&planned.api, &planned.plan, &planned.diagnostics, &planned.sources);
        let log = log(&report.diagnostics, None);
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert!(run["tool"]["driver"]["name"].is_string());
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert!(results.len() >= 3, "{results:?}");
        for result in results {
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(matches!(result["level"].as_str(), Some("none" | "note" | "warning" | "error")));
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            for location in result["locations"].as_array().into_iter().flatten() {
                let region = &location["physicalLocation"]["region"];
                assert!(region["startLine"].as_u64() >= Some(1) && region["startColumn"].as_u64() >= Some(1));
            }
        }
    }

    #[test]
    fn why_there_is_no_plan_is_told_with_its_place() {
        let failure = source("openapi: 3.1.0\ninfo: {title: [\n").plan().unwrap_err();
        let log = log(&[], Some(&failure));
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let notification = &invocation["toolExecutionNotifications"][0];
        assert_eq!(notification["level"], "error");
        let place = &notification["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20shop.yaml");
        assert!(place["region"]["startLine"].as_u64() >= Some(2), "{place}");
    }

    #[test]
    fn names_of_files_become_references() {
        for (name, expected) in [
            ("openapi.yaml", "openapi.yaml"),
            ("./a b/c#d.yaml", "a%20b/c%23d.yaml"),
            ("c:d.yaml", "c%3Ad.yaml"),
            ("https://shop.example/openapi.yaml", "https://shop.example/openapi.yaml"),
        ] {
            assert_eq!(uri(name), expected);
        }
        #[cfg(unix)]
        assert_eq!(uri("/a/b c.yaml"), "file:///a/b%20c.yaml");
    }
}
