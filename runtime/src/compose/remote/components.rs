//! What the other server offers, as components of this one.

use std::sync::Arc;

use serde_json::Map;

use super::line::Line;
use crate::{
    component::{
        CallTerms, CompletionHandler, PromptEntry, PromptSource, ResourceEntry, ResourceSource, TemplateSource,
        ToolEntry, ToolSource,
    },
    message::{Complete, CompletionTarget, ToolInfo},
    protocol::Offers,
    registry::RegistryBuilder,
};

/// What the other server offers, as components whose handlers ask it.
pub(super) fn fill(builder: &mut RegistryBuilder, offers: Offers, line: &Arc<Line>) {
    for info in offers.tools {
        let (line, name) = (line.clone(), info.name.to_string());
        let source = ToolSource::Foreign(Arc::new(move |context, arguments| {
            let (line, name) = (line.clone(), name.clone());
            Box::pin(async move {
                let client = line.client().await?;
                client.call(&context, &name, arguments).await.map_err(|failure| line.error(failure))
            })
        }));
        let legal = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let name: String = info.name.chars().take(64).map(legal).collect();
        builder.add_tool(ToolEntry::new(ToolInfo { name: name.into(), ..info }, CallTerms::default(), source));
    }
    for info in offers.resources {
        let line = line.clone();
        let source = ResourceSource::Custom(Arc::new(move |context, uri, _| {
            let (line, uri) = (line.clone(), uri.to_owned());
            Box::pin(async move {
                let client = line.client().await?;
                client.read(&context, &uri).await.map_err(|failure| line.error(failure))
            })
        }));
        builder.add_resource(ResourceEntry { info: Arc::new(info), source });
    }
    for info in offers.templates {
        let text = info.uri_template.to_string();
        let variables: Vec<String> = text
            .parse::<crate::uri_template::UriTemplate>()
            .map(|template| template.variables().map(str::to_owned).collect())
            .unwrap_or_default();
        let completions = variables
            .into_iter()
            .map(|variable| (variable, completion(line, CompletionTarget::ResourceTemplate(text.clone()))));
        let completions = completions.collect();
        let line = line.clone();
        let handler: crate::component::TemplateHandler = Arc::new(move |context, _, uri, _| {
            let (line, uri) = (line.clone(), uri.to_owned());
            Box::pin(async move {
                let client = line.client().await?;
                client.read(&context, &uri).await.map_err(|failure| line.error(failure))
            })
        });
        let schema = serde_json::json!({"type": "object"});
        builder.add_template(info, TemplateSource::Custom { schema, handler }, completions);
    }
    for info in offers.prompts {
        let name = info.name.to_string();
        let target = CompletionTarget::Prompt(name.clone());
        let completions =
            info.arguments.iter().map(|argument| (argument.name.clone(), completion(line, target.clone()))).collect();
        let line = line.clone();
        let source = PromptSource::Custom(Arc::new(move |context, arguments: Map<_, _>| {
            let (line, name) = (line.clone(), name.clone());
            Box::pin(async move {
                let client = line.client().await?;
                client.prompt(&context, &name, arguments).await.map_err(|failure| line.error(failure))
            })
        }));
        let schema = serde_json::Value::Null;
        builder.insert_prompt(PromptEntry { info: Arc::new(info), schema, completions, source });
    }
}

fn completion(line: &Arc<Line>, target: CompletionTarget) -> CompletionHandler {
    let line = line.clone();
    Arc::new(move |context, Complete { argument, value, known, .. }| {
        let (line, target) = (line.clone(), target.clone());
        Box::pin(async move {
            let client = line.client().await?;
            let answer = client.complete(&context, target, &argument, &value, known).await;
            answer.map_err(|failure| line.error(failure))
        })
    })
}
