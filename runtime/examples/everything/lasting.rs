//! Tools whose calls go on as tasks.

use std::time::Duration;

use mcpwright_runtime::{
    Error, Server,
    component::{TaskSupport, Tool},
    context::{Context, Elicitation},
};
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) fn add(server: Server) -> Server {
    let lasting = |tool: Tool| tool.task_support(TaskSupport::Optional);
    server
        .tool(Tool::new("greet", "Greets, at once.", greet))
        .tool(lasting(Tool::new("slow_compute", "Computes for some seconds.", slow_compute)))
        .tool(Tool::new("failing_job", "Works a while, and fails.", failing_job).task_support(TaskSupport::Required))
        .tool(lasting(Tool::new("protocol_error_job", "Breaks.", protocol_error_job)))
        .tool(lasting(Tool::new("confirm_delete", "Deletes no file, when asked twice.", confirm_delete)))
        .tool(lasting(Tool::new("multi_input", "Asks two things at once.", multi_input)))
        .tool(
            Tool::new("test_tool_with_task", "Asks for a name, then greets at leisure.", at_leisure)
                .task_support(TaskSupport::Required)
                .task_when_started(),
        )
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

async fn greet(_: Context, Name { name }: Name) -> Result<String, Error> {
    Ok(format!("Hello, {name}!"))
}

#[derive(Deserialize, JsonSchema)]
struct Work {
    /// How long to work, in seconds.
    seconds: f64,
    label: Option<String>,
}

async fn slow_compute(context: Context, Work { seconds, label }: Work) -> Result<String, Error> {
    let whole = Duration::try_from_secs_f64(seconds).map_err(|error| Error::failed(error.to_string()))?;
    let label = label.unwrap_or_else(|| "it".to_owned());
    for step in 0..4_u8 {
        context.progress(f64::from(step) * 25.0, Some(100.0), Some(&label)).await;
        tokio::time::sleep(whole / 4).await;
    }
    Ok(format!("computed {label} in {seconds} s"))
}

async fn failing_job(_: Context, (): ()) -> Result<(), Error> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Err(Error::failed("The job could not be done."))
}

async fn protocol_error_job(_: Context, (): ()) -> Result<(), Error> {
    Err(Error::internal("The server failed at this."))
}

#[derive(Deserialize, JsonSchema)]
struct File {
    filename: String,
}

#[derive(Deserialize, JsonSchema)]
struct Confirmation {
    confirm: bool,
}

async fn confirm_delete(context: Context, File { filename }: File) -> Result<String, Error> {
    let question = format!("Delete {filename}?");
    Ok(match context.elicit(&question).await? {
        Elicitation::Accepted(Confirmation { confirm: true }) => format!("{filename} would be deleted now."),
        _ => format!("{filename} stays."),
    })
}

async fn multi_input(context: Context, (): ()) -> Result<String, Error> {
    let (first, second) =
        tokio::try_join!(async { context.question("first").elicit::<Name>("What is the first name?").await }, async {
            context.question("second").elicit::<Name>("What is the second name?").await
        },)?;
    let name = |answer: Elicitation<Name>| answer.accepted().map_or_else(|| "nobody".to_owned(), |name| name.name);
    Ok(format!("{} and {}", name(first), name(second)))
}

async fn at_leisure(context: Context, (): ()) -> Result<String, Error> {
    let name = match context.question("user_name").elicit::<Name>("What is your name?").await? {
        Elicitation::Accepted(Name { name }) => name,
        _ => "stranger".to_owned(),
    };
    context.start_task();
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(format!("Hello, {name}, at last."))
}
