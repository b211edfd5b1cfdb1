//! TypeScript types from an OpenAPI 3.1 description: one for each schema, and one table of all
//! operations by method and path.
//!
//! It knows what `utoipa` writes for this API and refuses the rest, so that nothing is left out in
//! silence.

use std::fmt::Write;

use serde_json::{Map, Value};

const HEAD: &str = "// What the local API takes and gives. Written by `cargo xtask generate` from\n\
                    // docs/api/openapi.json: do not edit.\n";
const REFERENCE: &str = "#/components/schemas/";
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Why there are no types.
#[derive(Debug, thiserror::Error)]
pub enum TypesError {
    /// No JSON.
    #[error("the description is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something this generator does not know.
    #[error("xtask/src/typescript.rs does not know how to write {0}: teach it")]
    Unknown(String),
}

/// The TypeScript for a description.
///
/// # Errors
/// Where the description is no JSON, or holds what this generator does not know.
pub fn types(description: &str) -> Result<String, TypesError> {
    let description: Value = serde_json::from_str(description)?;
    known_references(&description, object(&description, "/components/schemas")?)?;
    let mut text = HEAD.to_owned();
    for (name, schema) in object(&description, "/components/schemas")? {
        comment(&mut text, schema, "");
        let shape = shape(schema, "")?;
        // Writing to a String does not fail.
        let _ = writeln!(text, "export type {name} = {shape};");
    }
    text.push_str(
        "\n/** Every operation, by its method and path. */\nexport interface Operations {\n",
    );
    for (path, item) in object(&description, "/paths")? {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                write_operation(
                    &mut text,
                    &format!("{} {path}", method.to_uppercase()),
                    operation,
                )?;
            }
        }
    }
    text.push_str("}\n");
    Ok(text)
}

/// Refuses references to schemas that are not there, which would be types that are not there.
fn known_references(value: &Value, schemas: &Map<String, Value>) -> Result<(), TypesError> {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.strip_prefix(REFERENCE));
            if name.is_some_and(|name| !schemas.contains_key(name)) {
                return Err(unknown(value));
            }
            fields.values().try_for_each(|inner| known_references(inner, schemas))
        }
        Value::Array(items) => items.iter().try_for_each(|inner| known_references(inner, schemas)),
        _ => Ok(()),
    }
}

fn write_operation(text: &mut String, name: &str, operation: &Value) -> Result<(), TypesError> {
    comment(text, operation, "  ");
    let _ = writeln!(text, "  \"{name}\": {{");
    for place in ["path", "query"] {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let here = |one: &&Value| one.get("in").and_then(Value::as_str) == Some(place);
        let here: Vec<&Value> = parameters.into_iter().flatten().filter(here).collect();
        if here.is_empty() {
            continue;
        }
        let _ = writeln!(text, "    {place}: {{");
        for one in here {
            let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
            let mark = if one.get("required") == Some(&Value::Bool(true)) { "" } else { "?" };
            let schema = one.get("schema").unwrap_or(&Value::Null);
            comment(text, one, "      ");
            let _ = writeln!(text, "      {name}{mark}: {};", shape(schema, "      ")?);
        }
        text.push_str("    };\n");
    }
    const JSON: &str = "/content/application~1json/schema";
    if let Some(schema) = operation.pointer(&format!("/requestBody{JSON}")) {
        let _ = writeln!(text, "    body: {};", shape(schema, "    ")?);
    }
    for (status, response) in object(operation, "/responses")? {
        if status.starts_with('2') {
            let given = match response.pointer(JSON) {
                Some(schema) => shape(schema, "    ")?,
                None => "void".to_owned(),
            };
            let _ = writeln!(text, "    response: {given};");
        }
    }
    text.push_str("  };\n");
    Ok(())
}

/// The type of a schema; what spans lines is indented behind `indent`.
fn shape(schema: &Value, indent: &str) -> Result<String, TypesError> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.strip_prefix(REFERENCE);
        return name.map(str::to_owned).ok_or_else(|| unknown(schema));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Ok(values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "));
    }
    for (key, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema.get(key).and_then(Value::as_array) {
            let parts =
                parts.iter().map(|part| shape(part, indent)).collect::<Result<Vec<_>, _>>()?;
            return Ok(format!("({})", parts.join(between)));
        }
    }
    match schema.get("type") {
        Some(Value::String(kind)) => of_kind(kind, schema, indent),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            let kinds = kinds.map(|kind| of_kind(kind, schema, indent));
            Ok(kinds.collect::<Result<Vec<_>, _>>()?.join(" | "))
        }
        _ => Err(unknown(schema)),
    }
}

fn of_kind(kind: &str, schema: &Value, indent: &str) -> Result<String, TypesError> {
    match kind {
        "string" => Ok("string".to_owned()),
        "integer" | "number" => Ok("number".to_owned()),
        "boolean" => Ok("boolean".to_owned()),
        "null" => Ok("null".to_owned()),
        "array" => {
            let items = shape(schema.get("items").unwrap_or(&Value::Null), indent)?;
            Ok(format!("Array<{items}>"))
        }
        "object" => fields(schema, indent),
        _ => Err(unknown(schema)),
    }
}

fn fields(schema: &Value, indent: &str) -> Result<String, TypesError> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok("Record<string, unknown>".to_owned());
    };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        required.is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)))
    };
    let inner = format!("{indent}  ");
    let mut text = "{\n".to_owned();
    for (name, property) in properties {
        comment(&mut text, property, &inner);
        let mark = if is_required(name) { "" } else { "?" };
        let _ = writeln!(text, "{inner}{name}{mark}: {};", shape(property, &inner)?);
    }
    let _ = write!(text, "{indent}}}");
    Ok(text)
}

fn comment(text: &mut String, described: &Value, indent: &str) {
    let words = described.get("description").or_else(|| described.get("summary"));
    if let Some(words) = words.and_then(Value::as_str) {
        let words = words.replace("*/", "* /").replace('\n', &format!("\n{indent} * "));
        let _ = writeln!(text, "{indent}/** {words} */");
    }
}

fn object<'a>(value: &'a Value, pointer: &str) -> Result<&'a Map<String, Value>, TypesError> {
    let found = value.pointer(pointer).and_then(Value::as_object);
    found.ok_or_else(|| TypesError::Unknown(format!("a description without {pointer}")))
}

fn unknown(schema: &Value) -> TypesError {
    TypesError::Unknown(schema.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_become_types() {
        let schema = json!({
            "type": "object",
            "required": ["id", "tags"],
            "properties": {
                "id": { "type": "string", "description": "Which." },
                "tags": { "type": "array", "items": { "$ref": "#/components/schemas/Tag" } },
                "until": { "type": ["integer", "null"] },
                "state": { "oneOf": [{ "type": "null" }, { "enum": ["a", "b"] }] },
            },
        });
        let expected = "{\n  /** Which. */\n  id: string;\n  state?: (null | \"a\" | \"b\");\n  \
                        tags: Array<Tag>;\n  until?: number | null;\n}";
        assert_eq!(shape(&schema, "").unwrap(), expected);
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_left_out() {
        assert!(matches!(shape(&json!({ "not": {} }), ""), Err(TypesError::Unknown(_))));
        assert!(matches!(types("{"), Err(TypesError::Json(_))));
        assert!(matches!(types("{}"), Err(TypesError::Unknown(_))));
        let dangling =
            json!({ "components": { "schemas": { "A": { "$ref": "#/components/schemas/B" } } } });
        assert!(matches!(types(&dangling.to_string()), Err(TypesError::Unknown(_))));
    }
}
