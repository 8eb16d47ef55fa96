//! One table row per feature of a dialect: what is written, what it becomes.

use serde_json::{Value, json};

use super::*;

/// Checks rows of (written, expected), and that each result is a schema.
#[track_caller]
fn assert_becomes(rows: impl IntoIterator<Item = (Value, Value)>) {
    for (written, expected) in rows {
        let converted = convert(&written);
        assert_usable(&converted);
        assert_eq!(converted, expected, "{written}");
    }
}

#[test]
fn nullable_admits_null() {
    assert_becomes([
        (json!({"type":"string","nullable":true}), json!({"type":["string","null"]})),
        (json!({"type":"string","x-nullable":true}), json!({"type":["string","null"]})),
        (json!({"type":"string","nullable":"true"}), json!({"type":["string","null"]})),
        (json!({"type":"string","nullable":false}), json!({"type":"string"})),
        (json!({"type":["string","null"],"nullable":true}), json!({"type":["string","null"]})),
        (json!({"type":"string","enum":["a"],"nullable":true}), json!({"type":["string","null"],"enum":["a",null]})),
        (json!({"const":"a","nullable":true}), json!({"enum":["a",null]})),
        (json!({"nullable":true,"description":"Any"}), json!({"description":"Any"})),
        (
            json!({"nullable":true,"anyOf":[{"type":"string"},{"type":"integer"}]}),
            json!({"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}),
        ),
        (
            json!({"nullable":true,"title":"T","oneOf":[{"type":"string"},{"type":"integer"}]}),
            json!({"title":"T","anyOf":[{"oneOf":[{"type":"string"},{"type":"integer"}]},{"type":"null"}]}),
        ),
    ]);
    let pet = json!({"Pet":{"type":"object"}});
    for written in [
        json!({"$ref":"#/components/schemas/Pet","nullable":true}),
        json!({"allOf":[{"$ref":"#/components/schemas/Pet"}],"nullable":true}),
    ] {
        let (converted, definitions, _) = convert_with(&pet, &written, Direction::Request);
        assert_eq!(converted, json!({"anyOf":[{"$ref":"#/$defs/Pet"},{"type":"null"}]}), "{written}");
        let validator = assert_usable(&bundled(&converted, &definitions));
        assert!(validator.is_valid(&json!(null)) && validator.is_valid(&json!({})) && !validator.is_valid(&json!(1)));
    }
}

#[test]
fn bounds_of_every_dialect_are_numbers() {
    assert_becomes([
        (json!({"minimum":0,"exclusiveMinimum":true}), json!({"exclusiveMinimum":0})),
        (json!({"maximum":9,"exclusiveMaximum":true}), json!({"exclusiveMaximum":9})),
        (json!({"maximum":9,"exclusiveMaximum":false}), json!({"maximum":9})),
        (json!({"exclusiveMaximum":true}), json!({})),
        (json!({"minimum":1,"exclusiveMinimum":0}), json!({"minimum":1,"exclusiveMinimum":0})),
        (json!({"minimum":"1.5"}), json!({"minimum":1.5})),
        (json!({"minimum":"low"}), json!({})),
        (json!({"minimum":-9.223372036854776e18,"maximum":1.8446744073709552e19}), json!({})),
        (json!({"maximum":18_446_744_073_709_551_615_u64}), json!({})),
        (json!({"maximum":9_223_372_036_854_774_784_i64}), json!({"maximum":9_223_372_036_854_774_784_i64})),
        (json!({"maxLength":1e30,"minLength":"3"}), json!({"minLength":3})),
        (json!({"maxLength":-1,"minItems":2.0}), json!({"minItems":2})),
        (json!({"multipleOf":0}), json!({})),
        (json!({"multipleOf":0.01}), json!({"multipleOf":0.01})),
        (json!({"uniqueItems":"true"}), json!({"uniqueItems":true})),
    ]);
}

#[test]
fn types_of_other_languages_are_read_as_meant() {
    assert_becomes([
        (json!({"type":"file"}), json!({"type":"string","format":"binary"})),
        (json!({"type":"int"}), json!({"type":"integer"})),
        (json!({"type":"Boolean"}), json!({"type":"boolean"})),
        (json!({"type":"date"}), json!({"type":"string","format":"date"})),
        (json!({"type":"any"}), json!({})),
        (json!({"type":"SomeClass"}), json!({})),
        (json!({"type":null}), json!({})),
        (json!({"type":[]}), json!({})),
        (json!({"type":["string"]}), json!({"type":"string"})),
        (json!({"type":["string","string","null"]}), json!({"type":["string","null"]})),
        (json!({"type":["string",null]}), json!({"type":["string","null"]})),
        (json!({"type":"null"}), json!({"type":"null"})),
        (json!({"type":5}), json!({})),
    ]);
}

#[test]
fn items_of_every_dialect() {
    assert_becomes([
        (json!({"type":"array"}), json!({"type":"array","items":{}})),
        (json!({"type":["array","null"]}), json!({"type":["array","null"],"items":{}})),
        (json!({"items":[]}), json!({})),
        (
            json!({"items":[{"type":"string"}],"additionalItems":false}),
            json!({"prefixItems":[{"type":"string"}],"items":false}),
        ),
        (
            json!({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}}),
            json!({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}}),
        ),
        (json!({"items":{"type":"string"},"additionalItems":false}), json!({"items":{"type":"string"}})),
        (json!({"type":"array","unevaluatedItems":false}), json!({"type":"array","unevaluatedItems":false})),
    ]);
}

#[test]
fn enumerations_agree_with_their_type() {
    assert_becomes([
        (json!({"type":"integer","enum":["1",2]}), json!({"type":"integer","enum":[1,2]})),
        (json!({"type":"string","enum":[1,true,"a"]}), json!({"type":"string","enum":["1","true","a"]})),
        (json!({"type":"string","enum":["a","a","b"]}), json!({"type":"string","enum":["a","b"]})),
        (json!({"type":"integer","enum":[1,"unlimited"]}), json!({"type":["integer","string"],"enum":[1,"unlimited"]})),
        (json!({"type":"integer","enum":[1,1.5]}), json!({"type":"number","enum":[1,1.5]})),
        (json!({"type":"string","enum":["a",null]}), json!({"type":["string","null"],"enum":["a",null]})),
        (json!({"type":"boolean","enum":["true"]}), json!({"type":"boolean","enum":[true]})),
        (json!({"type":"string","enum":"a"}), json!({"type":"string","enum":["a"]})),
        (json!({"type":"string","enum":[]}), json!({"type":"string"})),
        (
            json!({"type":"array","items":{"type":"string"},"enum":["a"]}),
            json!({"type":"array","items":{"type":"string","enum":["a"]}}),
        ),
        (json!({"type":"object","enum":["a"]}), json!({"type":"object"})),
        (json!({"enum":[{"a":1},null]}), json!({"enum":[{"a":1},null]})),
        (json!({"type":"string","const":1}), json!({"type":"string","const":"1"})),
    ]);
}

#[test]
fn defaults_and_examples_are_of_the_type() {
    assert_becomes([
        (json!({"type":"boolean","default":"true"}), json!({"type":"boolean","default":true})),
        (json!({"type":"boolean","default":"False"}), json!({"type":"boolean","default":false})),
        (json!({"type":"integer","default":"10"}), json!({"type":"integer","default":10})),
        (json!({"type":"string","default":10}), json!({"type":"string","default":"10"})),
        (json!({"type":"integer","default":"ten"}), json!({"type":"integer"})),
        (json!({"type":"string","default":null}), json!({"type":"string"})),
        (json!({"type":"string","nullable":true,"default":null}), json!({"type":["string","null"],"default":null})),
        (
            json!({"type":"array","items":{"type":"string"},"default":"a"}),
            json!({"type":"array","items":{"type":"string"},"default":["a"]}),
        ),
        (json!({"type":"string","example":"x"}), json!({"type":"string","examples":["x"]})),
        (json!({"type":"string","x-example":"x","example":"x"}), json!({"type":"string","examples":["x"]})),
        (json!({"examples":{"one":{"value":1},"two":2}}), json!({"examples":[1,2]})),
        (json!({"type":"integer","example":"7"}), json!({"type":"integer","examples":[7]})),
        (json!({"example":"x".repeat(1000)}), json!({})),
    ]);
}

#[test]
fn what_looks_like_a_schema_in_data_is_data() {
    let data = json!({"nullable":true,"type":"int","$ref":"#/components/schemas/Gone"});
    assert_becomes([(
        json!({"enum":[data.clone()],"const":data.clone(),"default":data.clone(),"examples":[data.clone()]}),
        json!({"enum":[data.clone()],"const":data.clone(),"default":data.clone(),"examples":[data]}),
    )]);
    assert_becomes([(
        json!({"properties":{"nullable":{"type":"int"},"required":{"type":"string"},"xml":{},"$ref":{"type":"string"}}}),
        json!({"properties":{"nullable":{"type":"integer"},"required":{"type":"string"},"xml":{},"$ref":{"type":"string"}}}),
    )]);
}

#[test]
fn required_is_an_array_of_properties() {
    assert_becomes([
        (
            json!({"properties":{"a":{"required":true,"type":"string"},"b":{"required":false}},"required":["b","b"]}),
            json!({"properties":{"a":{"type":"string"},"b":{}},"required":["b","a"]}),
        ),
        (json!({"required":true,"type":"string"}), json!({"type":"string"})),
        (json!({"properties":{"a":{}},"required":"a"}), json!({"properties":{"a":{}},"required":["a"]})),
        (
            json!({"properties":{"a":{}},"required":["gone"]}),
            json!({"properties":{"a":{},"gone":{}},"required":["gone"]}),
        ),
        (
            json!({"properties":{"a":{}},"required":["gone","a"],"additionalProperties":false}),
            json!({"properties":{"a":{}},"additionalProperties":false,"required":["a"]}),
        ),
        (json!({"required":["a"]}), json!({"required":["a"]})),
        (json!({"properties":{"a":null},"required":[]}), json!({"properties":{"a":true}})),
    ]);
}

#[test]
fn keywords_of_documentation_go_and_prose_is_tidied() {
    assert_becomes([
        (
            json!({"xml":{"name":"a"},"externalDocs":{"url":"u"},"x-internal":1,"$comment":"c","$id":"i","$schema":"s","id":"i"}),
            json!({}),
        ),
        (json!({"description":"<p>An <b>id</b></p>\u{7}","title":7}), json!({"description":"An id","title":"7"})),
        (json!({"description":["no"],"title":null,"format":3}), json!({})),
        (
            json!({"properties":{"page_size":{"title":"Page Size"},"page":{"title":"Number of the page"}}}),
            json!({"properties":{"page_size":{},"page":{"title":"Number of the page"}}}),
        ),
        (json!({"deprecated":true,"format":"int32"}), json!({"deprecated":true,"format":"int32"})),
        (json!({"deprecated":false}), json!({})),
    ]);
    let long = convert(&json!({"description":"é".repeat(5000)}));
    assert_eq!(long["description"].as_str().map(|text| text.chars().count()), Some(1000));
}

#[test]
fn patterns_compile_or_become_words() {
    assert_becomes([
        (json!({"pattern":"^a$"}), json!({"pattern":"^a$"})),
        (json!({"pattern":"/^a$/"}), json!({"pattern":"^a$"})),
        (json!({"pattern":"(?i)a","description":"A"}), json!({"description":"A\nPattern: `(?i)a`"})),
        (json!({"description":"A","pattern":"(?i)a"}), json!({"description":"A\nPattern: `(?i)a`"})),
        (json!({"pattern":5}), json!({})),
        (
            json!({"patternProperties":{"^a":{"type":"int"},"(?i)b":{}},"additionalProperties":false}),
            json!({"patternProperties":{"^a":{"type":"integer"}}}),
        ),
    ]);
}

#[test]
fn all_of_is_merged_where_that_loses_nothing() {
    let unmerged = json!({"properties":{"a":{}},"allOf":[{"additionalProperties":false,"properties":{"b":{}}}]});
    assert_becomes([
        (
            json!({"allOf":[{"type":"object","properties":{"a":{}},"required":["a"]},{"type":"object","properties":{"b":{}},"required":["b"]}]}),
            json!({"type":"object","properties":{"a":{},"b":{}},"required":["a","b"]}),
        ),
        (json!({"allOf":[{}, true]}), json!({})),
        (json!({"allOf":{"type":"string"}}), json!({"type":"string"})),
        (json!({"allOf":[]}), json!({})),
        (json!({"oneOf":[{"type":"string"}],"description":"d"}), json!({"type":"string","description":"d"})),
        (unmerged.clone(), unmerged),
        (json!({"minimum":1,"allOf":[{"minimum":2}]}), json!({"minimum":1,"allOf":[{"minimum":2}]})),
        (
            json!({"allOf":[{"allOf":[{"minimum":1},{"minimum":2}]},{"allOf":[{"minimum":3}]}]}),
            json!({"minimum":1,"allOf":[{"minimum":3},{"minimum":2}]}),
        ),
    ]);
}

#[test]
fn references_keep_their_siblings() {
    let components = json!({"Pet":{"type":"object"}});
    for (written, expected) in [
        (
            json!({"$ref":"#/components/schemas/Pet","description":"Mine"}),
            json!({"$ref":"#/$defs/Pet","description":"Mine"}),
        ),
        (
            json!({"description":"Mine","allOf":[{"$ref":"#/components/schemas/Pet"}]}),
            json!({"description":"Mine","$ref":"#/$defs/Pet"}),
        ),
        (
            json!({"type":"object","properties":{"a":{}},"allOf":[{"$ref":"#/components/schemas/Pet"}]}),
            json!({"type":"object","properties":{"a":{}},"allOf":[{"$ref":"#/$defs/Pet"}]}),
        ),
    ] {
        assert_eq!(convert_with(&components, &written, Direction::Request).0, expected, "{written}");
    }
}

#[test]
fn keywords_of_2020_12_and_draft_7_stay() {
    let same = [
        json!({"if":{"minimum":1},"then":{"maximum":2},"else":false}),
        json!({"unevaluatedProperties":false,"patternProperties":{"^x-":true},"propertyNames":{"maxLength":9}}),
        json!({"dependentSchemas":{"a":{"required":["b"]}},"dependentRequired":{"a":["b"]}}),
        json!({"contains":{"type":"null"},"minContains":2,"maxContains":3}),
        json!({"type":"string","contentEncoding":"base64","contentMediaType":"application/json","contentSchema":{"type":"object"}}),
        json!({"not":{"const":1}}),
        json!(true),
        json!(false),
    ];
    assert_becomes(same.into_iter().map(|schema| (schema.clone(), schema)));
    assert_becomes([(
        json!({"dependencies":{"a":["b"],"c":{"required":["d"]}}}),
        json!({"dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"required":["d"]}}}),
    )]);
}

#[test]
fn directions_leave_out_what_does_not_travel_their_way() {
    let components = json!({
        "Pet": {
            "type": "object",
            "properties": {"id":{"type":"integer","readOnly":true},"secret":{"type":"string","writeOnly":true},"name":{"type":"string"}},
            "required": ["id", "secret", "name"],
        },
        "Shelf": {"type":"array","items":{"$ref":"#/components/schemas/Pet"}},
        "Free": {"type":"array","items":{"type":"string"}},
    });
    let written = json!({"properties":{"pets":{"$ref":"#/components/schemas/Shelf"},"free":{"$ref":"#/components/schemas/Free"}}});
    let (request, definitions, _) = convert_with(&components, &written, Direction::Request);
    assert_eq!(request, json!({"properties":{"pets":{"$ref":"#/$defs/ShelfInput"},"free":{"$ref":"#/$defs/Free"}}}));
    assert_eq!(
        definitions.get("PetInput").map(|definition| &definition.schema),
        Some(
            &json!({"type":"object","properties":{"secret":{"type":"string"},"name":{"type":"string"}},"required":["secret","name"]})
        ),
    );
    let (response, definitions, _) = convert_with(&components, &written, Direction::Response);
    assert_eq!(response, json!({"properties":{"pets":{"$ref":"#/$defs/Shelf"},"free":{"$ref":"#/$defs/Free"}}}));
    assert_eq!(
        definitions.get("Pet").map(|definition| &definition.schema),
        Some(
            &json!({"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"}},"required":["id","name"]})
        ),
    );
}

#[test]
fn a_read_only_property_is_not_required_by_a_neighbour() {
    let components = json!({
        "Id": {"type":"integer","readOnly":true},
        "Base": {"type":"object","properties":{"id":{"$ref":"#/components/schemas/Id"}}},
    });
    let written = json!({"allOf":[{"$ref":"#/components/schemas/Base"},{"type":"object","properties":{"a":{}},"required":["id","a"]}]});
    let (converted, definitions, _) = convert_with(&components, &written, Direction::Request);
    assert_eq!(converted["required"], json!(["a"]));
    assert_eq!(definitions.get("BaseInput").map(|base| &base.schema), Some(&json!({"type":"object","properties":{}})));
}

#[test]
fn a_mapped_discriminator_tags_the_branches() {
    let components = json!({
        "Cat": {"type":"object","properties":{"kind":{"type":"string"}}},
        "Dog": {"type":"object","properties":{"kind":{"type":"string","enum":["dog"]}}},
        "Fish": {"type":"object"},
    });
    let reference = |name: &str| json!({"$ref":format!("#/components/schemas/{name}")});
    let written = json!({
        "oneOf": [reference("Cat"), reference("Dog"), reference("Fish")],
        "discriminator": {"propertyName":"kind","mapping":{
            "cat":"#/components/schemas/Cat","kitten":"#/components/schemas/Cat","dog":"#/components/schemas/Dog",
        }},
    });
    let (converted, _, _) = convert_with(&components, &written, Direction::Request);
    assert_eq!(
        converted,
        json!({"oneOf":[
            {"$ref":"#/$defs/Cat","properties":{"kind":{"enum":["cat","kitten"]}}},
            {"$ref":"#/$defs/Dog"},
            {"$ref":"#/$defs/Fish"},
        ]})
    );
    // What is named otherwise is a cat too (OpenAPI 3.2).
    let mut with_default = written.clone();
    with_default["discriminator"]["defaultMapping"] = "#/components/schemas/Cat".into();
    let (converted, _, _) = convert_with(&components, &with_default, Direction::Request);
    assert_eq!(converted["oneOf"][0], json!({"$ref":"#/$defs/Cat"}));
    let unmapped = json!({"oneOf":[reference("Cat"), reference("Dog")],"discriminator":{"propertyName":"kind"}});
    let (converted, _, _) = convert_with(&components, &unmapped, Direction::Request);
    assert_eq!(converted["description"], json!("`kind` names the variant: `Cat`, `Dog`"));
}

#[test]
fn a_base_class_is_a_choice_of_its_subtypes_in_requests() {
    let base = json!({"$ref":"#/components/schemas/Pet"});
    let components = json!({
        "Pet": {"type":"object","properties":{"kind":{"type":"string"}},"required":["kind"],
                "discriminator":{"propertyName":"kind","mapping":{"cat":"#/components/schemas/Cat"}}},
        "Cat": {"allOf":[base.clone(),{"type":"object","properties":{"lives":{"type":"integer"}}}]},
        "Dog": {"allOf":[base.clone()],"properties":{"bark":{"type":"string"}}},
    });
    let (converted, definitions, _) = convert_with(&components, &base, Direction::Request);
    assert_eq!(converted, json!({"$ref":"#/$defs/AnyPet"}));
    assert_eq!(
        definitions.get("AnyPet").map(|any| &any.schema),
        Some(&json!({"anyOf":[
            {"$ref":"#/$defs/Cat","properties":{"kind":{"const":"cat"}},"required":["kind"]},
            {"$ref":"#/$defs/Dog","properties":{"kind":{"const":"Dog"}},"required":["kind"]},
            {"$ref":"#/$defs/Pet"},
        ]})),
    );
    // The subtypes inherit from the class, not from the choice.
    let cat = definitions.get("Cat").map(|cat| cat.references.iter().cloned().collect::<Vec<_>>());
    assert_eq!(cat, Some(vec!["Pet".to_owned()]));
    assert_usable(&bundled(&converted, &definitions));
    // A description beside the reference does not make it inheritance.
    let described = json!({"properties":{"pet":{"allOf":[base.clone()],"description":"Mine"}}});
    let (converted, _, _) = convert_with(&components, &described, Direction::Request);
    assert_eq!(converted["properties"]["pet"]["$ref"], json!("#/$defs/AnyPet"));
    let (response, _, _) = convert_with(&components, &base, Direction::Response);
    assert_eq!(response, json!({"$ref":"#/$defs/Pet"}));
}

#[test]
fn recursion_stays_and_circles_are_broken() {
    let reference = |name: &str| json!({"$ref":format!("#/components/schemas/{name}")});
    let components = json!({
        "Tree": {"type":"object","properties":{"children":{"type":"array","items":reference("Tree")}}},
        "Self": reference("Self"),
        "A": {"allOf":[reference("B")]},
        "B": {"anyOf":[reference("A"),{"type":"string"}]},
    });
    let written = json!({"properties":{"t":reference("Tree"),"s":reference("Self"),"a":reference("A")}});
    let (converted, definitions, findings) = convert_with(&components, &written, Direction::Request);
    assert_eq!(definitions.get("Self").map(|definition| &definition.schema), Some(&json!({})));
    let validator = assert_usable(&bundled(&converted, &definitions));
    assert!(validator.is_valid(&json!({"t":{"children":[{"children":[]}]},"s":1,"a":2})));
    assert!(!validator.is_valid(&json!({"t":{"children":[{"children":1}]}})));
    assert_eq!(findings.iter().filter(|finding| finding.starts_with("schema-cycle")).count(), 2, "{findings:?}");
}

#[test]
fn depth_and_width_are_bounded() {
    let mut deep = json!({"type":"string"});
    for _ in 0..100 {
        deep = json!({"type":"object","properties":{"a":deep}});
    }
    let (converted, _, findings) = convert_with(&Value::Null, &deep, Direction::Request);
    assert_eq!(findings.len(), 1);
    assert_usable(&converted);
    let wide: Vec<Value> = (0..10_000).map(|index| json!({"properties":{format!("p{index}"):{}}})).collect();
    let converted = convert(&json!({"allOf":wide}));
    assert_eq!(converted["properties"].as_object().map(serde_json::Map::len), Some(10_000));
}

#[test]
fn findings_name_their_place_once() {
    let components = json!({"Pet":{"properties":{"a/b":{"type":"int"},"id":{"readOnly":true}}}});
    let written = json!({"allOf":[{"$ref":"#/components/schemas/Pet"},{"items":{"minimum":"low"}}]});
    let (store, id) = store(&components, &written);
    let mut diagnostics = Diagnostics::default();
    let mut converter = Converter::new(&store);
    converter.convert(id, Direction::Request, &mut diagnostics);
    converter.convert(id, Direction::Response, &mut diagnostics);
    converter.finish(&mut diagnostics);
    let places: Vec<String> =
        diagnostics.iter().filter_map(|finding| Some(finding.location.as_ref()?.pointer.clone())).collect();
    assert_eq!(places, ["/schema/allOf/1/items", "/components/schemas/Pet/properties/a~1b"]);
}

#[test]
fn hostile_values_in_every_keyword_are_survived() {
    let odd = [json!(null), json!(true), json!(-1), json!("x"), json!([]), json!([[]]), json!({}), json!({"a":1})];
    let keywords = [
        "$ref",
        "type",
        "title",
        "description",
        "deprecated",
        "format",
        "properties",
        "patternProperties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "additionalItems",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "enum",
        "const",
        "default",
        "examples",
        "example",
        "minimum",
        "exclusiveMinimum",
        "multipleOf",
        "maxLength",
        "uniqueItems",
        "pattern",
        "discriminator",
        "nullable",
        "readOnly",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "contains",
        "minContains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        "contentSchema",
        "contentEncoding",
        "$defs",
        "xml",
    ];
    for keyword in keywords {
        for value in &odd {
            for written in [json!({keyword: value}), json!({"type":"string","items":[{keyword: value}],keyword: value})]
            {
                assert_usable(&convert(&written));
            }
        }
    }
}
