use mcpwright_runtime::{
    Error, Server,
    component::{Hints, Icon, Json, Prompt, Resource, ResourceTemplate, Tool},
    context::Context,
    message::Complete,
    server::Options,
    testing::{LEGACY, MODERN, TestClient},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct Add {
    /// The first summand.
    a: i64,
    b: i64,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

async fn add(_: Context, Add { a, b }: Add) -> Result<Json<Sum>, Error> {
    let sum = a.checked_add(b).ok_or_else(|| Error::failed("The sum is too large."))?;
    Ok(Json(Sum { sum }))
}

async fn nothing(_: Context, (): ()) -> Result<(), Error> {
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
struct Page {
    id: u32,
    page: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Friendly,
    Formal,
}

#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
    tone: Option<Tone>,
}

async fn greet(_: Context, Greet { name, tone }: Greet) -> Result<String, Error> {
    Ok(match tone {
        Some(Tone::Formal) => format!("Good day, {name}."),
        Some(Tone::Friendly) | None => format!("Hi {name}!"),
    })
}

fn server() -> Server {
    Server::named("shop")
        .version("1.2.3")
        .title("The shop")
        .instructions("Be kind.")
        .website_url("https://shop.example/")
        .icon(Icon::url("https://shop.example/icon.png").expect("an icon").size("48x48"))
        .tool(Tool::new("add", "Adds.", add).title("Addition").hints(Hints::READ).tag("maths").meta("x/y", 1))
        .tool(Tool::new("nothing", "Does nothing.", nothing))
        .resource(Resource::text("shop://motto", "motto", "Buy less.").description("The motto."))
        .resource(Resource::new("shop://logo", "logo", async |_| Ok(vec![1_u8, 2, 3])).media_type("image/x-raw"))
        .resource_template(ResourceTemplate::new("shop://orders/{id}{?page}", "order", async |_, page: Page| {
            Ok(json!({"id": page.id, "page": page.page}))
        }))
        .resource_template(
            ResourceTemplate::new("shop://orders/{id}/items", "items", async |_, page: Page| Ok(json!([page.id])))
                .complete("id", async |_, request: Complete| Ok(vec![format!("{}1", request.value)])),
        )
        .prompt(Prompt::new("greet", "Greets somebody.", greet))
}

#[tokio::test]
async fn the_server_introduces_itself_in_both_eras() {
    let client = TestClient::start(server()).await.expect("a client");
    let found = client.request("server/discover", json!({})).await.expect("discovery");
    assert_eq!(found["instructions"], "Be kind.");
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "shop");
    assert!(found["supportedVersions"].as_array().is_some_and(|versions| versions.len() == 5), "{found}");

    let params = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let client = TestClient::builder().version(LEGACY).start(server()).await.expect("a client");
    let answer = client.request("initialize", params).await;
    // A second initialize is no way to find out, so the first one's answer was checked by the client; ping goes on.
    drop(answer);
    assert_eq!(client.request("ping", json!({})).await, Ok(json!({})));
}

#[tokio::test]
async fn a_tool_shows_its_types_and_answers() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY, "2026-07-28"] {
        let client = TestClient::builder().version(version).start(server()).await.expect(version);
        let tools = client.list("tools").await.expect("tools");
        assert_eq!(tools.len(), 2, "{version}");
        let tool = &tools[0];
        assert_eq!((&tool["name"], &tool["title"]), (&json!("add"), &json!("Addition")));
        assert_eq!(tool["inputSchema"]["properties"]["a"]["description"], "The first summand.");
        assert_eq!(tool["outputSchema"]["properties"]["sum"]["type"], "integer");
        assert_eq!(tool["annotations"]["readOnlyHint"], true);
        assert_eq!(tool["_meta"]["x/y"], 1);

        let result = client.call_tool("add", json!({"a": 2, "b": 3})).await.expect("a result");
        assert_eq!(result["structuredContent"], json!({"sum": 5}));
        assert_eq!(result["content"][0]["text"], r#"{"sum":5}"#);
        let result = client.call_tool("nothing", json!({})).await.expect("a result");
        assert!(result["content"][0]["text"].is_string(), "some clients want content: {result}");
    }
}

#[tokio::test]
async fn what_goes_wrong_in_a_tool_is_told_to_the_model() {
    let client = TestClient::start(server()).await.expect("a client");
    for (arguments, expected) in [
        (json!({"a": i64::MAX, "b": 1}), vec!["too large"]),
        (json!({"a": "two", "c": 1}), vec!["a", "b", "c"]),
        (json!({}), vec!["a", "b"]),
    ] {
        let result = client.call_tool("add", arguments).await.expect("a result");
        let text = result["content"][0]["text"].as_str().expect("text");
        assert_eq!(result["isError"], true);
        assert!(expected.iter().all(|word| text.contains(word)), "{text}");
    }
    let error = client.call_tool("ad", json!({})).await.expect_err("no such tool");
    assert_eq!(error.code, -32602);
    assert!(error.message.contains("Did you mean `add`?"), "{error}");
}

#[tokio::test]
async fn resources_and_templates_are_read() {
    let client = TestClient::start(server()).await.expect("a client");
    assert_eq!(client.list("resources").await.expect("resources").len(), 2);
    assert_eq!(client.list("resourceTemplates").await.expect("templates").len(), 2);
    for (uri, key, expected) in [
        ("shop://motto", "text", json!("Buy less.")),
        ("shop://logo", "blob", json!("AQID")),
        ("shop://orders/7", "text", json!(r#"{"id":7,"page":null}"#)),
        ("shop://orders/7?page=2", "text", json!(r#"{"id":7,"page":2}"#)),
        ("shop://orders/7/items", "text", json!("[7]")),
    ] {
        let result = client.read_resource(uri).await.unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(result["contents"][0][key], expected, "{uri}");
        assert_eq!(result["contents"][0]["uri"], uri);
    }
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_an_error_of_its_era() {
    for (version, code) in [("2026-07-28", -32602), (LEGACY, -32002)] {
        let client = TestClient::builder().version(version).start(server()).await.expect("a client");
        let error = client.read_resource("shop://nowhere").await.expect_err("nothing there");
        assert_eq!(error.code, code, "{version}");
        assert_eq!(error.data, Some(json!({"uri": "shop://nowhere"})));
    }
    let client = TestClient::start(server()).await.expect("a client");
    for uri in ["shop://orders/seven", "shop://orders/7?size=1"] {
        assert_eq!(client.read_resource(uri).await.expect_err(uri).code, -32602);
    }
}

#[tokio::test]
async fn prompts_take_arguments_as_text() {
    let client = TestClient::start(server()).await.expect("a client");
    let prompts = client.list("prompts").await.expect("prompts");
    let arguments = prompts[0]["arguments"].as_array().expect("arguments");
    assert_eq!(arguments[0]["description"], "Whom to greet.");
    assert_eq!((&arguments[0]["required"], &arguments[1]["required"]), (&json!(true), &json!(false)));
    let result = client.get_prompt("greet", json!({"name": "Ada", "tone": "formal"})).await.expect("a prompt");
    assert_eq!(result["messages"][0]["content"]["text"], "Good day, Ada.");
    assert_eq!(result["description"], "Greets somebody.");
    for (name, arguments) in
        [("greet", json!({})), ("gret", json!({"name": "x"})), ("greet", json!({"name": "x", "tone": "rude"}))]
    {
        assert_eq!(client.get_prompt(name, arguments).await.expect_err(name).code, -32602);
    }
}

#[tokio::test]
async fn arguments_are_completed() {
    let client = TestClient::start(server()).await.expect("a client");
    let complete = async |reference: Value, name: &str, value: &str| {
        let params = json!({"ref": reference, "argument": {"name": name, "value": value}});
        client.request("completion/complete", params).await.map(|result| result["completion"]["values"].clone())
    };
    let prompt = json!({"type": "ref/prompt", "name": "greet"});
    assert_eq!(complete(prompt.clone(), "tone", "f").await, Ok(json!(["friendly", "formal"])));
    assert_eq!(complete(prompt.clone(), "tone", "fr").await, Ok(json!(["friendly"])));
    assert_eq!(complete(prompt, "name", "").await, Ok(json!([])));
    let items = json!({"type": "ref/resource", "uri": "shop://orders/{id}/items"});
    assert_eq!(complete(items, "id", "4").await, Ok(json!(["41"])));
    let unknown = json!({"type": "ref/prompt", "name": "unknown"});
    assert_eq!(complete(unknown, "a", "").await.map_err(|error| error.code), Err(-32602));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let options = Options { page_size: 7, ..Options::default() };
    let names: Vec<String> = (0..20).map(|number| format!("tool_{number}")).collect();
    let server = names
        .iter()
        .fold(Server::named("many"), |server, name| server.tool(Tool::new(name.clone(), "One of many.", nothing)));
    let client = TestClient::builder().options(options).start(server).await.expect("a client");
    let first = client.request("tools/list", json!({})).await.expect("a page");
    assert_eq!(first["tools"].as_array().map(Vec::len), Some(7));
    let all = client.list("tools").await.expect("all pages");
    assert_eq!(all.iter().map(|tool| tool["name"].as_str().unwrap_or_default()).collect::<Vec<_>>(), names);
    let error = client.request("tools/list", json!({"cursor": "page-9"})).await.expect_err("no such page");
    assert_eq!(error.code, -32602);
}

#[tokio::test]
async fn components_come_and_go_while_the_server_runs() {
    async fn grow(context: Context, (): ()) -> Result<&'static str, Error> {
        let server = context.server();
        server.add_tool(Tool::new("new", "Was not there before.", nothing)).expect("the name is free");
        assert!(server.add_tool(Tool::new("new", "Twice.", nothing)).is_err(), "the name is taken");
        server.resource_updated("shop://motto");
        server.resource_updated("shop://other");
        Ok("grown")
    }
    let server = || server().tool(Tool::new("grow", "Adds a tool.", grow));
    let client = TestClient::builder().version(LEGACY).start(server()).await.expect("a client");
    client.request("resources/subscribe", json!({"uri": "shop://motto"})).await.expect("subscribed");
    client.call_tool("grow", json!({})).await.expect("grown");
    assert!(client.notification("notifications/tools/list_changed").await.is_some());
    let updated = client.notification("notifications/resources/updated").await.expect("an update");
    assert_eq!(updated["params"]["uri"], "shop://motto");
    assert_eq!(client.list("tools").await.expect("tools").len(), 4);
    assert!(client.notifications().is_empty(), "only what was subscribed to");
}

#[tokio::test]
async fn unknown_methods_and_wrong_parameters_differ() {
    let client = TestClient::start(server()).await.expect("a client");
    for (method, params, code) in [
        ("tools/cal", json!({}), -32601),
        ("tools/call", json!({"name": 5}), -32602),
        ("tools/call", json!({"name": "add", "arguments": "text"}), -32602),
        ("resources/read", json!({}), -32602),
        ("logging/setLevel", json!({"level": "info"}), -32601),
        ("ping", json!({}), -32601),
    ] {
        assert_eq!(client.request(method, params).await.expect_err(method).code, code, "{method}");
    }
}

#[tokio::test]
async fn components_are_hidden_by_name_or_tag() {
    let names = async |server: Server| {
        let client = TestClient::start(server).await.expect("a client");
        let tools = client.list("tools").await.expect("tools");
        tools.iter().map(|tool| tool["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(server().disable("maths")).await, ["nothing"]);
    assert_eq!(names(server().disable("nothing")).await, ["add"]);
    assert_eq!(names(server().disable("maths").enable("add")).await, ["add", "nothing"]);
}

#[tokio::test]
async fn a_session_keeps_what_handlers_keep_for_it() {
    #[derive(Clone)]
    struct Count(u32);
    async fn count(context: Context, (): ()) -> Result<String, Error> {
        let next = context.session_get::<Count>().map_or(1, |count| count.0 + 1);
        context.session_insert(Count(next))?;
        Ok(format!("{next} {}", context.session_id().unwrap_or_default()))
    }
    let server = || Server::named("counter").tool(Tool::new("count", "Counts.", count));
    let mut ids = Vec::new();
    for version in [LEGACY, MODERN] {
        let client = TestClient::builder().version(version).start(server()).await.expect("a client");
        for expected in 1..4 {
            let result = client.call_tool("count", json!({})).await.expect("a result");
            let text = result["content"][0]["text"].as_str().expect("text").to_owned();
            let (number, id) = text.split_once(' ').expect("both");
            assert_eq!(number, expected.to_string(), "{version}");
            assert!(id.len() > 8, "the connection has an id: {text}");
            ids.push(id.to_owned());
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 2, "each connection has one of its own: {ids:?}");
}
