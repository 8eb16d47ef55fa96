//! What operations become.

use mcpwright_runtime::catalog::Kind;

use super::*;

const PETS: &str = "
/pets:
  get: {operationId: listPets, tags: [pets], parameters: [{name: limit, in: query, schema: {type: integer}}]}
  post: {operationId: createPet, tags: [pets, write], x-internal: true}
  head: {operationId: headPets}
/pets/{petId}:
  get: {operationId: getPet, tags: [pets], parameters: [{name: petId, in: path, required: true, schema: {type: string}}]}
  delete: {operationId: deletePet, tags: [pets, write], x-internal: false}
/status:
  get: {operationId: status, x-audience: public}
/admin/users:
  get: {operationId: adminUsers}
";

/// Every operation with what it became: `tool`, its URI, or `-` when it is excluded.
fn kinds(planned: &Planned) -> Vec<(String, String)> {
    let mut kinds: Vec<(String, String)> = planned
        .plan
        .components()
        .map(|one| (one.id.clone(), if one.kind == Kind::Tool { "tool".to_owned() } else { one.uri.clone() }))
        .chain(planned.plan.excluded.iter().map(|one| (format!("{} {}", one.method, one.path), "-".to_owned())))
        .collect();
    kinds.sort();
    kinds
}

fn kind(planned: &Planned, id: &str) -> Option<Kind> {
    planned.plan.components().find(|one| one.id == id).map(|one| one.kind)
}

#[test]
fn rest_offers_reading_as_resources_and_all_else_as_tools() {
    let planned = plan(PETS, "");
    let expected = [
        ("HEAD /pets", "-"),
        ("adminUsers", "api://pets/admin/users"),
        ("createPet", "tool"),
        ("deletePet", "tool"),
        ("getPet", "api://pets/pets/{petId}"),
        ("listPets", "api://pets/pets{?limit}"),
        ("status", "api://pets/status"),
    ];
    let kinds = kinds(&planned);
    let kinds: Vec<_> = kinds.iter().map(|(id, kind)| (id.as_str(), kind.as_str())).collect();
    assert_eq!(kinds, expected);
    assert_eq!(planned.component("list_pets").plain_uri, "api://pets/pets");
    assert_eq!(planned.component("get_pet").plain_uri, "");
    assert!(planned.findings(Severity::Note).is_empty());
}

#[test]
fn the_preset_tools_offers_everything_as_tools() {
    let planned = plan(PETS, "preset = \"tools\"");
    assert_eq!(planned.plan.components().filter(|one| one.kind == Kind::Tool).count(), 6);
    assert_eq!(planned.plan.excluded.len(), 1, "HEAD is asked for by nobody");
}

#[test]
fn rules_match_by_every_condition() {
    for (rule, matched) in [
        ("methods = [\"post\", \"Delete\"]", &["createPet", "deletePet"][..]),
        ("methods = \"*\"", &["adminUsers", "createPet", "deletePet", "getPet", "headPets", "listPets", "status"]),
        ("", &["adminUsers", "createPet", "deletePet", "getPet", "listPets", "status"]),
        ("path = \"pets\"", &["createPet", "deletePet", "getPet", "listPets"]),
        ("path = \"^/admin/\"", &["adminUsers"]),
        ("path = '\\{petId\\}$'", &["deletePet", "getPet"]),
        ("tags = [\"pets\"]", &["createPet", "deletePet", "getPet", "listPets"]),
        ("tags = [\"write\", \"pets\"]", &["createPet", "deletePet"]),
        ("operation_id = \"^(get|list)\"", &["getPet", "listPets"]),
        ("extension = \"x-internal\"", &["createPet"]),
        ("extension = { x-internal = false }", &["deletePet"]),
        ("extension = { x-audience = \"public\" }", &["status"]),
        ("methods = [\"GET\"]\ntags = [\"pets\"]\npath = \"Id\"", &["getPet"]),
    ] {
        let planned = plan(PETS, &format!("[[route]]\nadd_tags = [\"matched\"]\nkind = \"tool\"\n{rule}"));
        let mut found: Vec<&str> = planned
            .plan
            .components()
            .filter(|one| one.tags.contains(&"matched".to_owned()))
            .map(|one| one.id.as_str())
            .collect();
        found.sort_unstable();
        assert_eq!(found, matched, "{rule}");
    }
}

#[test]
fn the_first_matching_rule_wins_and_idle_rules_are_reported() {
    let planned = plan(
        PETS,
        r#"
[[route]]
path = "^/admin/"
kind = "exclude"
[[route]]
methods = ["GET"]
kind = "tool"
name_prefix = "read_"
annotations = { open_world = false }
visible = false
[[route]]
path = "^/admin/users$"
kind = "tool"
[[route]]
path = "^/nowhere"
kind = "tool"
"#,
    );
    assert_eq!(kind(&planned, "adminUsers"), None);
    let status = planned.component("read_status");
    assert!(status.kind == Kind::Tool && !status.enabled && !status.hints.open_world && status.hints.read_only);
    let excluded = planned.plan.excluded.iter().find(|one| one.path == "/admin/users").unwrap();
    assert_eq!(excluded.reason, "route 1 of the configuration (line 2) excludes it");
    assert_eq!(
        planned.findings(Severity::Warning),
        [
            (
                "route-unmatched",
                "route 3 of the configuration (line 11) matches only operations that an earlier rule matches"
            ),
            ("route-unmatched", "route 4 of the configuration (line 14) matches no operation"),
        ]
    );
}

#[test]
fn tags_include_and_exclude() {
    let planned = plan(PETS, "include_tags = [\"pets\"]\nexclude_tags = [\"write\"]");
    let mut ids: Vec<_> = planned.plan.components().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["getPet", "listPets"]);
    let reason = |path| planned.plan.excluded.iter().find(|one| one.path == path).unwrap().reason.as_str();
    assert_eq!(reason("/status"), "it has none of the tags that the configuration includes");
    assert_eq!(reason("/pets/{petId}"), "the configuration excludes the tag `write`");
}

#[test]
fn what_a_uri_cannot_carry_makes_a_tool_that_says_why() {
    for (operation, reason) in [
        (
            "parameters: [{name: X-Key, in: header, required: true, schema: {type: string}}]",
            "it needs the header `X-Key`",
        ),
        ("parameters: [{name: sid, in: cookie, required: true, schema: {type: string}}]", "it needs the cookie `sid`"),
        (
            "parameters: [{name: q, in: querystring, content: {application/json: {schema: {type: object}}}}]",
            "it needs the query string `q`",
        ),
        (
            "requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {a: {}}}}}}",
            "it needs a body",
        ),
    ] {
        let planned = plan(&format!("/a: {{get: {{operationId: a, {operation}}}}}"), "");
        assert_eq!(kind(&planned, "a"), Some(Kind::Tool), "{operation}");
        let expected = format!("GET /a is a tool and no resource: {reason}");
        assert_eq!(planned.findings(Severity::Note), [("not-a-resource", expected.as_str())]);
    }
    let planned = plan(
        "/a: {get: {operationId: a, parameters: [{name: X-Key, in: header, schema: {type: string}}], requestBody: {content: {application/json: {}}}}}",
        "",
    );
    assert_eq!(planned.component("a").uri, "api://pets/a", "what is optional does not stand in the way");
    let planned = plan("/a: {post: {operationId: a}}", "[[route]]\nkind = \"resource\"");
    assert_eq!(kind(&planned, "a"), Some(Kind::Tool));
    let planned = plan(
        "/a: {get: {operationId: a, parameters: [{name: X-Key, in: header, required: true, schema: {type: string}}]}}",
        "[operations.a]\nfixed = { X-Key = \"k\" }",
    );
    assert_eq!(kind(&planned, "a"), Some(Kind::Resource), "a fixed header is no obstacle");
}

#[test]
fn a_rule_for_resources_leaves_optional_queries_out_and_makes_templates_of_required_ones() {
    let rule = "[[route]]\nkind = \"resource\"";
    let planned = plan(PETS, rule);
    assert_eq!(planned.component("list_pets").uri, "api://pets/pets");
    assert_eq!(kind(&planned, "listPets"), Some(Kind::Resource));
    assert_eq!(kind(&planned, "getPet"), Some(Kind::ResourceTemplate));
    let planned =
        plan("/a: {get: {operationId: a, parameters: [{name: q, in: query, required: true, schema: {}}]}}", rule);
    assert_eq!(planned.component("a").uri, "api://pets/a{?q}");
    assert_eq!(planned.component("a").plain_uri, "");
}

#[test]
fn the_wishes_of_a_path_item_hold_where_its_operation_has_none() {
    let paths = r#"
/a: {x-mcp: {hidden: [debug], tags: [common], title: Inherited}, get: {operationId: a, parameters: [{name: debug, in: query, schema: {}}, {name: v, in: query, schema: {}}], x-mcp: {hidden: [v], tags: [own]}}}
/b: {x-mcp: false, get: {operationId: b, x-mcp: {title: B}}, put: {operationId: bb, x-mcp: true}, post: {operationId: bbb, x-mcp: {kind: tool}}}
/c: {x-mcp: {title: C}, get: {operationId: c, x-mcp: true}, put: {operationId: cc, x-mcp: false}}
"#;
    let planned = plan(paths, "");
    assert!(planned.parameters("a").is_empty());
    assert_eq!((planned.component("a").title.as_str(), planned.component("c").title.as_str()), ("Inherited", "C"));
    assert_eq!(planned.component("a").tags, ["common", "own"]);
    let kinds = ["b", "bb", "bbb", "cc"].map(|name| kind(&planned, name));
    assert_eq!(kinds, [None, Some(Kind::Tool), Some(Kind::Tool), None]);
    assert_eq!(planned.findings(Severity::Warning), []);
}

#[test]
fn the_document_decides_by_x_mcp_and_the_configuration_wins() {
    let paths = r#"
/a: {get: {operationId: a, x-mcp: {name: find_a, title: "<b>Find</b> a", description: Finds., kind: tool, annotations: {openWorldHint: false}, tags: [found]}}}
/b: {x-mcp: false, get: {operationId: b}}
/c: {get: {operationId: c, x-mcp: {enabled: false}}}
/d: {get: {operationId: d, x-mcp: {nmae: x, kind: tol, hidden: no}}}
/e: {head: {operationId: e, x-mcp: true}}
/f: {post: {operationId: f, parameters: [{name: debug, in: query, schema: {}}, {name: v, in: query, schema: {}, x-mcp: {hidden: true}}], x-mcp: {hidden: [debug]}}}
"#;
    let planned = plan(paths, "");
    let a = planned.component("find_a");
    assert_eq!((a.kind, a.title.as_str(), a.description.as_str()), (Kind::Tool, "Find a", "Finds."));
    assert!(!a.hints.open_world && a.tags == ["found"]);
    assert_eq!((kind(&planned, "b"), kind(&planned, "c"), kind(&planned, "e")), (None, None, Some(Kind::Tool)));
    assert!(planned.parameters("f").is_empty());
    let findings = planned.findings(Severity::Warning);
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings.iter().all(|(code, message)| *code == "invalid-x-mcp" && message.contains("GET /d")));

    let planned = plan(
        paths,
        "[[route]]\nmethods = [\"GET\"]\nkind = \"resource\"\n[operations.a]\nname = \"configured\"\n[operations.\"get /b\"]\nexclude = false",
    );
    assert_eq!(planned.component("configured").kind, Kind::Resource);
    assert_eq!(kind(&planned, "b"), Some(Kind::Resource));

    let opt_in = "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\nx-mcp: false\npaths:\n  /a: {get: {operationId: a, x-mcp: true}, post: {operationId: b}}";
    let planned = plan_document(opt_in, "");
    assert_eq!((kind(&planned, "a"), kind(&planned, "b")), (Some(Kind::Resource), None));
}

#[test]
fn overrides_change_one_operation_and_unknown_ones_are_reported() {
    let planned = plan(
        PETS,
        r#"
typed = ["createPets"]
[operations.createPet]
name = "new_pet"
title = "New pet"
description = "Makes one."
tags = ["reviewed"]
annotations = { idempotent = true }
timeout_ms = 5
retries = 2
max_response_bytes = 7
typed = true
[operations."delete /pets/{petId}"]
exclude = true
[operations.getPets]
"#,
    );
    let pet = planned.component("new_pet");
    assert_eq!((pet.title.as_str(), pet.description.as_str()), ("New pet", "Makes one."));
    assert_eq!(pet.tags, ["pets", "write", "reviewed"]);
    assert!(pet.typed && pet.hints.idempotent && !pet.hints.read_only);
    assert_eq!((pet.policy.timeout_ms, pet.policy.retries, pet.policy.max_response_bytes), (Some(5), Some(2), Some(7)));
    assert_eq!(kind(&planned, "deletePet"), None);
    let mut helps: Vec<_> = planned.diagnostics.iter().filter_map(|one| one.help.as_deref()).collect();
    let helps = helps.split_off(helps.len() - 2);
    assert_eq!(planned.findings(Severity::Warning).len(), 2);
    assert_eq!(helps, ["did you mean `getPet`?", "did you mean `createPet`?"]);
}

#[test]
fn a_function_sees_and_changes_every_decision() {
    let planned = plan(PETS, "");
    let adjusted = build_with(
        &planned.api,
        &Configuration::default(),
        |operation, mut decision| {
            if operation.method == crate::api::Method::Head {
                decision.kind = Some(Kind::Tool);
            } else {
                decision.name = operation.id.as_ref().map(|id| format!("x-{id}"));
            }
            decision
        },
        &mut Diagnostics::default(),
    );
    let names: Vec<_> = adjusted.components().map(|one| one.name.as_str()).collect();
    assert!(names.contains(&"head_pets") && names.contains(&"x-listPets"), "{names:?}");
    assert!(adjusted.excluded.is_empty());
}
