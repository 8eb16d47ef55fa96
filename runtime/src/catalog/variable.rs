//! Names of environment variables.

/// A name in `UPPER_SNAKE_CASE`: the prefix of a server's variables, or the part that names a security scheme.
/// `petStore-v2` becomes `PET_STORE_V2`.
pub fn variable_part(name: &str) -> String {
    let mut part = String::with_capacity(name.len() + 4);
    let mut previous = ' ';
    let mut capitals = 0;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_ascii_alphanumeric() {
            let starts_word = character.is_ascii_uppercase()
                && (previous.is_ascii_lowercase()
                    || previous.is_ascii_digit()
                    || capitals > 1 && characters.peek().is_some_and(char::is_ascii_lowercase));
            if starts_word && !part.is_empty() && !part.ends_with('_') {
                part.push('_');
            }
            part.push(character.to_ascii_uppercase());
        } else if !part.is_empty() && !part.ends_with('_') {
            part.push('_');
        }
        capitals = if character.is_ascii_uppercase() { capitals + 1 } else { 0 };
        previous = character;
    }
    let part = part.trim_end_matches('_');
    match part.chars().next() {
        None => "API".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("API_{part}"),
        Some(_) => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_variables() {
        for (name, expected) in [
            ("petstore", "PETSTORE"),
            ("petStore-v2", "PET_STORE_V2"),
            ("petstore_auth", "PETSTORE_AUTH"),
            ("OAuth2", "OAUTH2"),
            ("HTTPBearer", "HTTP_BEARER"),
            ("api key", "API_KEY"),
            ("X-API-Key", "X_API_KEY"),
            ("日本", "API"),
            ("2fa", "API_2FA"),
        ] {
            assert_eq!(variable_part(name), expected, "{name}");
        }
    }
}
