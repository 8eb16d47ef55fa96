//! Where the references in schemas lead: to identifiers, anchors, pointers and bare names (JSON Schema 2020-12 §8).

use super::{Lifter, rewrite::Scope};
use crate::{
    diagnostics::Diagnostics,
    document::files::{Files, Target, push_token},
};

impl Lifter {
    /// The component that a bare name stands for.
    pub(super) fn home_component(&mut self, name: &str, files: &Files<'_>) -> Option<String> {
        let mut pointer = self.home.to_owned();
        push_token(&mut pointer, name);
        files.value(self.root).pointer(&pointer)?;
        Some(self.name(Target { file: self.root, pointer }, files))
    }

    /// The component that a reference in a schema leads to; `at` is the pointer of the schema.
    pub(super) fn reference(
        &mut self,
        reference: &str,
        at: &str,
        scope: &Scope,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Result<String, String> {
        let target = self.target(reference, at, scope, files, diagnostics)?;
        if target.file == self.root && target.pointer.is_empty() {
            return Err("it is the whole OpenAPI document, which is no schema".to_owned());
        }
        Ok(self.name(target, files))
    }

    /// The place that a reference leads to.
    fn target(
        &mut self,
        reference: &str,
        at: &str,
        scope: &Scope,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Target, String> {
        let root = files.value(scope.file);
        if let Some(fragment) = reference.strip_prefix('#') {
            let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
            let within = |files: &mut Files<'_>, base: &str| -> Option<Target> {
                let resource = root.pointer(base)?;
                let inner = if fragment.is_empty() || fragment.starts_with('/') {
                    resource.pointer(&fragment).map(|_| fragment.to_string())?
                } else {
                    return files
                        .anchored(scope.file, base, &fragment)
                        .map(|pointer| Target { file: scope.file, pointer });
                };
                Some(Target { file: scope.file, pointer: format!("{base}{inner}") })
            };
            // RFC 3986 §5.1: a fragment is relative to the nearest `$id`; without one to the file.
            if let Some(target) = scope.resource.as_deref().and_then(|base| within(files, base)) {
                return Ok(target);
            }
            let failure = match files.resolve(scope.file, reference, diagnostics) {
                Ok(target) => return Ok(target),
                Err(failure) => failure,
            };
            // A schema that was embedded with its definitions means its own root; where that is, only the pointer tells.
            let above = at.match_indices('/').map(|(end, _)| &at[..end]).skip(1).chain([at]);
            return above.into_iter().find_map(|base| within(files, base)).ok_or(failure);
        }
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let within = scope.resource.clone().map(|pointer| Target { file: scope.file, pointer });
        if let Some(target) = files.identified(document, within.as_ref()) {
            if fragment.is_empty() {
                return Ok(target);
            }
            let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
            if !fragment.starts_with('/') {
                if let Some(pointer) = files.anchored(target.file, &target.pointer, &fragment) {
                    return Ok(Target { file: target.file, pointer });
                }
            } else if files
                .value(target.file)
                .pointer(&target.pointer)
                .is_some_and(|base| base.pointer(&fragment).is_some())
            {
                return Ok(Target { file: target.file, pointer: format!("{}{fragment}", target.pointer) });
            }
        }
        let failure = match files.resolve(scope.file, reference, diagnostics) {
            Ok(target) => return Ok(target),
            Err(failure) => failure,
        };
        // A bare component name, as old tools wrote it.
        let mut pointer = self.home.to_owned();
        push_token(&mut pointer, reference);
        if files.value(self.root).pointer(&pointer).is_some() {
            return Ok(Target { file: self.root, pointer });
        }
        Err(failure)
    }
}
