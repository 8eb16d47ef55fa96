//! Names, modules, titles and descriptions.

use super::*;

fn names(paths: &str, configuration: &str) -> Vec<String> {
    let configuration = format!("preset = \"tools\"\n{configuration}");
    plan(paths, &configuration).plan.components().map(|one| one.name.clone()).collect()
}

#[test]
fn names_come_from_the_operation_id_or_from_method_and_path() {
    for (path, id, expected) in [
        ("/pets", "listPets", "list_pets"),
        ("/orgs/{org}/repos", "repos/list-for-org", "repos_list_for_org"),
        ("/items/{item_id}", "read_item_items__item_id__get", "read_item"),
        ("/items/", "read_items_items__get", "read_items"),
        ("/pets", "pets.list:all", "pets_list_all"),
        ("/pets", "日本語", "ri_ben_yu"),
        ("/pets", "größeÄndern", "grosse_andern"),
        ("/pets/{petId}/photos", "", "get_pets_by_pet_id_photos"),
        ("/", "", "get_root"),
        ("/pets", "!!!", "get_pets"),
        ("/pets", "1", "1"),
    ] {
        let names = names(&format!("{path}: {{get: {{operationId: '{id}'}}}}"), "");
        assert_eq!(names, [expected], "{path} {id}");
    }
}

#[test]
fn namings_prefixes_and_limits_are_kept() {
    for (configuration, expected) in [
        ("naming = \"snake\"", "list_all_pets"),
        ("naming = \"kebab\"", "list-all-pets"),
        ("naming = \"camel\"", "listAllPets"),
        ("naming = \"keep\"", "listAll_Pets"),
        ("name_prefix = \"shop_\"", "shop_list_all_pets"),
    ] {
        assert_eq!(names("/pets: {get: {operationId: 'listAll/Pets'}}", configuration), [expected]);
    }
    let long = "getTheVeryLongNameOfAnOperationThatSomebodyGeneratedOutOfThePathOfAnApi";
    for limit in [64, 40, 16] {
        let planned = plan(&format!("/pets: {{get: {{operationId: {long}}}}}"), &format!("name_limit = {limit}"));
        let name = &planned.plan.components().next().unwrap().name;
        assert!(name.len() <= limit && name.starts_with("get_the"), "{name}");
        let findings = planned.findings(Severity::Note);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].0, "name-shortened");
        let help = planned.diagnostics.iter().find_map(|one| one.help.as_deref()).unwrap();
        assert!(Configuration::parse(help, "help").is_ok(), "{help}");
    }
}

#[test]
fn collisions_are_resolved_for_all_and_given_names_stay() {
    let both = "/a: {get: {operationId: listPets}}\n/b: {get: {operationId: list-pets}}";
    let swapped = "/b: {get: {operationId: list-pets}}\n/a: {get: {operationId: listPets}}";
    let found = names(both, "");
    assert_eq!(found, names(swapped, ""));
    assert!(found.iter().all(|name| name.starts_with("list_pets_")) && found[0] != found[1], "{found:?}");
    assert_eq!(names(&format!("{both}\n/c: {{get: {{operationId: other}}}}"), "")[..2], found);

    let given = names(both, "[operations.list-pets]\nname = \"list_pets\"");
    assert_eq!(given[1], "list_pets");
    assert_eq!(given[0], found[0]);

    let fastapi = "/cats/: {get: {operationId: read_cats__get}}\n/dogs/: {get: {operationId: read_dogs__get}}";
    assert_eq!(names(fastapi, ""), ["read_cats_get", "read_dogs_get"]);
}

#[test]
fn a_given_name_is_made_legal_with_a_warning() {
    let planned = plan("/a: {get: {operationId: a}}", "[operations.a]\nname = \"find the\\u001b[31m pets!\"");
    assert_eq!(planned.plan.components().next().unwrap().name, "find_the_31m_pets");
    assert_eq!(planned.findings(Severity::Warning)[0].0, "illegal-name");
}

#[test]
fn groups_are_modules_of_tags_or_first_segments() {
    for (path, tag, module) in [
        ("/pets", "Pet Store", "pet_store"),
        ("/pets", "type", "type_"),
        ("/pets", "mod", "mod_"),
        ("/pets", "self", "self_"),
        ("/pets", "CON", "con_"),
        ("/pets", "2fa", "tag_2fa"),
        ("/pets", "ペット", "petuto"),
        ("/api/v2/orders/{id}", "", "orders"),
        ("/{id}", "", "operations"),
        ("/self", "", "self_"),
    ] {
        let tags = if tag.is_empty() { "[]".to_owned() } else { format!("['{tag}']") };
        let parameters = "parameters: [{name: id, in: path, required: true, schema: {type: string}}]";
        let parameters = if path.contains("{id}") { parameters } else { "parameters: []" };
        let planned = plan(&format!("{path}: {{get: {{operationId: a, tags: {tags}, {parameters}}}}}"), "");
        assert_eq!(planned.plan.groups[0].module, module, "{path} {tag}");
    }
    let planned = plan("/a: {get: {operationId: all, tags: [Pets]}}\n/b: {get: {operationId: 1b, tags: [pets]}}", "");
    assert_eq!(planned.plan.groups.len(), 1);
    let constants: Vec<_> = planned.plan.components().map(|one| one.constant.as_str()).collect();
    assert_eq!(constants, ["ALL_OPERATION", "OPERATION_1B"]);
}

#[test]
fn titles_and_descriptions_say_each_thing_once() {
    for (members, title, description) in [
        ("summary: List pets., description: List pets by tag.", "List pets", "List pets by tag."),
        (
            "summary: List pets, description: Returns <b>all</b> of them.",
            "List pets",
            "List pets.\n\nReturns all of them.",
        ),
        ("summary: List all the pets, description: list all", "List all the pets", "List all the pets"),
        ("description: Returns all.", "Find the pets", "Returns all."),
        ("summary: List pets", "List pets", "List pets"),
        ("summary: ''", "Find the pets", "GET /pets"),
        ("summary: List pets, deprecated: true", "List pets", "Deprecated. List pets"),
    ] {
        let planned = plan(&format!("/pets: {{get: {{operationId: findThePets, {members}}}}}"), "");
        let component = planned.component("find_the_pets");
        assert_eq!((component.title.as_str(), component.description.as_str()), (title, description), "{members}");
    }
    let planned = plan(&format!("/pets: {{get: {{operationId: a, description: '{}'}}}}", "word ".repeat(500)), "");
    assert_eq!(planned.component("a").description.chars().count(), 1000);
    let planned = plan("/pets: {get: {operationId: a, description: one two three}}", "description_limit = 8");
    assert_eq!(planned.component("a").description, "one two…");
}

#[test]
fn hostile_documents_yield_only_data() {
    let hostile = [
        "*/ fn main() { panic!() } /*",
        "\\u001b[2Jwipe",
        "{{ template }} {% raw %}",
        "]]>--><script>alert(1)</script>",
        "../../etc/passwd",
        "\\\" ; rm -rf / #",
        "r#\\\"raw\\\"#",
        "\\u202egpj.exe",
        "\\u0000\\r\\n```\\n",
    ];
    for text in hostile {
        let paths = format!(
            "\"/a/{{id}}/{text}\": {{get: {{operationId: \"{text}\", tags: [\"{text}\"], summary: \"{text}\", description: \"{text}\", parameters: [{{name: \"{text}\", in: query, description: \"{text}\", schema: {{type: string, default: \"{text}\", pattern: \"{text}\"}}}}, {{name: id, in: path, required: true, schema: {{type: string}}}}]}}}}"
        );
        for configuration in ["", "naming = \"keep\"\npreset = \"tools\""] {
            let planned = plan(&paths, configuration);
            let [group] = planned.plan.groups.as_slice() else { panic!("one group") };
            assert!(syn::parse_str::<syn::Ident>(&group.module).is_ok(), "{}", group.module);
            let [component] = group.components.as_slice() else { panic!("one component") };
            assert!(syn::parse_str::<syn::Ident>(&component.constant).is_ok(), "{}", component.constant);
            let legal = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
            assert!(!component.name.is_empty() && component.name.chars().all(legal), "{}", component.name);
            let allowed = |character: char| character.is_ascii_graphic() && !"\"<>\\^`|".contains(character);
            assert!(component.uri.chars().all(allowed), "{}", component.uri);
            for prose in [&component.title, &component.description, &component.tags.concat()] {
                assert!(!prose.chars().any(|one| (one.is_control() && one != '\n') || one == '\u{202e}'), "{prose:?}");
            }
            assert!(planned.parameters(&component.name).iter().all(|one| { arguments::is_legal(one.argument()) }));
        }
    }
}

#[test]
fn a_server_is_called_what_its_title_tells_beyond_the_usual_words() {
    for (title, name) in [
        ("GitHub's official OpenAPI spec + Octokit extension", "github-octokit-extension"),
        ("The Jira Cloud platform REST API", "jira-cloud-platform"),
        ("OData Service for namespace microsoft.graph", "microsoft-graph"),
        ("Netlify’s API documentation", "netlify"),
        ("Petstore API v3", "petstore"),
        ("3Scale", "api-3scale"),
        ("My API", "pets"),
        ("API", "pets"),
    ] {
        let text = format!("openapi: 3.1.0\ninfo: {{title: \"{title}\", version: '1'}}\npaths: {{}}\n");
        assert_eq!(plan_document(&text, "").plan.name, name, "{title}");
    }
    let text = "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n";
    assert_eq!(
        plan_document(text, "name = 'the-rest-api'").plan.name,
        "the-rest-api",
        "a name that was chosen is kept"
    );
}
