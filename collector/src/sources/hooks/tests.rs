//! Deliveries in GitHub's shape, signed with the example of its own documentation.

use super::*;

const REPOSITORY: &str = r#""repository":{"id":186853002,"full_name":"octo/shop"}"#;

#[test]
fn a_signature_is_that_of_this_body_and_this_secret() {
    // The secret, body and signature that GitHub's documentation gives for testing.
    let (secret, body) = (b"It's a Secret to Everybody".as_slice(), b"Hello, World!".as_slice());
    let signature = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let upper = signature.to_ascii_uppercase();
    let upper = [b"sha256=".as_slice(), &upper[7..]].concat();
    assert_eq!(verify(secret, Some(signature), body), Ok(()));
    assert_eq!(verify(secret, Some(&upper), body), Ok(()));
    assert_eq!(verify(secret, None, body), Err(Unproved::Absent));
    assert_eq!(verify(secret, Some(signature), b"Hello, World"), Err(Unproved::Other));
    assert_eq!(verify(b"another", Some(signature), body), Err(Unproved::Other));
    for form in [
        b"".as_slice(),
        b"sha1=7571",
        b"sha256=",
        &signature[7..],
        &signature[..70],
        b"sha256=zz7107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ] {
        assert_eq!(verify(secret, Some(form), body), Err(Unproved::Form), "{form:?}");
    }
    for at in 7..signature.len() {
        let mut other = signature.to_vec();
        other[at] = if other[at] == b'0' { b'1' } else { b'0' };
        assert_eq!(verify(secret, Some(&other), body), Err(Unproved::Other), "digit {at}");
    }
}

#[track_caller]
fn check(event: &str, rest: &str, expected: Option<Object>) {
    let body = format!("{{{REPOSITORY},{rest}}}");
    let hint = expected.map(|object| Hint {
        repository: "octo/shop".to_owned(),
        repository_id: 186_853_002,
        object,
    });
    assert_eq!(read(event, body.as_bytes()).expect("readable"), hint, "{event} {rest}");
}

#[test]
fn a_delivery_says_which_object_to_read() {
    let deployment = r#""action":"created","deployment":{"id":145988746,"sha":"f95f85"}"#;
    check("deployment", deployment, Some(Object::Deployment(145_988_746)));
    check("deployment_status", deployment, Some(Object::Deployment(145_988_746)));
    check("workflow_run", r#""workflow_run":{"id":7,"run_attempt":2}"#, Some(Object::Run(7)));
    let pull = r#""number":2,"pull_request":{"id":99,"number":2}"#;
    check("pull_request", pull, Some(Object::PullRequest(2)));
    check("pull_request_review", pull, Some(Object::PullRequest(2)));
    check("issues", r#""issue":{"id":5,"number":1}"#, Some(Object::Issue(1)));
    check("release", r#""release":{"id":17,"tag_name":"v1"}"#, Some(Object::Release(17)));
    let moved = |after: Option<&str>| {
        Some(Object::Ref { name: "refs/heads/main".into(), after: after.map(str::to_owned) })
    };
    check("push", r#""ref":"refs/heads/main","after":"6113728f""#, moved(Some("6113728f")));
    check("push", r#""ref":"refs/heads/main","after":"0000000000""#, moved(None));
    check("create", r#""ref":"main","ref_type":"branch""#, moved(None));
    let tag = Object::Ref { name: "refs/tags/shop/v1".into(), after: None };
    check("create", r#""ref":"shop/v1","ref_type":"tag""#, Some(tag));
}

#[test]
fn other_events_ask_for_nothing_whatever_they_hold() {
    for event in ["ping", "star", "", "deployments"] {
        assert_eq!(read(event, b"no JSON at all").expect("passed over"), None, "{event}");
    }
}

#[test]
fn a_payload_without_its_object_is_a_fault_that_names_it() {
    for (event, body, words) in [
        ("push", "no JSON", "content type JSON"),
        ("push", "{}", "missing field `repository`"),
        ("deployment", r#"{"repository":{"id":1,"full_name":"a/b"}}"#, "no `deployment`"),
        ("push", r#"{"repository":{"id":1,"full_name":"a/b"},"after":"1"}"#, "no `ref`"),
        ("issues", r#"{"repository":{"id":-1,"full_name":"a/b"}}"#, "invalid value"),
    ] {
        let fault = read(event, body.as_bytes()).expect_err(body).to_string();
        assert!(fault.contains(words), "{fault}");
    }
}
