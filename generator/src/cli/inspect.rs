//! `mcpwright inspect`: what clients will see.

use std::{fmt::Write, io, process::ExitCode};

use clap::{Args, ValueEnum};
use mcpwright::{
    diagnostics::Severity,
    inspect::{ComponentReport, DiagnosticReport, Report, sarif},
    text,
};

use super::{
    input::Shape,
    output::{self, Outcome, print, print_json},
    render,
};

/// The options of `inspect`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The document: a file, a URL, `-` for standard input, or the folder of a generated crate
    spec: String,
    /// One JSON object for programs; the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// How it is shown
    #[arg(long, default_value = "text")]
    format: Format,
    #[command(flatten)]
    shape: Shape,
}

/// How the report is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables, and the findings with their lines
    Text,
    /// One JSON object: components with their schemas, findings, sizes
    Json,
    /// The findings alone as SARIF 2.1.0, for code scanners and editors
    Sarif,
}

pub(crate) fn run(options: Options) -> Outcome {
    let format = if options.json { Format::Json } else { options.format };
    let planned = match options.shape.attempt(Some(&options.spec))? {
        Ok(planned) => planned,
        Err(failure) => {
            if format == Format::Sarif {
                let findings = DiagnosticReport::all(&failure.diagnostics, &failure.sources);
                print_json(&sarif::log(&findings, Some(&failure)))?;
            }
            return Err(render::failure(&failure));
        }
    };
    if format == Format::Sarif {
        print_json(&sarif::log(&DiagnosticReport::all(&planned.diagnostics, &planned.sources), None))?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = Report::new(&planned.api, &planned.plan, &planned.diagnostics, &planned.sources);
    if format == Format::Json {
        print_json(&report)?;
    } else {
        print(&table(&report, output::colours(&io::stdout())))?;
        render::findings(&planned, Severity::Note);
    }
    Ok(ExitCode::SUCCESS)
}

/// The widest that a column of names gets.
const WIDEST_NAME: usize = 48;

/// The report as tables.
fn table(report: &Report, colours: bool) -> String {
    let (bold, plain) = if colours { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    let mut table = String::new();
    let document = &report.document;
    let _ = writeln!(
        table,
        "{bold}{}{plain} {}  (OpenAPI {}, {} operations)",
        text::one_line(&document.title),
        text::one_line(&document.version),
        text::one_line(&document.openapi),
        document.operations
    );
    let lists = [
        ("Tools", &report.tools),
        ("Resources", &report.resources),
        ("Resource templates", &report.resource_templates),
    ];
    for (title, components) in lists {
        if components.is_empty() {
            continue;
        }
        let _ = writeln!(table, "\n{bold}{title} ({}){plain}", components.len());
        let width = components.iter().map(|one| one.name.len()).max().unwrap_or_default().min(WIDEST_NAME);
        let mut components: Vec<&ComponentReport> = components.iter().collect();
        components.sort_by_key(|one| std::cmp::Reverse(one.bytes));
        for one in components {
            let _ = writeln!(
                table,
                "  {:width$}  {:>7} bytes  {:>6} tokens  {:<7} {}{}",
                one.name,
                one.bytes,
                one.tokens,
                one.method,
                text::one_line(&one.path),
                marks(one)
            );
        }
    }
    if !report.excluded.is_empty() {
        let _ = writeln!(table, "\n{bold}Not offered ({}){plain}", report.excluded.len());
        for one in &report.excluded {
            let _ =
                writeln!(table, "  {:<7} {}: {}", one.method, text::one_line(&one.path), text::one_line(&one.reason));
        }
    }
    let totals = &report.totals;
    let _ = writeln!(
        table,
        "\n{} components, {} bytes in the lists, about {} tokens",
        totals.components, totals.bytes, totals.tokens
    );
    table
}

/// What is special about a component.
fn marks(component: &ComponentReport) -> String {
    let mut marks = Vec::new();
    if component.annotations.destructive_hint {
        marks.push("destructive");
    }
    if component.deprecated {
        marks.push("deprecated");
    }
    if !component.enabled {
        marks.push("off at the start");
    }
    if component.plain_uri.is_some() {
        marks.push("also a plain resource");
    }
    if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) }
}
