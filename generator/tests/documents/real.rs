//! Real documents: every operation is found and none is lost.

use std::path::Path;

use super::{folder, load_file};

/// Checks one document; the answer is what is wrong with it.
fn check(path: &Path, expected: usize) -> Option<String> {
    let loaded = load_file(path);
    let api = match &loaded.outcome {
        Ok(api) => api,
        Err(error) => return Some(format!("{}: {error}", path.display())),
    };
    let found = api.operations.len() + api.lost.len();
    if found == expected && api.lost.is_empty() {
        return None;
    }
    let first = api.lost.first().map(|lost| lost.reason.as_str()).unwrap_or_default();
    Some(format!("{}: {found} operations of {expected}, {} lost {first}", path.display(), api.lost.len()))
}

#[test]
fn every_operation_of_real_documents_is_read() {
    let Some(folder) = folder("shared/specs") else { return };
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).expect("the manifest");
    let mut wrong = Vec::new();
    let mut documents = 0;
    for line in manifest.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, _, _, _, bytes, operations, _] = fields.as_slice() else { panic!("not a row: {line}") };
        // The largest ones take long without optimisation.
        if cfg!(debug_assertions) && bytes.parse::<u64>().expect("a number") > 15_000_000 {
            continue;
        }
        documents += 1;
        wrong.extend(check(&folder.join(file), operations.parse().expect("a number")));
    }
    assert!(documents > 0, "the manifest names no document");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Schemas that operations use must not lose their targets on the way.
#[test]
fn no_reference_of_a_real_document_dangles_after_conversion() {
    let Some(folder) = folder("shared/specs") else { return };
    for file in ["v20-slack-web.json", "v30-box.json", "v31-discord.json", "v31-museum.yaml", "v32-tags-example.yaml"] {
        let loaded = load_file(&folder.join(file));
        let api = loaded.api();
        let schemas = api
            .operations
            .iter()
            .flat_map(|operation| {
                let body = operation.body.iter().flat_map(|body| &body.content);
                let responses = operation.responses.iter().flat_map(|response| &response.content);
                let content = body.chain(responses).filter_map(|media_type| media_type.schema.as_deref());
                operation.parameters.iter().map(|parameter| &*parameter.schema).chain(content)
            })
            .chain(api.definitions.iter().map(|(_, definition)| &definition.schema));
        for schema in schemas {
            for name in references(schema) {
                assert!(api.definitions.get(&name).is_some(), "{file}: `{name}` is not defined");
            }
        }
    }
}

fn references(schema: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Object(members) => {
                for (key, member) in members {
                    match (key.as_str(), member.as_str()) {
                        ("$ref", Some(reference)) => {
                            found.push(reference.strip_prefix("#/$defs/").unwrap_or(reference).to_owned());
                        }
                        ("const" | "default" | "enum" | "examples", _) => {}
                        _ => open.push(member),
                    }
                }
            }
            serde_json::Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}
