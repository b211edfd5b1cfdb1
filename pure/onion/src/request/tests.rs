//! Requests and answers of servers: published examples, refusals, round trips.

use proptest::prelude::*;

use super::*;

fn refusal(bytes: &[u8]) -> RequestError {
    ServerRequest::parse(bytes.to_vec()).unwrap_err()
}

/// The examples in the documentation of Session's file server.
#[test]
fn the_published_examples_are_read() {
    let request =
        br#"l79:{"method":"GET","endpoint":"/room/some-room","headers":{"Some-Header":"12345"}}e"#;
    let read = ServerRequest::parse(request.to_vec()).unwrap();
    assert_eq!((read.method.as_str(), read.endpoint.as_str()), ("GET", "/room/some-room"));
    assert_eq!(read.headers, [("Some-Header".to_owned(), "12345".to_owned())]);
    assert!(read.body.is_empty());

    let request = br#"l72:{"method":"POST","endpoint":"/some/thing","headers":{"Some-Header":"a"}}14:post body heree"#;
    let read = ServerRequest::parse(request.to_vec()).unwrap();
    assert_eq!((read.method.as_str(), read.body.as_slice()), ("POST", &b"post body here"[..]));

    let answer =
        br#"l58:{"code":200,"headers":{"content-type":"application/json"}}11:{"id": 123}e"#;
    let read = ServerResponse::parse(answer.to_vec()).unwrap();
    assert_eq!((read.code, read.body.as_slice()), (200, &br#"{"id": 123}"#[..]));
    assert_eq!(read.header("Content-Type"), Some("application/json"));
    assert_eq!(read.encode(), answer);
}

#[test]
fn what_is_no_list_of_one_or_two_strings_is_refused() {
    for bytes in [
        &b""[..],
        b"l",
        b"e",
        b"le",
        b"d1:ae",
        b"l2:{}",
        b"l3:{}e",
        b"l02:{}1:a1:be",
        b"l-2:{}e",
        b"l99999999999999999999999:{}e",
        b"l2{}e",
        b"li1ee",
    ] {
        assert_eq!(refusal(bytes), RequestError::NoList, "{}", String::from_utf8_lossy(bytes));
    }
    let head = |json: &str| format!("l{}:{json}e", json.len()).into_bytes();
    for json in [
        "",
        "[]",
        r#"{"method":"GET"}"#,
        r#"{"endpoint":"/"}"#,
        r#"{"method":1,"endpoint":"/"}"#,
        r#"{"method":"GET","endpoint":"/","headers":[]}"#,
        r#"{"method":"GET","endpoint":"/","headers":{"a":{}}}"#,
        &format!(r#"{{"method":"GET","endpoint":"/{}"}}"#, "x".repeat(MAX_HEAD_BYTES)),
    ] {
        assert_eq!(refusal(&head(json)), RequestError::Head, "{json:.60}");
    }
    let relative = head(r#"{"method":"GET","endpoint":"file"}"#);
    assert_eq!(refusal(&relative), RequestError::Endpoint);
}

#[test]
fn a_request_may_lack_headers_and_have_an_empty_body() {
    let bare = br#"l34:{"method":"GET","endpoint":"/file"}0:e"#;
    assert_eq!(refusal(bare), RequestError::NoList, "the length is one too small");
    let bare = br#"l35:{"method":"GET","endpoint":"/file"}0:e"#;
    let read = ServerRequest::parse(bare.to_vec()).unwrap();
    assert_eq!((read.headers.len(), read.body.len()), (0, 0));
    let null = br#"l50:{"method":"GET","endpoint":"/file","headers":null}e"#;
    assert_eq!(ServerRequest::parse(null.to_vec()), Ok(read));
}

#[test]
fn the_older_form_has_text_bodies_and_answers_with_the_body_alone() {
    let read = |json: &str| ServerRequest::parse_v3(json.as_bytes());
    let version = read(r#"{"method":"GET","endpoint":"session_version?platform=desktop"}"#);
    assert_eq!(version.unwrap().endpoint, "/session_version?platform=desktop");
    let upload = read(
        r#"{"method":"POST","endpoint":"files","body":"{}","headers":{"Content-Type":"x/y"}}"#,
    );
    let upload = upload.unwrap();
    assert_eq!(upload.body, b"{}");
    assert_eq!(upload.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    assert_eq!(read(r#"{"method":"GET","endpoint":"/file/1","body":"null"}"#).unwrap().body, b"");
    let refused = read(r#"{"method":"GET","endpoint":"/file/1","body":"x"}"#);
    assert_eq!(refused, Err(RequestError::Body));
    assert_eq!(read("[]"), Err(RequestError::Head));
    let answer = |code| ServerResponse { code, headers: Vec::new(), body: b"body".to_vec() };
    assert_eq!(answer(200).encode_v3(), b"body");
    assert_eq!(answer(404).encode_v3(), br#"{"status_code":404}"#);
}

fn header() -> impl Strategy<Value = Headers> {
    proptest::collection::btree_map("[a-z-]{1,12}", ".{0,20}", 0..4)
        .prop_map(|headers| headers.into_iter().collect())
}

proptest! {
    #[test]
    fn requests_and_answers_survive_being_written_and_read(
        method in "[A-Z]{1,8}",
        endpoint in "/.{0,40}",
        headers in header(),
        body: Vec<u8>,
        code: u16,
    ) {
        let request = ServerRequest { method, endpoint, headers: headers.clone(), body: body.clone() };
        prop_assert_eq!(ServerRequest::parse(request.encode()), Ok(request));
        let response = ServerResponse { code, headers, body };
        prop_assert_eq!(ServerResponse::parse(response.encode()), Ok(response));
    }

    #[test]
    fn any_bytes_read_as_a_request_or_an_error(bytes: Vec<u8>, inner: Vec<u8>) {
        let _ = ServerRequest::parse(bytes.clone());
        let _ = ServerRequest::parse_v3(&bytes);
        let _ = ServerResponse::parse(bytes);
        let _ = ServerRequest::parse([b"l", &inner[..], b"e"].concat());
        let _ = ServerResponse::parse([b"l2:{}", &inner[..], b"e"].concat());
    }
}
