//! The names of places that become components because references lead there.

use super::Lifter;
use crate::document::files::{Files, Target};

impl Lifter {
    /// The name of the component that a place becomes when a reference leads there.
    pub(super) fn name(&mut self, target: Target, files: &Files<'_>) -> String {
        if let Some(name) = self.names.get(&target) {
            return name.clone();
        }
        let tokens: Vec<&str> = target.pointer.split('/').skip(1).collect();
        let last = |count: usize| {
            let meaningful: Vec<String> = tokens
                .iter()
                .filter(|token| {
                    !matches!(
                        **token,
                        "components"
                            | "schemas"
                            | "definitions"
                            | "$defs"
                            | "paths"
                            | "content"
                            | "schema"
                            | "responses"
                            | "properties"
                            | "parameters"
                    )
                })
                .map(|token| token.replace("~1", "_").replace("~0", "_"))
                .collect();
            meaningful[meaningful.len().saturating_sub(count)..].join("_")
        };
        let wanted = match tokens.as_slice() {
            [] => files.stem(target.file),
            [.., parent, own] if matches!(*parent, "schemas" | "definitions" | "$defs") => {
                own.replace("~1", "/").replace("~0", "~")
            }
            _ if target.file != self.root => last(1),
            _ => last(4),
        };
        let wanted: String =
            wanted.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
        let wanted = wanted.trim_matches('_');
        let wanted = if wanted.is_empty() { "schema" } else { wanted };
        let mut name = wanted.to_owned();
        if self.taken.contains(&name) {
            name = format!("{}_{wanted}", files.stem(target.file));
        }
        let mut counter = 2;
        while self.taken.contains(&name) {
            name = format!("{wanted}_{counter}");
            counter += 1;
        }
        self.taken.insert(name.clone());
        self.names.insert(target.clone(), name.clone());
        self.pending.push(target);
        name
    }
}
