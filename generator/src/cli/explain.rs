//! `mcpwright explain`: what the code of a finding means.

use std::process::ExitCode;

use clap::Args;
use mcpwright::diagnostics::{self, Severity};

use super::output::{Exit, Outcome, print};

/// The options of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The code, as findings show it in brackets; without one all codes are listed
    code: Option<String>,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let codes = diagnostics::codes();
    let Some(name) = &options.code else {
        let width = codes.iter().map(|code| code.name.len()).max().unwrap_or_default();
        let list: String = codes
            .iter()
            .map(|code| format!("{:width$}  {}\n", code.name, code.explanation.split(". ").next().unwrap_or_default()))
            .collect();
        print(&list)?;
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = name.trim_matches(['[', ']']);
    let Some(code) = codes.iter().find(|code| code.name == wanted) else {
        let nearest = codes
            .iter()
            .map(|code| (similarity(code.name, wanted), code.name))
            .max_by(|(left, _), (right, _)| left.total_cmp(right))
            .filter(|(likeness, _)| *likeness > 0.5);
        let exit = Exit::wrong(format!("there is no finding `{wanted}`"));
        return Err(exit.help(match nearest {
            Some((_, nearest)) => format!("did you mean `{nearest}`?"),
            None => "`mcpwright explain` lists all".to_owned(),
        }));
    };
    let severity = match code.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    print(&format!("{} ({severity})\n\n{}\n", code.name, code.explanation))?;
    Ok(ExitCode::SUCCESS)
}

fn similarity(left: &str, right: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(left, right)
}
