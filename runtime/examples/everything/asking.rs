//! Tools and a prompt that ask the client back. The same code serves clients of every protocol version.

use mcpwright_runtime::{
    Error, Server,
    component::{Prompt, Tool},
    context::{Context, Elicitation, Sampling},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize, JsonSchema)]
struct Name {
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Color {
    color: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Confirmation {
    ok: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Background {
    /// What the prompt should be about.
    context: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Question {
    /// What to ask the model.
    prompt: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Request {
    /// What to ask the user.
    message: String,
}

pub(crate) fn add(server: Server) -> Server {
    server
        .tool(Tool::new("test_sampling", "Asks the client's model.", sampling))
        .tool(Tool::new("test_elicitation", "Asks the user.", elicitation))
        .tool(Tool::new("test_elicitation_sep1034_defaults", "Asks with defaults.", defaults))
        .tool(Tool::new("test_elicitation_sep1330_enums", "Asks for choices.", enums))
        .tool(Tool::new("test_missing_capability", "Needs a client with a model.", missing_capability))
        .tool(Tool::new("test_streaming_elicitation", "Asks the user's name.", name))
        .tool(Tool::new("test_input_required_result_elicitation", "Asks the user's name.", name))
        .tool(Tool::new("test_input_required_result_sampling", "Asks the client's model.", capital))
        .tool(Tool::new("test_input_required_result_list_roots", "Asks for the client's folders.", roots))
        .tool(Tool::new("test_input_required_result_request_state", "Asks for a confirmation.", confirm))
        .tool(Tool::new("test_input_required_result_tampered_state", "Asks for a confirmation.", confirm))
        .tool(Tool::new("test_input_required_result_multiple_inputs", "Asks three things at once.", at_once))
        .tool(Tool::new("test_input_required_result_multi_round", "Asks one thing after the other.", in_turn))
        .tool(Tool::new("test_input_required_result_capabilities", "Asks what the client can answer.", able))
        .prompt(Prompt::new("test_input_required_result_prompt", "Asks what it should be about.", prompt))
}

fn shown(answer: Elicitation<Value>) -> String {
    let (action, content) = match answer {
        Elicitation::Accepted(content) => ("accept", content),
        Elicitation::Declined => ("decline", Value::Null),
        Elicitation::Cancelled => ("cancel", Value::Null),
    };
    format!("action={action}, content={content}")
}

async fn sampling(context: Context, question: Question) -> Result<String, Error> {
    let answer = context.sample(Sampling::new(question.prompt, 100)).await?;
    Ok(format!("LLM response: {}", answer.text))
}

async fn elicitation(context: Context, request: Request) -> Result<String, Error> {
    let schema = json!({
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    });
    let answer = context.elicit_schema(&request.message, schema).await?;
    Ok(format!("User response: {}", shown(answer)))
}

async fn defaults(context: Context, (): ()) -> Result<String, Error> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "default": true},
        },
    });
    let answer = context.elicit_schema("Please check these.", schema).await?;
    Ok(format!("Elicitation completed: {}", shown(answer)))
}

async fn enums(context: Context, (): ()) -> Result<String, Error> {
    let titled = |first: &str| {
        json!([
            {"const": "value1", "title": format!("First {first}")},
            {"const": "value2", "title": format!("Second {first}")},
            {"const": "value3", "title": format!("Third {first}")},
        ])
    };
    let options = json!(["option1", "option2", "option3"]);
    let schema = json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {"type": "string", "oneOf": titled("Option")},
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
        },
    });
    let answer = context.elicit_schema("Please choose.", schema).await?;
    Ok(format!("Elicitation completed: {}", shown(answer)))
}

async fn missing_capability(context: Context, (): ()) -> Result<String, Error> {
    let answer = context.sample(Sampling::new("Say hello.", 20)).await?;
    Ok(answer.text)
}

async fn name(context: Context, (): ()) -> Result<String, Error> {
    Ok(match context.question("user_name").elicit::<Name>("What is your name?").await? {
        Elicitation::Accepted(Name { name }) => format!("Hello, {name}!"),
        Elicitation::Declined | Elicitation::Cancelled => "Hello, whoever you are!".to_owned(),
    })
}

async fn capital(context: Context, (): ()) -> Result<String, Error> {
    let answer = context.sample(Sampling::new("What is the capital of France?", 100)).await?;
    Ok(format!("The model says: {}", answer.text))
}

async fn roots(context: Context, (): ()) -> Result<String, Error> {
    let roots: Vec<String> = context.roots().await?.into_iter().map(|root| root.uri).collect();
    Ok(format!("You work in {}.", roots.join(", ")))
}

async fn confirm(context: Context, (): ()) -> Result<String, Error> {
    let answer = context.elicit::<Confirmation>("Please confirm").await?;
    let ok = answer.accepted().is_some_and(|answer| answer.ok);
    Ok(format!("state-ok, confirmed: {ok}"))
}

async fn at_once(context: Context, (): ()) -> Result<String, Error> {
    let (name, greeting, roots) = tokio::join!(
        context.elicit::<Name>("What is your name?"),
        context.sample(Sampling::new("Generate a greeting", 50)),
        context.roots(),
    );
    let name = name?.accepted().map_or_else(|| "stranger".to_owned(), |answer| answer.name);
    Ok(format!("{} {name}, at home in {} folders", greeting?.text, roots?.len()))
}

async fn in_turn(context: Context, (): ()) -> Result<String, Error> {
    let name = context.elicit::<Name>("Step 1: What is your name?").await?.accepted();
    let color = context.elicit::<Color>("Step 2: What is your favorite color?").await?.accepted();
    let name = name.map_or_else(|| "Somebody".to_owned(), |answer| answer.name);
    let color = color.map_or_else(|| "no color".to_owned(), |answer| answer.color);
    Ok(format!("{name} likes {color}."))
}

async fn able(context: Context, (): ()) -> Result<String, Error> {
    let can = context.client_capabilities();
    if can.elicitation {
        return name(context, ()).await;
    }
    if can.sampling {
        return capital(context, ()).await;
    }
    Ok("There is nothing that you could be asked.".to_owned())
}

async fn prompt(context: Context, (): ()) -> Result<String, Error> {
    let about = context.elicit::<Background>("What context should the prompt use?").await?.accepted();
    Ok(format!("Write about {}.", about.map_or_else(|| "anything".to_owned(), |answer| answer.context)))
}
