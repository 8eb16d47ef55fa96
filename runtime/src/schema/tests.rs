use serde_json::{Value, json};

use super::{input, output};
use crate::catalog::{Api, Body, Definition, Operation, Output, Parameter};

static API: Api = Api {
    definitions: &[
        Definition { name: "Owner", schema: r#"{"type":"object"}"# },
        Definition { name: "Pet", schema: r##"{"properties":{"owner":{"$ref":"#/$defs/Owner"}}}"## },
    ],
    ..Api::DEFAULT
};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The input schema of an operation with these parameters.
fn with_parameters(parameters: Vec<&'static Parameter>) -> Value {
    let parameters = parameters.leak();
    parsed(&input(&API, &Operation { parameters, ..Operation::DEFAULT }))
}

/// The input schema of an operation with this body.
fn with_body(body: &'static Body) -> Value {
    parsed(&input(&API, &Operation { body: Some(body), ..Operation::DEFAULT }))
}

#[test]
fn an_operation_without_arguments_takes_an_empty_object() {
    assert_eq!(input(&API, &Operation::DEFAULT), r#"{"type":"object","properties":{},"additionalProperties":false}"#);
}

#[test]
fn parameters_become_properties_under_their_argument_names() {
    static LIMIT: Parameter = Parameter { name: "limit", schema: r#"{"type":"integer"}"#, ..Parameter::QUERY };
    static ID: Parameter = Parameter { name: "id", argument: "path_id", schema: "true", ..Parameter::PATH };
    static KEY: Parameter = Parameter { name: "v", fixed: "2", required: true, ..Parameter::QUERY };
    assert_eq!(
        with_parameters(vec![&LIMIT, &ID, &KEY]),
        json!({
            "type": "object",
            "properties": { "limit": { "type": "integer" }, "path_id": true },
            "required": ["path_id"],
            "additionalProperties": false,
        })
    );
}

#[test]
fn a_parameters_description_and_deprecation_join_its_schema() {
    let cases = [
        (r#"{"type":"string"}"#, json!({ "description": "Say \"hi\"", "deprecated": true, "type": "string" })),
        (
            r#"{"type":"string","description":"The type","deprecated":false}"#,
            json!({ "description": "Say \"hi\"", "deprecated": true, "type": "string" }),
        ),
        (
            r#"{"type":"object","properties":{"description":{"type":"string"}}}"#,
            json!({
                "description": "Say \"hi\"", "deprecated": true,
                "type": "object", "properties": { "description": { "type": "string" } },
            }),
        ),
        (
            r##"{"$ref":"#/$defs/Pet"}"##,
            json!({ "description": "Say \"hi\"", "deprecated": true, "$ref": "#/$defs/Pet" }),
        ),
        ("true", json!({ "description": "Say \"hi\"", "deprecated": true })),
        ("{}", json!({ "description": "Say \"hi\"", "deprecated": true })),
        ("false", json!({ "description": "Say \"hi\"", "deprecated": true, "not": {} })),
        ("nonsense", json!({ "description": "Say \"hi\"", "deprecated": true })),
        (r#"{"type":}"#, json!({ "description": "Say \"hi\"", "deprecated": true })),
    ];
    for (schema, expected) in cases {
        let parameter =
            Parameter { name: "p", description: "Say \"hi\"", deprecated: true, schema, ..Parameter::QUERY };
        assert_eq!(parsed(&super::parameter_schema(&parameter)), expected, "{schema}");
    }
}

#[test]
fn a_schemas_own_description_stays_when_the_parameter_has_none() {
    static LIMIT: Parameter = Parameter { name: "limit", schema: r#"{"description":"How many"}"#, ..Parameter::QUERY };
    assert_eq!(with_parameters(vec![&LIMIT])["properties"]["limit"], json!({ "description": "How many" }));
}

#[test]
fn a_body_under_its_own_argument_is_one_property() {
    static BODY: Body = Body { argument: "body", schema: r##"{"$ref":"#/$defs/Pet"}"##, ..Body::JSON };
    let schema = with_body(&BODY);
    assert_eq!(schema["properties"], json!({ "body": { "$ref": "#/$defs/Pet" } }));
    assert_eq!(schema["required"], json!(["body"]));
}

#[test]
fn a_flattened_body_lies_beside_the_parameters() {
    static ID: Parameter = Parameter { name: "id", ..Parameter::PATH };
    static BODY: Body = Body {
        schema: r#"{"type":"object","properties":{"name":{"type":"string"},"kind":{},"id":{"type":"null"}},
                    "required":["name","kind","id"]}"#,
        fixed: &[("kind", r#""pet""#)],
        ..Body::JSON
    };
    let operation = Operation { parameters: vec![&ID].leak(), body: Some(&BODY), ..Operation::DEFAULT };
    assert_eq!(
        input(&API, &operation),
        r#"{"type":"object","properties":{"id":{},"name":{"type":"string"}},"required":["id","name"],"additionalProperties":false}"#
    );
}

#[test]
fn an_optional_flattened_body_requires_nothing() {
    static BODY: Body = Body { schema: r#"{"properties":{"a":{}},"required":["a"]}"#, required: false, ..Body::JSON };
    assert_eq!(with_body(&BODY).get("required"), None);
}

#[test]
fn additional_properties_of_a_flattened_body_are_respected() {
    static OPEN: Body = Body { schema: r#"{"properties":{},"additionalProperties":{"type":"string"}}"#, ..Body::JSON };
    assert_eq!(with_body(&OPEN)["additionalProperties"], json!({ "type": "string" }));
}

#[test]
fn definitions_are_bundled_and_missing_ones_accept_anything() {
    let operation = Operation { definitions: &["Owner", "Pet", "Gone"], ..Operation::DEFAULT };
    let schema = parsed(&input(&API, &operation));
    let expected = json!({
        "Owner": { "type": "object" },
        "Pet": { "properties": { "owner": { "$ref": "#/$defs/Owner" } } },
        "Gone": {},
    });
    assert_eq!(schema["$defs"], expected);
}

#[test]
fn an_object_result_is_offered_as_it_is() {
    static PET: Output = Output {
        schema: r##"{"$ref":"#/$defs/Pet","title":"A pet"}"##,
        definitions: &["Pet", "Owner"],
        wrapped: false,
    };
    let text = output(&API, &Operation { output: Some(&PET), ..Operation::DEFAULT });
    let schema = parsed(&text.unwrap_or_default());
    assert_eq!(schema["type"], json!("object"));
    assert_eq!(schema["$ref"], json!("#/$defs/Pet"));
    assert_eq!(schema["$defs"]["Owner"], json!({ "type": "object" }));
    assert_eq!(output(&API, &Operation::DEFAULT), None);
}

#[test]
fn other_results_are_wrapped() {
    static PETS: Output = Output { schema: r#"{"type":"array"}"#, definitions: &[], wrapped: true };
    assert_eq!(
        output(&API, &Operation { output: Some(&PETS), ..Operation::DEFAULT }).as_deref(),
        Some(r#"{"type":"object","properties":{"result":{"type":"array"}},"required":["result"]}"#)
    );
}

#[test]
fn malformed_texts_neither_panic_nor_break_the_schema_around_them() {
    for schema in ["", "{", "}", "[", r#"{"properties""#, r#"{"properties":{"a"}"#, "{}}", "é", r#"{"required":"#] {
        let schema: &'static str = schema;
        let body: &'static Body = Box::leak(Box::new(Body { schema, ..Body::JSON }));
        let result: &'static Output = Box::leak(Box::new(Output { schema, ..Output::DEFAULT }));
        let operation = Operation { body: Some(body), output: Some(result), ..Operation::DEFAULT };
        assert!(parsed(&input(&API, &operation)).is_object(), "{schema}");
        assert!(parsed(&output(&API, &operation).unwrap_or_default()).is_object(), "{schema}");
    }
}
