//! What became of one document, and of all.

use std::{collections::BTreeMap, fmt, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    collection::Entry,
    process::{Finished, run},
};

/// The presets by name.
const PRESETS: [&str; 2] = ["rest", "tools"];

/// The line above a table of [`Row::line`].
pub(crate) const HEAD: &str = concat!(
    "document                                     operations components excluded   lost    inspect        generate     ",
    " findings\n",
    "                                                                                   CPU ms    MB   CPU ms    MB"
);

/// What became of one document: of both presets the worse, and the dearer.
#[derive(Default)]
pub(crate) struct Row {
    operations: u64,
    components: u64,
    excluded: u64,
    /// Operations that are neither and that no error names.
    lost: u64,
    findings: BTreeMap<String, u64>,
    inspect: Cost,
    generate: Cost,
    failure: Option<String>,
}

/// What a command took.
#[derive(Default, Clone, Copy)]
struct Cost {
    cpu: Duration,
    /// Bytes.
    peak: u64,
}

impl Cost {
    fn add(&mut self, finished: &Finished) {
        self.cpu = self.cpu.max(finished.cpu);
        self.peak = self.peak.max(finished.peak);
    }

    fn json(self) -> Value {
        json!({ "cpuMs": self.cpu.as_millis() as u64, "peakBytes": self.peak })
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:>8} {:>5.0}", self.cpu.as_millis(), self.peak as f64 / 1e6)
    }
}

/// Inspects a document and generates its crate, in both presets; `None` for a file that is no document.
pub(crate) fn survey(command: &Path, entry: &Entry) -> Option<Row> {
    let mut row = Row::default();
    for preset in PRESETS {
        match row.take(command, entry, preset) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(failure) => {
                row.failure = Some(format!("{preset}: {failure}"));
                break;
            }
        }
    }
    Some(row)
}

impl Row {
    /// Adds what becomes of a document in one preset; `false` when it is none.
    fn take(&mut self, command: &Path, entry: &Entry, preset: &str) -> Result<bool, String> {
        let failed = |error: std::io::Error| error.to_string();
        let ask = |subcommand| {
            let mut command = Command::new(command);
            command.arg(subcommand).arg(&entry.file).args(["--preset", preset]);
            command
        };
        let inspected = run(ask("inspect").arg("--json")).map_err(failed)?;
        self.inspect.add(&inspected);
        let Ok(report) = serde_json::from_slice::<Value>(&inspected.stdout) else {
            return match inspected.stderr.contains("not an OpenAPI document") && entry.operations.is_none() {
                true => Ok(false),
                false => Err(first_line(&inspected.stderr)),
            };
        };
        self.read(&report);
        if let Some(expected) = entry.operations.filter(|expected| *expected != self.operations) {
            return Err(format!("{expected} operations are expected"));
        }
        let folder = tempfile::tempdir().map_err(failed)?;
        let generated = run(ask("generate").arg("--out").arg(folder.path())).map_err(failed)?;
        self.generate.add(&generated);
        if !generated.status.success() {
            return Err(format!("generate: {}", first_line(&generated.stderr)));
        }
        let written = components(&generated.stderr);
        if written != self.components {
            return Err(format!("generate has {written} components, inspect {}", self.components));
        }
        Ok(true)
    }

    fn read(&mut self, report: &Value) {
        let count = |member: &str| report[member].as_array().map_or(0, |list| list.len() as u64);
        self.operations = report["document"]["operations"].as_u64().unwrap_or_default();
        self.components = count("tools") + count("resources") + count("resourceTemplates");
        self.excluded = count("excluded");
        self.findings.clear();
        let mut errors = 0;
        for finding in report["diagnostics"].as_array().into_iter().flatten() {
            let code = finding["code"].as_str().unwrap_or("without a code");
            *self.findings.entry(code.to_owned()).or_default() += 1;
            errors += u64::from(finding["severity"] == "error");
        }
        let lost = self.operations.saturating_sub(self.components + self.excluded).saturating_sub(errors);
        self.lost = self.lost.max(lost);
    }

    /// The row as a line of text.
    pub(crate) fn line(&self, file: &Path) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let findings: Vec<String> = self.findings.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let said = self.failure.clone().unwrap_or_else(|| findings.join(", "));
        format!(
            "{name:<44} {:>10} {:>10} {:>8} {:>6} {} {}  {said}",
            self.operations, self.components, self.excluded, self.lost, self.inspect, self.generate
        )
    }

    /// The row as an object.
    pub(crate) fn json(&self, file: &Path) -> Value {
        json!({
            "file": file.display().to_string(), "operations": self.operations, "components": self.components,
            "excluded": self.excluded, "lost": self.lost, "findings": self.findings,
            "inspect": self.inspect.json(), "generate": self.generate.json(), "failure": self.failure,
        })
    }
}

/// The number of components that `generate` says it has written.
fn components(said: &str) -> u64 {
    let before =
        |text: &str| said.split_once(text).and_then(|(before, _)| before.rsplit(['(', ' ']).next()?.parse().ok());
    before(" component").unwrap_or_default()
}

fn first_line(said: &str) -> String {
    said.lines().find(|line| line.starts_with("error")).or(said.lines().next()).unwrap_or("nothing was said").to_owned()
}

/// What became of all documents.
#[derive(Default)]
pub(crate) struct Sum {
    pub(crate) documents: usize,
    operations: u64,
    components: u64,
    excluded: u64,
    lost: u64,
    failures: usize,
    inspect: Duration,
    generate: Duration,
}

impl Sum {
    /// Adds a document.
    pub(crate) fn add(&mut self, row: &Row) {
        self.documents += 1;
        self.operations += row.operations;
        self.components += row.components;
        self.excluded += row.excluded;
        self.lost += row.lost;
        self.failures += usize::from(row.failure.is_some());
        self.inspect += row.inspect.cpu;
        self.generate += row.generate.cpu;
    }

    /// Whether nothing was lost and nothing failed, and there was something at all.
    pub(crate) fn is_well(&self) -> bool {
        self.lost == 0 && self.failures == 0 && self.documents > 0
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} documents, {} failed; {} operations: {} components, {} excluded, {} lost; \
             inspect {:.1} CPU s, generate {:.1} CPU s",
            self.documents,
            self.failures,
            self.operations,
            self.components,
            self.excluded,
            self.lost,
            self.inspect.as_secs_f64(),
            self.generate.as_secs_f64()
        )
    }
}
