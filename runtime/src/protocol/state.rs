//! The state of multi-round-trip requests: signed, so that a client can neither read something into it nor use it for
//! another request.

use std::{collections::BTreeMap, time::Duration};

use rmcp::{ErrorData, model as wire};
use serde_json::Value;

use crate::{auth::Principal, message::Request, storage::digest};

/// How long a client may take to answer.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Signs and opens states.
pub(crate) struct Seal(wire::RequestStateCodec);

impl Seal {
    /// With a secret that all instances of a server share, or a random one that lives as long as the process.
    ///
    /// # Errors
    /// A secret of less than 32 bytes, in words for its user.
    pub(crate) fn new(secret: Option<&str>) -> Result<Self, String> {
        let codec = match secret {
            Some(secret) => wire::RequestStateCodec::try_new(secret.as_bytes()),
            None => {
                let mut random = [0; 32];
                // From the system itself: aws-lc's generator takes 25 ms to start, which every start would pay.
                getrandom::fill(&mut random).map_err(|error| format!("no random numbers: {error}"))?;
                wire::RequestStateCodec::try_new(random)
            }
        };
        codec.map(Self).map_err(|error| error.to_string())
    }

    pub(super) fn open(&self, sealed: &str, binding: &[u8]) -> Result<BTreeMap<String, Value>, ErrorData> {
        let refused = |error: &dyn std::fmt::Display| {
            tracing::debug!(%error, "a request state was refused");
            ErrorData::invalid_params(
                "The requestState is not one of this request, or it has expired. Begin again.",
                None,
            )
        };
        let opened = self.0.open_with(sealed, binding).map_err(|error| refused(&error))?;
        serde_json::from_slice(&opened).map_err(|error| refused(&error))
    }

    pub(super) fn close(&self, answers: &BTreeMap<String, Value>, binding: &[u8]) -> Result<String, ErrorData> {
        let text = serde_json::to_vec(answers)
            .map_err(|_| ErrorData::internal_error("The answers so far cannot be kept.", None))?;
        let options = wire::SealOptions::new().associated_data(binding).ttl(LIFETIME);
        Ok(self.0.seal_with(&text, &options))
    }
}

/// A principal, in few characters that tell nothing of it; empty for nobody.
pub(super) fn owner(principal: Option<&Principal>) -> String {
    principal.map(|who| digest([&who.issuer, &who.subject])).unwrap_or_default()
}

/// What a state belongs to: the principal, the method, its target and its arguments.
pub(super) fn binding(request: &Request, owner: &str) -> Vec<u8> {
    let arguments = match request {
        Request::CallTool(call) => Some(&call.arguments),
        Request::GetPrompt(get) => Some(&get.arguments),
        _ => None,
    };
    let arguments = arguments.and_then(|arguments| serde_json::to_string(arguments).ok()).unwrap_or_default();
    format!("{owner}\n{}\n{}\n{arguments}", request.method(), request.target().unwrap_or_default()).into_bytes()
}
