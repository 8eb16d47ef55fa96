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
    Launch::program("petstore-mcp").arguments(["--base-url", &upstream.url()]).variable("PETSTORE_API_KEY", "s3cret")
}

/// The API behind the server.
fn pet_shop(request: &Recorded) -> Answer {
    match request.line().as_str() {
        "GET /pets" => Answer::json(200, &json!({ "items": [{ "id": 1, "name": "Rex", "status": "sold" }] })),
        "POST /orders" => {
            let mut order = request.json();
            order["id"] = json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
            order["placed"] = json!("2026-01-31T12:00:00Z");
            Answer::json(201, &order)
        }
        "DELETE /pets/404" => Answer::json(404, &json!({ "title": "No such pet" })),
        "GET /health" => Answer::new(200, "text/plain", "open"),
        _ => Answer::json(200, &json!({ "id": 7, "name": request.target, "status": "available" })),
    }
}

/// What every client does.
fn steps() -> Vec<Value> {
    let order = json!({ "petId": 3, "quantity": 1, "deliver_to": { "city": "Köln" } });
    vec![
        json!({ "do": "list_tools" }),
        json!({ "do": "list_resources" }),
        json!({ "do": "list_resource_templates" }),
        json!({ "do": "list_prompts" }),
        json!({ "do": "read_resource", "uri": "api://petstore/health" }),
        json!({ "do": "read_resource", "uri": "api://petstore/pets" }),
        json!({ "do": "expand_and_read", "template": "api://petstore/pets/{petId}", "variables": { "petId": "7" } }),
        json!({
            "do": "expand_and_read",
            "template": "api://petstore/owners/{owner}/pets{?limit}",
            "variables": { "owner": "anna", "limit": "5" },
        }),
        json!({ "do": "call_tool", "name": "place_order", "arguments": order }),
        json!({ "do": "call_tool", "name": "place_order", "arguments": { "petId": "three" } }),
        json!({ "do": "call_tool", "name": "delete_pet", "arguments": { "petId": 404 } }),
        json!({ "do": "call_tool", "name": "place_orders", "arguments": {} }),
        json!({ "do": "read_resource", "uri": "api://petstore/nowhere" }),
        json!({
            "do": "complete",
            "template": "api://petstore/pets{?limit,cursor,status*,filter}",
            "argument": "status",
            "value": "so",
        }),
    ]
}

fn check(peer: Peer, era: Era, report: &Report, upstream: &Upstream) {
    let who = format!("{peer:?} in {}", era.version());
    assert_eq!(report.protocol_version, era.version(), "{who}");
    assert_eq!(report.server_info["name"], "petstore", "{who}");
    let [
        tools,
        resources,
        templates,
        prompts,
        health,
        pets,
        pet,
        owned,
        ordered,
        refused,
        missing,
        unknown,
        nowhere,
        completed,
    ] = report.steps.as_slice()
    else {
        panic!("{who}: as many results as steps: {report:?}");
    };
    assert_eq!(names(tools), ["place_order", "create_pet", "delete_pet", "update_pet", "upload_photo"], "{who}");
    for tool in items(tools) {
        assert_eq!(tool["inputSchema"]["type"], "object", "{who}");
        assert!(tool["description"].is_string() && tool["annotations"].is_object(), "{who}: {tool}");
    }
    assert!(names(resources).contains(&"health") && names(templates).contains(&"get_pet"), "{who}");
    assert!(items(prompts).is_empty(), "{who}");

    assert_eq!(content(health), "open", "{who}");
    assert!(content(pets).contains("Rex"), "{who}");
    assert_eq!(pet.ok()["uri"], "api://petstore/pets/7", "{who}");
    assert!(content(pet).contains("/pets/7"), "{who}");
    assert_eq!(owned.ok()["uri"], "api://petstore/owners/anna/pets?limit=5", "{who}");

    assert_ne!(ordered.ok()["isError"], true, "{who}: {ordered:?}");
    let order = &ordered.ok()["structuredContent"];
    assert_eq!(order["deliver_to"]["city"], "Köln", "{who}: {ordered:?}");

    assert_eq!(refused.ok()["isError"], true, "{who}: {refused:?}");
    let complaint = refused.ok()["content"][0]["text"].as_str().unwrap_or_default();
    assert!(complaint.contains("petId") && complaint.contains("quantity"), "{who}: both faults are named: {complaint}");

    assert_eq!(missing.ok()["isError"], true, "{who}: {missing:?}");
    let complaint = missing.ok()["content"][0]["text"].as_str().unwrap_or_default();
    assert!(complaint.contains("404") && complaint.contains("No such pet"), "{who}: {complaint}");

    assert!(matches!(unknown, Outcome::Error(error) if error.message.contains("place_order")), "{who}: {unknown:?}");
    // Version 2 of the TypeScript SDK shows the older code as the newer one.
    let code = if era == Era::Legacy && peer != Peer::TypeScript2 { -32002 } else { -32602 };
    assert!(matches!(nowhere, Outcome::Error(error) if error.code == code), "{who}: {nowhere:?}");
    assert_eq!(completed.ok()["completion"]["values"], json!(["sold"]), "{who}");

    let requests = upstream.take();
    let lines: Vec<_> = requests.iter().map(Recorded::line).collect();
    let expected = [
        "GET /health",
        "GET /pets",
        "GET /pets/7",
        "GET /owners/anna/pets?limit=5",
        "POST /orders",
        "DELETE /pets/404",
    ];
    assert_eq!(lines, expected, "{who}");
    assert_eq!(requests[0].header("x-api-key"), None, "{who}: no key where none is wanted");
    assert!(requests[1..].iter().all(|request| request.header("x-api-key") == Some("s3cret")), "{who}");
    assert_eq!(requests[4].json(), json!({ "petId": 3, "quantity": 1, "deliver_to": { "city": "Köln" } }), "{who}");
}

/// The items of a list.
#[track_caller]
fn items(outcome: &Outcome) -> &[Value] {
    outcome.ok()["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The names of the items of a list.
#[track_caller]
fn names(outcome: &Outcome) -> Vec<&str> {
    items(outcome).iter().map(|item| item["name"].as_str().unwrap_or_default()).collect()
}

/// The text of the only content of a resource.
#[track_caller]
fn content(outcome: &Outcome) -> &str {
    let contents = outcome.ok()["contents"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(contents.len(), 1, "one content: {contents:?}");
    contents[0]["text"].as_str().unwrap_or_default()
}
