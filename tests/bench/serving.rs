//! Servers at work: starting, calls, reads, lists, standard input and output, and a long run.

use std::time::{Duration, Instant};

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::usage::Usage;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::load::{self, Question, Shape};
use crate::report::{CPU, Report};
use crate::servers::{Contender, Field};

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    rounds: usize,
    warm_up: Duration,
    duration: Duration,
    connections: &'static [usize],
    sequential: u64,
    calls: u64,
    sessions: u64,
}

impl Plan {
    pub(crate) fn new(smoke: bool) -> Plan {
        if smoke {
            Plan {
                rounds: 1,
                warm_up: Duration::from_millis(50),
                duration: Duration::from_millis(200),
                connections: &[16],
                sequential: 50,
                calls: 2_000,
                sessions: 100,
            }
        } else {
            Plan {
                rounds: 3,
                warm_up: Duration::from_millis(500),
                duration: Duration::from_secs(2),
                connections: &[1, 16, 64],
                sequential: 1_000,
                calls: 1_000_000,
                sessions: 10_000,
            }
        }
    }
}

/// The document that most scenarios use.
const SMALL: usize = 20;

/// From the start of the process to the first answered `tools/list`, and memory after it.
pub(crate) async fn starting(field: &Field<'_>, plan: Plan, report: &mut Report) {
    for operations in field.sizes() {
        for _ in 0..plan.rounds {
            for contender in field.contenders(&[Contender::Mcpwright, Contender::FastMcp]) {
                let scenario = format!("start, tools/list of {operations}");
                let begin = Instant::now();
                let mut server = field.launch(contender, operations, "tools").stdio();
                let question = Question::Rpc { era: Era::Modern, method: "tools/list", parameters: json!({}) };
                let mut output = BufReader::new(server.output);
                let mut answer = String::new();
                let mut line = body_of(&question.bytes(1));
                line.push(b'\n');
                let done = server.input.write_all(&line).await.is_ok() && output.read_line(&mut answer).await.is_ok();
                if !done || !answer.contains("\"result\"") {
                    report.error(format!("{scenario}, {}: {answer}", contender.name()));
                    continue;
                }
                report.add(&scenario, contender.name(), "wall ms", begin.elapsed().as_secs_f64() * 1e3);
                if let Some(usage) = server.process.usage() {
                    report.add(&scenario, contender.name(), "CPU ms", usage.cpu.as_secs_f64() * 1e3);
                    report.add(&scenario, contender.name(), "resident MB", megabytes(usage.resident));
                }
                report.add(&scenario, contender.name(), "list MB", answer.len() as f64 / 1e6);
            }
        }
    }
}

fn body_of(request: &[u8]) -> Vec<u8> {
    let head = request.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |start| start + 4);
    request[head..].to_vec()
}

/// `tools/call` with a small and a larger answer.
pub(crate) async fn calling(field: &Field<'_>, plan: Plan, report: &mut Report) {
    let everyone = [Contender::Mcpwright, Contender::ByHand, Contender::Floor, Contender::FastMcp];
    let mut running = Vec::new();
    for contender in field.contenders(&everyone) {
        running.push((contender, field.http(contender, SMALL, "tools").await));
    }
    for _ in 0..plan.rounds {
        for &connections in plan.connections {
            for (contender, (server, address)) in &running {
                for &era in contender.eras() {
                    let question = match contender {
                        Contender::Floor => {
                            Question::Http { method: "GET", path: "/pets/7".to_owned(), body: String::new() }
                        }
                        _ => Question::call(era, contender.tool("getPet"), &json!({ "petId": 7 })),
                    };
                    let eras = if *contender == Contender::Floor { &Era::BOTH[..] } else { std::slice::from_ref(&era) };
                    let scenarios: Vec<_> = eras
                        .iter()
                        .map(|era| format!("tools/call, 60 B, {}, {connections} connections", era.version()))
                        .collect();
                    let usage = || server.process.usage();
                    measure(plan, &scenarios, *contender, *address, &question, connections, usage, report).await;
                }
            }
        }
    }
    for _ in 0..plan.rounds {
        for (contender, (server, address)) in &running {
            if matches!(contender, Contender::Mcpwright | Contender::FastMcp) {
                let usage = || server.process.usage();
                let question = Question::call(Era::Modern, contender.tool("listPets"), &json!({}));
                let scenarios = ["tools/call, 8 kB array, 2026-07-28, 16 connections".to_owned()];
                measure(plan, &scenarios, *contender, *address, &question, 16, usage, report).await;
                let pet = json!({ "id": 7, "name": "Rex" });
                let question = Question::call(Era::Modern, contender.tool("createPet"), &pet);
                let scenarios = ["tools/call, JSON body, 2026-07-28, 16 connections".to_owned()];
                measure(plan, &scenarios, *contender, *address, &question, 16, usage, report).await;
            }
        }
    }
    half_load(plan, &running, report).await;
}

/// How far the slow requests are from the usual ones at half of the load that a server can bear.
async fn half_load(
    plan: Plan,
    running: &[(Contender, (mcpwright_tests::process::HttpServer, std::net::SocketAddr))],
    report: &mut Report,
) {
    let Some((contender, (_, address))) = running.first() else { return };
    let question = Question::call(Era::Modern, contender.tool("getPet"), &json!({ "petId": 7 }));
    let full = Shape { connections: 16, duration: plan.duration, requests: u64::MAX, pace: None };
    let most = load::run(*address, &question, full).await;
    if most.requests == 0 {
        return;
    }
    let pace = most.elapsed.mul_f64(2.0 * 16.0 / most.requests as f64);
    let outcome = load::run(*address, &question, Shape { pace: Some(pace), ..full }).await;
    let scenario = "half load, 2026-07-28, 16 connections";
    report.add(scenario, contender.name(), "p50 µs", f64::from(outcome.quantile(0.5)));
    report.add(scenario, contender.name(), "p99 µs", f64::from(outcome.quantile(0.99)));
}

/// `resources/read` of a template's URI.
pub(crate) async fn reading(field: &Field<'_>, plan: Plan, report: &mut Report) {
    let mut running = Vec::new();
    for contender in field.contenders(&[Contender::Mcpwright, Contender::FastMcp]) {
        let (server, address) = field.http(contender, SMALL, "rest").await;
        let mut client = Client::http(&server, Era::Modern).await;
        let templates = client.list("resources/templates/list", "resourceTemplates").await;
        let template = templates.iter().filter_map(|template| template["uriTemplate"].as_str());
        let Some(uri) = template.into_iter().find(|uri| uri.contains("{petId}")) else {
            report.error(format!("{} has no template for a pet: {templates:?}", contender.name()));
            continue;
        };
        running.push((contender, server, address, uri.replace("{petId}", "7")));
    }
    for _ in 0..plan.rounds {
        for (contender, server, address, uri) in &running {
            for era in Era::BOTH {
                let question = Question::Rpc { era, method: "resources/read", parameters: json!({ "uri": uri }) };
                let scenarios = [format!("resources/read, 60 B, {}, 16 connections", era.version())];
                let usage = || server.process.usage();
                measure(plan, &scenarios, *contender, *address, &question, 16, usage, report).await;
            }
        }
    }
}

/// The first page of `tools/list`, in documents of several sizes, and memory before and after.
pub(crate) async fn listing(field: &Field<'_>, plan: Plan, report: &mut Report) {
    for operations in field.sizes() {
        for contender in field.contenders(&[Contender::Mcpwright, Contender::FastMcp]) {
            let (server, address) = field.http(contender, operations, "tools").await;
            let scenario = format!("tools/list of {operations}, 2026-07-28, 4 connections");
            if let Some(usage) = server.process.usage() {
                report.add(&scenario, contender.name(), "idle MB", megabytes(usage.resident));
            }
            let parameters = json!({});
            let question = Question::Rpc { era: Era::Modern, method: "tools/list", parameters };
            // One list of FastMCP's takes seconds here, which no repetition makes clearer.
            let rounds = if contender == Contender::FastMcp && operations > 300 { 1 } else { plan.rounds };
            for _ in 0..rounds {
                let usage = || server.process.usage();
                measure(plan, std::slice::from_ref(&scenario), contender, address, &question, 4, usage, report).await;
            }
            if let Some(usage) = server.process.usage() {
                report.add(&scenario, contender.name(), "loaded MB", megabytes(usage.resident));
            }
        }
    }
}

/// One call after the other over standard input and output.
pub(crate) async fn stdio(field: &Field<'_>, plan: Plan, report: &mut Report) {
    for _ in 0..plan.rounds {
        for contender in field.contenders(&[Contender::Mcpwright, Contender::ByHand, Contender::FastMcp]) {
            for era in Era::BOTH {
                let scenario = format!("tools/call, 60 B, {}, stdio", era.version());
                let server = field.launch(contender, SMALL, "tools").stdio();
                let pid = server.process.id();
                let mut client = Client::stdio(server, era).await;
                let mut wrong = 0;
                let mut call = async |count: u64| {
                    for _ in 0..count {
                        let answer = client.call(contender.tool("getPet"), json!({ "petId": 7 })).await;
                        wrong +=
                            u64::from(!answer.is_ok_and(|answer| answer.get("isError") != Some(&Value::Bool(true))));
                    }
                };
                call(plan.sequential / 10 + 1).await;
                let before = pid.and_then(Usage::of);
                let begin = Instant::now();
                call(plan.sequential).await;
                let elapsed = begin.elapsed();
                let after = pid.and_then(Usage::of);
                if wrong > 0 {
                    report.error(format!("{scenario}, {}: {wrong} calls failed", contender.name()));
                }
                if let (Some(before), Some(after)) = (before, after) {
                    let cpu = (after.cpu - before.cpu).as_secs_f64() * 1e6 / plan.sequential as f64;
                    report.add(&scenario, contender.name(), CPU, cpu);
                }
                let rate = plan.sequential as f64 / elapsed.as_secs_f64();
                report.add(&scenario, contender.name(), "requests/s", rate);
            }
        }
    }
}

/// Very many calls and sessions: memory stays where it was.
pub(crate) async fn endurance(field: &Field<'_>, plan: Plan, report: &mut Report) {
    let (server, address) = field.http(Contender::Mcpwright, SMALL, "tools").await;
    let resident = || server.process.usage().map_or(0.0, |usage| megabytes(usage.resident));
    let forever = Duration::from_secs(600);
    let call = Question::call(Era::Modern, "get_pet", &json!({ "petId": 7 }));
    let initialize = Question::Rpc {
        era: Era::Legacy,
        method: "initialize",
        parameters: json!({
            "protocolVersion": Era::Legacy.version(),
            "capabilities": {},
            "clientInfo": { "name": "bench", "version": "0" },
        }),
    };
    for (scenario, question, requests) in [
        (format!("memory over {} calls", plan.calls), call, plan.calls),
        (format!("memory over {} sessions", plan.sessions), initialize, plan.sessions),
    ] {
        let tenth = Shape { connections: 16, duration: forever, requests: requests / 10, pace: None };
        load::run(address, &question, tenth).await;
        report.add(&scenario, "mcpwright", "MB at 10 %", resident());
        let outcome = load::run(address, &question, Shape { requests: requests / 10 * 9, ..tenth }).await;
        report.add(&scenario, "mcpwright", "MB at the end", resident());
        if outcome.errors > 0 {
            report.error(format!("{scenario}: {} errors", outcome.errors));
        }
    }
}

/// Warms a server up, puts it under load, and adds what that cost to each scenario.
#[expect(clippy::too_many_arguments, reason = "one line for each thing that differs between measurements")]
async fn measure(
    plan: Plan,
    scenarios: &[String],
    contender: Contender,
    address: std::net::SocketAddr,
    question: &Question,
    connections: usize,
    usage: impl Fn() -> Option<Usage>,
    report: &mut Report,
) {
    let shape = Shape { connections, duration: plan.warm_up, requests: u64::MAX, pace: None };
    load::run(address, question, shape).await;
    let before = usage();
    let outcome = load::run(address, question, Shape { duration: plan.duration, ..shape }).await;
    let after = usage();
    for scenario in scenarios {
        let name = contender.name();
        if outcome.errors > 0 || outcome.requests == 0 {
            report.error(format!("{scenario}, {name}: {} errors, {} answers", outcome.errors, outcome.requests));
            continue;
        }
        if let (Some(before), Some(after)) = (before, after) {
            let cpu = (after.cpu - before.cpu).as_secs_f64();
            report.add(scenario, name, CPU, cpu * 1e6 / outcome.requests as f64);
            report.add(scenario, name, "cores", cpu / outcome.elapsed.as_secs_f64());
        }
        report.add(scenario, name, "requests/s", outcome.requests as f64 / outcome.elapsed.as_secs_f64());
        report.add(scenario, name, "p50 µs", f64::from(outcome.quantile(0.5)));
        report.add(scenario, name, "p99 µs", f64::from(outcome.quantile(0.99)));
        report.add(scenario, name, "bytes", outcome.bytes as f64 / outcome.requests as f64);
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
