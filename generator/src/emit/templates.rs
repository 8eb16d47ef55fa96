//! The files that belong to the user of a generated crate: made from templates, once.

use mcpwright_runtime::catalog::variable_part;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use super::{Error, Tree, literal};
use crate::{
    api::{FlowKind, SecurityScheme, SecuritySchemeKind},
    plan::Plan,
};

/// What the files need to know beyond the plan.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the crate finds `mcpwright-runtime`.
    pub runtime: Dependency,
    /// Where its tests find `mcpwright`.
    pub generator: Dependency,
    /// The document as `mcpwright.toml` names it: a path relative to the crate, or a URL. `None` when it came from
    /// standard input; then nothing can compare it later, and `tests/up_to_date.rs` is left out.
    pub spec: Option<String>,
    /// The configuration, relative to the crate. One that is not `mcpwright.toml` exists already and is not written.
    pub configuration: String,
    /// The preset in words, `rest` or `tools`.
    pub preset: &'static str,
    /// Whether the crate lies in the folder of a workspace, and is a member of it.
    pub workspace: Workspace,
    /// The overlays as `mcpwright.toml` names them.
    pub overlays: Vec<String>,
    /// Whether references in the document may lead to URLs.
    pub allow_remote: bool,
    /// Whether references in the document may leave its folder.
    pub allow_outside: bool,
}

/// How a crate relates to a workspace above its folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Workspace {
    /// There is none.
    #[default]
    None,
    /// The crate is a member.
    Member,
    /// There is one, but the crate is no member.
    Stranger,
}

/// Where cargo finds a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dependency {
    /// A folder, absolute or relative to the crate.
    Path(String),
    /// A git repository.
    Git(String),
    /// A version in the registry.
    Version(String),
}

impl Dependency {
    /// The dependency as the value of a key in `Cargo.toml`.
    fn toml(&self, extra: &str) -> String {
        match self {
            Dependency::Path(path) => format!("{{ path = {}{extra} }}", toml_string(path)),
            Dependency::Git(url) => format!("{{ git = {}{extra} }}", toml_string(url)),
            Dependency::Version(version) if extra.is_empty() => toml_string(version),
            Dependency::Version(version) => format!("{{ version = {}{extra} }}", toml_string(version)),
        }
    }
}

/// The name of a server's crate and command: `petstore-mcp` for `petstore`.
pub fn crate_name(server: &str) -> String {
    let letters: String = server
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' })
        .collect();
    let name = letters.trim_matches('-');
    let prefix = if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) { "api-" } else { "" };
    let name = format!("{prefix}{name}");
    let name = name.trim_end_matches('-');
    if name.ends_with("-mcp") { name.to_owned() } else { format!("{name}-mcp") }
}

/// Path in the crate and text of each template.
const TEMPLATES: [(&str, &str); 10] = [
    (".gitattributes", include_str!("../../templates/gitattributes.jinja")),
    (".gitignore", include_str!("../../templates/gitignore.jinja")),
    ("Cargo.toml", include_str!("../../templates/Cargo.toml.jinja")),
    ("Dockerfile", include_str!("../../templates/Dockerfile.jinja")),
    ("README.md", include_str!("../../templates/README.md.jinja")),
    ("mcpwright.toml", include_str!("../../templates/mcpwright.toml.jinja")),
    ("src/custom.rs", include_str!("../../templates/src/custom.rs.jinja")),
    ("src/lib.rs", include_str!("../../templates/src/lib.rs.jinja")),
    ("src/main.rs", include_str!("../../templates/src/main.rs.jinja")),
    ("tests/up_to_date.rs", include_str!("../../templates/tests/up_to_date.rs.jinja")),
];

/// Fills in the templates.
pub(super) fn render(plan: &Plan, settings: &Settings, tree: &mut Tree) -> Result<(), Error> {
    use mcpwright_runtime::catalog::Kind;

    let count = |kind: Kind| plan.components().filter(|component| component.kind == kind).count();
    let prefix = variable_part(&plan.name);
    let name = crate_name(&plan.name);
    let own_configuration = settings.configuration == "mcpwright.toml";
    let preset = match settings.preset {
        "tools" => "Tools",
        _ => "Rest",
    };
    let context = context! {
        crate => &name,
        ident => name.replace('-', "_"),
        name => &plan.name,
        title => &plan.title,
        prefix => &prefix,
        runtime => settings.runtime.toml(""),
        generator => settings.generator.toml(", default-features = false"),
        standalone => settings.workspace == Workspace::Stranger,
        profiles => settings.workspace != Workspace::Member,
        spec => &settings.spec,
        overlays => &settings.overlays,
        allow_remote => settings.allow_remote,
        allow_outside => settings.allow_outside,
        configuration => &settings.configuration,
        preset => settings.preset,
        // What `mcpwright.toml` would say, were it this crate's own.
        flags => context! {
            name => (!own_configuration).then_some(&plan.name),
            preset => (!own_configuration).then_some(preset),
        },
        server => plan.servers.first().map(|server| &server.url),
        credentials => credentials(plan, &prefix),
        count => context! {
            tools => count(Kind::Tool),
            resources => count(Kind::Resource),
            templates => count(Kind::ResourceTemplate),
        },
    };
    let environment = environment();
    for (path, template) in TEMPLATES {
        let wanted = match path {
            "mcpwright.toml" => own_configuration,
            "tests/up_to_date.rs" => settings.spec.is_some(),
            _ => true,
        };
        if wanted {
            let text = environment
                .render_named_str(path, template, &context)
                .map_err(|source| Error::Template { file: path.to_owned(), source })?;
            tree.once(path, format!("{}\n", text.trim_end()));
        }
    }
    Ok(())
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("toml", |text: String| toml_string(&text));
    environment.add_filter("rust", |text: String| literal::string(&text).to_string());
    environment.add_filter("json", |text: String| super::json::compact(&text.into()));
    environment.add_filter("markdown", |text: String| markdown(&text));
    environment.add_filter("code", |text: String| one_line(&text).replace(['`', '|'], "'"));
    environment
}

/// A text as a basic string of TOML.
fn toml_string(text: &str) -> String {
    // The escapes of JSON strings are among those of TOML's; hidden characters outside of the first plane have
    // surrogates there, which TOML forbids.
    let plain: String = text.chars().filter(|character| !literal::is_hidden(*character)).collect();
    super::json::compact(&plain.into())
}

/// Text of the document in one line, without characters that cannot be seen.
fn one_line(text: &str) -> String {
    let visible: String =
        text.chars().map(|character| if literal::is_hidden(character) { ' ' } else { character }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text of the document as Markdown that means the text and nothing else.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for character in one_line(text).chars() {
        if character.is_ascii_punctuation() && !matches!(character, '.' | ',' | '-' | '\'' | '/' | ':') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The variables that hold the credentials of the plan's schemes.
fn credentials(plan: &Plan, prefix: &str) -> Vec<Value> {
    let mut credentials = Vec::new();
    for scheme in &plan.security_schemes {
        let base = format!("{prefix}_{}", variable_part(&scheme.name));
        for (suffix, meaning) in members(scheme) {
            let variable = format!("{base}{suffix}");
            credentials.push(context! { variable, meaning, scheme => &scheme.name });
        }
    }
    credentials
}

fn members(scheme: &SecurityScheme) -> Vec<(&'static str, &'static str)> {
    match &scheme.kind {
        SecuritySchemeKind::ApiKey { .. } => vec![("", "API key")],
        SecuritySchemeKind::HttpBasic => vec![("_USERNAME", "user name"), ("_PASSWORD", "password")],
        SecuritySchemeKind::HttpBearer { .. } => vec![("", "bearer token")],
        SecuritySchemeKind::Http { .. } => vec![("", "what follows the scheme in `Authorization`")],
        SecuritySchemeKind::OAuth2 { flows } => {
            let mut members = oauth();
            if flows.iter().any(|flow| flow.kind == FlowKind::Password) {
                members.extend([("_USERNAME", "user name"), ("_PASSWORD", "password")]);
            }
            members
        }
        SecuritySchemeKind::OpenIdConnect { .. } => oauth(),
        SecuritySchemeKind::MutualTls => Vec::new(),
    }
}

fn oauth() -> Vec<(&'static str, &'static str)> {
    vec![("", "access token"), ("_CLIENT_ID", "or: OAuth client"), ("_CLIENT_SECRET", "and its secret")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_have_names_that_cargo_takes() {
        for (server, name) in [
            ("petstore", "petstore-mcp"),
            ("pet-mcp", "pet-mcp"),
            ("3d", "api-3d-mcp"),
            ("", "api-mcp"),
            ("A b", "a-b-mcp"),
        ] {
            assert_eq!(crate_name(server), name);
        }
    }

    #[test]
    fn markdown_of_documents_is_text() {
        assert_eq!(markdown("<b>[Pets](x)\n# `now`\u{202e}"), r"\<b\>\[Pets\]\(x\) \# \`now\`");
    }

    #[test]
    fn toml_strings_are_one_line() {
        let text = toml_string("a\"\n[x]\u{7f}\u{e0041}");
        assert_eq!(text, r#""a\"[x]""#);
        assert!(text.parse::<toml::Value>().is_ok());
    }
}
