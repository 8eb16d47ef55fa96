use mcpwright_runtime::{
    Error, Server,
    catalog::{self, Api, Definition, Method, Operation, Output, Parameter},
    component::{Call, Prompt, Resource, ResourceTemplate, Tool},
    content::ToolResult,
    context::Context,
    server::{Options, StartError},
    testing::TestClient,
};
use schemars::JsonSchema;
use serde::Deserialize;

async fn nothing(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("")
}

#[derive(Deserialize, JsonSchema)]
struct Id {
    #[expect(dead_code, reason = "only its name matters")]
    id: String,
}

async fn by_id(_: Context, _: Id) -> Result<&'static str, Error> {
    Ok("")
}

async fn wrapped(_: Context, call: Call) -> Result<ToolResult, Error> {
    call.proceed().await
}

static ELSEWHERE: Operation = Operation { name: "elsewhere", method: Method::Get, path: "/", ..Operation::DEFAULT };
static API: Api = Api { name: "here", ..Api::DEFAULT };

async fn problem(server: Server) -> String {
    match TestClient::start(server).await {
        Err(StartError::Components(problems)) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].to_string()
        }
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it starts"),
    }
}

#[tokio::test]
async fn what_does_not_fit_together_is_said_before_serving() {
    let named = || Server::named("problems");
    let tool = |name: &'static str| Tool::new(name, "", nothing);
    let resource = |uri: &'static str| Resource::text(uri, "r", "");
    let cases = [
        (named().tool(tool("a")).tool(tool("a")), "two tools are called `a`"),
        (named().tool(tool("a b")), "`a b` is no name of a tool"),
        (named().tool(tool("")), "is no name of a tool"),
        (named().resource(resource("a:b")).resource(resource("a:b")), "two resources are called `a:b`"),
        (named().resource(resource("config")), "such as `config://config`"),
        (named().resource(resource("a:{b}")), "register it as a ResourceTemplate"),
        (named().resource_template(ResourceTemplate::new("a:{id", "t", by_id)), "has no partner"),
        (named().resource_template(ResourceTemplate::new("a:b", "t", nothing)), "register it as a Resource"),
        (named().resource_template(ResourceTemplate::new("a:{key}/{id}", "t", by_id)), "has the variable `key`"),
        (named().resource_template(ResourceTemplate::new("a:{x}", "t", nothing)), "has the variable `x`"),
        (
            named().prompt(Prompt::new("p", "", nothing)).prompt(Prompt::new("p", "", nothing)),
            "two prompts are called `p`",
        ),
        (Server::new(&API).wrap(&ELSEWHERE, wrapped), "`elsewhere` is not offered as a tool"),
    ];
    for (server, expected) in cases {
        let problem = problem(server).await;
        assert!(problem.contains(expected), "{problem}");
    }
}

#[tokio::test]
async fn a_handler_gets_what_its_template_has() {
    #[derive(Deserialize, JsonSchema)]
    struct Both {
        #[expect(dead_code, reason = "only its name matters")]
        id: String,
        #[expect(dead_code, reason = "only its name matters")]
        page: String,
    }
    async fn both(_: Context, _: Both) -> Result<&'static str, Error> {
        Ok("")
    }
    let server = Server::named("problems").resource_template(ResourceTemplate::new("a:{id}", "t", both));
    let problem = problem(server).await;
    assert!(problem.contains("needs `page`") && problem.contains("{?page}"), "{problem}");
}

#[tokio::test]
async fn a_port_in_use_is_said_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let options = Options { port, ..Options::default() };
    let error = Server::named("late").serve_http(&options, std::future::pending()).await.expect_err("in use");
    assert!(matches!(error, StartError::AddressInUse { .. }) && error.to_string().contains("--port"), "{error}");
}

#[tokio::test]
async fn paths_that_cannot_be_served_are_refused() {
    for path in ["mcp", "/health", "/a{b}", "/a?b"] {
        let options = Options { path: path.to_owned(), ..Options::default() };
        let error = Server::named("paths").into_router(&options).await.expect_err(path);
        assert!(matches!(error, StartError::Option(_)), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_catalog_with_broken_schemas_does_not_start_and_each_is_named() {
    static PARAMETER: Parameter = Parameter { name: "limit", schema: "{\"type\":", ..Parameter::QUERY };
    static FINE: Parameter = Parameter { name: "page", schema: "true", ..Parameter::QUERY };
    static OUTPUT: Output = Output { schema: "[]", ..Output::DEFAULT };
    static LIST: Operation = Operation {
        name: "list_pets",
        path: "/pets",
        parameters: &[&PARAMETER, &FINE],
        output: Some(&OUTPUT),
        ..Operation::DEFAULT
    };
    static BROKEN: Api = Api {
        name: "pets",
        servers: &[&catalog::Server { url: "http://127.0.0.1:1", ..catalog::Server::DEFAULT }],
        definitions: &[Definition { name: "Pet", schema: "{'a': 1}" }],
        operations: &[&[&LIST]],
        ..Api::DEFAULT
    };
    let Err(StartError::Components(problems)) = TestClient::start(Server::new(&BROKEN)).await else {
        panic!("it does not start, because of its components")
    };
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    for (said, place) in
        said.iter().zip(["the definition `Pet`", "the parameter `limit` of `list_pets`", "the output of `list_pets`"])
    {
        assert!(said.starts_with(place) && said.contains("no JSON object"), "{said}");
    }
}
