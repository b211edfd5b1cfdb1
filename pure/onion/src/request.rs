//! HTTP inside an onion: what a client asks a server, and the answer (wire spec, section 5, "V4").
//!
//! ```text
//! request   l <len>:{"method", "endpoint", "headers"} [<len>:body] e
//! answer    l <len>:{"code", "headers"} <len>:body e
//! ```
//!
//! The older form, v3, is one JSON object `{"method", "endpoint", "headers", "body"}`; its answer
//! is the body of a success, or `{"status_code": n}`.

use serde_json::{Map, Value, json};

/// The most bytes of the JSON in front of a body.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The methods of v3 that carry a body.
const WITH_BODY: [&str; 2] = ["POST", "PUT"];
/// What one old client sends as the body of a request without one.
const NO_BODY: &str = "null";

/// Names and values of HTTP headers, as they were written.
pub type Headers = Vec<(String, String)>;

/// A request to a server, unchecked but for its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query; starts with a slash.
    pub endpoint: String,
    /// Headers; their names may have any case.
    pub headers: Headers,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerResponse {
    /// HTTP status.
    pub code: u16,
    /// Headers, their names in lower case, without the length.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// Why bytes are no request or answer: the sender is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No list of one or two byte strings.
    #[error("expected a bencoded list of one or two strings")]
    NoList,
    /// The JSON in front is none, is too large, or a field is missing or of the wrong type.
    #[error("the first string is not the JSON that it must be")]
    Head,
    /// The endpoint of a v4 request.
    #[error("endpoint must start with /")]
    Endpoint,
    /// A v3 request with a body where its method has none.
    #[error("request must not contain a body")]
    Body,
}

impl ServerRequest {
    /// Reads a v4 request in the buffer it was opened into.
    ///
    /// # Errors
    /// Where it is no list of one or two strings, or its JSON lacks something.
    pub fn parse(mut bytes: Vec<u8>) -> Result<Self, RequestError> {
        let (head, body) = split_list(&bytes)?;
        let fields = object(bytes.get(head).ok_or(RequestError::NoList)?)?;
        let (method, endpoint) = (text(&fields, "method")?, text(&fields, "endpoint")?);
        if !endpoint.starts_with('/') {
            return Err(RequestError::Endpoint);
        }
        let headers = headers(&fields)?;
        match body {
            Some(body) => {
                bytes.truncate(body.end);
                bytes.drain(..body.start);
            }
            None => bytes.clear(),
        }
        Ok(Self { method, endpoint, headers, body: bytes })
    }

    /// Reads a v3 request.
    ///
    /// # Errors
    /// Where it is no such JSON, or has a body and a method that knows none.
    pub fn parse_v3(bytes: &[u8]) -> Result<Self, RequestError> {
        let fields: Value = serde_json::from_slice(bytes).map_err(|_| RequestError::Head)?;
        let Value::Object(fields) = fields else { return Err(RequestError::Head) };
        let (method, mut endpoint) = (text(&fields, "method")?, text(&fields, "endpoint")?);
        if !endpoint.starts_with('/') {
            endpoint.insert(0, '/');
        }
        let body = match fields.get("body") {
            None | Some(Value::Null) => "",
            Some(Value::String(body)) => body,
            Some(_) => return Err(RequestError::Head),
        };
        let body = match WITH_BODY.contains(&method.as_str()) {
            true => body,
            false if body.is_empty() || body == NO_BODY => "",
            false => return Err(RequestError::Body),
        };
        let mut headers = headers(&fields)?;
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        Ok(Self { method, endpoint, headers, body: body.into() })
    }

    /// Writes a v4 request. An empty body is left out.
    pub fn encode(&self) -> Vec<u8> {
        let head = json!({
            "method": self.method,
            "endpoint": self.endpoint,
            "headers": to_object(&self.headers),
        });
        join_list(&head, (!self.body.is_empty()).then_some(self.body.as_slice()))
    }
}

impl ServerResponse {
    /// What a server says to a v4 request that it does not understand.
    pub fn malformed() -> Self {
        Self {
            code: 400,
            headers: vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())],
            body: b"Invalid v4 onion request".to_vec(),
        }
    }

    /// Reads a v4 answer.
    ///
    /// # Errors
    /// Where it is no list of one or two strings, or its JSON lacks something.
    pub fn parse(mut bytes: Vec<u8>) -> Result<Self, RequestError> {
        let (head, body) = split_list(&bytes)?;
        let fields = object(bytes.get(head).ok_or(RequestError::NoList)?)?;
        let code = fields.get("code").and_then(Value::as_u64);
        let code = code.and_then(|code| code.try_into().ok()).ok_or(RequestError::Head)?;
        let headers = headers(&fields)?;
        let body = body.unwrap_or(0..0);
        bytes.truncate(body.end);
        bytes.drain(..body.start);
        Ok(Self { code, headers, body: bytes })
    }

    /// Writes a v4 answer.
    pub fn encode(&self) -> Vec<u8> {
        let head = json!({ "code": self.code, "headers": to_object(&self.headers) });
        join_list(&head, Some(&self.body))
    }

    /// Writes a v3 answer: the body of a success, or the status alone.
    pub fn encode_v3(self) -> Vec<u8> {
        match self.code {
            200 => self.body,
            code => json!({ "status_code": code }).to_string().into_bytes(),
        }
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Where the one or two strings of a list lie.
type Parts = (std::ops::Range<usize>, Option<std::ops::Range<usize>>);

fn split_list(bytes: &[u8]) -> Result<Parts, RequestError> {
    let end = bytes.len().checked_sub(1).ok_or(RequestError::NoList)?;
    if bytes.first() != Some(&b'l') || bytes.last() != Some(&b'e') || end == 0 {
        return Err(RequestError::NoList);
    }
    let head = string(bytes, 1, end)?;
    if head.len() > MAX_HEAD_BYTES {
        return Err(RequestError::Head);
    }
    if head.end == end {
        return Ok((head, None));
    }
    let body = string(bytes, head.end, end)?;
    match body.end == end {
        true => Ok((head, Some(body))),
        false => Err(RequestError::NoList),
    }
}

/// Where the byte string `<len>:...` that begins at `from` has its bytes; all before `end`.
fn string(bytes: &[u8], from: usize, end: usize) -> Result<std::ops::Range<usize>, RequestError> {
    let rest = bytes.get(from..end).ok_or(RequestError::NoList)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = rest.get(..digits).and_then(|digits| str::from_utf8(digits).ok());
    let length: usize = length.and_then(|text| text.parse().ok()).ok_or(RequestError::NoList)?;
    if rest.get(digits) != Some(&b':') {
        return Err(RequestError::NoList);
    }
    let start = from + digits + 1;
    let stop = start.checked_add(length).filter(|stop| *stop <= end).ok_or(RequestError::NoList)?;
    Ok(start..stop)
}

fn join_list(head: &Value, body: Option<&[u8]>) -> Vec<u8> {
    let head = head.to_string();
    let mut bytes = format!("l{}:{head}", head.len()).into_bytes();
    if let Some(body) = body {
        bytes.reserve(body.len() + 16);
        bytes.extend_from_slice(format!("{}:", body.len()).as_bytes());
        bytes.extend_from_slice(body);
    }
    bytes.push(b'e');
    bytes
}

fn object(json: &[u8]) -> Result<Map<String, Value>, RequestError> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(RequestError::Head),
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<String, RequestError> {
    fields.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(RequestError::Head)
}

/// Headers are texts; a number stands for its digits. Absent or null means none.
fn headers(fields: &Map<String, Value>) -> Result<Headers, RequestError> {
    let Some(Value::Object(headers)) = fields.get("headers").filter(|value| !value.is_null())
    else {
        return match fields.get("headers") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(_) => Err(RequestError::Head),
        };
    };
    let read = |(name, value): (&String, &Value)| match value {
        Value::String(value) => Ok((name.clone(), value.clone())),
        Value::Number(value) => Ok((name.clone(), value.to_string())),
        _ => Err(RequestError::Head),
    };
    headers.iter().map(read).collect()
}

fn to_object(headers: &Headers) -> Value {
    let entry = |(name, value): &(String, String)| (name.clone(), Value::from(value.as_str()));
    Value::Object(headers.iter().map(entry).collect())
}

#[cfg(test)]
mod tests;
