//! Resources, templates, prompts and their completions.

use mcpwright_runtime::{
    Error, Server,
    component::{Prompt, Resource, ResourceTemplate},
    content::{Content, ResourceBody, ResourceContents},
    context::Context,
    message::{Complete, PromptMessage, Role},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::contents;

#[derive(Deserialize, JsonSchema)]
struct Data {
    id: String,
}

#[derive(Deserialize, JsonSchema)]
struct TwoArguments {
    /// First test argument
    arg1: String,
    /// Second test argument
    arg2: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WithResource {
    /// URI of the resource to embed
    resource_uri: String,
}

pub(crate) fn add(server: Server) -> Server {
    server
        .resource(
            Resource::text("test://static-text", "Static text", "This is the content of the static text resource.")
                .media_type("text/plain")
                .description("A text that never changes."),
        )
        .resource(
            Resource::new("test://static-binary", "Static picture", async |_| Ok(contents::picture()))
                .media_type("image/png")
                .description("A picture that never changes."),
        )
        .resource(
            Resource::text("test://watched-resource", "Watched resource", "Watched resource content")
                .media_type("text/plain")
                .description("A resource to subscribe to."),
        )
        .resource_template(
            ResourceTemplate::new("test://template/{id}/data", "Template data", data)
                .media_type("application/json")
                .description("Data for any id.")
                .complete("id", ids),
        )
        .prompt(Prompt::new("test_simple_prompt", "A prompt without arguments.", simple))
        .prompt(
            Prompt::new("test_prompt_with_arguments", "A prompt with two arguments.", with_arguments)
                .complete("arg1", first_arguments),
        )
        .prompt(Prompt::new("test_prompt_with_embedded_resource", "A prompt with a resource.", with_resource))
        .prompt(Prompt::new("test_prompt_with_image", "A prompt with a picture.", with_image))
}

async fn data(_: Context, Data { id }: Data) -> Result<Value, Error> {
    Ok(json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}))
}

async fn ids(_: Context, request: Complete) -> Result<Vec<String>, Error> {
    let all = ["123", "124", "456"].iter().map(|id| (*id).to_owned());
    Ok(all.filter(|id| id.starts_with(&request.value)).collect())
}

async fn first_arguments(_: Context, request: Complete) -> Result<Vec<String>, Error> {
    let all = ["paris", "park", "party"].iter().map(|value| (*value).to_owned());
    Ok(all.filter(|value| value.starts_with(&request.value)).collect())
}

async fn simple(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("This is a simple prompt for testing.")
}

async fn with_arguments(_: Context, TwoArguments { arg1, arg2 }: TwoArguments) -> Result<String, Error> {
    Ok(format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))
}

async fn with_resource(_: Context, arguments: WithResource) -> Result<Vec<PromptMessage>, Error> {
    let resource = ResourceContents {
        uri: arguments.resource_uri,
        media_type: Some("text/plain".into()),
        body: ResourceBody::Text("Embedded resource content for testing.".into()),
        meta: Map::new(),
    };
    Ok(vec![
        PromptMessage { role: Role::User, content: Content::Resource(resource) },
        PromptMessage::user("Please process the embedded resource above."),
    ])
}

async fn with_image(_: Context, (): ()) -> Result<Vec<PromptMessage>, Error> {
    let image = Content::Image { data: contents::picture(), media_type: "image/png".into() };
    Ok(vec![PromptMessage { role: Role::User, content: image }, PromptMessage::user("Please analyze the image above.")])
}
