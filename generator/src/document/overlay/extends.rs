//! Whether an overlay is meant for the document at hand.

use std::path::Path;

use serde_json::Value;

use crate::{
    diagnostics::{Diagnostics, Location},
    document::codes,
    source::{FileId, Source, Sources},
};

/// Tells when `extends` names another document (Overlay 1.1, "Overlay Object"). A URL says nothing about a copy of the
/// document on disk.
pub(in crate::document) fn check(
    overlay: &Value,
    file: FileId,
    (sources, root): (&Sources, FileId),
    document: &Value,
    diagnostics: &mut Diagnostics,
) {
    let Some(extends) = overlay.get("extends") else { return };
    let place = Some(Location { file, pointer: "/extends".to_owned() });
    let Some(extends) = extends.as_str() else {
        diagnostics.push(&codes::INVALID_MEMBER, place, "`extends` is no text, and is ignored");
        return;
    };
    let own_name = document.get("$self").and_then(Value::as_str);
    if own_name != Some(extends) && differs(extends, sources.origin(file), sources.origin(root)) {
        let message = format!("the overlay is for `{extends}`, not for `{}`", sources.name(root));
        diagnostics
            .push(&codes::OVERLAY_FOR_ANOTHER_DOCUMENT, place, message)
            .help("give the document that it names, or mend `extends`");
    }
}

/// Whether a reference in an overlay surely leads to something else than the document.
fn differs(extends: &str, overlay: Option<&Source>, document: Option<&Source>) -> bool {
    match (overlay, document) {
        (Some(Source::Url(base)), Some(Source::Url(document))) => {
            base.join(extends).is_ok_and(|extended| extended != *document)
        }
        (_, Some(Source::Url(document))) => url::Url::parse(extends).is_ok_and(|extended| extended != *document),
        (Some(Source::Path(overlay)), Some(Source::Path(document))) if !has_scheme(extends) => {
            let decoded = percent_encoding::percent_decode_str(extends).decode_utf8_lossy();
            let extended = overlay.parent().unwrap_or(Path::new("")).join(&*decoded);
            match (extended.canonicalize(), document.canonicalize()) {
                (Ok(extended), Ok(document)) => extended != document,
                (Err(_), Ok(_)) => true,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a reference is absolute. A Windows drive is no scheme.
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && !scheme.contains(['/', '.', '\\']))
}
