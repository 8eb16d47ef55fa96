//! Names of components: legal, short, unique, and independent of the order and number of other operations.

use std::collections::{BTreeMap, HashMap};

use heck::{ToKebabCase, ToLowerCamelCase, ToSnakeCase};

use super::{codes, decision::Decision};
use crate::{
    api::Operation,
    configuration::{Configuration, Naming},
    diagnostics::Diagnostics,
};

/// Characters of the hash in a suffix; more only where these collide.
const SUFFIX_LENGTH: usize = 6;

/// The candidates for one operation's name, best first. A later one is used where earlier ones collide; the last has the
/// hash of method and path.
struct Candidates {
    prefix: String,
    stems: Vec<String>,
    /// Whether the name was given: a given name stays where derived ones would collide with it.
    given: bool,
    hash: String,
}

impl Candidates {
    fn name(&self, level: usize, limit: usize) -> String {
        match self.stems.get(level) {
            Some(stem) => {
                let full = join(&self.prefix, stem);
                if full.len() <= limit { full } else { self.suffixed(stem, SUFFIX_LENGTH, limit) }
            }
            None => {
                let extra = (level - self.stems.len()) * 4;
                self.suffixed(self.stems.last().map_or("", String::as_str), SUFFIX_LENGTH + extra, limit)
            }
        }
    }

    fn suffixed(&self, stem: &str, length: usize, limit: usize) -> String {
        let suffix = self.hash.get(..length).unwrap_or(&self.hash);
        format!("{}_{suffix}", shorten(&join(&self.prefix, stem), limit.saturating_sub(suffix.len() + 1)))
    }

    /// The last level: the whole hash.
    fn last_level(&self) -> usize {
        self.stems.len() + (self.hash.len() - SUFFIX_LENGTH).div_ceil(4)
    }
}

/// A name for each of the operations, which come with their decisions; names of a given operation are the same in every
/// order.
pub(super) fn names(
    operations: &[(&Operation, &Decision)],
    configuration: &Configuration,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let limit = configuration.name_limit.get();
    let candidates: Vec<Candidates> = operations
        .iter()
        .map(|(operation, decision)| candidates(operation, decision, configuration, diagnostics))
        .collect();
    let mut levels = vec![0_usize; candidates.len()];
    let mut names: Vec<String> = candidates.iter().map(|candidate| candidate.name(0, limit)).collect();
    loop {
        let mut holders: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            holders.entry(name).or_default().push(index);
        }
        let mut raised = Vec::new();
        for same in holders.values().filter(|same| same.len() > 1) {
            let given = same.iter().filter(|index| candidates[**index].given && levels[**index] == 0).count();
            raised.extend(same.iter().copied().filter(|&index| {
                let keeps = given == 1 && candidates[index].given && levels[index] == 0;
                !keeps && levels[index] < candidates[index].last_level()
            }));
        }
        if raised.is_empty() {
            break;
        }
        for index in raised {
            levels[index] += 1;
            names[index] = candidates[index].name(levels[index], limit);
        }
    }
    for (index, (operation, _)) in operations.iter().enumerate() {
        let (name, candidate) = (&names[index], &candidates[index]);
        let wished = candidate.name(0, usize::MAX);
        let (code, message) = if levels[index] > 0 {
            let message = format!("several operations would be named `{wished}`; this one is named `{name}`");
            (&codes::NAME_COLLISION, message)
        } else if wished.len() > limit {
            let message =
                format!("the name `{}` is longer than {limit} characters; it became `{name}`", shown(&wished));
            (&codes::NAME_SHORTENED, message)
        } else {
            continue;
        };
        diagnostics
            .push(code, Some(operation.location.clone()), message)
            .help(format!("{}\nname = \"a_better_name\"", configuration_table(operation)));
    }
    names
}

fn shown(text: &str) -> String {
    crate::text::bounded(text, 120).into_owned()
}

/// The header of the configuration's table for an operation.
fn configuration_table(operation: &Operation) -> String {
    let key = match &operation.id {
        Some(id) if !id.is_empty() => id.clone(),
        _ => format!("{} {}", operation.method, operation.path),
    };
    format!("[operations.{}]", toml::Value::String(key))
}

fn candidates(
    operation: &Operation,
    decision: &Decision,
    configuration: &Configuration,
    diagnostics: &mut Diagnostics,
) -> Candidates {
    let hash = hash(&format!("{} {}", operation.method, operation.path));
    if let Some(given) = &decision.name {
        let legal = legal(given);
        let stem = if legal.is_empty() { method_and_path(operation, configuration.naming) } else { legal };
        if stem != *given || stem.len() > configuration.name_limit.get() {
            let message = format!("`{}` is not a legal name; it became `{}`", shown(given), shown(&stem));
            diagnostics.push(&codes::ILLEGAL_NAME, Some(operation.location.clone()), message);
        }
        return Candidates { prefix: String::new(), stems: vec![stem], given: true, hash };
    }
    let mut stems = Vec::with_capacity(2);
    if let Some(id) = operation.id.as_deref() {
        if let Some(function) = fastapi_function(id, operation) {
            stems.push(cased(function, configuration.naming));
        }
        stems.push(cased(id, configuration.naming));
    }
    stems.retain(|stem| !stem.is_empty());
    if stems.is_empty() {
        stems.push(method_and_path(operation, configuration.naming));
    }
    let prefix = legal(&format!("{}{}", configuration.name_prefix, decision.name_prefix));
    // A prefix may take half of the room.
    let prefix = prefix[..prefix.len().min(configuration.name_limit.get() / 2)].to_owned();
    Candidates { prefix, stems, given: false, hash }
}

/// FastAPI makes ids of function, path and method: `read_item_items__item_id__get`. The function alone is the name.
fn fastapi_function<'i>(id: &'i str, operation: &Operation) -> Option<&'i str> {
    let path: String =
        operation.path.chars().map(|character| if is_word(character) { character } else { '_' }).collect();
    let method = operation.method.as_str().to_ascii_lowercase();
    let function = id.strip_suffix(&method)?.strip_suffix('_')?.strip_suffix(&path)?;
    let function = function.trim_matches('_');
    (!function.is_empty()).then_some(function)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// A text in the naming's case, with nothing but legal characters; empty when none of it can be written so.
fn cased(text: &str, naming: Naming) -> String {
    let latin = latin(text);
    match naming {
        Naming::Snake => latin.to_snake_case(),
        Naming::Kebab => latin.to_kebab_case(),
        Naming::Camel => latin.to_lower_camel_case(),
        Naming::Keep => legal(&latin),
    }
}

/// The text in ASCII.
pub(super) fn latin(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { deunicode::deunicode_with_tofu(text, " ") }
}

/// Runs of illegal characters become one `_`; none at the ends.
fn legal(text: &str) -> String {
    let mut legal = String::with_capacity(text.len());
    let mut gap = false;
    for character in latin(text).chars() {
        if character.is_ascii_alphanumeric() || character == '_' || character == '-' {
            if gap && !legal.is_empty() {
                legal.push('_');
            }
            gap = false;
            legal.push(character);
        } else {
            gap = true;
        }
    }
    legal
}

/// `GET /pets/{petId}/photos` as `get_pets_by_pet_id_photos`.
fn method_and_path(operation: &Operation, naming: Naming) -> String {
    let mut words = operation.method.as_str().to_ascii_lowercase();
    let mut rest = operation.path.as_str();
    while let Some(open) = rest.find('{') {
        words.push('/');
        words.push_str(&rest[..open]);
        words.push_str(" by ");
        rest = &rest[open + 1..];
    }
    words.push('/');
    words.push_str(rest);
    if operation.path.trim_matches('/').is_empty() {
        words.push_str("root");
    }
    let naming = if naming == Naming::Keep { Naming::Snake } else { naming };
    cased(&words, naming)
}

fn join(prefix: &str, stem: &str) -> String {
    format!("{prefix}{stem}")
}

/// Cut to at most `length` bytes, after a word where one ends in the last third.
fn shorten(name: &str, length: usize) -> &str {
    let Some(head) = name.get(..length) else { return name };
    let cut = match head.rfind(['_', '-']) {
        Some(end) if end >= length / 3 * 2 && !name[length..].starts_with(['_', '-']) => &head[..end],
        _ => head,
    };
    cut.trim_end_matches(['_', '-'])
}

/// FNV-1a over the text, in hexadecimal: stable across versions and machines.
pub(super) fn hash(text: &str) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{:016x}", state ^ (state >> 32))
}

/// Unique names out of wished ones: every name that several keys wish for gets a suffix out of its key.
pub(super) fn disambiguated(wishes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut length = 0;
    let mut names = wishes.clone();
    loop {
        let mut count: HashMap<String, usize> = HashMap::new();
        for name in names.values() {
            *count.entry(name.to_ascii_lowercase()).or_default() += 1;
        }
        if length == 16 || count.values().all(|count| *count == 1) {
            return names;
        }
        length += 4;
        for (key, name) in &mut names {
            if count.get(&name.to_ascii_lowercase()).is_some_and(|count| *count > 1) {
                let suffix = hash(key);
                let wish = wishes.get(key).map_or("", String::as_str);
                let suffix = if wish.contains(|character: char| character.is_ascii_lowercase()) {
                    suffix
                } else {
                    suffix.to_ascii_uppercase()
                };
                *name = format!("{wish}_{}", &suffix[..length]);
            }
        }
    }
}

/// Words that tell documents from other texts, and not one API from another.
const COMMON_WORDS: [&str; 24] = [
    "a",
    "an",
    "api",
    "apis",
    "docs",
    "documentation",
    "for",
    "http",
    "my",
    "namespace",
    "oas",
    "odata",
    "of",
    "official",
    "open",
    "openapi",
    "our",
    "rest",
    "restful",
    "service",
    "spec",
    "specification",
    "swagger",
    "the",
];

/// [`server_name`] of the telling words: `github-octokit` for "GitHub's official OpenAPI spec (Octokit)".
pub(super) fn short_server_name(text: &str) -> Option<String> {
    let text = latin(text).replace('’', "'").replace("'s ", " ");
    let version = |word: &str| word.strip_prefix(['v', 'V']).is_some_and(|rest| rest.parse::<u32>().is_ok());
    let telling = |word: &&str| !version(word) && !COMMON_WORDS.iter().any(|common| word.eq_ignore_ascii_case(common));
    let words: Vec<&str> =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '\'').filter(telling).collect();
    server_name(&words.join(" "))
}

/// The server's short name: lower-case words of ASCII letters and digits joined by `-`, beginning with a letter.
pub(super) fn server_name(text: &str) -> Option<String> {
    let mut name = String::new();
    for word in
        latin(text).replace('\'', "").to_ascii_lowercase().split(|character: char| !character.is_ascii_alphanumeric())
    {
        if word.is_empty() {
            continue;
        }
        if name.len() + word.len() > 40 && !name.is_empty() {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(&word[..word.len().min(40)]);
    }
    if name.starts_with(|character: char| character.is_ascii_digit()) {
        name.insert_str(0, "api-");
    }
    (!name.is_empty()).then_some(name)
}
