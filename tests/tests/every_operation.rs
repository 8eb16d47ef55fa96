//! Every operation of real documents: sample arguments pass the check, become a request, and the made-up answer matches
//! the output schema. The documents lie beside the checkout where there are any; the test passes without them.

use mcpwright::{Source, Sources, configuration::Configuration, descriptors, diagnostics::Diagnostics, plan};
use mcpwright_runtime::{
    arguments::Validator,
    catalog::{Api, Operation, Output},
    schema,
    upstream::{Scope, Upstream},
};
use mcpwright_tests::workspace;
use serde_json::Map;

fn api(name: &str) -> Option<&'static Api> {
    let path = workspace::real_document(name)?;
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let api = mcpwright::load(
        Source::from_argument(&path.to_string_lossy()).expect("a file"),
        &Default::default(),
        &mut sources,
        &mut diagnostics,
    )
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    let plan = plan::build(&api, &Configuration::default(), &mut diagnostics);
    Some(descriptors::leak(&plan))
}

#[tokio::test]
async fn sample_arguments_of_real_documents_become_requests() {
    let names = [
        "v20-netlify.yaml",
        "v20-readme-petstore.yaml",
        "v30-readme-file-uploads.json",
        "v30-readme-parameters-style.yaml",
        "v30-twilio.yaml",
        "v30-uspto.json",
        "v31-museum.yaml",
        "v31-readme-parameters-style.yaml",
    ];
    let mut faults = Vec::new();
    let mut total = 0;
    for name in names {
        let Some(api) = api(name) else { continue };
        let upstream = Upstream::builder(api).environment([("T_MOCK", "1")]).prefix("T").build().expect("an upstream");
        for operation in api.operations() {
            total += 1;
            let text = schema::input(api, operation);
            // The server that makes up answers makes up arguments too: as the answer of an operation that gives them.
            let echo: &'static Operation = Box::leak(Box::new(Operation {
                output: Some(Box::leak(Box::new(Output { schema: text.clone().leak(), ..Output::DEFAULT }))),
                ..Operation::DEFAULT
            }));
            let made_up = upstream.call_tool(echo, Map::new(), &Scope::default()).await.expect("arguments");
            let arguments = serde_json::from_str(made_up.structured.expect("an object").get()).expect("an object");
            let arguments = match Validator::new(text).check(arguments) {
                Ok(arguments) => arguments,
                // Samples know nothing of patterns.
                Err(error) if error.message.contains("does not match the pattern") => continue,
                Err(error) => {
                    faults.push(format!("{name} {}: check: {error}", operation.name));
                    continue;
                }
            };
            match upstream.call_tool(operation, arguments, &Scope::default()).await {
                Ok(result) if result.is_error => faults.push(format!("{name} {}: {result:?}", operation.name)),
                Ok(result) => {
                    if let (Some(output), Some(json)) = (schema::output(api, operation), result.structured)
                        && operation.example.is_empty()
                    {
                        let value = serde_json::from_str(json.get()).expect("JSON");
                        let wrong = Validator::new(output).faults(&value);
                        if !wrong.is_empty() {
                            faults.push(format!("{name} {}: mock: {}", operation.name, wrong.join("; ")));
                        }
                    }
                }
                Err(error) => faults.push(format!("{name} {}: request: {error}", operation.name)),
            }
        }
    }
    assert!(faults.is_empty(), "{} of {total}:\n{}", faults.len(), faults.join("\n"));
}
