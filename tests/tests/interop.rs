//! Independent clients against a generated server: the official SDKs for Python and TypeScript, in every era that they
//! speak, over both transports. Each does the same, and what arrives upstream is compared as well.

use mcpwright_tests::client::Era;
use mcpwright_tests::peers::{Installed, Outcome, Peer, Report, Target};
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use serde_json::{Value, json};

#[tokio::test]
async fn the_sdks_use_everything_over_http() {
    let Some(installed) = Installed::find() else { return };
    let upstream = Upstream::start(pet_shop).await;
    let server = petstore(&upstream).http().await;
    for (peer, era) in Peer::WITH_ERAS {
        let report = peer.drive(&installed, Target::Http(&server), era, &steps()).await;
        check(peer, era, &report, &upstream);
    }
}

#[tokio::test]
async fn the_sdks_use_everything_over_standard_input() {
    let Some(installed) = Installed::find() else { return };
    let upstream = Upstream::start(pet_shop).await;
    let launch = petstore(&upstream);
    for (peer, era) in Peer::WITH_ERAS {
        let report = peer.drive(&installed, Target::Stdio(&launch), era, &steps()).await;
        check(peer, era, &report, &upstream);
    }
}

fn petstore(upstream: &Upstream) -> Launch {
    Launch::program("petstore-mcp").arguments(["--base-url", &upstream.url()])
}

/// The API behind the server.
fn pet_shop(request: &Recorded) -> Answer {
    match request.line().as_str() {
        "GET /pets" => Answer::json(200, &json!([{ "id": 1, "name": "Rex" }])),
        "POST /pets" => Answer::json(201, &request.json()),
        "GET /pets/404" => Answer::json(404, &json!({ "title": "No such pet" })),
        "DELETE /pets/404" => Answer::json(404, &json!({ "title": "No such pet" })),
        _ => Answer::json(200, &json!({ "id": 7, "name": request.target })),
    }
}

/// What every client does.
fn steps() -> Vec<Value> {
    vec![
        json!({ "do": "list_tools" }),
        json!({ "do": "list_resources" }),
        json!({ "do": "list_resource_templates" }),
        json!({ "do": "read_resource", "uri": "api://petstore/pets" }),
        json!({ "do": "expand_and_read", "template": "api://petstore/pets/{petId}", "variables": { "petId": "7" } }),
        json!({ "do": "call_tool", "name": "create_pet", "arguments": { "id": 3, "name": "Käthe" } }),
        json!({ "do": "call_tool", "name": "create_pet", "arguments": { "id": "three" } }),
        json!({ "do": "call_tool", "name": "delete_pet", "arguments": { "petId": 404 } }),
        json!({ "do": "call_tool", "name": "create_pets", "arguments": {} }),
        json!({ "do": "read_resource", "uri": "api://petstore/nowhere" }),
        json!({ "do": "complete", "template": "api://petstore/pets{?status}", "argument": "status", "value": "so" }),
    ]
}

fn check(peer: Peer, era: Era, report: &Report, upstream: &Upstream) {
    let who = format!("{peer:?} in {}", era.version());
    assert_eq!(report.protocol_version, era.version(), "{who}");
    assert_eq!(report.server_info["name"], "petstore-mcp", "{who}");
    let [tools, resources, templates, pets, pet, created, refused, missing, unknown, nowhere, completed] =
        report.steps.as_slice()
    else {
        panic!("{who}: as many results as steps: {report:?}");
    };
    for tool in items(tools) {
        assert_eq!(tool["inputSchema"]["type"], "object", "{who}");
        assert!(tool["description"].is_string() && tool["annotations"].is_object(), "{who}: {tool}");
    }
    let names =
        |outcome| items(outcome).iter().map(|item| item["name"].as_str().unwrap_or_default()).collect::<Vec<_>>();
    assert!(names(tools).contains(&"create_pet"), "{who}: {:?}", names(tools));
    assert!(!names(resources).is_empty() && !names(templates).is_empty(), "{who}");

    assert_eq!(content(pets), json!([{ "id": 1, "name": "Rex" }]), "{who}");
    assert_eq!(pet.ok()["uri"], "api://petstore/pets/7", "{who}");
    assert_eq!(content(pet)["name"], "/pets/7", "{who}");

    let pet = json!({ "id": 3, "name": "Käthe" });
    assert_eq!(created.ok()["structuredContent"], pet, "{who}");
    assert_ne!(created.ok()["isError"], true, "{who}");

    assert_eq!(refused.ok()["isError"], true, "{who}: {refused:?}");
    let complaint = refused.ok()["content"][0]["text"].as_str().unwrap_or_default();
    assert!(complaint.contains("id") && complaint.contains("name"), "{who}: both faults are named: {complaint}");

    assert_eq!(missing.ok()["isError"], true, "{who}: {missing:?}");
    let complaint = missing.ok()["content"][0]["text"].as_str().unwrap_or_default();
    assert!(complaint.contains("404") && complaint.contains("No such pet"), "{who}: {complaint}");

    assert!(matches!(unknown, Outcome::Error(error) if error.message.contains("create_pet")), "{who}: {unknown:?}");
    let code = if era == Era::Legacy { -32002 } else { -32602 };
    assert!(matches!(nowhere, Outcome::Error(error) if error.code == code), "{who}: {nowhere:?}");
    assert_eq!(completed.ok()["completion"]["values"], json!(["sold"]), "{who}");

    let lines: Vec<_> = upstream.take().iter().map(Recorded::line).collect();
    assert_eq!(lines, ["GET /pets", "GET /pets/7", "POST /pets", "DELETE /pets/404"], "{who}");
}

/// The items of a list.
#[track_caller]
fn items(outcome: &Outcome) -> &[Value] {
    outcome.ok()["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The JSON text of the only content of a resource.
#[track_caller]
fn content(outcome: &Outcome) -> Value {
    let contents = outcome.ok()["contents"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(contents.len(), 1, "one content: {contents:?}");
    serde_json::from_str(contents[0]["text"].as_str().unwrap_or_default()).expect("the content is JSON")
}
