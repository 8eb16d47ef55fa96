//! `mcpwright serve`: the engine of a generated server, with descriptors made in memory.

use clap::{Args, Parser};
use mcpwright::{descriptors, diagnostics::Severity, emit};
use mcpwright_runtime::Server;

use super::{
    input::Shape,
    output::{Exit, Outcome},
    render, watch,
};

/// The options of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Everything else is an option of the server: --transport, --host, --port, --base-url, --mock …; \
                        `mcpwright serve SPEC -- --help` lists them with their environment variables"
)]
pub(crate) struct Options {
    /// The document: a file, a URL, `-` for standard input, or the folder of a generated crate
    spec: String,
    #[command(flatten)]
    own: Own,
    /// Options of the server
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    server: Vec<String>,
}

/// The options that are not the server's. They may stand among those.
#[derive(Debug, Clone, Default, Args)]
struct Own {
    #[command(flatten)]
    shape: Shape,
    /// Serve again whenever the document or the configuration changes (over HTTP)
    #[arg(long)]
    watch: bool,
}

/// [`Own`] as a command line by itself.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct OwnLine {
    #[command(flatten)]
    own: Own,
}

pub(crate) fn run(options: Options) -> Outcome {
    let (own, server) = sort(options.own, options.server)?;
    let planned = own.shape.plan(Some(&options.spec))?;
    if own.watch {
        return watch::run(&options.spec, &own.shape, &server, planned);
    }
    render::findings(&planned, Severity::Warning);
    let program = emit::crate_name(&planned.plan.name);
    let api = descriptors::leak(&planned.plan);
    drop(planned);
    Ok(Server::new(api).run_with(std::iter::once(program).chain(server)))
}

/// Takes one's own options out of those that are left for the server.
fn sort(own: Own, rest: Vec<String>) -> Result<(Own, Vec<String>), Exit> {
    let mut mine = Vec::new();
    let mut server = Vec::new();
    let mut rest = rest.into_iter();
    while let Some(word) = rest.next() {
        let name = word.split('=').next().unwrap_or(&word);
        match name {
            "--" => server.extend(rest.by_ref()),
            "--watch" | "--allow-outside" | "--allow-remote" => mine.push(word),
            "--config" | "--name" | "--preset" | "--overlay" => {
                let has_value = word.contains('=');
                mine.push(word);
                if !has_value {
                    mine.extend(rest.next());
                }
            }
            _ => server.push(word),
        }
    }
    let late = match OwnLine::try_parse_from(mine) {
        Ok(line) => line.own,
        Err(error) => {
            let _ = error.print();
            return Err(Exit::silent(super::output::WRONG));
        }
    };
    let shape = Shape {
        config: late.shape.config.or(own.shape.config),
        name: late.shape.name.or(own.shape.name),
        preset: late.shape.preset.or(own.shape.preset),
        overlays: own.shape.overlays.into_iter().chain(late.shape.overlays).collect(),
        allow_outside: own.shape.allow_outside || late.shape.allow_outside,
        allow_remote: own.shape.allow_remote || late.shape.allow_remote,
    };
    Ok((Own { shape, watch: own.watch || late.watch }, server))
}
