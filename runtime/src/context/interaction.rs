//! Asking back: elicitation, sampling and roots, the same in both protocol eras.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Context, link::Question};
use crate::{Error, ErrorKind, message::PromptMessage};

/// What the user made of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elicitation<T> {
    /// The user filled it in.
    Accepted(T),
    /// The user refused.
    Declined,
    /// The user closed it.
    Cancelled,
}

impl<T> Elicitation<T> {
    /// What the user filled in, if so.
    pub fn accepted(self) -> Option<T> {
        match self {
            Elicitation::Accepted(value) => Some(value),
            Elicitation::Declined | Elicitation::Cancelled => None,
        }
    }
}

/// A question to the client's model: `sampling/createMessage`.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// The conversation so far.
    pub messages: Vec<PromptMessage>,
    /// The system prompt.
    pub system: Option<String>,
    /// The length limit of the answer, in tokens.
    pub max_tokens: u32,
    /// The temperature.
    pub temperature: Option<f32>,
    /// Further members of the request, as the specification names them: `modelPreferences`, `stopSequences`, `tools` ….
    pub more: Map<String, Value>,
}

impl Sampling {
    /// One question of the user.
    pub fn new(prompt: impl Into<String>, max_tokens: u32) -> Self {
        Self {
            messages: vec![PromptMessage::user(prompt)],
            system: None,
            max_tokens,
            temperature: None,
            more: Map::new(),
        }
    }
}

/// The model's answer.
#[derive(Debug, Clone)]
pub struct SamplingAnswer {
    /// The text of the answer; empty when it is of another kind.
    pub text: String,
    /// The model's name.
    pub model: String,
    /// The answer as the client gave it.
    pub raw: Value,
}

/// A folder or other place that the client works in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The URI, `file://…`.
    pub uri: String,
    /// The name, for people.
    pub name: Option<String>,
}

impl Context {
    /// Asks the user to fill in a form whose fields are those of `T`: strings, numbers, booleans and enums of strings.
    ///
    /// From 2026-07-28 on, the handler runs again from its start when the answer is there, and then gets it here. What it
    /// does before it asks should therefore be harmless when done twice.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the client cannot show forms; [`ErrorKind::Failed`] when it answers nonsense.
    pub async fn elicit<T: DeserializeOwned + JsonSchema>(&self, message: &str) -> Result<Elicitation<T>, Error> {
        let mut schema = crate::component::schema_of::<T>();
        if let Some(object) = schema.as_object_mut() {
            object.shift_remove("$defs");
        }
        match self.elicit_schema(message, schema).await? {
            Elicitation::Accepted(content) => serde_json::from_value(content)
                .map(Elicitation::Accepted)
                .map_err(|error| Error::failed(format!("The client's answer does not fit the form: {error}."))),
            Elicitation::Declined => Ok(Elicitation::Declined),
            Elicitation::Cancelled => Ok(Elicitation::Cancelled),
        }
    }

    /// [`Context::elicit`] with a schema that is made at run time: a flat object (`requestedSchema`).
    ///
    /// # Errors
    /// As [`Context::elicit`].
    pub async fn elicit_schema(&self, message: &str, schema: Value) -> Result<Elicitation<Value>, Error> {
        if !self.client_capabilities().elicitation {
            return Err(unsupported("cannot show forms to its user (elicitation)", "elicitation"));
        }
        let params = json!({"mode": "form", "message": message, "requestedSchema": schema});
        let answer = self.ask("elicitation/create", params).await?;
        elicited(answer)
    }

    /// Sends the user to a URL, for what must not pass through the client: a login, a payment, a secret.
    /// `Accepted` says that the user agreed to open it, not that anything was done there.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the client cannot open URLs.
    pub async fn elicit_url(&self, message: &str, url: &str, id: &str) -> Result<Elicitation<()>, Error> {
        if !self.client_capabilities().elicitation_url {
            return Err(unsupported("cannot send its user to a URL (elicitation, mode url)", "elicitation"));
        }
        let params = json!({"mode": "url", "message": message, "url": url, "elicitationId": id});
        let answer = self.ask("elicitation/create", params).await?;
        Ok(match elicited(answer)? {
            Elicitation::Accepted(_) => Elicitation::Accepted(()),
            Elicitation::Declined => Elicitation::Declined,
            Elicitation::Cancelled => Elicitation::Cancelled,
        })
    }

    /// Asks the client's model.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the client offers none; [`ErrorKind::Failed`] when it or its user refuses.
    pub async fn sample(&self, sampling: Sampling) -> Result<SamplingAnswer, Error> {
        if !self.client_capabilities().sampling {
            return Err(unsupported("does not let servers ask its model (sampling)", "sampling"));
        }
        let messages: Vec<Value> = sampling.messages.iter().map(crate::protocol::prompt_message_json).collect();
        let mut params = sampling.more;
        params.insert("messages".to_owned(), messages.into());
        params.insert("maxTokens".to_owned(), sampling.max_tokens.into());
        if let Some(system) = sampling.system {
            params.insert("systemPrompt".to_owned(), system.into());
        }
        if let Some(temperature) = sampling.temperature {
            params.insert("temperature".to_owned(), temperature.into());
        }
        let raw = self.ask("sampling/createMessage", Value::Object(params)).await?;
        let content = raw.get("content");
        let block = content.and_then(Value::as_array).and_then(|blocks| blocks.first()).or(content);
        let text = block.and_then(|block| block.get("text")).and_then(Value::as_str).unwrap_or_default().to_owned();
        let model = raw.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(SamplingAnswer { text, model, raw })
    }

    /// The places that the client works in.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when the client does not tell.
    pub async fn roots(&self) -> Result<Vec<Root>, Error> {
        if !self.client_capabilities().roots {
            return Err(unsupported("does not tell which folders it works in (roots)", "roots"));
        }
        let answer = self.ask("roots/list", json!({})).await?;
        let roots = answer.get("roots").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |root: &Value, key: &str| root.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(roots.iter().filter_map(|root| Some(Root { uri: text(root, "uri")?, name: text(root, "name") })).collect())
    }

    /// The same context, whose next question has a name of its own: from 2026-07-28 on clients see it as the key of the
    /// question. Questions without one are counted: `elicitation-1`, `sampling-2` ….
    #[must_use]
    pub fn question(&self, key: impl Into<Arc<str>>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    /// Asks the client what another server asks, as it asks it.
    #[cfg(feature = "proxy")]
    pub(crate) async fn pass_on(&self, key: &str, mut question: Value) -> Result<Value, Error> {
        let (method, able, capability) = match question.get("method").and_then(Value::as_str) {
            Some("elicitation/create") => {
                let by_url = question.pointer("/params/mode").and_then(Value::as_str) == Some("url");
                let can = self.client_capabilities();
                ("elicitation/create", if by_url { can.elicitation_url } else { can.elicitation }, "elicitation")
            }
            Some("sampling/createMessage") => {
                ("sampling/createMessage", self.client_capabilities().sampling, "sampling")
            }
            Some("roots/list") => ("roots/list", self.client_capabilities().roots, "roots"),
            _ => return Err(Error::failed("The server behind this asks what no client can answer.")),
        };
        if !able {
            return Err(unsupported("cannot answer what the server behind this asks", capability));
        }
        let params = question.get_mut("params").map(Value::take).filter(Value::is_object).unwrap_or_else(|| json!({}));
        self.rounds().ask(self.link(), Some(key), Question { method, params }).await
    }

    async fn ask(&self, method: &'static str, params: Value) -> Result<Value, Error> {
        let key = self.key.as_deref();
        self.rounds().ask(self.link(), key, Question { method, params }).await
    }
}

fn elicited(mut answer: Value) -> Result<Elicitation<Value>, Error> {
    match answer.get("action").and_then(Value::as_str) {
        Some("accept") => {
            let content = answer.get_mut("content").map(Value::take).unwrap_or_default();
            Ok(Elicitation::Accepted(if content.is_null() { json!({}) } else { content }))
        }
        Some("decline") => Ok(Elicitation::Declined),
        Some("cancel") => Ok(Elicitation::Cancelled),
        _ => Err(Error::failed("The client's answer to a form says neither accept, decline nor cancel.")),
    }
}

/// The client lacks a capability; its name goes into the error's data.
fn unsupported(what: &str, capability: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("The client {what}, which this needs."))
        .with_data(json!({"requiredCapabilities": {capability: {}}}))
}
