//! OpenAPI Overlay 1.0 and 1.1: changes to the root document before anything is read from it.

mod action;
mod extends;
mod merge;
mod origins;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::{
    diagnostics::{Diagnostics, Location},
    source::FileId,
};
use merge::Merge;

pub(super) use extends::check as check_extends;
pub(crate) use origins::Origins;

/// How many values overlays may add in all: an action can double the document, and so can the next one.
const MAX_ADDED: usize = 5_000_000;

/// Why an overlay cannot be applied.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct OverlayError {
    /// Where in the overlay.
    pub location: Location,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// A document under change, and where its values come from.
pub(super) struct Changed {
    document: Value,
    origins: Origins,
    merge: Merge,
}

impl Changed {
    /// A document as it was read.
    pub(super) fn new(document: Value, file: FileId) -> Self {
        let origins = Origins::at(Location { file, pointer: String::new() });
        Self { document, origins, merge: Merge::new(MAX_ADDED) }
    }

    /// The document as it is now.
    pub(super) fn document(&self) -> &Value {
        &self.document
    }

    /// The changed document, and where its values come from.
    pub(super) fn finish(self) -> (Value, Origins) {
        (self.document, self.origins)
    }

    /// Applies an overlay (Overlay 1.1, "Overlay Object").
    ///
    /// # Errors
    /// When the overlay is ill-formed. Half an overlay is worse than none, since overlays often take away what must not
    /// be offered.
    pub(super) fn apply(
        &mut self,
        overlay: &Value,
        file: FileId,
        diagnostics: &mut Diagnostics,
    ) -> Result<(), OverlayError> {
        let wrong = |pointer: &str, message: String, help: &str| OverlayError {
            location: Location { file, pointer: pointer.to_owned() },
            message,
            help: help.to_owned(),
        };
        let version = match overlay.get("overlay") {
            Some(Value::String(version)) => version.clone(),
            Some(Value::Number(version)) => version.to_string(),
            _ => {
                let message = "this is no Overlay: it has no `overlay` member with a version".to_owned();
                return Err(wrong("", message, "begin it with `overlay: 1.0.0`"));
            }
        };
        let copies = match version.strip_prefix("1.").and_then(|rest| rest.split('.').next()) {
            Some("0") => false,
            Some("1") => true,
            _ => {
                let message = format!("version {version} of Overlay is not known");
                return Err(wrong("/overlay", message, "versions 1.0 and 1.1 are read"));
            }
        };
        let Some(actions) = overlay.get("actions").and_then(Value::as_array) else {
            let message = "the overlay has no list of `actions`".to_owned();
            return Err(wrong("", message, "add `actions:` with what to change"));
        };
        for (index, action) in actions.iter().enumerate() {
            let place = Location { file, pointer: format!("/actions/{index}") };
            self.act(action, &place, copies, diagnostics)?;
        }
        Ok(())
    }
}
