//! Documents as they are found: of every version, of many files, ill-formed, hostile and real.

mod ill_formed;
mod overlays;
mod real;
mod references;
mod robustness;
mod versions;

use std::path::{Path, PathBuf};

use mcpwright::{LoadError, ReadOptions, Source, Sources, api::Api, diagnostics::Diagnostics};

/// What loading a document gave.
struct Loaded {
    outcome: Result<Api, LoadError>,
    sources: Sources,
    diagnostics: Diagnostics,
}

impl Loaded {
    fn api(&self) -> &Api {
        self.outcome.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The findings, one a line: severity, code, place and message.
    fn findings(&self) -> Vec<String> {
        self.diagnostics
            .iter()
            .map(|diagnostic| {
                let severity = format!("{:?}", diagnostic.severity).to_lowercase();
                let place = diagnostic.location.as_ref().map_or_else(String::new, |location| {
                    let position = self.sources.position(location).expect("a file of the run");
                    format!("{}:{} ", position.line, position.column)
                });
                let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!(" (help: {help})"));
                format!("{severity} {} {place}{}{help}", diagnostic.code.name, diagnostic.message)
            })
            .collect()
    }
}

fn load_with(source: Source, options: &ReadOptions) -> Loaded {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let outcome = mcpwright::load(source, options, &mut sources, &mut diagnostics);
    Loaded { outcome, sources, diagnostics }
}

fn load_text(text: &str) -> Loaded {
    load_with(Source::Text { name: "document".to_owned(), text: text.to_owned() }, &ReadOptions::default())
}

fn load_file(path: &Path) -> Loaded {
    load_with(Source::Path(path.to_owned()), &ReadOptions::default())
}

/// A folder beside one of those above the crate; `None` in a packaged crate.
fn folder(name: &str) -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join(name)).find(|folder| folder.is_dir())
}
