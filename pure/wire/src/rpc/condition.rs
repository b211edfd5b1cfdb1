//! `ifelse`: one of two requests, chosen by the network's version, the node's and the chain's height.

use super::fields::{FieldError, Fields};
use super::request::{Request, is_method};
use crate::value::{Dict, Value};

/// A request that depends on a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct IfElse {
    /// All of it must hold.
    pub condition: Condition,
    /// What is done where it holds.
    pub then: Option<Box<Request>>,
    /// What is done where it does not.
    pub otherwise: Option<Box<Request>>,
}

/// What must hold; one part at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition {
    height_at_least: Option<i64>,
    height_before: Option<i64>,
    hf_at_least: Option<[i64; 2]>,
    hf_before: Option<[i64; 2]>,
    v_at_least: Option<[i64; 3]>,
    v_before: Option<[i64; 3]>,
}

/// What conditions are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The hard fork, major and minor.
    pub hard_fork: [u64; 2],
    /// The node's version.
    pub version: [u64; 3],
    /// The chain's height.
    pub height: u64,
}

impl Condition {
    fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        let condition = Self {
            height_at_least: fields.integer("height_at_least")?,
            height_before: fields.integer("height_before")?,
            hf_at_least: fields.integers("hf_at_least")?.and_then(padded),
            hf_before: fields.integers("hf_before")?.and_then(padded),
            v_at_least: fields.integers("v_at_least")?.and_then(padded),
            v_before: fields.integers("v_before")?.and_then(padded),
        };
        if condition == Self::default() {
            return Err("Invalid ifelse request: must specify at least one \"if\" condition".into());
        }
        Ok(condition)
    }

    /// Whether all of it holds.
    pub fn holds(&self, circumstances: &Circumstances) -> bool {
        let height = signed(circumstances.height);
        let hard_fork = circumstances.hard_fork.map(signed);
        let version = circumstances.version.map(signed);
        self.height_at_least.is_none_or(|least| height >= least)
            && self.height_before.is_none_or(|end| height < end)
            && self.hf_at_least.is_none_or(|least| hard_fork >= least)
            && self.hf_before.is_none_or(|end| hard_fork < end)
            && self.v_at_least.is_none_or(|least| version >= least)
            && self.v_before.is_none_or(|end| version < end)
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The first numbers, zeros for those that are missing; `None` for an empty list.
fn padded<const N: usize>(numbers: Vec<i64>) -> Option<[i64; N]> {
    if numbers.is_empty() {
        return None;
    }
    let mut padded = [0; N];
    for (to, from) in padded.iter_mut().zip(numbers) {
        *to = from;
    }
    Some(padded)
}

impl IfElse {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(fields: Fields<'_>) -> Result<Self, FieldError> {
        let (condition, then, otherwise);
        if fields.is_bencode() {
            // In the order of the keys.
            otherwise = read_branch(fields, "else")?;
            condition = read_condition(fields)?;
            then = read_branch(fields, "then")?;
        } else {
            condition = read_condition(fields)?;
            then = read_branch(fields, "then")?;
            otherwise = read_branch(fields, "else")?;
        }
        if then.is_none() && otherwise.is_none() {
            return Err("Invalid ifelse request: at least one of \"then\"/\"else\" required".into());
        }
        Ok(Self { condition, then, otherwise })
    }
}

fn read_condition(fields: Fields<'_>) -> Result<Condition, FieldError> {
    let condition = fields.get("if").and_then(Value::as_dict);
    let none = || FieldError::from("Invalid ifelse request: no valid \"if\" field");
    Condition::read(fields.within(condition.ok_or_else(none)?))
}

fn read_branch(fields: Fields<'_>, name: &str) -> Result<Option<Box<Request>>, FieldError> {
    let Some(branch) = fields.get_even_null(name) else { return Ok(None) };
    let complaint = |what: &str| FieldError(format!("Invalid ifelse request: {name} {what}"));
    let unknown = || FieldError(format!("Invalid ifelse request method \"{name}\""));
    let bencode = fields.is_bencode();
    let kind = if bencode { "must be a dict" } else { "must be an object" };
    let branch = branch.as_dict().ok_or_else(|| complaint(kind))?;
    let (method, params) = (branch.get("method").and_then(Value::as_text), branch.get("params"));
    let none = Dict::new();
    let (method, params) = match (method, params) {
        (None, _) if bencode => return Err(complaint("missing method")),
        (Some(method), _) if bencode && !is_method(method) => return Err(unknown()),
        (Some(method), Some(Value::Dict(params))) => (method, params),
        _ if bencode => return Err(complaint("missing params")),
        (Some(method), Some(_)) => (method, &none),
        _ => return Err(complaint("must have method/params keys")),
    };
    let request = Request::read_any(method, fields.within(params))?.ok_or_else(unknown)?;
    Ok(Some(Box::new(request)))
}
