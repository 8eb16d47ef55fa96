use std::time::Duration;

use async_trait::async_trait;
use mcpwright_runtime::{
    Error, Server,
    component::{Hints, Tool, Transform, TransformedCall},
    context::Context,
    message::{ListPage, Page, ToolInfo},
    middleware::{Middleware, Next},
    server::StartError,
    testing::TestClient,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize, JsonSchema)]
struct Order {
    /// Which one.
    pet_id: u32,
    shop: String,
    quantity: u32,
    note: Option<String>,
}

async fn order(_: Context, Order { pet_id, shop, quantity, note }: Order) -> Result<String, Error> {
    Ok(format!("{quantity} of {pet_id} from {shop}, {}", note.unwrap_or_default()))
}

/// Takes any arguments, and says which it got.
async fn open(_: Context, arguments: Map<String, Value>) -> Result<Value, Error> {
    Ok(Value::Object(arguments))
}

fn shop() -> Server {
    Server::named("shop").tool(Tool::new("order", "Orders.", order).tag("trade")).tool(Tool::dynamic(
        "open",
        "Takes anything.",
        &json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}),
        open,
    ))
}

fn adopt() -> Transform {
    Transform::new()
        .name("adopt")
        .title("Adoption")
        .description("Adopts a pet.")
        .hints(Hints::CREATE)
        .tag("kind")
        .rename("pet_id", "pet")
        .describe("pet_id", "The pet to adopt.")
        .fix("shop", "ours")
        .default_value("quantity", 1)
        .derive("note", |context: &Context| Ok(format!("over {}", context.protocol_version()).into()))
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_tool_is_offered_as_something_else() {
    let client = TestClient::start(shop().transform("order", adopt())).await.expect("a client");
    let tools = client.list("tools").await.expect("tools");
    let tool = &tools[0];
    assert_eq!((tool["name"].as_str(), tool["title"].as_str()), (Some("adopt"), Some("Adoption")));
    assert_eq!(tool["annotations"]["destructiveHint"], false);
    assert_eq!(tool["_meta"]["mcpwright/tags"], json!(["trade", "kind"]));
    let schema = &tool["inputSchema"];
    assert_eq!(schema["required"], json!(["pet"]));
    assert_eq!(schema["properties"]["pet"]["description"], "The pet to adopt.");
    assert_eq!(schema["properties"]["quantity"]["default"], 1);
    assert_eq!(schema["properties"].as_object().map(Map::len), Some(2), "{schema}");

    let result = client.call_tool("adopt", json!({"pet": 7})).await.expect("a result");
    assert_eq!(text(&result), "1 of 7 from ours, over 2026-07-28");
    let result = client.call_tool("adopt", json!({"pet": 7, "quantity": 2})).await.expect("a result");
    assert!(text(&result).starts_with("2 of 7"), "{result}");
    for wrong in [json!({}), json!({"pet": "x"}), json!({"pet": 7, "shop": "theirs"}), json!({"pet_id": 7})] {
        let result = client.call_tool("adopt", wrong.clone()).await.expect("a result");
        assert_eq!(result["isError"], true, "{wrong}");
    }
    client.call_tool("order", json!({"pet_id": 7})).await.expect_err("its own name is gone");
}

#[tokio::test]
async fn hidden_arguments_cannot_be_passed_where_a_tool_takes_more_than_it_names() {
    let transform = Transform::new().fix("a", "fixed").rename("b", "c");
    let client = TestClient::start(shop().transform("open", transform)).await.expect("a client");
    let given = json!({"a": "mine", "b": "sneaked", "c": 1, "d": 2});
    let result = client.call_tool("open", given).await.expect("a result");
    assert_eq!(result["structuredContent"], json!({"b": 1, "d": 2, "a": "fixed"}));
}

#[tokio::test]
async fn a_function_may_be_around_a_tool() {
    async fn polite(_: Context, mut call: TransformedCall) -> Result<String, Error> {
        if call.arguments["pet"] == 0 {
            return Ok("There is no pet 0.".to_owned());
        }
        call.arguments.insert("quantity".to_owned(), 3.into());
        let result = call.proceed().await?;
        Ok(format!("Gladly: {:?}", result.content))
    }
    let server = shop().transform("order", adopt().around(polite).timeout(Duration::from_secs(5)));
    let client = TestClient::start(server).await.expect("a client");
    let result = client.call_tool("adopt", json!({"pet": 7})).await.expect("a result");
    assert!(text(&result).starts_with("Gladly: ") && text(&result).contains("3 of 7"), "{result}");
    let result = client.call_tool("adopt", json!({"pet": 0})).await.expect("a result");
    assert_eq!(text(&result), "There is no pet 0.");
}

struct Idle;

#[async_trait]
impl Middleware for Idle {
    async fn on_list_tools(
        &self,
        _: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        next.run(page).await
    }
}

#[tokio::test]
async fn tools_of_mounted_servers_are_transformed_and_nobody_gets_round_it() {
    for inner in [shop(), shop().middleware(Idle)] {
        let server = Server::named("outer").mount("s", inner).transform("s_order", adopt());
        let client = TestClient::start(server).await.expect("a client");
        let names: Vec<Value> =
            client.list("tools").await.expect("tools").iter().map(|tool| tool["name"].clone()).collect();
        assert_eq!(names, ["adopt", "s_open"]);
        let result = client.call_tool("adopt", json!({"pet": 7})).await.expect("a result");
        assert!(text(&result).starts_with("1 of 7 from ours"), "{result}");
        let wild = json!({"pet_id": 7, "shop": "theirs", "quantity": 9});
        client.call_tool("s_order", wild).await.expect_err("only the transformed tool is offered");
    }
}

#[tokio::test]
async fn what_cannot_be_transformed_is_said_before_serving() {
    let cases = [
        (shop().transform("ordr", adopt()), "this server has no such tool"),
        (shop().transform("order", Transform::new().fix("shops", 1)), "no argument `shops`; it has pet_id, shop"),
        (shop().transform("order", Transform::new().rename("shop", "note")), "two arguments would be called `note`"),
        (shop().transform("order", Transform::new().name("open")), "two tools are called `open`"),
        (shop().transform("order", Transform::new().name("a b")), "`a b` is no name of a tool"),
    ];
    for (server, expected) in cases {
        let Err(StartError::Components(problems)) = TestClient::start(server).await else { panic!("it starts") };
        assert!(problems[0].to_string().contains(expected), "{}", problems[0]);
    }
}
