//! `mcpwright install`: writes a server into the configuration of an MCP client.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use mcpwright::write::is_generated_crate;
use serde_json::{Map, Value, json};
use similar::TextDiff;

use super::{
    output::{Exit, Outcome, print, say},
    target,
};

/// The options of `install`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder of a generated crate, a program, or a document that `mcpwright serve` is to serve
    target: String,
    /// The client
    #[arg(long)]
    client: Client,
    /// The name of the server in the client [default: from the target]
    #[arg(long)]
    name: Option<String>,
    /// An environment variable of the server
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The client's file, instead of the usual one
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Write nothing; show what would change
    #[arg(long)]
    dry_run: bool,
    /// Replace an entry of the same name
    #[arg(long)]
    force: bool,
    /// Options of the server, after `--`
    #[arg(last = true, value_name = "OPTION")]
    server: Vec<String>,
}

/// MCP clients and where they keep their servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Client {
    /// Claude Desktop, for this user
    ClaudeDesktop,
    /// Claude Code, for this folder (.mcp.json)
    ClaudeCode,
    /// Cursor, for this user
    Cursor,
    /// Visual Studio Code, for this folder (.vscode/mcp.json)
    Vscode,
    /// Windsurf, for this user
    Windsurf,
    /// Gemini CLI, for this user
    Gemini,
}

impl Client {
    /// Where the client keeps its servers.
    fn file(self) -> Result<PathBuf, Exit> {
        let home = || {
            env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
                .filter(|home| !home.is_empty())
                .map(PathBuf::from)
                .ok_or_else(|| Exit::wrong("there is no home folder").help("name the client's file with --file"))
        };
        Ok(match self {
            Client::ClaudeDesktop if cfg!(target_os = "macos") => {
                home()?.join("Library/Application Support/Claude/claude_desktop_config.json")
            }
            Client::ClaudeDesktop if cfg!(windows) => home()?.join("AppData/Roaming/Claude/claude_desktop_config.json"),
            Client::ClaudeDesktop => home()?.join(".config/Claude/claude_desktop_config.json"),
            Client::ClaudeCode => PathBuf::from(".mcp.json"),
            Client::Cursor => home()?.join(".cursor/mcp.json"),
            Client::Vscode => PathBuf::from(".vscode/mcp.json"),
            Client::Windsurf => home()?.join(".codeium/windsurf/mcp_config.json"),
            Client::Gemini => home()?.join(".gemini/settings.json"),
        })
    }

    /// The member that holds the servers.
    fn member(self) -> &'static str {
        if self == Client::Vscode { "servers" } else { "mcpServers" }
    }
}

pub(crate) fn run(options: Options) -> Outcome {
    let launch = Launch::of(&options.target)?;
    let name = options.name.clone().unwrap_or_else(|| launch.name.clone());
    let entry = entry(&options, launch)?;
    let file = match &options.file {
        Some(file) => file.clone(),
        None => options.client.file()?,
    };
    // A client's file may be a link into a folder of settings; the link shall stay.
    let file = file.canonicalize().unwrap_or(file);
    let old = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Exit::wrong(format!("cannot read {}: {error}", file.display()))),
    };
    let member = options.client.member();
    let Some(new) = merge(&old, member, &name, &entry, options.force).map_err(|problem| match problem {
        Problem::Taken => Exit::refused(format!("{} has another server named {name}", file.display()))
            .help("give another name with --name, or replace it with --force"),
        Problem::NotJson(why) => {
            let snippet = serde_json::to_string_pretty(&json!({ &name: entry })).unwrap_or_default();
            Exit::wrong(format!("{} is not plain JSON with an object in `{member}`: {why}", file.display()))
                .help(format!("put this into `{member}` by hand:\n{snippet}"))
        }
    })?
    else {
        say(&format!("{} has this server already", file.display()));
        return Ok(ExitCode::SUCCESS);
    };
    let shown = file.display().to_string();
    print(&TextDiff::from_lines(&old, &new).unified_diff().context_radius(3).header(&shown, &shown).to_string())?;
    if options.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    replace(&file, &new).map_err(|error| Exit::wrong(format!("cannot write {}: {error}", file.display())))?;
    say(&format!("{} knows {name} now; restart the client", file.display()));
    Ok(ExitCode::SUCCESS)
}

/// How a server is started.
#[derive(Debug, PartialEq, Eq)]
struct Launch {
    name: String,
    command: String,
    arguments: Vec<String>,
}

impl Launch {
    fn of(target: &str) -> Result<Self, Exit> {
        let path = Path::new(target);
        if path.is_dir() {
            return Launch::of_crate(path);
        }
        let is_url = target.starts_with("http://") || target.starts_with("https://");
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let is_document = is_url || matches!(extension.as_deref(), Some("json" | "yaml" | "yml"));
        if !is_url && !path.is_file() {
            return Err(Exit::wrong(format!("there is no {target}"))
                .help("give the folder of a generated crate, a program, or a document"));
        }
        let stem = path.file_stem().map_or_else(|| "api".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let absolute = || target::absolute(path).to_string_lossy().into_owned();
        if !is_document {
            return Ok(Self { name: stem, command: absolute(), arguments: Vec::new() });
        }
        let this = env::current_exe().map_err(|error| Exit::wrong(format!("cannot find this program: {error}")))?;
        let document = if is_url { target.to_owned() } else { absolute() };
        Ok(Self { name: stem, command: this.to_string_lossy().into_owned(), arguments: vec!["serve".into(), document] })
    }

    fn of_crate(folder: &Path) -> Result<Self, Exit> {
        if !is_generated_crate(folder) {
            return Err(Exit::wrong(format!("{} is not a crate that mcpwright made", folder.display())));
        }
        let manifest =
            fs::read_to_string(folder.join("Cargo.toml")).ok().and_then(|text| text.parse::<toml::Table>().ok());
        let name = manifest
            .as_ref()
            .and_then(|manifest| manifest.get("package")?.get("name")?.as_str())
            .ok_or_else(|| Exit::wrong(format!("{} has no Cargo.toml with a name", folder.display())))?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder.join("target"), PathBuf::from);
        let program = target.join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX));
        if !program.is_file() {
            return Err(Exit::wrong(format!("{} is not built", program.display()))
                .help(format!("run `cargo build --release` in {}", folder.display())));
        }
        Ok(Self {
            name: name.to_owned(),
            command: target::absolute(&program).to_string_lossy().into_owned(),
            arguments: Vec::new(),
        })
    }
}

/// The client's entry for a server.
fn entry(options: &Options, launch: Launch) -> Result<Value, Exit> {
    let mut variables = Map::new();
    for one in &options.env {
        match one.split_once('=').filter(|(name, _)| !name.is_empty()) {
            Some((name, value)) => variables.insert(name.to_owned(), value.into()),
            None => return Err(Exit::wrong(format!("`{one}` is not NAME=VALUE"))),
        };
    }
    let mut entry = Map::new();
    if options.client == Client::Vscode {
        entry.insert("type".into(), "stdio".into());
    }
    let arguments: Vec<String> = launch.arguments.into_iter().chain(options.server.iter().cloned()).collect();
    entry.insert("command".into(), launch.command.into());
    entry.insert("args".into(), arguments.into());
    if !variables.is_empty() {
        entry.insert("env".into(), variables.into());
    }
    Ok(entry.into())
}

/// Why an entry cannot be added.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// There is another entry of that name.
    Taken,
    /// The file is not what it should be.
    NotJson(String),
}

/// The text with the entry; `None` when it has it already.
fn merge(old: &str, member: &str, name: &str, entry: &Value, force: bool) -> Result<Option<String>, Problem> {
    let mut root: Map<String, Value> = if old.trim().is_empty() {
        Map::new()
    } else {
        serde_json::from_str(old).map_err(|error| Problem::NotJson(error.to_string()))?
    };
    let servers = root.entry(member).or_insert_with(|| json!({}));
    let servers = servers.as_object_mut().ok_or_else(|| Problem::NotJson("it is something else".into()))?;
    match servers.get(name) {
        Some(known) if known == entry => return Ok(None),
        Some(_) if !force => return Err(Problem::Taken),
        _ => {}
    }
    servers.insert(name.to_owned(), entry.clone());
    let mut text = serde_json::to_string_pretty(&root).map_err(|error| Problem::NotJson(error.to_string()))?;
    text.push('\n');
    Ok(Some(text))
}

/// Writes a file in one step, with the permissions of the old one.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Made readable for its owner alone: the file may hold credentials.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(file) {
        new.as_file().set_permissions(metadata.permissions())?;
    }
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_added_beside_what_is_there() {
        let entry = json!({"command": "/p", "args": []});
        let old = r#"{"theme": "dark", "mcpServers": {"other": {"command": "x"}}}"#;
        let new = merge(old, "mcpServers", "pets", &entry, false).unwrap().unwrap();
        let value: Value = serde_json::from_str(&new).unwrap();
        assert_eq!(value["theme"], "dark");
        assert_eq!(value["mcpServers"]["other"]["command"], "x");
        assert_eq!(value["mcpServers"]["pets"], entry);
        assert!(new.find("theme") < new.find("mcpServers"), "the order stays");
        assert_eq!(merge(&new, "mcpServers", "pets", &entry, false), Ok(None), "again changes nothing");
        let other = json!({"command": "/q"});
        assert_eq!(merge(&new, "mcpServers", "pets", &other, false), Err(Problem::Taken));
        assert!(merge(&new, "mcpServers", "pets", &other, true).unwrap().is_some());
    }

    #[test]
    fn a_file_that_is_no_plain_json_is_left_alone() {
        for old in ["{ // comment\n}", "[]", r#"{"servers": []}"#] {
            assert!(matches!(merge(old, "servers", "pets", &json!({}), true), Err(Problem::NotJson(_))), "{old}");
        }
        assert!(merge("", "servers", "pets", &json!({}), false).unwrap().is_some());
    }
}
