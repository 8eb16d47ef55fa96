//! Flattening and trimming.

use serde_json::{Value, json};

use super::*;
use crate::schema::{Trimmed, flatten, trim};

fn definitions(named: Value) -> Definitions {
    let mut definitions = Definitions::default();
    if let Value::Object(members) = named {
        for (name, schema) in members {
            definitions.insert(name, schema);
        }
    }
    definitions
}

#[test]
fn references_and_all_of_are_flattened() {
    let definitions = definitions(json!({
        "Base": {"type":"object","description":"Base","properties":{"id":{"type":"integer"}},"required":["id"]},
        "Pet": {"allOf":[{"$ref":"#/$defs/Base"},{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}]},
        "Closed": {"type":"object","properties":{"a":{}},"additionalProperties":false},
        "Recursive": {"$ref":"#/$defs/Recursive"},
    }));
    let flat = |schema: Value| flatten(&schema, &definitions);
    assert_eq!(
        flat(json!({"$ref":"#/$defs/Pet","description":"Mine"})),
        Some(json!({
            "description":"Mine","type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"}},
            "required":["id","name"],
        })),
    );
    assert_eq!(
        flat(json!({"$ref":"#/$defs/Closed"})),
        Some(json!({"type":"object","properties":{"a":{}},"additionalProperties":false})),
    );
    assert_eq!(
        flat(json!({"type":["object","null"],"properties":{"a":{}},"required":["a","b"]})),
        Some(json!({"type":"object","properties":{"a":{},"b":{}},"required":["a","b"]})),
    );
    assert_eq!(
        flat(
            json!({"allOf":[{"properties":{"a":{"minimum":1}}},{"properties":{"a":{"maximum":2}}}],"unevaluatedProperties":false})
        ),
        Some(
            json!({"type":"object","properties":{"a":{"allOf":[{"minimum":1},{"maximum":2}]}},"additionalProperties":false})
        ),
    );
    assert_eq!(
        flat(json!({"type":"object","properties":{},"additionalProperties":false})),
        Some(json!({"type":"object","properties":{},"additionalProperties":false})),
    );
    for lost in [
        json!(true),
        json!({}),
        json!({"type":"object"}),
        json!({"type":"string"}),
        json!({"type":["object","string"],"properties":{"a":{}}}),
        json!({"properties":{"a":{}},"additionalProperties":{"type":"string"}}),
        json!({"properties":{"a":{}},"additionalProperties":true}),
        json!({"properties":{"a":{}},"patternProperties":{"^x":{}}}),
        json!({"properties":{"a":{}},"minProperties":1}),
        json!({"properties":{"a":{}},"oneOf":[{"required":["a"]}]}),
        json!({"properties":{"a":{}},"if":{},"then":{}}),
        json!({"$ref":"#/$defs/Closed","properties":{"b":{}}}),
        json!({"$ref":"#/$defs/Recursive"}),
        json!({"$ref":"#/$defs/Gone"}),
    ] {
        assert_eq!(flat(lost.clone()), None, "{lost}");
    }
}

#[test]
fn a_schema_within_its_budget_stays() {
    let definitions = definitions(json!({"Pet":{"type":"object"}}));
    let schema = json!({"$ref":"#/$defs/Pet"});
    let trimmed = trim(&schema.clone().into(), &definitions, 100);
    let expected = Trimmed { schema: schema.into(), definitions: ["Pet".to_owned()].into(), is_cut: false };
    assert_eq!(trimmed, Some(expected));
}

#[test]
fn a_cut_schema_keeps_what_lies_highest() {
    let definitions = definitions(json!({
        "Node": {"type":"object","description":"A node of the tree","properties":{
            "name":{"type":"string","description":"What it is called, at length: ".to_owned() + &"x".repeat(300)},
            "next":{"$ref":"#/$defs/Node"},
        },"required":["name"]},
    }));
    let schema = json!({"type":"array","items":{"$ref":"#/$defs/Node"}});
    let cut = |budget| trim(&schema.clone().into(), &definitions, budget).map(|trimmed| Value::clone(&trimmed.schema));
    assert_eq!(cut(60), Some(json!({"type":"array","items":{"type":"object"}})));
    let node =
        |next: Value| json!({"type":"object","properties":{"name":{"type":"string"},"next":next},"required":["name"]});
    assert_eq!(cut(150), Some(json!({"type":"array","items":node(json!({"type":"object"}))})));
    assert_eq!(cut(250), Some(json!({"type":"array","items":node(node(json!({"type":"object"})))})));
    assert_eq!(cut(20), None);
}

#[test]
fn cutting_never_makes_a_schema_stricter() {
    let definitions = definitions(json!({
        "Big": {"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":"object","properties":{"c":{"const":1}}}}}}},
    }));
    let big = json!({"$ref":"#/$defs/Big"});
    let rows = [
        (
            json!({"oneOf":[{"properties":{"k":{"const":"x"},"v":big}},{"properties":{"k":{"const":"y"},"v":big}}]}),
            json!({"k":"x","v":{}}),
        ),
        (json!({"properties":{"v":{"not":big},"w":{"const":1}}}), json!({"v":1})),
        (json!({"properties":{"v":{"contains":big,"maxContains":1},"w":{"const":1}}}), json!({"v":[{},1,2]})),
        (json!({"properties":{"v":{"if":big,"then":{"required":["z"]},"else":true},"w":{"const":1}}}), json!({"v":1})),
        (json!({"properties":{"v":big},"unevaluatedProperties":false}), json!({"v":{"a":{}}})),
        (
            json!({"properties":{"v":{"allOf":[big,{"properties":{"b":{}}}]},"w":{"const":1}}}),
            json!({"v":{"a":{},"b":1}}),
        ),
        (json!({"properties":{"v":{"properties":{"x":{}},"additionalProperties":big}}}), json!({"v":{"x":1,"y":{}}})),
    ];
    for (schema, value) in rows {
        let whole = assert_usable(&bundled(&schema, &definitions));
        assert!(whole.is_valid(&value), "{schema} {value}");
        for budget in 20..300 {
            let Some(trimmed) = trim(&schema.clone().into(), &definitions, budget) else { continue };
            let bundle = bundled(&trimmed.schema, &definitions);
            assert!(bundle.to_string().len() <= budget + 1 || !trimmed.is_cut, "{budget} {bundle}");
            assert!(assert_usable(&bundle).is_valid(&value), "{budget}: {schema} became {bundle}");
        }
    }
}
