//! The figures: gathered, reduced to medians, set in relation, printed and written.

use std::fmt;

use serde_json::{Value, json};

/// A figure of one round.
#[derive(Debug)]
struct Figure {
    scenario: String,
    server: String,
    unit: &'static str,
    value: f64,
}

/// All figures, in the order of their first measurement.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    errors: Vec<String>,
}

impl Report {
    /// Adds a figure; of several with the same scenario, server and unit the median counts.
    pub(crate) fn add(&mut self, scenario: &str, server: &str, unit: &'static str, value: f64) {
        self.figures.push(Figure { scenario: scenario.to_owned(), server: server.to_owned(), unit, value });
    }

    /// Adds something that went wrong: the comparison goes on, and fails at its end.
    pub(crate) fn error(&mut self, error: String) {
        self.errors.push(error);
    }

    /// Fails when something went wrong. No figure ever fails.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors.join("\n")) }
    }

    /// Scenario, server, unit and median, in order of first measurement.
    fn medians(&self) -> Vec<(&str, &str, &'static str, f64)> {
        let mut rows: Vec<(&str, &str, &'static str, Vec<f64>)> = Vec::new();
        for figure in &self.figures {
            let same = rows.iter_mut().find(|(scenario, server, unit, _)| {
                *scenario == figure.scenario && *server == figure.server && *unit == figure.unit
            });
            match same {
                Some((.., values)) => values.push(figure.value),
                None => rows.push((&figure.scenario, &figure.server, figure.unit, vec![figure.value])),
            }
        }
        rows.into_iter()
            .map(|(scenario, server, unit, mut values)| {
                values.sort_unstable_by(f64::total_cmp);
                (scenario, server, unit, values[values.len() / 2])
            })
            .collect()
    }

    /// The medians as JSON.
    pub(crate) fn json(&self) -> String {
        let rows: Vec<Value> = self
            .medians()
            .into_iter()
            .map(|(scenario, server, unit, value)| {
                json!({ "scenario": scenario, "server": server, "unit": unit, "median": value })
            })
            .collect();
        format!("{:#}\n", json!({ "figures": rows, "errors": self.errors }))
    }
}

/// The unit that servers are compared in.
pub(crate) const CPU: &str = "CPU µs/request";

/// One table for each scenario: a row for each server, a column for each unit, and how many times the CPU time of
/// Mcpwright a server needs.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let medians = self.medians();
        let mut scenarios: Vec<&str> = medians.iter().map(|row| row.0).collect();
        scenarios.dedup();
        let mut seen = Vec::new();
        for scenario in scenarios {
            if seen.contains(&scenario) {
                continue;
            }
            seen.push(scenario);
            let rows: Vec<_> = medians.iter().filter(|row| row.0 == scenario).collect();
            let mut servers: Vec<&str> = Vec::new();
            let mut units: Vec<&str> = Vec::new();
            for row in &rows {
                if !servers.contains(&row.1) {
                    servers.push(row.1);
                }
                if !units.contains(&row.2) {
                    units.push(row.2);
                }
            }
            let value =
                |server: &str, unit: &str| rows.iter().find(|row| row.1 == server && row.2 == unit).map(|row| row.3);
            let own = value("mcpwright", CPU);
            write!(formatter, "\n{scenario:40}")?;
            for unit in &units {
                write!(formatter, "{unit:>17}")?;
            }
            writeln!(formatter, "{}", if own.is_some() { "      × mcpwright" } else { "" })?;
            for server in servers {
                write!(formatter, "  {server:38}")?;
                for unit in &units {
                    match value(server, unit) {
                        Some(value) => write!(formatter, "{value:17.2}")?,
                        None => write!(formatter, "{:17}", "")?,
                    }
                }
                match (own, value(server, CPU)) {
                    (Some(own), Some(other)) if own > 0.0 => writeln!(formatter, "{:17.2}", other / own)?,
                    _ => writeln!(formatter)?,
                }
            }
        }
        Ok(())
    }
}
