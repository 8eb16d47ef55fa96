//! The helpers against servers that are not ours: a test that fails with a generated server shall not do so because
//! of them.

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::peers::{Installed, Peer, Target};
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::{Answer, RawUpstream, Upstream};
use serde_json::json;

/// The hand-written server of the comparison: one tool, `get_pet`.
fn by_hand(base: &str) -> Launch {
    Launch::program("mcpwright-bench").arguments(["by-hand", "--base-url", base])
}

#[tokio::test]
async fn the_plain_client_speaks_both_eras_over_both_transports() {
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "name": "Rex" }))).await;
    let launch = by_hand(&upstream.url());
    let mut server = launch.http().await;
    for era in Era::BOTH {
        for mut client in [Client::http(&server, era).await, Client::stdio(launch.stdio(), era).await] {
            assert_eq!(client.list("tools/list", "tools").await[0]["name"], "get_pet");
            let result = client.call("get_pet", json!({ "petId": 7 })).await.expect("the tool answers");
            assert_eq!(result["structuredContent"], json!({ "name": "Rex" }));
            assert_eq!(upstream.take_one().line(), "GET /pets/7");
            let error = client.call("get_pet", json!({})).await.expect_err("an argument is missing");
            assert_eq!(error.code, -32602);
        }
    }
    assert!(server.process.usage().is_some_and(|usage| usage.resident > 0));
    server.process.terminate().await;
}

#[tokio::test]
async fn the_sdks_report_what_they_saw() {
    let Some(installed) = Installed::find() else { return };
    let upstream = Upstream::start(|_| Answer::json(200, &json!({ "name": "Rex" }))).await;
    let launch = by_hand(&upstream.url());
    let steps =
        [json!({ "do": "list_tools" }), json!({ "do": "call_tool", "name": "get_pet", "arguments": { "petId": 7 } })];
    for (peer, era) in Peer::WITH_ERAS {
        let report = peer.drive(&installed, Target::Stdio(&launch), era, &steps).await;
        assert_eq!(report.protocol_version, era.version(), "{peer:?}");
        assert_eq!(report.steps[0].ok()["items"][0]["name"], "get_pet", "{peer:?}");
        assert_eq!(report.steps[1].ok()["structuredContent"], json!({ "name": "Rex" }), "{peer:?}");
    }
}

#[tokio::test]
async fn the_raw_upstream_keeps_every_byte() {
    let upstream = RawUpstream::start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let answer = reqwest::Client::new().post(format!("{}/a%2Fb?c", upstream.url())).body("body").send().await;
    assert_eq!(answer.expect("an answer").text().await.expect("a text"), "ok");
    let requests = upstream.take();
    assert!(requests[0].starts_with(b"POST /a%2Fb?c HTTP/1.1\r\n") && requests[0].ends_with(b"\r\n\r\nbody"));
}
