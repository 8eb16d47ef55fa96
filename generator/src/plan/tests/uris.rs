//! Templates as the runtime reads them.

use mcpwright_runtime::uri_template::UriTemplate;
use proptest::prelude::*;
use serde_json::Map;

use super::{corpus::documents, *};

#[test]
fn the_templates_of_every_document_can_be_read() {
    for (file, api) in documents() {
        let plan = build(api, &Configuration::default(), &mut Diagnostics::default());
        for component in plan.components().filter(|one| one.kind == Kind::ResourceTemplate) {
            let template: UriTemplate =
                component.uri.parse().unwrap_or_else(|error| panic!("{file}: {} {error}", component.uri));
            let values: Map<String, Value> =
                template.variables().map(|name| (name.to_owned(), json!(format!("/{name}?&=%{{}}")))).collect();
            let uri = template.expand(&values);
            let captures = template.captures(&uri).unwrap_or_else(|| panic!("{file}: {uri}"));
            assert!(captures.unknown.is_empty(), "{uri}");
            for parameter in plan.parameters(component) {
                use crate::api::ParameterLocation::{Path, Query};
                let variable = mcpwright_runtime::catalog::uri_variable(parameter.argument());
                assert_eq!(
                    captures.get(&variable).is_some(),
                    matches!(parameter.location, Path | Query),
                    "{uri} {variable}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn a_template_carries_every_value(id in "\\PC+", other in "\\PC+", text in "\\PC*", list in prop::collection::vec("\\PC+", 1..4)) {
        let parameter = |name: &str, place: &str, schema: &str| {
            format!("{{name: {name}, in: {place}, required: {}, schema: {{type: {schema}}}}}", place == "path")
        };
        let parameters = [
            parameter("id", "path", "string"),
            parameter("other-id", "path", "string"),
            parameter("q.text", "query", "string"),
            parameter("'list[]'", "query", "array"),
        ]
        .join(", ");
        let planned = plan(
            &format!("'/a/{{id}}/{{other-id}}:sub?x=1': {{get: {{operationId: a, parameters: [{parameters}]}}}}"),
            "",
        );
        let template = &planned.component("a").uri;
        prop_assert_eq!(template, "api://pets/a/{id}/{other_id}:sub?x=1{&q_text,list*}");
        let template: UriTemplate = template.parse().unwrap();
        let values = json!({"id": &id, "other_id": &other, "q_text": &text, "list": &list});
        let uri = template.expand(values.as_object().unwrap());
        let captures = template.captures(&uri).unwrap();
        let one = |name| captures.get(name).unwrap().text();
        prop_assert_eq!(one("id"), id);
        prop_assert_eq!(one("other_id"), other);
        prop_assert_eq!(one("q_text"), text);
        prop_assert_eq!(captures.get("list").unwrap().list(), list);
    }
}
