//! Values drawn at random: what the original accepts, its conversion accepts.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::schema::{flatten, trim};

/// Small values of every type, so that schemas and values meet.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..4).prop_map(Value::from),
        Just(json!(1.5)),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Schemas of 2020-12 that mean the same in every dialect that has their keywords. References lead to `A` and `B`.
fn schema() -> impl Strategy<Value = Value> {
    let keyword = |name: &'static str, value: Value| Just(json!({ name: value }));
    let leaf = prop_oneof![
        Just(json!({})),
        prop::sample::select(vec!["string", "integer", "number", "boolean", "object", "array", "null"])
            .prop_map(|name| json!({ "type": name })),
        Just(json!({"type":["string","null"]})),
        keyword("minimum", json!(1)),
        keyword("maxLength", json!(1)),
        keyword("pattern", json!("^a")),
        keyword("required", json!(["a"])),
        keyword("minProperties", json!(1)),
        keyword("enum", json!(["a", 1, null, {"a":1}])),
        keyword("const", json!("a")),
        keyword("uniqueItems", json!(true)),
        Just(json!({"$ref":"#/components/schemas/A"})),
        Just(json!({"$ref":"#/components/schemas/B"})),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..3);
        let members = prop::collection::btree_map("[abc]", inner.clone(), 0..3)
            .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()));
        let applied = prop_oneof![
            list.clone().prop_map(|list| json!({ "allOf": list })),
            list.clone().prop_map(|list| json!({ "anyOf": list })),
            list.clone().prop_map(|list| json!({ "oneOf": list })),
            list.prop_map(|list| json!({ "prefixItems": list })),
            inner.clone().prop_map(|schema| json!({ "not": schema })),
            inner.clone().prop_map(|schema| json!({ "items": schema })),
            inner.clone().prop_map(|schema| json!({ "contains": schema })),
            inner.clone().prop_map(|schema| json!({ "additionalProperties": schema })),
            Just(json!({ "additionalProperties": false })),
            Just(json!({ "unevaluatedProperties": false })),
            members.clone().prop_map(|members| json!({ "properties": members, "type": "object" })),
            members.prop_map(|members| json!({ "properties": members, "required": ["a"] })),
        ];
        // Two schemas in one object, so that keywords meet.
        (applied, inner).prop_map(|(mut applied, other)| {
            if let (Value::Object(applied), Value::Object(other)) = (&mut applied, other) {
                for (keyword, value) in other {
                    applied.entry(keyword).or_insert(value);
                }
            }
            applied
        })
    })
}

fn components() -> Value {
    json!({
        "A": {"type":"object","properties":{"a":{"type":"string"},"b":{"$ref":"#/components/schemas/A"}},"required":["a"]},
        "B": {"anyOf":[{"$ref":"#/components/schemas/A"},{"type":"integer"}],"description":"B"},
    })
}

/// The schema as JSON Schema before any conversion.
fn original(schema: &Value) -> Value {
    let rename = |value: &Value| -> Value {
        serde_json::from_str(&value.to_string().replace("#/components/schemas/", "#/$defs/")).unwrap_or_default()
    };
    let mut original = rename(schema);
    original["$defs"] = rename(&components());
    original
}

/// Whether a schema names a type and values that are not of it; those are repaired, which may change a verdict.
fn contradicts_itself(schema: &Value) -> bool {
    let mut contradicts = false;
    crate::schema::walk::schemas(schema, &mut |members| {
        contradicts |= members.contains_key("type") && (members.contains_key("enum") || members.contains_key("const"));
    });
    contradicts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn conversion_accepts_and_refuses_the_same(schema in schema(), values in prop::collection::vec(value(), 20)) {
        prop_assume!(!contradicts_itself(&schema));
        let before = assert_usable(&original(&schema));
        for direction in [Direction::Request, Direction::Response] {
            let (converted, definitions, _) = convert_with(&components(), &schema, direction);
            let after = assert_usable(&bundled(&converted, &definitions));
            for value in &values {
                // A required name that `properties` and a closed object contradict is dropped: more is accepted then.
                let (before, after) = (before.is_valid(value), after.is_valid(value));
                let is_weakened = schema.to_string().contains(r#""additionalProperties":false"#);
                prop_assert!(before == after || (is_weakened && after), "{schema} {converted} {value} {before}");
            }
        }
    }

    #[test]
    fn flattening_accepts_the_same_objects(schema in schema(), values in prop::collection::vec(value(), 20)) {
        let (converted, definitions, _) = convert_with(&components(), &schema, Direction::Request);
        if let Some(flat) = flatten(&converted, &definitions) {
            let before = assert_usable(&bundled(&converted, &definitions));
            let after = assert_usable(&bundled(&flat, &definitions));
            for value in values.iter().filter(|value| value.is_object()) {
                prop_assert_eq!(before.is_valid(value), after.is_valid(value), "{} {} {}", converted, flat, value);
            }
        }
    }

    #[test]
    fn trimming_accepts_at_least_as_much(
        schema in schema(), values in prop::collection::vec(value(), 20), budget in 10_usize..400,
    ) {
        let (converted, definitions, _) = convert_with(&components(), &schema, Direction::Response);
        if let Some(trimmed) = trim(&converted.clone().into(), &definitions, budget) {
            let before = assert_usable(&bundled(&converted, &definitions));
            let bundle = bundled(&trimmed.schema, &definitions);
            let after = assert_usable(&bundle);
            prop_assert!(bundle.to_string().len() <= budget + 1);
            for value in &values {
                prop_assert!(!before.is_valid(value) || after.is_valid(value), "{} {} {}", converted, bundle, value);
            }
        }
    }

    #[test]
    fn nullable_admits_null_and_nothing_else_new(schema in schema(), values in prop::collection::vec(value(), 20)) {
        prop_assume!(!contradicts_itself(&schema));
        let mut written = schema.clone();
        written["nullable"] = json!(true);
        let (plain, plain_definitions, _) = convert_with(&components(), &schema, Direction::Request);
        let (nullable, definitions, _) = convert_with(&components(), &written, Direction::Request);
        let before = assert_usable(&bundled(&plain, &plain_definitions));
        let after = assert_usable(&bundled(&nullable, &definitions));
        prop_assert!(after.is_valid(&Value::Null), "{nullable}");
        for value in values.iter().filter(|value| !value.is_null()) {
            prop_assert_eq!(before.is_valid(value), after.is_valid(value), "{} {} {}", plain, nullable, value);
        }
    }
}
