//! The sections that name sockets, directories and bounds: `listen`, `admin_token`, `data_dir` and
//! `limits`, with the cross checks that no key can see alone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::checked::Config;
use super::fault::{Conflict, Problem};
use super::node::Position;
use super::scalar::{self, Form, Shown};
use super::secret::Secret;
use super::walk::{Field, Section, Typed, Walk};
use crate::{receive, series as series_room};

/// Reads `listen`.
pub(super) fn listen(walk: &mut Walk<'_>, section: &Section<'_>, config: &mut Config) {
    let mut taken = Vec::new();
    for (name, target) in [
        ("otlp_grpc", &mut config.receive.grpc),
        ("otlp_http", &mut config.receive.http),
        ("admin", &mut config.admin.listen),
    ] {
        let before = taken.len();
        match addresses(walk, section, name, &mut taken) {
            Given::Listed => {
                *target = taken[before..].iter().map(|typed| typed.value).collect();
            }
            Given::Nothing => taken.extend(target.iter().map(|address| Typed {
                value: *address,
                at: section.at,
                key: section.key(name),
                shown: Shown::origin(&format!("{address}, the default")),
                foreign: false,
            })),
        }
    }
    overlaps(walk, &taken);
}

/// Whether a list of addresses stands in the file, or the default goes on.
enum Given {
    Listed,
    Nothing,
}

fn addresses(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    name: &str,
    taken: &mut Vec<Typed<SocketAddr>>,
) -> Given {
    let Some(field) = section.field(name) else { return Given::Nothing };
    let Some(fields) = walk.list(&field, ADDRESSES_MAX) else { return Given::Listed };
    if fields.is_empty() && name == "admin" {
        let why = "metrics and health would be out of reach; remove the key for the default";
        walk.fault(field.at, &field.key, Problem::EmptyList(why));
    }
    let (before, faults) = (taken.len(), walk.faults());
    for field in &fields {
        let Some(typed) = walk.typed(field, Form::Address, scalar::addresses) else { continue };
        taken.extend(typed.value.iter().map(|address| Typed {
            value: *address,
            at: typed.at,
            key: typed.key.clone(),
            shown: typed.shown.clone(),
            foreign: typed.foreign,
        }));
    }
    // An empty list closes a port; a list of nothing but empty `${NAME:-}` is not given.
    let nothing = !fields.is_empty() && taken.len() == before && walk.faults() == faults;
    if nothing { Given::Nothing } else { Given::Listed }
}

/// Two listeners that the system would not let bind both.
fn overlaps(walk: &mut Walk<'_>, taken: &[Typed<SocketAddr>]) {
    for (i, late) in taken.iter().enumerate() {
        let same = |early: &&Typed<SocketAddr>| {
            let (a, b) = (late.value.ip().to_canonical(), early.value.ip().to_canonical());
            late.value.port() == early.value.port()
                && late.value.port() != 0
                && a.is_ipv4() == b.is_ipv4()
                && (a == b || a.is_unspecified() || b.is_unspecified())
        };
        if let Some(early) = taken[..i].iter().find(same) {
            let other = early.key.clone();
            late.conflict(walk, Conflict::Listener { shown: late.shown.clone(), other });
        }
    }
}

/// Reads `admin_token`, whose value no fault may show even where it stands in the file.
pub(super) fn admin_token(walk: &mut Walk<'_>, top: &Section<'_>) -> Option<Secret> {
    token(walk, &top.field("admin_token")?)
}

/// A secret that may stand in a header.
pub(super) fn token(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Secret> {
    let text = walk.secret(field)?;
    let visible = text.value.bytes().all(|b| b.is_ascii_graphic());
    if visible && (1..=TOKEN_BYTES_MAX).contains(&text.value.len()) {
        return Some(Secret::new(text.value));
    }
    let shown = if text.foreign { text.shown } else { Shown::origin("secret") };
    walk.fault(field.at, &field.key, Problem::Value { shown, form: Form::Token });
    None
}

/// Reads `data_dir`.
pub(super) fn data_dir(walk: &mut Walk<'_>, top: &Section<'_>) -> Option<PathBuf> {
    let path = |text: &str| {
        let legal = !text.is_empty() && !text.contains('\0') && text.len() <= PATH_BYTES_MAX;
        legal.then(|| PathBuf::from(text))
    };
    let field = top.field("data_dir")?;
    walk.typed(&field, Form::Directory, path).map(|typed| typed.value)
}

/// Reads `limits`.
pub(super) fn limits(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    receive: &mut receive::Limits,
    series: &mut series_room::Limits,
) {
    memory(walk, section, receive);
    if let Some(count) = whole(walk, section, "spans_per_request", ITEMS_MAX) {
        receive.items_per_request = count;
    }
    if let Some(count) = whole(walk, section, "series", SERIES_MAX) {
        series.rows = usize::try_from(count).expect("a bound below 2^32");
    }
    if let Some(time) = time(walk, section, "series_expire", EXPIRE_MIN, EXPIRE_MAX) {
        series.expire_ms = time.as_millis().try_into().unwrap_or(u64::MAX);
    }
    if let Some(count) = whole(walk, section, "connections", CONNECTIONS_MAX) {
        receive.connections = usize::try_from(count).expect("a bound below 2^32");
    }
    if let Some(count) = whole(walk, section, "streams_per_connection", STREAMS_MAX) {
        receive.streams_per_connection = u32::try_from(count).expect("a bound below 2^32");
    }
    if let Some(time) = time(walk, section, "header_timeout", TIMEOUT_MIN, TIMEOUT_MAX) {
        receive.header_timeout = time;
    }
    if let Some(time) = time(walk, section, "body_timeout", TIMEOUT_MIN, TIMEOUT_MAX) {
        receive.body_timeout = time;
    }
}

/// The two sizes, each by itself and against the other.
fn memory(walk: &mut Walk<'_>, section: &Section<'_>, receive: &mut receive::Limits) {
    let faults = walk.faults();
    let given_memory = bytes(walk, section, "memory", MEMORY_BYTES_MAX);
    let given_request = bytes(walk, section, "request_bytes", REQUEST_BYTES_MAX);
    let or_default = |given: Option<Typed<u64>>, name: &str, default: usize| {
        given.unwrap_or_else(|| {
            let value = default as u64;
            let shown = Shown::origin(&format!("{}, the default", scalar::size_text(value)));
            Typed { value, at: section.at, key: section.key(name), shown, foreign: false }
        })
    };
    // The fault stands where the user wrote, not at a default, and not beside a fault of either.
    let at: Option<(Position, &str)> = match (&given_memory, &given_request) {
        _ if walk.faults() > faults => None,
        (Some(memory), _) => Some((memory.at, "memory")),
        (None, Some(request)) => Some((request.at, "request_bytes")),
        (None, None) => None,
    };
    let memory = or_default(given_memory, "memory", receive.memory_bytes);
    let request = or_default(given_request, "request_bytes", receive.request_bytes);
    receive.memory_bytes = usize::try_from(memory.value).unwrap_or(usize::MAX);
    receive.request_bytes = usize::try_from(request.value).unwrap_or(usize::MAX);
    let needed = request.value.saturating_mul(2);
    if let Some((at, name)) = at
        && memory.value < needed
    {
        // A size from outside the file is not shown, so neither is what could be told from it.
        let needed =
            if request.foreign { "twice that".to_owned() } else { scalar::size_text(needed) };
        let conflict =
            Conflict::Memory { request_bytes: request.shown, memory: memory.shown, needed };
        walk.fault(at, &section.key(name), conflict);
    }
}

pub(super) fn bytes(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    name: &str,
    max: u64,
) -> Option<Typed<u64>> {
    let field = section.field(name)?;
    let typed = walk.typed(&field, Form::Size, scalar::size)?;
    typed.bounded(walk, REQUEST_BYTES_MIN..=max, |bytes| scalar::size_text(*bytes))
}

fn whole(walk: &mut Walk<'_>, section: &Section<'_>, name: &str, max: u64) -> Option<u64> {
    let field = section.field(name)?;
    let typed = walk.typed(&field, Form::Count, scalar::count)?;
    typed.bounded(walk, 1..=max, u64::to_string).map(|typed| typed.value)
}

fn time(
    walk: &mut Walk<'_>,
    section: &Section<'_>,
    name: &str,
    min: Duration,
    max: Duration,
) -> Option<Duration> {
    let field = section.field(name)?;
    let typed = walk.typed(&field, Form::Duration, scalar::duration)?;
    typed.bounded(walk, min..=max, |time| scalar::duration_text(*time)).map(|typed| typed.value)
}

/// Both families of a few networks.
const ADDRESSES_MAX: usize = 16;
/// What an HTTP header may hold without surprises.
const TOKEN_BYTES_MAX: usize = 4096;
/// Linux's own bound for a path.
const PATH_BYTES_MAX: usize = 4096;
/// One span with a few attributes.
const REQUEST_BYTES_MIN: u64 = 1 << 10;
/// 16 times what the OTLP specification recommends, and below what a 32-bit length can say.
const REQUEST_BYTES_MAX: u64 = 1 << 30;
/// An agent beside its services that needs more than this is one to be split.
const MEMORY_BYTES_MAX: u64 = 64 << 30;
/// 1 GiB of the smallest spans that say anything.
const ITEMS_MAX: u64 = 10_000_000;
/// A scrape of a million counters is 150 MB of text.
const SERIES_MAX: u64 = 1_000_000;
/// The usual bound on a process's open files, raised.
const CONNECTIONS_MAX: u64 = 65_536;
/// Ten times what browsers and proxies ask for.
const STREAMS_MAX: u64 = 1_000;
/// Below the shortest scrape interval a series would be gone before it was seen.
const EXPIRE_MIN: Duration = Duration::from_secs(1);
/// Past a month a series is a leak.
const EXPIRE_MAX: Duration = Duration::from_secs(31 * 86_400);
/// A round trip over a slow network.
const TIMEOUT_MIN: Duration = Duration::from_millis(10);
/// A peer that needs longer is gone.
const TIMEOUT_MAX: Duration = Duration::from_secs(3_600);
