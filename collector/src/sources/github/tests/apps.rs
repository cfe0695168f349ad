//! A GitHub App against a server that verifies what it signs, hands out tokens that expire, and
//! shows no page without one that holds.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{SubjectPublicKeyInfoDer, alg_id};

use super::*;

const KEY: &str = include_str!("../../../../tests/data/github-app/app.pem");
const PUBLIC_KEY: &str = include_str!("../../../../tests/data/github-app/app.pub.pem");
const OTHER_KEY: &str = include_str!("../../../../tests/data/github-app/other.pem");
const ID: &str = "Iv23liTheShop";
const MINUTE_MS: i64 = 60_000;

/// What the server knows of the App, and what was asked of it.
struct Hub {
    now_ms: i64,
    /// Where the App is installed on `acme/shop`.
    installation: u64,
    is_suspended: bool,
    /// How long a token lives.
    life_ms: i64,
    /// Tokens, each with its installation and its end.
    granted: Vec<(String, u64, i64)>,
    /// How often an installation was looked up.
    lookups: usize,
    /// Pages that were shown.
    pages: usize,
    /// Pages that were not, for want of a token that holds.
    refused: usize,
    /// An answer to whoever asks for a token.
    instead_of_token: Option<Answer>,
    /// Every page is refused, whatever token asks for it.
    refuses_all: bool,
    /// What pages say.
    mood: Mood,
}

struct Office {
    door: Loopback,
    hub: Arc<Mutex<Hub>>,
}

impl Office {
    async fn start() -> Self {
        let hub = Hub {
            now_ms: NOW_MS,
            installation: 42,
            is_suspended: false,
            life_ms: 60 * MINUTE_MS,
            granted: Vec::new(),
            lookups: 0,
            pages: 0,
            refused: 0,
            instead_of_token: None,
            refuses_all: false,
            mood: Mood::default(),
        };
        let hub = Arc::new(Mutex::new(hub));
        let shared = Arc::clone(&hub);
        let door = Loopback::start(move |host, target, bearer| {
            shared.lock().unwrap().answer(host, target, bearer.unwrap_or_default())
        });
        Self { door: door.await, hub }
    }

    fn hub(&self) -> std::sync::MutexGuard<'_, Hub> {
        self.hub.lock().unwrap()
    }

    fn client(&self, app: App) -> Client {
        let mut config = Config::of(Identity::App(app));
        config.api = format!("{}/api/v3", self.door.address);
        Client::new(&config).unwrap()
    }

    fn collector(&self, app: App) -> Collector {
        Collector::new(self.client(app), plan("acme/shop")).unwrap()
    }

    /// What the first step is refused.
    async fn refused(&self, app: App, repository: &str) -> AppRefusal {
        let collector = Collector::new(self.client(app), plan(repository)).unwrap();
        let batch = collector.step(Cursor::default(), NOW_MS, 0).await;
        match batch.next {
            Next::Refused(_, Refusal::App(refusal)) => refusal,
            next => panic!("{next:?}"),
        }
    }
}

fn app() -> App {
    App { id: ID.to_owned(), key: AppKey::parse(KEY).unwrap(), installation: None }
}

fn plan(repository: &str) -> Plan {
    Plan {
        repository: Repository::new(repository),
        service: Service::new("shop"),
        streams: ALL.to_vec(),
        incident_label: "incident: p1".into(),
        workflow: String::new(),
        jobs: false,
        prereleases: false,
        tags: Vec::new(),
        environment: Environment::new("production"),
        since_ms: SINCE_MS,
    }
}

impl Hub {
    fn answer(&mut self, host: &str, target: &str, bearer: &str) -> Answer {
        let path = target.strip_prefix("/api/v3").unwrap_or(target);
        if let Some(repository) =
            path.strip_prefix("/repos/").and_then(|path| path.strip_suffix("/installation"))
        {
            self.lookups += 1;
            return self.proved(bearer).err().unwrap_or_else(|| match repository {
                "acme/shop" => said(200, &json!({ "id": self.installation })),
                _ => said(404, &json!({ "message": "Not Found" })),
            });
        }
        if let Some(id) = path
            .strip_prefix("/app/installations/")
            .and_then(|path| path.strip_suffix("/access_tokens"))
        {
            return self.proved(bearer).err().unwrap_or_else(|| self.grant(id.parse().unwrap()));
        }
        let holds = |(token, id, end_ms): &(String, u64, i64)| {
            token == bearer && *id == self.installation && self.now_ms < *end_ms
        };
        if self.refuses_all || !self.granted.iter().any(holds) {
            self.refused += 1;
            return said(401, &json!({ "message": "Bad credentials" }));
        }
        self.pages += 1;
        match (self.mood.always, target) {
            (Some((status, headers, body)), _) => (status, headers.into(), body.into(), false),
            (None, "/api/graphql") => said(
                200,
                &json!({ "data": { "rateLimit": { "cost": 1, "remaining": 4_999 }, "repository": {
                    "deployments": { "pageInfo": { "hasNextPage": false }, "nodes": [] } } } }),
            ),
            (None, _) => page(&self.mood, host, target),
        }
    }

    fn grant(&mut self, id: u64) -> Answer {
        if let Some(answer) = &self.instead_of_token {
            self.granted.push((String::new(), 0, 0));
            return answer.clone();
        }
        if id != self.installation {
            return said(404, &json!({ "message": "Not Found" }));
        }
        if self.is_suspended {
            return said(403, &json!({ "message": "This installation has been suspended" }));
        }
        let end_ms = self.now_ms + self.life_ms;
        let token = format!("ghs_{}", self.granted.len());
        self.granted.push((token.clone(), id, end_ms));
        let end = jiff::Timestamp::from_millisecond(end_ms).unwrap().to_string();
        said(201, &json!({ "token": token, "expires_at": end, "permissions": {} }))
    }

    /// Whether the App has signed this, in GitHub's own words where it has not.
    fn proved(&self, bearer: &str) -> Result<(), Answer> {
        let refused = |message: &str| Err(said(401, &json!({ "message": message })));
        let undecoded = "A JSON web token could not be decoded";
        let Some((signed, signature)) = bearer.rsplit_once('.') else { return refused(undecoded) };
        let (header, claims) = signed.split_once('.').unwrap();
        let read = |part| URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: Value = serde_json::from_slice(&read(header)).unwrap();
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT" }));
        let claims: Value = serde_json::from_slice(&read(claims)).unwrap();
        if claims["iss"] != ID {
            return Err(said(404, &json!({ "message": "Integration not found" })));
        }
        if !verifies(signed.as_bytes(), &read(signature)) {
            return refused(undecoded);
        }
        let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        let now = self.now_ms / 1_000;
        let dated = |message: &str| {
            let date = jiff::Timestamp::from_second(now).unwrap();
            let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT");
            let (status, _, body, cut) = said(401, &json!({ "message": message }));
            Err((status, format!("date: {date}\r\n"), body, cut))
        };
        match () {
            () if issued > now => dated(
                "'Issued at' claim ('iat') must be an Integer representing the time that the \
                 assertion was issued",
            ),
            () if expires <= now => dated(
                "'Expiration time' claim ('exp') must be a numeric value representing the future \
                 time at which the assertion expires",
            ),
            () if expires > now + 600 => {
                dated("'Expiration time' claim ('exp') is too far in the future")
            }
            () => Ok(()),
        }
    }
}

fn said(status: u16, body: &Value) -> Answer {
    (status, String::new(), body.to_string(), false)
}

fn verifies(signed: &[u8], signature: &[u8]) -> bool {
    let info = SubjectPublicKeyInfoDer::from_pem_slice(PUBLIC_KEY.as_bytes()).unwrap();
    // The key itself stands behind 24 bytes that say that it is an RSA key of this length.
    let public_key = &info.as_ref()[24..];
    let algorithms = ring::default_provider().signature_verification_algorithms.all;
    let rs256 = algorithms.iter().find(|algorithm| {
        algorithm.signature_alg_id() == alg_id::RSA_PKCS1_SHA256
            && algorithm.public_key_alg_id() == alg_id::RSA_ENCRYPTION
    });
    rs256.unwrap().verify_signature(public_key, signed, signature).is_ok()
}

/// Rounds that end with nothing refused, with as much time between two steps as is said.
async fn read(office: &Office, collector: &Collector, minutes: i64) -> Facts {
    let (mut facts, mut cursor) = (Facts::new(), Cursor::default());
    for at in 0..200 {
        let now_ms = office.hub().now_ms;
        let batch = collector.step(cursor, now_ms, at).await;
        for fact in batch.facts {
            facts.insert((fact.what.kind().to_owned(), fact.id.clone()), fact);
        }
        cursor = batch.cursor;
        match batch.next {
            Next::Now => office.hub().now_ms += minutes * MINUTE_MS,
            Next::Complete { .. } => return facts,
            next => panic!("{next:?}"),
        }
    }
    panic!("no end: {cursor:?}");
}

#[tokio::test]
async fn an_app_reads_what_a_token_reads_and_renews_before_its_token_expires() {
    let (expected, ..) = collected(&Server::start(Mood::default()).await).await;
    let office = Office::start().await;
    let facts = read(&office, &office.collector(app()), 28).await;
    let ids = |facts: &Facts| facts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&facts), ids(&expected));
    let hub = office.hub();
    assert_eq!((hub.lookups, hub.refused), (1, 0));
    // The third step comes four minutes before the end of the first token, and so on.
    assert!(hub.granted.len() > 4, "{:?}", hub.granted);
    let overlap = hub.granted.windows(2).map(|two| two[0].2 + hub.life_ms - two[1].2);
    assert!(overlap.clone().all(|ms| ms == 4 * MINUTE_MS), "{:?}", overlap.collect::<Vec<_>>());
    assert!(hub.pages > 20, "{}", hub.pages);
}

#[tokio::test]
async fn graphql_is_asked_with_the_token_of_the_installation() {
    let office = Office::start().await;
    let app = App { installation: Some(42), ..app() };
    let backfill = Backfill::new(office.client(app), plan("acme/shop")).unwrap();
    let batch = backfill.step(BackfillCursor::default(), NOW_MS, 0).await;
    assert_eq!((batch.next, batch.remaining), (Next::Now, Some(4_999)));
    let hub = office.hub();
    assert_eq!((hub.lookups, hub.granted.len(), hub.pages), (0, 1, 1));
}

#[tokio::test]
async fn a_link_to_another_host_gets_no_token() {
    let office = Office::start().await;
    office.hub().mood.link_host = Some("http://evil.example");
    let batch = office.collector(app()).step(Cursor::default(), NOW_MS, 0).await;
    let Next::Refused(_, refusal) = batch.next else { panic!("{batch:?}") };
    assert!(refusal.to_string().starts_with("GitHub points to evil.example"), "{refusal}");
}

#[tokio::test]
async fn many_tasks_wait_for_one_token() {
    let office = Office::start().await;
    let client = office.client(app());
    let steps = async || {
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..20 {
            let collector = Collector::new(client.clone(), plan("acme/shop")).unwrap();
            tasks.spawn(async move { collector.step(Cursor::default(), NOW_MS, at).await.next });
        }
        tasks.join_all().await
    };
    office.hub().instead_of_token = Some((502, String::new(), "<html>".into(), false));
    assert!(steps().await.iter().all(|next| matches!(next, Next::Later(_))));
    assert_eq!(office.hub().granted.len(), 1, "a server in trouble is asked once");
    office.hub().instead_of_token = None;
    assert!(steps().await.iter().all(|next| *next == Next::Now));
    office.hub().granted.clear();
    assert!(steps().await.iter().all(|next| *next == Next::Now), "every token was revoked");
    let hub = office.hub();
    assert_eq!((hub.lookups, hub.granted.len()), (1, 1));
}

#[tokio::test]
async fn a_revoked_token_is_renewed_once_and_then_it_is_a_refusal() {
    let office = Office::start().await;
    let collector = office.collector(app());
    let batch = collector.step(Cursor::default(), NOW_MS, 0).await;
    assert_eq!(batch.next, Next::Now);
    office.hub().granted[0].2 = 0;
    let batch = collector.step(batch.cursor, NOW_MS, 0).await;
    assert_eq!(batch.next, Next::Now);
    assert_eq!(office.hub().granted.len(), 2);
    office.hub().refuses_all = true;
    let batch = collector.step(batch.cursor, NOW_MS, 0).await;
    let Next::Refused(_, refusal) = batch.next else { panic!("{batch:?}") };
    assert_eq!(refusal, Refusal::App(AppRefusal::NewToken));
    assert_eq!(office.hub().granted.len(), 3);
}

#[tokio::test]
async fn an_app_that_was_installed_again_is_found_again() {
    let office = Office::start().await;
    let collector = office.collector(app());
    let batch = collector.step(Cursor::default(), NOW_MS, 0).await;
    office.hub().installation = 43;
    let batch = collector.step(batch.cursor, NOW_MS, 0).await;
    assert!(
        matches!(batch.next, Next::Refused(_, Refusal::App(AppRefusal::NotInstalled { .. }))),
        "{batch:?}"
    );
    let batch = collector.step(Cursor::default(), NOW_MS, 0).await;
    assert_eq!(batch.next, Next::Now);
    assert_eq!(office.hub().lookups, 2);
}

#[tokio::test]
async fn a_token_of_no_length_serves_the_request_that_it_was_asked_for() {
    let office = Office::start().await;
    office.hub().life_ms = 2 * MINUTE_MS;
    let collector = office.collector(app());
    let batch = collector.step(Cursor::default(), NOW_MS, 0).await;
    assert_eq!(batch.next, Next::Now);
    assert!(office.hub().pages > 1);
    assert_eq!(office.hub().granted.len(), 1, "a short life is no reason to ask for each page");
}

#[tokio::test]
async fn each_refusal_of_an_app_names_its_cure() {
    let mut told = String::new();
    let mut tell = |refusal: AppRefusal| {
        assert!(!KEY.lines().skip(2).any(|line| refusal.to_string().contains(line)));
        writeln!(told, "{} {refusal}", if refusal.is_of_configuration() { 2 } else { 1 }).unwrap();
    };
    let office = Office::start().await;
    let foreign = App { key: AppKey::parse(OTHER_KEY).unwrap(), ..app() };
    tell(office.refused(foreign, "acme/shop").await);
    tell(office.refused(App { id: "1".into(), ..app() }, "acme/shop").await);
    tell(office.refused(app(), "acme/other").await);
    tell(office.refused(App { installation: Some(7), ..app() }, "acme/shop").await);
    office.hub().now_ms = NOW_MS - 2 * MINUTE_MS;
    tell(office.refused(app(), "acme/shop").await);
    office.hub().now_ms = NOW_MS + 10 * MINUTE_MS;
    tell(office.refused(app(), "acme/shop").await);
    office.hub().now_ms = NOW_MS;
    office.hub().is_suspended = true;
    tell(office.refused(app(), "acme/shop").await);
    office.hub().is_suspended = false;
    let missing = r#"{"message":"Resource not accessible by integration"}"#;
    let permissions = "x-accepted-github-permissions: deployments=read\r\n";
    office.hub().mood.always = Some((403, permissions, missing));
    tell(office.refused(app(), "acme/shop").await);
    assert_eq!(told, include_str!("../../../../tests/data/github-app/refusals.txt"));
}

#[test]
fn a_key_is_read_as_github_hands_it_out_and_its_fault_is_told() {
    let read = |name: &str| {
        let path = format!("{}/tests/data/github-app/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let key = AppKey::parse(KEY).unwrap();
    assert_eq!(AppKey::parse(&read("app.pkcs8.pem")), Ok(key.clone()));
    assert_eq!(AppKey::parse(&KEY.replace('\n', "\r\n")), Ok(key.clone()));
    assert_ne!(AppKey::parse(OTHER_KEY), Ok(key));
    let body = KEY.lines().nth(10).unwrap();
    for (pem, fault) in [
        (String::new(), KeyFault::Absent),
        ("github_pat_1".into(), KeyFault::Absent),
        (KEY.replace('\n', " "), KeyFault::Broken),
        (KEY.replace(body, ""), KeyFault::Broken),
        (KEY.replace(body, "ä"), KeyFault::Broken),
        (KEY.split_once("-----END").unwrap().0.into(), KeyFault::Broken),
        (read("short.pem"), KeyFault::Broken),
        (PUBLIC_KEY.into(), KeyFault::Public),
        (read("encrypted.pem"), KeyFault::Encrypted),
        (read("encrypted.pkcs1.pem"), KeyFault::Encrypted),
        (read("ec.pem"), KeyFault::NotRsa),
        (read("ec.pkcs8.pem"), KeyFault::NotRsa),
    ] {
        assert_eq!(AppKey::parse(&pem), Err(fault), "{pem}");
    }
}

#[test]
fn nothing_of_a_key_is_shown() {
    assert_eq!(
        format!("{:?}", app()),
        r#"App { id: "Iv23liTheShop", key: (secret), installation: None }"#
    );
}
