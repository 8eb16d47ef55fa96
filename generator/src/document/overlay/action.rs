//! One action of an overlay (Overlay 1.1, "Action Object").

use std::collections::HashSet;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::{Changed, Origins, OverlayError, merge};
use crate::{
    diagnostics::{Diagnostics, Location},
    document::codes,
};

/// The members of an action.
const MEMBERS: [&str; 5] = ["target", "description", "update", "copy", "remove"];

/// What an action does to its targets.
enum Change {
    Remove,
    Merge(Value, Origins),
}

impl Changed {
    /// Carries an action out. `copies` says whether the version of the overlay knows `copy`.
    pub(super) fn act(
        &mut self,
        action: &Value,
        place: &Location,
        copies: bool,
        diagnostics: &mut Diagnostics,
    ) -> Result<(), OverlayError> {
        let Some(members) = action.as_object() else {
            return Err(wrong(place, "the action is no object", "give it a `target` and an `update` or `remove`"));
        };
        let Some(target) = members.get("target").and_then(Value::as_str) else {
            return Err(wrong(place, "the action has no `target`", "give a JSONPath (RFC 9535)"));
        };
        complain(members, place, copies, diagnostics);
        let target_place = below(place, "target");
        let targets = select(target, &target_place, &self.document)?;
        let Some(change) = self.change(members, place, copies)? else {
            diagnostics
                .push(
                    &codes::OVERLAY_WITHOUT_EFFECT,
                    Some(place.clone()),
                    "the action neither updates nor removes anything",
                )
                .help("give it one of `update`, `remove: true` and, since Overlay 1.1, `copy`");
            return Ok(());
        };
        if targets.is_empty() {
            diagnostics
                .push(&codes::OVERLAY_WITHOUT_TARGET, Some(target_place), format!("`{target}` matches nothing"))
                .help("compare it with the document as the actions before it have left it");
            return Ok(());
        }
        let (update, origin) = match change {
            Change::Remove if targets.iter().any(String::is_empty) => {
                return Err(wrong(&target_place, "the whole document is removed", "remove a part of it"));
            }
            Change::Remove => {
                merge::remove(&mut self.document, &mut self.origins, &targets);
                return Ok(());
            }
            Change::Merge(update, origin) => (update, origin),
        };
        for target in &targets {
            let Some(value) = self.document.pointer_mut(target) else { continue };
            if !self.merge.target(value, self.origins.entry(target), &update, &origin) {
                let help = "choose a target that selects less";
                return Err(wrong(
                    place,
                    "the overlays make the document too large: they add millions of values",
                    help,
                ));
            }
        }
        for mismatch in self.merge.mismatches() {
            let message = format!("{} was replaced by {}", mismatch.old, mismatch.new);
            diagnostics
                .push(&codes::OVERLAY_MISMATCH, mismatch.place, message)
                .help("remove the old value in an action before this one");
        }
        Ok(())
    }

    /// What the action does; `None` for nothing.
    fn change(
        &self,
        members: &Map<String, Value>,
        place: &Location,
        copies: bool,
    ) -> Result<Option<Change>, OverlayError> {
        match members.get("remove") {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => return Ok(Some(Change::Remove)),
            Some(_) => {
                let help = "write `true`, without quotes, to remove the targets";
                return Err(wrong(&below(place, "remove"), "`remove` is neither true nor false", help));
            }
        }
        let place_of = |member| below(place, member);
        match (members.get("update"), members.get("copy").filter(|_| copies)) {
            (Some(update), None) => Ok(Some(Change::Merge(update.clone(), Origins::at(place_of("update"))))),
            (None, Some(Value::String(path))) => {
                let place = place_of("copy");
                let found = select(path, &place, &self.document)?;
                let source = match found.as_slice() {
                    [source] => source,
                    found => {
                        let message = format!("`{path}` matches {} values, and one is to be copied", found.len());
                        return Err(wrong(&place, &message, "name exactly one value"));
                    }
                };
                let value = self.document.pointer(source).cloned().unwrap_or_default();
                Ok(Some(Change::Merge(value, self.origins.subtree(source))))
            }
            (None, Some(_)) => Err(wrong(&place_of("copy"), "`copy` is no text", "give a JSONPath (RFC 9535)")),
            (Some(_), Some(_)) => {
                let help = "split it into two actions";
                Err(wrong(place, "the action has both `update` and `copy`", help))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Tells of members that change nothing.
fn complain(members: &Map<String, Value>, place: &Location, copies: bool, diagnostics: &mut Diagnostics) {
    let mut tell = |member: &str, message: String, help: &str| {
        diagnostics.push(&codes::OVERLAY_WITHOUT_EFFECT, Some(below(place, member)), message).help(help);
    };
    let removes = members.get("remove") == Some(&Value::Bool(true));
    for member in members.keys() {
        match member.as_str() {
            "update" | "copy" if removes => {
                tell(member, format!("`{member}` has no effect beside `remove: true`"), "split it into two actions");
            }
            "copy" if !copies => {
                tell(member, "Overlay 1.0 knows no `copy`".to_owned(), "write `overlay: 1.1.0` at the beginning");
            }
            known if MEMBERS.contains(&known) || known.starts_with("x-") => {}
            unknown => {
                tell(
                    unknown,
                    format!("an action has no `{unknown}`"),
                    "there are `target`, `update`, `copy`, `remove`",
                );
            }
        }
    }
}

fn wrong(place: &Location, message: &str, help: &str) -> OverlayError {
    OverlayError { location: place.clone(), message: message.to_owned(), help: help.to_owned() }
}

fn below(place: &Location, member: &str) -> Location {
    let mut pointer = place.pointer.clone();
    crate::document::files::push_token(&mut pointer, member);
    Location { file: place.file, pointer }
}

/// The JSON Pointers of what a path selects, in document order and each once.
fn select(path: &str, place: &Location, document: &Value) -> Result<Vec<String>, OverlayError> {
    let parsed = JsonPath::parse(path).map_err(|error| {
        let help = "write it as RFC 9535 says, such as `$.paths['/pets'].get`";
        wrong(place, &format!("`{path}` is no JSONPath: {error}"), help)
    })?;
    let mut seen = HashSet::new();
    let pointers =
        parsed.query_located(document).iter().map(|node| node.location().to_json_pointer()).collect::<Vec<_>>();
    Ok(pointers.into_iter().filter(|pointer| seen.insert(pointer.clone())).collect())
}
