//! Independent clients against the example `everything`: what a server offers by itself, what it tells while it works, what
//! it asks the client, and how a client gives up, in every era that the client speaks, over both transports.

use mcpwright_tests::client::Era;
use mcpwright_tests::peers::{Installed, Outcome, Peer, Report, Target};
use mcpwright_tests::process::Launch;
use serde_json::{Value, json};

#[tokio::test]
async fn every_client_uses_everything_over_http() {
    let Some(installed) = Installed::find() else { return };
    let server = Launch::program("everything").http().await;
    for (peer, era) in Peer::WITH_ERAS {
        let report = peer.drive_answering(&installed, Target::Http(&server), era, &steps(), &answers()).await;
        check(peer, era, &report);
    }
}

#[tokio::test]
async fn every_client_uses_everything_over_standard_input() {
    let Some(installed) = Installed::find() else { return };
    let launch = Launch::program("everything");
    for (peer, era) in Peer::WITH_ERAS {
        let report = peer.drive_answering(&installed, Target::Stdio(&launch), era, &steps(), &answers()).await;
        check(peer, era, &report);
    }
}

#[tokio::test]
async fn the_inspector_uses_what_it_knows() {
    let Some(installed) = Installed::find() else { return };
    let launch = Launch::program("everything");
    let server = launch.http().await;
    for era in Era::BOTH {
        for target in [Target::Http(&server), Target::Stdio(&launch)] {
            let steps = inspections();
            let report = Peer::Inspector.drive_answering(&installed, target, era, &steps, &answers()).await;
            check_inspections(era, &report);
        }
    }
}

/// What the Inspector's command lines can do: they show neither progress nor messages, answer no sampling, and do not
/// give up calls.
fn inspections() -> Vec<Value> {
    let prompt =
        json!({ "do": "get_prompt", "name": "test_prompt_with_arguments", "arguments": { "arg1": "a", "arg2": "b" } });
    let once = |mut step: Value| {
        step["once"] = true.into();
        step
    };
    vec![
        once(json!({ "do": "list_tools" })),
        once(json!({ "do": "call_tool", "name": "test_simple_text" })),
        once(json!({ "do": "list_resource_templates" })),
        once(prompt.clone()),
        json!({ "do": "list_resources" }),
        json!({ "do": "read_resource", "uri": "test://template/123/data" }),
        json!({ "do": "list_prompts" }),
        prompt,
        json!({ "do": "complete", "prompt": "test_prompt_with_arguments", "argument": "arg1", "value": "par" }),
        json!({ "do": "complete", "template": "test://template/{id}/data", "argument": "id", "value": "12" }),
        json!({ "do": "call_tool", "name": "test_tool_with_progress" }),
        json!({ "do": "call_tool", "name": "test_elicitation", "arguments": { "message": "Who are you?" } }),
        json!({ "do": "call_tool", "name": "test_input_required_result_list_roots" }),
        json!({ "do": "call_tool", "name": "test_sampling", "arguments": { "prompt": "Capital of France?" } }),
    ]
}

fn check_inspections(era: Era, report: &Report) {
    let who = format!("the Inspector in {}", era.version());
    assert_eq!(report.protocol_version, era.version(), "{who}");
    let [
        tools,
        text,
        templates,
        prompt_once,
        resources,
        data,
        prompts,
        prompt,
        words,
        ids,
        progress,
        elicited,
        roots,
        sampled,
    ] = report.steps.as_slice()
    else {
        panic!("{who}: as many results as steps: {report:?}");
    };
    assert!(names(tools).contains(&"test_elicitation"), "{who}: {tools:?}");
    assert_eq!(text_of(text), "This is a simple text response for testing.", "{who}");
    assert_eq!(names(templates), ["Template data"], "{who}");
    for prompt in [prompt_once, prompt] {
        let text = &prompt.ok()["messages"][0]["content"]["text"];
        assert_eq!(text, "Prompt with arguments: arg1='a', arg2='b'", "{who}");
    }
    assert!(names(resources).contains(&"Static text"), "{who}: {resources:?}");
    let text = data.ok()["contents"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("Data for ID: 123"), "{who}: {text}");
    assert!(names(prompts).contains(&"test_prompt_with_arguments"), "{who}: {prompts:?}");
    assert_eq!(words.ok()["completion"]["values"], json!(["paris", "park", "party"]), "{who}");
    assert_eq!(ids.ok()["completion"]["values"], json!(["123", "124"]), "{who}");
    assert_eq!(text_of(progress), "Done, all of it.", "{who}");
    let form = text_of(elicited);
    assert!(form.contains("action=accept") && form.contains("anna@example.org"), "{who}: {form}");
    assert_eq!(text_of(roots), "You work in file:///home/anna.", "{who}");
    assert!(
        matches!(sampled, Outcome::Refused(why) if why.contains("does not let servers ask its model")),
        "{who}: {sampled:?}"
    );
}

/// What every client answers when the server asks. One form serves all questions of the example.
fn answers() -> Value {
    json!({
        "elicitation": { "username": "anna", "email": "anna@example.org", "name": "Anna", "color": "blue" },
        "sampling": "Paris",
        "roots": ["file:///home/anna"],
    })
}

/// What every client does.
fn steps() -> Vec<Value> {
    let call = |name: &str| json!({ "do": "call_tool", "name": name });
    vec![
        json!({ "do": "list_tools" }),
        call("test_multiple_content_types"),
        call("test_error_handling"),
        json!({ "do": "list_resources" }),
        json!({ "do": "read_resource", "uri": "test://static-binary" }),
        json!({ "do": "list_resource_templates" }),
        json!({ "do": "expand_and_read", "template": "test://template/{id}/data", "variables": { "id": "12 3" } }),
        json!({ "do": "list_prompts" }),
        json!({ "do": "get_prompt", "name": "test_prompt_with_arguments", "arguments": { "arg1": "a", "arg2": "b" } }),
        json!({ "do": "complete", "prompt": "test_prompt_with_arguments", "argument": "arg1", "value": "par" }),
        json!({ "do": "complete", "template": "test://template/{id}/data", "argument": "id", "value": "12" }),
        json!({ "do": "call_tool", "name": "test_tool_with_progress", "progress": true }),
        json!({ "do": "call_tool", "name": "test_elicitation", "arguments": { "message": "Who are you?" } }),
        json!({ "do": "call_tool", "name": "test_sampling", "arguments": { "prompt": "Capital of France?" } }),
        call("test_input_required_result_list_roots"),
        call("test_input_required_result_multiple_inputs"),
        call("test_input_required_result_multi_round"),
        call("test_given_up"),
        json!({ "do": "cancel_tool", "name": "test_wait" }),
        // The notice of the cancellation and the next request may overtake one another.
        call("test_reconnection"),
        call("test_given_up"),
        call("test_simple_text"),
    ]
}

fn check(peer: Peer, era: Era, report: &Report) {
    let who = format!("{peer:?} in {}", era.version());
    assert_eq!(report.protocol_version, era.version(), "{who}");
    let [
        tools,
        mixed,
        failed,
        resources,
        picture,
        templates,
        expanded,
        prompts,
        prompt,
        words,
        ids,
        progress,
        elicited,
        sampled,
        roots,
        at_once,
        in_turn,
        given_up_before,
        cancelled,
        _,
        given_up_after,
        alive,
    ] = report.steps.as_slice()
    else {
        panic!("{who}: as many results as steps: {report:?}");
    };
    assert!(names(tools).contains(&"test_elicitation"), "{who}: {tools:?}");
    let kinds: Vec<_> = mixed.ok()["content"].as_array().into_iter().flatten().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["text", "image", "resource"], "{who}");
    assert_eq!(failed.ok()["isError"], true, "{who}");

    assert!(names(resources).contains(&"Static text"), "{who}: {resources:?}");
    assert_eq!(picture.ok()["contents"][0]["mimeType"], "image/png", "{who}");
    assert!(picture.ok()["contents"][0]["blob"].is_string(), "{who}");
    assert_eq!(names(templates), ["Template data"], "{who}");
    let text = expanded.ok()["contents"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains("Data for ID: 12 3"), "{who}: {text}");

    assert!(names(prompts).contains(&"test_prompt_with_arguments"), "{who}: {prompts:?}");
    let text = &prompt.ok()["messages"][0]["content"]["text"];
    assert_eq!(text, "Prompt with arguments: arg1='a', arg2='b'", "{who}");
    assert_eq!(words.ok()["completion"]["values"], json!(["paris", "park", "party"]), "{who}");
    assert_eq!(ids.ok()["completion"]["values"], json!(["123", "124"]), "{who}");

    let steps: Vec<_> = progress.ok()["progress"].as_array().into_iter().flatten().collect();
    let done: Vec<_> = steps.iter().map(|step| step["progress"].as_f64().unwrap_or(-1.0)).collect();
    assert_eq!(done, [0.0, 50.0, 100.0], "{who}");
    assert_eq!(steps[1]["total"], 100.0, "{who}");
    assert_eq!(steps[1]["message"], "Completed step 50 of 100", "{who}");

    let form = text_of(elicited);
    assert!(form.contains("action=accept") && form.contains("anna@example.org"), "{who}: {form}");
    assert_eq!(text_of(sampled), "LLM response: Paris", "{who}");
    assert_eq!(text_of(roots), "You work in file:///home/anna.", "{who}");
    assert_eq!(text_of(at_once), "Paris Anna, at home in 1 folders", "{who}");
    assert_eq!(text_of(in_turn), "Anna likes blue.", "{who}");

    assert_eq!(cancelled.ok()["cancelled"], true, "{who}: {cancelled:?}");
    let number = |outcome| text_of(outcome).parse::<u32>().expect("a number");
    assert_eq!(number(given_up_after), number(given_up_before) + 1, "{who}: the handler has ended");
    assert_eq!(text_of(alive), "This is a simple text response for testing.", "{who}");
}

/// The text of the only content of a tool's result.
#[track_caller]
fn text_of(outcome: &Outcome) -> &str {
    outcome.ok()["content"][0]["text"].as_str().unwrap_or_default()
}

/// The names of the items of a list.
#[track_caller]
fn names(outcome: &Outcome) -> Vec<&str> {
    let items = outcome.ok()["items"].as_array().into_iter().flatten();
    items.map(|item| item["name"].as_str().unwrap_or_default()).collect()
}
