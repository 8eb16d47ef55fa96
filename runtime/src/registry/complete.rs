//! Proposals for arguments of prompts and variables of templates.

use serde_json::Value;

use super::Registry;
use crate::{
    Error,
    component::{CompletionHandler, PromptSource, TemplateSource, choices},
    context::Context,
    message::{Complete, Completion, CompletionTarget},
};

impl Registry {
    /// Proposals: of the argument's own handler, else of its schema, else of the server's handler.
    pub(crate) async fn complete(&self, context: Context, request: Complete) -> Result<Completion, Error> {
        let (handler, choices) = match &request.target {
            CompletionTarget::Prompt(_) if self.prompts.is_empty() => return Ok(Completion::default()),
            CompletionTarget::Prompt(name) => {
                let prompt = self
                    .prompts
                    .get(name)
                    .ok_or_else(|| Error::invalid_params(format!("Unknown prompt: {}.", name.escape_debug())))?;
                if let PromptSource::Mounted(inner) = &prompt.source {
                    let target = CompletionTarget::Prompt(inner.name.clone());
                    return inner.child.complete(&context, target, request).await;
                }
                let choices = property(&prompt.schema, &request.argument).map(choices).unwrap_or_default();
                (prompt.completions.get(&request.argument), choices)
            }
            CompletionTarget::ResourceTemplate(template) => match self.templates.get(template) {
                Some(entry) => {
                    let choices = match &entry.source {
                        TemplateSource::Operation(operation) => operation.choices(&request.argument),
                        TemplateSource::Custom { schema, .. } => {
                            property(schema, &request.argument).map(choices).unwrap_or_default()
                        }
                        TemplateSource::Mounted(inner) => {
                            let target = CompletionTarget::ResourceTemplate(inner.name.clone());
                            return inner.child.complete(&context, target, request).await;
                        }
                    };
                    (entry.completions.get(&request.argument), choices)
                }
                // The reference may be a plain resource, which has nothing to fill in.
                None if self.resources.contains_key(template) => return Ok(Completion::default()),
                None => {
                    let template = template.escape_debug();
                    return Err(Error::invalid_params(format!("Unknown resource template: {template}.")));
                }
            },
        };
        if let Some(handler) = handler {
            return run(handler, context, request).await;
        }
        if !choices.is_empty() {
            let typed = request.value.to_lowercase();
            let fitting = |choice: &String| choice.to_lowercase().starts_with(&typed);
            return Ok(cut(choices.into_iter().filter(fitting).collect::<Vec<_>>().into()));
        }
        match &self.completion {
            Some(handler) => run(handler, context, request).await,
            None => Ok(Completion::default()),
        }
    }
}

async fn run(handler: &CompletionHandler, context: Context, request: Complete) -> Result<Completion, Error> {
    handler(context, request).await.map(cut)
}

/// At most 100 values may go out.
fn cut(mut completion: Completion) -> Completion {
    completion.values.truncate(100);
    completion
}

/// The schema of a property, `$ref` into `$defs` followed.
fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let property = schema.get("properties")?.get(name)?;
    // schemars writes an optional enum as `anyOf: [{"$ref": …}, {"type": "null"}]`.
    let property = property.get("anyOf").and_then(|any| any.get(0)).unwrap_or(property);
    let definition = property.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"));
    match definition {
        Some(definition) => schema.get("$defs")?.get(definition),
        None => Some(property),
    }
}
