//! The examples that are no servers for other tests do what they say.

use mcpwright_runtime::{Server, compose::Remote, testing::TestClient};
use mcpwright_tests::{process::Launch, workspace};
use serde_json::json;

#[cfg(unix)]
#[tokio::test]
async fn embedded_serves_beside_an_application_and_ends_its_lifespan_with_it() {
    let mut server = Launch::program("embedded").http().await;
    let own = reqwest::get(server.origin()).await.expect("an answer").text().await.expect("a body");
    assert_eq!(own, "My own application.");
    let remote = Remote::http(format!("{}/tools", server.origin()));
    let client = TestClient::start(Server::named("near").proxy("", remote)).await.expect("a client");
    for visit in 1..=3 {
        let counted = client.call_tool("count", json!({})).await.expect("a result");
        assert_eq!(counted["content"][0]["text"], visit.to_string(), "{counted}");
    }
    drop(client);
    let id = server.process.id().expect("it runs").to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    assert!(server.process.wait().await.success());
    // The last words are read beside this test.
    for _ in 0..1_000 {
        if server.process.standard_error().contains("3 visits") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the lifespan did not end: {}", server.process.standard_error());
}

#[tokio::test]
async fn hub_offers_what_its_servers_offer() {
    let remote = Remote::command(workspace::program("hub").to_string_lossy());
    let client = TestClient::start(Server::named("near").proxy("", remote)).await.expect("a client");
    let offers = client.offers().await.expect("lists");
    let tools: Vec<_> = offers["tools"].as_array().expect("a list").iter().map(|tool| tool["name"].clone()).collect();
    assert!(tools.iter().any(|name| name.as_str().is_some_and(|name| name.contains("forecast"))), "{tools:?}");
    assert!(!offers["resources"].as_array().expect("a list").is_empty(), "{offers}");
}
