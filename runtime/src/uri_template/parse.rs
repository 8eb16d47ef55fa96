//! Reading templates (RFC 6570 section 2).

use std::str::FromStr;

use super::{Operator, Part, UriTemplate, Variable, expand::encode};

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its partner.
    #[error("the brace at byte {0} has no partner")]
    Brace(usize),
    /// An expression without a variable.
    #[error("the expression at byte {0} names no variable")]
    Empty(usize),
    /// One of the operators that RFC 6570 keeps for the future.
    #[error("the operator `{operator}` at byte {at} is reserved by RFC 6570")]
    Operator {
        /// The operator.
        operator: char,
        /// Where.
        at: usize,
    },
    /// A name with characters that RFC 6570 does not allow.
    #[error("`{0}` is no variable: names are letters, digits, `_`, `.` and percent-encoded bytes")]
    Variable(String),
}

impl FromStr for UriTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let literal = rest.find(['{', '}']).unwrap_or(rest.len());
            if literal > 0 {
                parts.push(Part::Literal(encode(&rest[..literal], true)));
                at += literal;
                continue;
            }
            let Some(inner) = rest.strip_prefix('{') else { return Err(TemplateError::Brace(at)) };
            let end = inner.find('}').ok_or(TemplateError::Brace(at))?;
            parts.push(expression(&inner[..end], at)?);
            at += end + 2;
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

fn expression(text: &str, at: usize) -> Result<Part, TemplateError> {
    let first = text.chars().next().ok_or(TemplateError::Empty(at))?;
    let operator = match first {
        '+' => Operator::Reserved,
        '#' => Operator::Fragment,
        '.' => Operator::Label,
        '/' => Operator::Path,
        ';' => Operator::Matrix,
        '?' => Operator::Query,
        '&' => Operator::QueryContinuation,
        '=' | ',' | '!' | '@' | '|' => return Err(TemplateError::Operator { operator: first, at }),
        _ => Operator::Simple,
    };
    let list = if operator == Operator::Simple { text } else { &text[1..] };
    if list.is_empty() {
        return Err(TemplateError::Empty(at));
    }
    let variables = list.split(',').map(variable).collect::<Result<_, _>>()?;
    Ok(Part::Expression(operator, variables))
}

fn variable(text: &str) -> Result<Variable, TemplateError> {
    let wrong = || TemplateError::Variable(text.to_owned());
    let (name, explode, prefix) = if let Some(name) = text.strip_suffix('*') {
        (name, true, None)
    } else if let Some((name, length)) = text.split_once(':') {
        let legal = length.len() <= 4 && !length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|_| legal).ok_or_else(wrong)?;
        (name, false, Some(length))
    } else {
        (text, false, None)
    };
    let mut bytes = name.bytes();
    let mut legal = !name.is_empty() && !name.starts_with('.') && !name.ends_with('.') && !name.contains("..");
    while let Some(byte) = bytes.next() {
        legal &= match byte {
            b'%' => {
                bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit())
            }
            _ => byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.',
        };
    }
    if legal { Ok(Variable { name: name.to_owned(), explode, prefix }) } else { Err(wrong()) }
}
