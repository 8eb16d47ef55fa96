//! Links of responses: what they lead to, and which of them cannot be used.

use super::*;

fn fixture() -> Planned {
    let text = include_str!("../../../../fixtures/documents/links.yaml");
    plan_document(text, "")
}

fn links<'p>(planned: &'p Planned, operation: &str) -> Vec<(&'p str, &'p str, &'p str, Value)> {
    let responses = &planned.component(operation).links;
    let members = |link: &Link| -> serde_json::Map<String, Value> { link.arguments.iter().cloned().collect() };
    responses
        .iter()
        .flat_map(|response| response.links.iter().map(move |link| (response, link)))
        .map(|(response, link)| (&*response.status, &*link.name, &*link.operation, Value::Object(members(link))))
        .collect()
}

#[test]
fn links_lead_to_components_with_arguments() {
    let planned = fixture();
    assert_eq!(
        links(&planned, "create_user"),
        [
            ("201", "user", "get_user", json!({ "id": "$response.body#/id" })),
            (
                "201",
                "address",
                "set_address",
                json!({
                    "id": "$response.body#/id",
                    "X-Trace": "made-{$response.header.X-Request-Id}-{$statusCode}",
                    "fields": ["street", "town"],
                    "": "$response.body#/address",
                })
            ),
            ("201", "team", "get_team", json!({ "team": "$request.body#/team" })),
            ("default", "search", "find_users", json!({ "name": "{$request.body#/name}" })),
        ]
    );
}

#[test]
fn a_status_without_links_is_kept_where_a_less_exact_one_has_some() {
    let planned = fixture();
    let statuses = |name: &str| -> Vec<&str> {
        planned.component(name).links.iter().map(|response| response.status.as_str()).collect()
    };
    assert_eq!(statuses("create_user"), ["201", "202", "default"]);
    assert_eq!(statuses("get_user"), ["2XX"]);
    assert_eq!(statuses("find_users"), [""; 0]);
}

#[test]
fn links_that_cannot_be_used_are_findings() {
    let planned = fixture();
    let mut found: Vec<&str> = planned
        .findings(Severity::Note)
        .into_iter()
        .filter(|(code, _)| *code == "link-unusable")
        .map(|(_, message)| message)
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "the link `elsewhere` of POST /users (201) is not used: it has a server of its own",
            "the link `search` of POST /users (default) has the value `$request.body.limit`, which is no expression of an answer",
            "the link `search` of POST /users (default) names the parameter `nothing`, which its operation does not have",
            "the link `unknown` of POST /users (201) is not used: no operation `nobody` is offered",
        ]
    );
}
