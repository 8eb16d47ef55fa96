//! The files of a document as values, and where references between them lead.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::{
    LoadError, codes,
    identifiers::Identifiers,
    overlay::{self, Changed},
};
use crate::{
    diagnostics::{Diagnostics, Location},
    source::{FileId, Place, ReadOptions, Source, SourceError, Sources},
    text,
};

/// How many references one reference may lead through.
const MAX_DETOURS: usize = 16;

/// How many comparisons of names a document may cost that refers to what does not exist.
const MAX_COMPARED: usize = 20_000;

/// The files of a document.
pub(super) struct Files<'a> {
    sources: &'a mut Sources,
    options: &'a ReadOptions,
    values: BTreeMap<FileId, Arc<Value>>,
    by_origin: HashMap<Source, Result<FileId, String>>,
    /// The files by the URI that each gives itself, and the other way round.
    by_self: HashMap<String, FileId>,
    selves: HashMap<FileId, Url>,
    folder: Option<PathBuf>,
    identifiers: Identifiers,
    /// How many references the reference at hand has led through.
    detours: usize,
    /// How many comparisons of names are left.
    comparisons: usize,
}

/// Where a reference leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) file: FileId,
    pub(super) pointer: String,
}

impl<'a> Files<'a> {
    pub(super) fn open(
        source: Source,
        options: &'a ReadOptions,
        sources: &'a mut Sources,
        diagnostics: &mut Diagnostics,
    ) -> Result<(Self, FileId), SourceError> {
        let folder = match &source {
            Source::Path(path) => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
                parent.canonicalize().ok()
            }
            _ => None,
        };
        let mut files = Files {
            sources,
            options,
            values: BTreeMap::new(),
            by_origin: HashMap::new(),
            by_self: HashMap::new(),
            selves: HashMap::new(),
            folder,
            identifiers: Identifiers::default(),
            detours: 0,
            comparisons: MAX_COMPARED,
        };
        let root = files.read(source, diagnostics)?;
        Ok((files, root))
    }

    /// Applies the overlays of the options to the root document.
    pub(super) fn overlay(&mut self, root: FileId, diagnostics: &mut Diagnostics) -> Result<(), LoadError> {
        if self.options.overlays.is_empty() {
            return Ok(());
        }
        let mut overlays = Vec::new();
        for source in &self.options.overlays {
            overlays.push(self.read(source.clone(), diagnostics)?);
        }
        // Nobody else holds it yet, so that this copies nothing.
        let document = self.values.remove(&root).map(Arc::unwrap_or_clone).unwrap_or_default();
        let mut changed = Changed::new(document, root);
        for file in overlays {
            let value = self.value(file);
            overlay::check_extends(&value, file, (self.sources, root), changed.document(), diagnostics);
            changed.apply(&value, file, diagnostics)?;
        }
        let (document, origins) = changed.finish();
        self.values.insert(root, Arc::new(document));
        self.sources.set_origins(root, origins);
        Ok(())
    }

    pub(super) fn root_value(&self, root: FileId) -> Arc<Value> {
        self.value(root)
    }

    /// The value of a file.
    pub(super) fn value(&self, file: FileId) -> Arc<Value> {
        self.values.get(&file).cloned().unwrap_or_default()
    }

    fn read(&mut self, source: Source, diagnostics: &mut Diagnostics) -> Result<FileId, SourceError> {
        let parsed = self.sources.add(source.clone(), self.options)?;
        for warning in parsed.warnings {
            let (pointer, position) = match warning.place {
                Place::Pointer(pointer) => (pointer, None),
                Place::Position(position) => (String::new(), position),
            };
            let location = Some(Location { file: parsed.file, pointer });
            diagnostics.push(&codes::LENIENT_SYNTAX, location, warning.message).position = position;
        }
        // OpenAPI 3.2 §4.1.2: `$self` is what references to the document, and relative ones in it, mean.
        if let Some(mut own) = parsed.value.get("$self").and_then(Value::as_str).and_then(|own| Url::parse(own).ok()) {
            own.set_fragment(None);
            self.by_self.insert(own.to_string(), parsed.file);
            self.selves.insert(parsed.file, own);
        }
        self.values.insert(parsed.file, Arc::new(parsed.value));
        self.by_origin.insert(identity(&source), Ok(parsed.file));
        Ok(parsed.file)
    }

    /// Where a reference in a file leads; the error says why it leads nowhere.
    pub(super) fn resolve(
        &mut self,
        base: FileId,
        reference: &str,
        diagnostics: &mut Diagnostics,
    ) -> Result<Target, String> {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if document.is_empty() { base } else { self.file(base, document, diagnostics)? };
        let fragment = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        let root = self.value(file);
        if fragment.is_empty() || fragment.starts_with('/') {
            if root.pointer(&fragment).is_some() {
                return Ok(Target { file, pointer: fragment });
            }
            // A pointer whose segments were not escaped (`#/paths//pets/get`), and one with a trailing slash.
            let trimmed = fragment.trim_end_matches('/');
            if trimmed != fragment && root.pointer(trimmed).is_some() {
                return Ok(Target { file, pointer: trimmed.to_owned() });
            }
            if let Some(target) = self.resolve_through(file, &fragment, diagnostics) {
                return Ok(target);
            }
            let near = self.nearest(&root, &fragment).map(|near| format!("; did you mean `{near}`?"));
            let name = self.sources.name(file);
            return Err(format!("`{fragment}` does not exist in {name}{}", near.unwrap_or_default()));
        }
        self.anchored(file, "", &fragment)
            .map(|pointer| Target { file, pointer })
            .ok_or_else(|| format!("no anchor `{fragment}` exists in {}", self.sources.name(file)))
    }

    /// The pointer that exists and is nearest to one that does not: another name in the same object.
    fn nearest(&mut self, root: &Value, pointer: &str) -> Option<String> {
        let (parent, name) = pointer.rsplit_once('/')?;
        let members = root.pointer(parent)?.as_object()?;
        let compared = members.len().min(self.comparisons);
        self.comparisons -= compared;
        let name = name.replace("~1", "/").replace("~0", "~");
        let key = text::nearest(&name, members.keys().take(compared).map(String::as_str), 0.7)?;
        let mut near = parent.to_owned();
        push_token(&mut near, key);
        Some(near)
    }

    /// Where a pointer leads when objects on its way are references themselves, such as
    /// `components: {schemas: {$ref: schemas.yaml}}`.
    fn resolve_through(&mut self, file: FileId, pointer: &str, diagnostics: &mut Diagnostics) -> Option<Target> {
        if self.detours >= MAX_DETOURS {
            return None;
        }
        let root = self.value(file);
        let ends = pointer.match_indices('/').map(|(at, _)| at).skip(1).chain([pointer.len()]);
        let mut known = 0;
        for end in ends {
            if root.pointer(&pointer[..end]).is_none() {
                break;
            }
            known = end;
        }
        let reference = root.pointer(&pointer[..known])?.get("$ref")?.as_str()?.to_owned();
        self.detours += 1;
        let target = self.resolve(file, &reference, diagnostics).ok().and_then(|target| {
            let further = format!("{}{}", target.pointer, &pointer[known..]);
            let found = self.value(target.file).pointer(&further).is_some();
            if found {
                Some(Target { file: target.file, pointer: further })
            } else {
                self.resolve_through(target.file, &further, diagnostics)
            }
        });
        self.detours -= 1;
        target
    }

    fn file(&mut self, base: FileId, document: &str, diagnostics: &mut Diagnostics) -> Result<FileId, String> {
        let absolute = match self.selves.get(&base) {
            Some(own) => own.join(document),
            None => Url::parse(document),
        };
        if let Some(file) = absolute.ok().and_then(|absolute| self.by_self.get(absolute.as_str())) {
            return Ok(*file);
        }
        let decoded = percent_decode_str(document).decode_utf8_lossy().into_owned();
        let source = match self.sources.origin(base) {
            Some(Source::Url(url)) => Source::Url(url.join(document).map_err(|error| error.to_string())?),
            _ if decoded.starts_with("http://") || decoded.starts_with("https://") => {
                Source::Url(Url::parse(document).map_err(|error| error.to_string())?)
            }
            Some(Source::Path(path)) => {
                let relative = decoded.strip_prefix("file://").unwrap_or(&decoded);
                Source::Path(normalise(&path.parent().unwrap_or(Path::new("")).join(relative)))
            }
            _ => Source::Path(normalise(Path::new(&decoded))),
        };
        if let Some(known) = self.by_origin.get(&identity(&source)) {
            return known.clone();
        }
        let outcome = self
            .admit(&source)
            .and_then(|()| self.read(source.clone(), diagnostics).map_err(|error| error.to_string()));
        self.by_origin.insert(identity(&source), outcome.clone());
        outcome
    }

    /// Whether a reference may bring this file in.
    fn admit(&self, source: &Source) -> Result<(), String> {
        if self.sources.len() >= self.options.max_files {
            return Err(format!("more than {} files are referred to", self.options.max_files));
        }
        match source {
            Source::Url(url) => {
                let same_site =
                    matches!(self.sources.origin(FileId(0)), Some(Source::Url(root)) if root.origin() == url.origin());
                if self.options.allow_remote || same_site {
                    return Ok(());
                }
                Err(format!("{url} is not read unless remote references are allowed (--allow-remote)"))
            }
            Source::Path(path) => {
                let Some(folder) = &self.folder else {
                    if self.options.allow_outside {
                        return Ok(());
                    }
                    return Err("a document from standard input or a URL cannot refer to files".to_owned());
                };
                let canonical =
                    path.canonicalize().map_err(|_| format!("the file {} does not exist", path.display()))?;
                if self.options.allow_outside || canonical.starts_with(folder) {
                    Ok(())
                } else {
                    Err(format!(
                        "{} lies outside of the document's folder and is not read (--allow-outside)",
                        path.display()
                    ))
                }
            }
            Source::Text { .. } => Ok(()),
        }
    }

    /// Where the schema with an `$id` stands, in the files read so far.
    pub(super) fn identified(&mut self, identifier: &str, within: Option<&Target>) -> Option<Target> {
        let Files { identifiers, values, .. } = self;
        values.iter().for_each(|(file, value)| identifiers.index(*file, value));
        identifiers.resource(identifier, within)
    }

    /// The pointer of the schema with an anchor, in a file below a pointer.
    pub(super) fn anchored(&mut self, file: FileId, below: &str, anchor: &str) -> Option<String> {
        let value = self.value(file);
        self.identifiers.index(file, &value);
        self.identifiers.anchor(file, below, anchor)
    }

    /// The file's name without folder and ending.
    pub(super) fn stem(&self, file: FileId) -> String {
        let name = self.sources.name(file);
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        last.split('.').next().unwrap_or_default().to_owned()
    }
}

fn identity(source: &Source) -> Source {
    match source {
        Source::Path(path) => Source::Path(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Source::Text { name, .. } => Source::Text { name: name.clone(), text: String::new() },
        url => url.clone(),
    }
}

fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// Appends a token to a JSON Pointer (RFC 6901 §3).
pub(super) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
